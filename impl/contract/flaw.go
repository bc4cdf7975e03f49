package contract

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"
)

// flaw is one breach of the document by a value: where, of which keyword, and by what.
type flaw struct {
	path    []string
	keyword string
	schemas []*openapi3.Schema // whose x-error may have the words: the nearest first
	value   any
}

// Error names the place and what was expected (difference 10). The value is left out: it may be very long.
func (f *flaw) Error() string {
	return place(pointer(f.path)) + ": " + f.expected()
}

// pointer writes a path as a JSON pointer (RFC 6901).
func pointer(path []string) jsontext.Pointer {
	at := jsontext.Pointer("")
	for _, key := range path {
		at = at.AppendToken(key)
	}
	return at
}

// expected says in words what the value has to be.
func (f *flaw) expected() string { return expected(f.schemas[0], f.keyword) }

// flawOf gives the first breach that an error of kin-openapi tells of; nil if it tells of none. It never asks such an error for
// its words, which may be as long as the body.
func flawOf(err error) *flaw {
	switch e := err.(type) { //nolint:errorlint // it goes down the chain itself, one link at a time
	case nil:
		return nil
	case *flaw:
		return e
	case openapi3.MultiError:
		if len(e) == 0 {
			return nil
		}
		return flawOf(e[0])
	case *openapi3.SchemaError:
		return flawOfSchema(e)
	}
	return flawOf(errors.Unwrap(err))
}

func flawOfSchema(e *openapi3.SchemaError) *flaw {
	if e.SchemaField == "allOf" {
		if inner := flawOf(errors.Unwrap(e.Origin)); inner != nil {
			inner.schemas = append(inner.schemas, e.Schema)
			return inner
		}
	}
	f := &flaw{path: e.JSONPointer(), keyword: e.SchemaField, schemas: []*openapi3.Schema{e.Schema}, value: e.Value}
	if f.keyword == "required" && len(f.path) > 0 {
		f.value = nil
		if p := e.Schema.Properties[f.path[len(f.path)-1]]; p != nil && p.Value != nil {
			f.schemas = append([]*openapi3.Schema{p.Value}, f.schemas...)
		}
	}
	return f
}

// shown writes a value for a message, cut to a length that a message may have.
func shown(value any) string {
	const longest = 200
	var s string
	switch v := value.(type) {
	case string:
		s = v
	case float64:
		s = strconv.FormatFloat(v, 'f', -1, 64)
	case []any, map[string]any:
		return "of another type"
	default:
		b, err := json.Marshal(v)
		if err != nil {
			b = []byte(fmt.Sprintf("%T", v))
		}
		s = string(b)
	}
	if len(s) > longest {
		return strings.ToValidUTF8(s[:longest], "") + "..."
	}
	return s
}

// expected says in words what a schema demands by a keyword, for messages such as `/retries: must be an integer`.
func expected(s *openapi3.Schema, keyword string) string {
	switch keyword {
	case "required":
		return "is required"
	case "nullable":
		return "must not be null"
	case "enum":
		allowed, _ := json.Marshal(s.Enum)
		return "must be one of " + strings.Trim(string(allowed), "[]")
	case "minimum":
		return "must be at least " + shown(*s.Min)
	case "maximum":
		return "must be at most " + shown(*s.Max)
	case "minLength":
		return "must have at least " + count(s.MinLength, "character")
	case "maxLength":
		return "must have at most " + count(*s.MaxLength, "character")
	case "minItems":
		return "must have at least " + count(s.MinItems, "item")
	case "maxItems":
		return "must have at most " + count(*s.MaxItems, "item")
	case "uniqueItems":
		return "must not have an item twice"
	case "type", "format", "pattern":
		return "must be " + typeInWords(s)
	case "exclusiveMinimum":
		return "must be more than " + shown(*s.Min)
	case "exclusiveMaximum":
		return "must be less than " + shown(*s.Max)
	}
	return "breaks the contract's " + keyword
}

func count(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// typeInWords names the values that a schema takes.
func typeInWords(s *openapi3.Schema) string {
	switch {
	case s.Format == dateFormat:
		return "a date of the form yyyy-MM-dd'T'HH:mm:ss.SSSZ"
	case s.Type.Is("integer"):
		return "an integer" + rangeInWords(s)
	case s.Pattern != "":
		return "a string that matches " + s.Pattern
	case s.Type == nil || len(*s.Type) != 1:
		return "of another type"
	case s.Type.Is("array"), s.Type.Is("object"):
		return "an " + (*s.Type)[0]
	}
	return "a " + (*s.Type)[0]
}

// rangeInWords gives the range of an integer, if it has one.
func rangeInWords(s *openapi3.Schema) string {
	switch {
	case s.Min != nil && s.Max != nil:
		return " from " + shown(*s.Min) + " to " + shown(*s.Max)
	case s.Format == "int32":
		return " of 32 bits"
	case s.Format == "int64":
		return " of 64 bits"
	}
	return ""
}
