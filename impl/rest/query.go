package rest

import (
	"reflect"
	"strings"

	"rearm/db"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// read gives the query that a request makes on a resource: its filters, sorting and page. The sources are the generated
// structs of query parameters and of a body; one table, the resource's, says how each filter reads. What is absent or null is
// not asked.
func read(resource *db.Resource, sources ...any) (engine.Query, error) {
	q := engine.Query{Values: map[string]any{}, Max: engine.Unbounded}
	for _, source := range sources {
		v := reflect.Indirect(reflect.ValueOf(source))
		if !v.IsValid() {
			continue
		}
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			q.Paged = q.Paged || name == "maxResults" // a count has no page
			value, ok := plain(v.Field(i))
			if !ok {
				continue
			}
			if err := put(&q, resource, name, value); err != nil {
				return q, err
			}
		}
	}
	return q, nil
}

// plain gives the value of an optional or nullable field without its wrapping; ok is false when it is absent or null.
func plain(v reflect.Value) (value any, ok bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil, false
		}
		return plain(v.Elem())
	case reflect.Map: // nullable.Nullable: true -> value, false -> null
		if v.Type().Key().Kind() == reflect.Bool {
			if inner := v.MapIndex(reflect.ValueOf(true)); inner.IsValid() {
				return plain(inner)
			}
			return nil, false
		}
	case reflect.Slice:
		if v.IsNil() {
			return nil, false
		}
	case reflect.String:
		return v.String(), true
	case reflect.Bool:
		return v.Bool(), true
	case reflect.Int, reflect.Int32, reflect.Int64:
		return v.Int(), true
	}
	if d, is := v.Interface().(wire.DateTime); is {
		return db.TimeOf(d.Time), true
	}
	return v.Interface(), true
}

// put files one value of a request where it belongs.
func put(q *engine.Query, resource *db.Resource, name string, value any) error {
	switch name {
	case "firstResult":
		q.First = int(value.(int64))
	case "maxResults":
		q.Max = int(value.(int64))
	case "sortBy":
		q.Sorting.By = text(value)
	case "sortOrder":
		q.Sorting.Order = text(value)
	case "sorting":
		q.Sorting.Levels = levels(value)
	case "orQueries":
		return alternatives(q, resource, value)
	case "Idempotency-Key", "onMissing":
	default:
		return filter(q, resource, name, value)
	}
	return nil
}

// alternatives reads the elements of `orQueries`; a null among them asks nothing.
func alternatives(q *engine.Query, resource *db.Resource, value any) error {
	list := reflect.ValueOf(value)
	for i := range list.Len() {
		element, ok := plain(list.Index(i))
		if !ok {
			continue
		}
		or, err := read(resource, element)
		if err != nil {
			return err
		}
		q.Or = append(q.Or, or)
	}
	return nil
}

func text(value any) *string {
	s := value.(string)
	return &s
}

// levels gives the elements of `sorting`; what is missing in one is nil.
func levels(value any) []engine.Level {
	var list []engine.Level
	for _, element := range elements(value) {
		list = append(list, engine.Level{By: element.text("sortBy"), Order: element.text("sortOrder")})
	}
	return list
}

// filter files a filter. In a query parameter a list is a text with commas, and a list of comparisons a text of its own
// form (contract-facts 1.4).
func filter(q *engine.Query, resource *db.Resource, name string, value any) error {
	field := resource.Fields[name]
	switch v := value.(type) {
	case string:
		switch {
		case field.Kind != db.Texts && field.Kind != db.IDs && !field.List && !field.Comparisons:
			q.Values[name] = v
		case field.Comparisons:
			list, err := parseComparisons(name, v)
			q.Values[name] = list
			return err
		case v != "" || field.Empty:
			q.Values[name] = strings.Split(v, ",")
		}
	case []string:
		if len(v) > 0 || field.NotEmpty != "" {
			q.Values[name] = v
		}
	case bool, int64, db.Time:
		q.Values[name] = v
	default:
		if list := comparisons(v); len(list) > 0 {
			q.Values[name] = list
		}
	}
	return nil
}

// parseComparisons reads `name_operator_value,...` of processVariables, or `operator_value,...` of dates.
func parseComparisons(name, value string) (list []db.Comparison, err error) {
	parts, format := 2, "condition query parameter has to have format OPERATOR_VALUE."
	if name == "processVariables" {
		parts, format = 3, "variable query parameter has to have format KEY_OPERATOR_VALUE."
	}
	for _, one := range strings.Split(value, ",") {
		p := strings.Split(one, "_")
		if len(p) != parts {
			return nil, fault.BadRequest("Cannot set query parameter '%s' to value '%s': %s", name, value, format)
		}
		c := db.Comparison{Operator: &p[parts-2]}
		if parts == 3 {
			c.Name, c.Value = &p[0], textOrDate(p[2])
		} else if c.Value, err = dateOf(name, p[1]); err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// comparisons gives the elements of a list of comparisons in a body.
func comparisons(value any) []db.Comparison {
	list := []db.Comparison{}
	for _, e := range elements(value) {
		c := db.Comparison{Name: e.text("name"), Operator: e.text("operator"), Value: jsonValue(e["value"])}
		list = append(list, c)
	}
	return list
}

// element is one object of a list in a body, by the contract's names.
type element map[string]any

func (e element) text(name string) *string {
	if s, ok := e[name].(string); ok {
		return &s
	}
	return nil
}

// elements gives the objects of a list of generated structs.
func elements(value any) []element {
	v := reflect.ValueOf(value)
	list := make([]element, v.Len())
	for i := range list {
		list[i] = element{}
		value, ok := plain(v.Index(i))
		if !ok { // a null
			continue
		}
		one := reflect.ValueOf(value)
		for j := range one.NumField() {
			name, _, _ := strings.Cut(one.Type().Field(j).Tag.Get("json"), ",")
			if p, ok := plain(one.Field(j)); ok {
				list[i][name] = p
			}
		}
	}
	return list
}
