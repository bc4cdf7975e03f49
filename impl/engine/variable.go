package engine

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// named is a checked variable.
type named struct {
	name string
	variable.Value
}

// parse checks variables; those that are not to be kept are left out then.
func parse(in map[string]variable.Input) ([]named, error) {
	list := make([]named, 0, len(in))
	for name, input := range in {
		if utf8.RuneCountInString(name) > maxName {
			return nil, fault.BadRequest("The name of a variable may have at most %d characters.", maxName)
		}
		v, err := variable.Parse(input)
		if err != nil {
			return nil, err
		}
		if !v.Transient {
			list = append(list, named{name, v})
		}
	}
	slices.SortFunc(list, func(a, b named) int { return strings.Compare(a.name, b.name) })
	return list, nil
}

func parseBoth(shared, local map[string]variable.Input) (a, b []named, err error) {
	if a, err = parse(shared); err != nil {
		return nil, nil, err
	}
	b, err = parse(local)
	return a, b, err
}

// stored gives variables as they are kept in a scope, or with one of its tasks.
func stored(list []named, scope string, task db.ID) []db.Variable {
	rows := make([]db.Variable, len(list))
	for i, v := range list {
		rows[i] = db.Variable{ScopeID: scope, TaskID: task, Name: v.name, Type: v.Type, Text: v.Text, Long: v.Long, Double: v.Double, Info: string(v.Info)}
		if v.Text != nil && !strings.Contains(*v.Text, "\x00") {
			continue
		}
		value := string(v.JSON)
		rows[i].Text, rows[i].Value = nil, &value
	}
	return rows
}

// comparing is filter for a resource whose filters compare variables, and may refuse empty lists (contract-facts 2.17).
func (e *Engine) comparing(caller db.Caller, r *db.Resource, q Query) (*db.Filter, error) {
	f, err := e.filter(caller, r, q)
	if err != nil {
		return nil, err
	}
	f.Values = maps.Clone(f.Values)
	for name, value := range f.Values {
		if list, ok := value.([]string); ok && len(list) == 0 && r.Fields[name].NotEmpty != "" {
			return nil, fault.Coded(fault.Invalid, fault.ProcessEngine, "%s", r.Fields[name].NotEmpty)
		}
	}
	for name, kind := range map[string]string{"processVariables": "process variable", "variables": "variable"} {
		list, ok := f.Values[name].([]db.Comparison)
		if !ok {
			continue
		}
		if f.Values[name], err = comparisons(list, kind); err != nil {
			return nil, err
		}
	}
	f.Or, err = e.alternatives(caller, r, q.Or)
	return f, err
}

// alternatives reads the queries of which one filter is enough. They cannot have such queries themselves; the reference passes over
// those.
func (e *Engine) alternatives(caller db.Caller, r *db.Resource, list []Query) ([]db.Filter, error) {
	if len(list) > conditionsAtMost {
		return nil, fault.BadRequest("orQueries cannot have more than %d elements", conditionsAtMost)
	}
	read := make([]db.Filter, len(list))
	for i := range list {
		if len(list[i].Or) > 0 {
			return nil, fault.BadRequest("orQueries cannot be used inside of orQueries")
		}
		f, err := e.comparing(caller, r, list[i])
		if err != nil {
			return nil, err
		}
		read[i] = *f
		read[i].Any = true
	}
	return read, nil
}

// conditionsAtMost is how many elements a list of conditions may have: SQLite refuses terms that are nested 1,000 deep, and a chain
// of ands and ors is.
const conditionsAtMost = 500

// needsOrder are the operators that compare by order, in the words of the reference.
var needsOrder = map[string]string{
	"gt": "greater than", "gteq": "greater than or equal", "lt": "less than", "lteq": "less than or equal",
}

// comparisons checks comparisons of variables and reads their values (contract-facts 2.2). kind names them in errors.
func comparisons(list []db.Comparison, kind string) ([]db.Comparison, error) {
	if len(list) > conditionsAtMost {
		return nil, fault.BadRequest("There cannot be more than %d %s conditions", conditionsAtMost, kind)
	}
	checked := make([]db.Comparison, len(list))
	for i, c := range list {
		switch {
		case c.Operator == nil:
			return nil, fault.BadRequest("Invalid %s comparator specified: null", kind)
		case db.Operators[*c.Operator] == "":
			return nil, fault.BadRequest("Invalid %s comparator specified: %s", kind, *c.Operator)
		case c.Name == nil:
			return nil, fault.Coded(fault.Invalid, fault.NullValue, "name is null")
		}
		value, err := operand(c.Value)
		if err != nil {
			return nil, err
		}
		_, isBool := value.(bool)
		if words := needsOrder[*c.Operator]; words != "" && (value == nil || isBool) {
			return nil, fault.Coded(fault.Invalid, fault.ProcessEngine, "Booleans and null cannot be used in '%s' condition", words)
		}
		if *c.Operator == "like" || *c.Operator == "notLike" {
			value = pattern(value)
		}
		checked[i] = db.Comparison{Name: c.Name, Operator: c.Operator, Value: value}
	}
	return checked, nil
}

// pattern gives the operand of a comparison by likeness, which the reference takes for a text whatever it is: null is the text
// "null".
func pattern(value any) string {
	if value == nil {
		return "null"
	}
	return fmt.Sprint(value)
}

// operand reads the value of a comparison: JSON of a body, or what is read already. A text that is a date is one; a number
// without a fraction is an int64.
func operand(value any) (any, error) {
	if raw, ok := value.(json.RawMessage); ok {
		var err error
		if value, err = scalar(raw); err != nil {
			return nil, err
		}
	}
	switch v := value.(type) {
	case string:
		return dateOrText(v), nil
	case float64:
		if math.Abs(v) < 1<<53 && v == math.Trunc(v) {
			return int64(v), nil
		}
	}
	return value, nil
}

// scalar gives a value of JSON that is no object and no list.
func scalar(raw json.RawMessage) (any, error) {
	v, err := variable.Parse(variable.Input{Value: raw})
	switch {
	case err != nil:
		return nil, err
	case v.Text != nil:
		return *v.Text, nil
	case v.Type == "Boolean":
		return *v.Long == 1, nil
	case v.Long != nil:
		return *v.Long, nil
	case v.Double != nil:
		return *v.Double, nil
	case v.Type == "Null":
		return nil, nil
	}
	return nil, fault.BadRequest("Variables cannot be compared with an object or a list.")
}

func dateOrText(s string) any {
	if t, ok := variable.ParseDate(s); ok {
		return db.TimeOf(t)
	}
	return s
}
