package contract

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// settle makes a value that kin-openapi approved fit what generated code reads: members that the document does not declare are
// left out (encoding/json takes names in any case, so that an ignored `Retries` would overwrite `retries`), and whole numbers
// are written in digits (1.0 and 1e0 are integers to the document, not to Go). Integers that kin-openapi, which compares by
// float64, took for fitting are refused if they do not fit exactly.
func settle(s *openapi3.Schema, value any) (any, *flaw) {
	switch v := value.(type) {
	case map[string]any:
		return v, settleObject(s, v)
	case []any:
		items := itemsOf(s)
		for i := range v {
			var f *flaw
			if v[i], f = settle(items, v[i]); f != nil {
				return v, f.within(strconv.Itoa(i))
			}
		}
	case json.Number:
		if isInteger(s) {
			return settleInteger(s, v)
		}
	}
	return value, nil
}

func settleObject(s *openapi3.Schema, object map[string]any) *flaw {
	for name, member := range object {
		child, known := memberOf(s, name)
		if !known {
			delete(object, name)
			continue
		}
		settled, f := settle(child, member)
		if f != nil {
			return f.within(name)
		}
		object[name] = settled
	}
	return nil
}

// within gives a breach in a member as one of what holds the member.
func (f *flaw) within(key string) *flaw {
	f.path = append([]string{key}, f.path...)
	return f
}

// memberOf gives the schema of a member of an object, nil if it may be anything; known is false if the document does not declare
// the member.
func memberOf(s *openapi3.Schema, name string) (child *openapi3.Schema, known bool) {
	switch {
	case s == nil:
		return nil, true
	case s.Properties[name] != nil:
		return s.Properties[name].Value, true
	case s.AdditionalProperties.Schema != nil:
		return s.AdditionalProperties.Schema.Value, true
	case s.AdditionalProperties.Has != nil && *s.AdditionalProperties.Has:
		return nil, true
	case len(s.Properties) == 0 && len(s.AllOf) == 0, len(s.OneOf) > 0, len(s.AnyOf) > 0:
		return nil, true
	}
	for _, part := range s.AllOf {
		if child, known = memberOf(part.Value, name); known {
			return child, true
		}
	}
	return nil, false
}

func itemsOf(s *openapi3.Schema) *openapi3.Schema {
	if s == nil || s.Items == nil {
		return nil
	}
	return s.Items.Value
}

func isInteger(s *openapi3.Schema) bool { return s != nil && s.Type.Is("integer") }

// settleInteger writes a number of an integer schema in digits. Beyond 2^53, where a float64 is no longer exact, only digits
// are taken.
func settleInteger(s *openapi3.Schema, n json.Number) (any, *flaw) {
	digits := string(n)
	if strings.ContainsAny(digits, ".eE") {
		f, err := n.Float64()
		if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
			return nil, &flaw{keyword: "type", schemas: []*openapi3.Schema{s}, value: n}
		}
		digits = strconv.FormatInt(int64(f), 10)
	}
	bits := 64
	if s.Format == "int32" {
		bits = 32
	}
	if _, err := strconv.ParseInt(digits, 10, bits); err != nil {
		return nil, &flaw{keyword: "format", schemas: []*openapi3.Schema{s}, value: n}
	}
	return json.Number(digits), nil
}
