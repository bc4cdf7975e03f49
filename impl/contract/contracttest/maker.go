package contracttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"rearm/impl/contract"
)

// Maker makes requests for the operations of a document: such as fit it, and such as do not.
type Maker struct {
	Random *rand.Rand
	Known  []string         // texts that name something on the server: half of all texts are one of these
	Most   map[string]int64 // by name, what a number may be at most, where the document allows more than a test can wait for
}

// Operation is one operation of a document.
type Operation struct {
	Method, Path string
	*openapi3.Operation
	others openapi3.Parameters // those of its path
}

// Operations gives all operations of a document, in an order of their own.
func Operations(doc *openapi3.T) (list []Operation) {
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			list = append(list, Operation{method, path, op, item.Parameters})
		}
	}
	slices.SortFunc(list, func(a, b Operation) int { return strings.Compare(a.OperationID, b.OperationID) })
	return list
}

// Request is a request, and what is wrong with it.
type Request struct {
	Method, Path string // with the query
	Header       http.Header
	Body         string
	Wrong        string // what in it does not fit the document; "": nothing
	Status       int    // that the document asks for if something is wrong
}

// String shows a request so that it can be sent again.
func (r Request) String() string {
	return fmt.Sprintf("%s %s %v %q (%s)", r.Method, r.Path, r.Header, r.Body, r.Wrong)
}

// Send sends a request to the server whose document's paths stand under base.
func (r Request) Send(tb testing.TB, client *http.Client, base string) (status int, answer []byte) {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), r.Method, base+r.Path, strings.NewReader(r.Body))
	if err != nil {
		tb.Errorf("%s: %v", r, err)
		return 0, nil
	}
	request.Header = r.Header.Clone()
	response, err := client.Do(request)
	if err != nil {
		tb.Errorf("%s: %v", r, err)
		return 0, nil
	}
	defer response.Body.Close() //nolint:errcheck // it was read to its end
	var text bytes.Buffer
	if _, err := text.ReadFrom(response.Body); err != nil {
		tb.Errorf("%s: %v", r, err)
	}
	return response.StatusCode, text.Bytes()
}

// one is true once in n times.
func (m *Maker) one(n int) bool { return m.Random.IntN(n) == 0 }

// Right makes a request that fits the document. Whether the server can do what it asks for is another matter.
func (m *Maker) Right(o Operation) Request {
	return m.request(o, func(openapi3.Parameter) (string, bool) { return "", false }, func(v any) string { return write(v) })
}

// request makes a request that fits the document but for the parameters that replaced gives another value, and the way the body is
// written.
func (m *Maker) request(o Operation, replaced func(openapi3.Parameter) (string, bool), written func(any) string) Request {
	r := Request{Method: o.Method, Path: o.Path, Header: http.Header{}}
	var query []string
	for _, ref := range append(slices.Clone(o.others), o.Parameters...) {
		p, s := *ref.Value, ref.Value.Schema.Value
		text, other := replaced(p)
		if !other {
			text = m.parameter(p.Name, s)
		}
		switch {
		case p.In == openapi3.ParameterInPath && other:
			r.Path = strings.ReplaceAll(r.Path, "{"+p.Name+"}", text)
		case p.In == openapi3.ParameterInPath:
			r.Path = strings.ReplaceAll(r.Path, "{"+p.Name+"}", segment(text))
		case !other && !m.one(6):
		case p.In == openapi3.ParameterInHeader:
			r.Header.Set(p.Name, headerText(text))
		case other:
			query = append(query, p.Name+"="+text)
		default:
			query = append(query, p.Name+"="+url.QueryEscape(text))
		}
	}
	if len(query) > 0 {
		r.Path += "?" + strings.Join(query, "&")
	}
	if s := bodySchema(o); s != nil {
		r.Header.Set("Content-Type", "application/json")
		r.Body = written(m.body(s))
	}
	return r
}

// parameter gives the text of a parameter.
func (m *Maker) parameter(name string, s *openapi3.Schema) string {
	for {
		if v := m.value(name, s); v != nil {
			return fmt.Sprint(v)
		}
	}
}

// segment writes a text as a part of a path. An empty one would be another path.
func segment(text string) string {
	if text == "" || strings.Trim(text, ".") == "" {
		text = "none"
	}
	return url.PathEscape(text)
}

// headerText leaves out what a header cannot hold, and what would make it too long or empty.
func headerText(text string) string {
	plain := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' {
			return -1
		}
		return r
	}, text)
	return "key" + plain[:min(len(plain), 200)]
}

// bodySchema gives the schema of the body that an operation takes; nil if it takes none.
func bodySchema(o Operation) *openapi3.Schema {
	if o.RequestBody == nil {
		return nil
	}
	return o.RequestBody.Value.Content["application/json"].Schema.Value
}

// body gives a body that fits its schema.
func (m *Maker) body(s *openapi3.Schema) any {
	for {
		if v := m.value("", s); fits(s, v) {
			return v
		}
	}
}

// fits tells whether a value is one that a body of a schema may have. null never is, whatever the schema says (difference 4).
func fits(s *openapi3.Schema, v any) bool {
	d := json.NewDecoder(strings.NewReader(write(v)))
	d.UseNumber()
	var read any
	if err := d.Decode(&read); err != nil {
		panic(err)
	}
	return read != nil && s.VisitJSON(read, append(contract.SchemaOptions(), openapi3.VisitAsRequest())...) == nil
}

func write(v any) string {
	b, err := json.Marshal(v)
	if err != nil { // it was made of what JSON has
		panic(err)
	}
	return string(b)
}
