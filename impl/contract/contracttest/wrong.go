package contracttest

import (
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// Wrong makes a request in which one thing does not fit the document, or HTTP.
func (m *Maker) Wrong(o Operation) Request {
	for {
		make := []func(Operation) (Request, bool){m.wrongParameter, m.wrongPath, m.wrongBody, m.wrongBody, m.wrongBody, m.wrongText, m.wrongType, m.wrongAccept, m.wrongMethod}
		if r, ok := make[m.Random.IntN(len(make))](o); ok {
			return r
		}
	}
}

// wrongValues are texts that a parameter of a type cannot have, as they stand in a URL.
var wrongValues = map[string][]string{
	"boolean": {"yes", "1", "%22true%22", "tru%C3%A9", "null"},
	"integer": {"abc", "1e999", "99999999999999999999999", "--1", "0x10", "1%202", "%22", "NaN"},
	"date":    {"2013-13-01T00:00:00.000%2B0200", "2013-01-23", "yesterday", "9999-12-31T23:59:59-2300", "1700000000000"},
	"enum":    {"nonsense", "ID", "asc%20", "null"},
	"any":     {"%00", "a%00b", "%FF", "%ED%A0%80", "%zz", "%"},
}

// wrongParameter makes a request with a query parameter that nobody can read.
func (m *Maker) wrongParameter(o Operation) (Request, bool) {
	var all []string
	for _, ref := range o.Parameters {
		if ref.Value.In == openapi3.ParameterInQuery {
			all = append(all, ref.Value.Name)
		}
	}
	if len(all) == 0 {
		return Request{}, false
	}
	name := all[m.Random.IntN(len(all))]
	r := m.request(o, func(p openapi3.Parameter) (string, bool) {
		if p.Name != name {
			return "", false
		}
		list := wrongValues[typeOf(p.Schema.Value)]
		return list[m.Random.IntN(len(list))], true
	}, write)
	r.Wrong, r.Status = "the parameter "+name, http.StatusBadRequest
	return r, true
}

// typeOf names what a parameter takes.
func typeOf(s *openapi3.Schema) string {
	switch {
	case len(s.Enum) > 0 || len(s.AllOf) > 0:
		return "enum"
	case s.Format == "date-time-rfc822":
		return "date"
	case s.Type.Is("boolean"):
		return "boolean"
	case s.Type.Is("integer"):
		return "integer"
	}
	return "any"
}

// wrongPath makes a request whose path holds what is no text.
func (m *Maker) wrongPath(o Operation) (Request, bool) {
	if !strings.Contains(o.Path, "{") {
		return Request{}, false
	}
	r := m.request(o, func(p openapi3.Parameter) (string, bool) {
		return []string{"%00", "a%00", "%FF", "%C3%28"}[m.Random.IntN(4)], p.In == openapi3.ParameterInPath
	}, write)
	r.Wrong, r.Status = "the path", http.StatusBadRequest
	return r, true
}

// wrongBody makes a request whose body is JSON that does not fit its schema.
func (m *Maker) wrongBody(o Operation) (Request, bool) {
	s := bodySchema(o)
	if s == nil {
		return Request{}, false
	}
	r := m.Right(o)
	for range 100 {
		if v := m.spoil(m.body(s)); !fits(s, v) {
			r.Body, r.Wrong, r.Status = write(v), "the body", http.StatusBadRequest
			return r, true
		}
	}
	return r, false
}

// wrongText makes a request whose body is no JSON, or none that anybody should take.
func (m *Maker) wrongText(o Operation) (Request, bool) {
	if bodySchema(o) == nil {
		return Request{}, false
	}
	r := m.Right(o)
	inside := []string{`"\u0000"`, `"\ud800"`, "\"\xff\"", "1e400", strings.Repeat("[", 2000) + strings.Repeat("]", 2000), "nonsense", "01", `"`, "{", "[1,]", `"\x"`}
	texts := []string{r.Body[:len(r.Body)-1], r.Body + "x", r.Body + "{}", "x" + r.Body, "null", "[]", `"a"`, "5", "\ufeff" + r.Body}
	for _, value := range inside {
		texts = append(texts, `{"unknown":`+value+`,`+strings.TrimPrefix(r.Body, "{"))
	}
	r.Body, r.Wrong, r.Status = texts[m.Random.IntN(len(texts))], "the text of the body", http.StatusBadRequest
	return r, true
}

// wrongType makes a request whose body is not said to be JSON.
func (m *Maker) wrongType(o Operation) (Request, bool) {
	if bodySchema(o) == nil {
		return Request{}, false
	}
	r := m.Right(o)
	r.Header.Set("Content-Type", []string{"text/plain", "application/xml", "application/x-www-form-urlencoded", "application/json5", "json", ";", "multipart/form-data; boundary=x"}[m.Random.IntN(7)])
	if m.one(5) {
		r.Header.Del("Content-Type")
	}
	r.Wrong, r.Status = "the type of the body", http.StatusUnsupportedMediaType
	return r, true
}

// wrongAccept makes a request that accepts nothing that the operation answers with.
func (m *Maker) wrongAccept(o Operation) (Request, bool) {
	for status, ref := range o.Responses.Map() {
		if !strings.HasPrefix(status, "2") || len(ref.Value.Content) == 0 {
			continue
		}
		if ref.Value.Content["*/*"] != nil {
			return Request{}, false
		}
		r := m.Right(o)
		r.Header.Set("Accept", []string{"image/png", "application/json;q=0, text/plain;q=0", "*/*;q=0"}[m.Random.IntN(3)])
		r.Wrong, r.Status = "what it accepts", http.StatusNotAcceptable
		return r, true
	}
	return Request{}, false
}

// wrongMethod makes a request by a method that the document does not declare for any path.
func (m *Maker) wrongMethod(o Operation) (Request, bool) {
	r := m.Right(o)
	r.Method = []string{http.MethodPatch, http.MethodTrace, http.MethodHead, "PROPFIND"}[m.Random.IntN(4)]
	r.Wrong, r.Status = "the method", http.StatusMethodNotAllowed
	return r, !slices.Contains([]string{http.MethodHead}, r.Method) || o.Method != http.MethodGet
}
