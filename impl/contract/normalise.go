package contract

import (
	"math"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"

	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// kind says how the text of a query parameter is read.
type kind int

const (
	text    kind = iota // as it is; the empty text is a value
	boolean             // true and false in any case (difference 16)
	integer             // a JSON number without its fraction; a paging number is a whole one (contract-facts 1.4)
	date                // the reference's form or RFC 3339; empty is absent
	choice              // one of an enum
)

// parameter is a declared query parameter.
type parameter struct {
	name string
	kind kind
	// primitive parameters have a default. The reference reads them without its converters (contract-facts 1.2): empty is
	// absent, and numbers are whole.
	primitive bool
	schema    *openapi3.Schema
}

// readParameters gives the query parameters of an operation, in the document's order.
func readParameters(route *routers.Route) []parameter {
	var list []parameter
	for _, refs := range []openapi3.Parameters{route.PathItem.Parameters, route.Operation.Parameters} {
		for _, ref := range refs {
			if ref.Value.In == openapi3.ParameterInQuery {
				s := ref.Value.Schema.Value
				list = append(list, parameter{name: ref.Value.Name, kind: kindOf(s), primitive: s.Default != nil, schema: s})
			}
		}
	}
	return list
}

func kindOf(s *openapi3.Schema) kind {
	switch {
	case s.Type.Is("boolean"):
		return boolean
	case s.Type.Is("integer"):
		return integer
	case s.Format == dateFormat:
		return date
	case len(s.Enum) > 0:
		return choice
	}
	return text
}

// normalise gives the query of a request with each declared parameter once and in one spelling, and puts it into the request:
// the first of repeated ones counts (openapi-traps 14). An error is a 400: broken escapes, NUL, bytes that are no UTF-8, and
// what no spelling makes valid.
func (o *operation) normalise(r *http.Request) (url.Values, error) {
	values, err := parseQuery(r.URL.RawQuery)
	if err != nil || len(values) == 0 {
		return values, err
	}
	changed := strings.Contains(r.URL.RawQuery, ";")
	for _, p := range o.query {
		given, ok := values[p.name]
		if !ok {
			continue
		}
		value, keep, err := p.read(given[0])
		if err != nil {
			return nil, err
		}
		if !keep {
			delete(values, p.name)
		} else if len(given) > 1 || value != given[0] {
			values[p.name] = []string{value}
		} else {
			continue
		}
		changed = true
	}
	if changed {
		r.URL.RawQuery = values.Encode()
	}
	return values, nil
}

// parseQuery reads a query strictly. A semicolon is a character like others.
func parseQuery(raw string) (url.Values, error) {
	if raw == "" {
		return url.Values{}, nil
	}
	values, err := url.ParseQuery(strings.ReplaceAll(raw, ";", "%3B"))
	if err != nil {
		return nil, fault.BadRequest("The query string holds a broken escape")
	}
	for name, list := range values {
		for _, value := range append(list, name) {
			if !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
				return nil, fault.BadRequest("Query parameter %q holds bytes that are no UTF-8, or a NUL character", name)
			}
		}
	}
	return values, nil
}

// read gives the one spelling of a parameter's value; keep is false if the value counts as absent.
func (p parameter) read(value string) (_ string, keep bool, err error) {
	switch {
	case value == "" && (p.primitive && p.kind != text || p.kind == date):
		return "", false, nil
	case p.kind == boolean:
		if low := strings.ToLower(value); low == "true" || low == "false" {
			return low, true, nil
		}
		return "", false, p.refuse(value)
	case p.kind == integer && !p.primitive:
		whole, ok := wholeNumber(value)
		if !ok {
			return "", false, p.refuse(value)
		}
		return whole, true, nil
	case p.kind == integer:
		return strings.TrimSpace(value), true, nil
	case p.kind == date:
		if _, err := wire.ParseDateTime(value); err != nil {
			return "", false, p.refuse(value)
		}
	}
	return value, true, nil
}

// jsonNumber is the grammar of RFC 8259.
var jsonNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// wholeNumber reads a JSON number with blanks around it and drops its fraction, as the reference does.
func wholeNumber(value string) (string, bool) {
	value = strings.TrimSpace(value)
	if !jsonNumber.MatchString(value) {
		return "", false
	}
	if !strings.ContainsAny(value, ".eE") {
		return value, true
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil || math.Abs(f) >= 1<<63 {
		return "", false
	}
	return strconv.FormatInt(int64(f), 10), true
}

// javaTypes are the words of the reference for what a parameter has to be (contract-facts 1.4).
var javaTypes = map[kind]string{boolean: "java.lang.Boolean", integer: "java.lang.Long", date: "java.util.Date"}

// refuse gives the reference's words for a value that a parameter cannot have (contract-facts 1.4). Where those would lie, such
// as for a number that is negative, it says what the value has to be.
func (p parameter) refuse(value string) *fault.Error {
	words, javaType, given := "Cannot set query parameter '"+p.name+"' to value '"+value+"'", javaTypes[p.kind], value
	switch {
	case p.kind == choice:
		return fault.BadRequest("%s", words)
	case p.kind == integer && p.primitive:
		return fault.BadRequest("%s: it %s", words, expected(p.schema, "type"))
	case p.kind == integer && p.schema.Format == "int32":
		javaType = "java.lang.Integer"
	case p.kind == date && len(value) > 1 && strings.HasPrefix(value, `"`) && strings.HasSuffix(value, `"`):
		javaType += " because of double quotes"
	case p.kind == date:
		given = `"` + value + `"`
	}
	return fault.BadRequest("%s: Cannot convert value %s to java type %s", words, given, javaType)
}
