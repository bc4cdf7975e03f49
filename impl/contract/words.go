package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"rearm/impl/fault"
)

// xError is the extension by which the document carries the reference's words for a breach (openapi-traps 5).
const xError = "x-error"

// words are what the document says about one breach.
type words struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Code    *int32 `json:"code"`
}

// wordsByKeyword are the words of one schema.
type wordsByKeyword map[string]words

// operationWords are the words of one operation for one place in its body and one keyword.
type operationWords struct {
	path    []string // `*` is any index
	keyword string
	words
}

// keywords are those that an x-error may name.
var keywords = map[string]bool{
	"required": true, "nullable": true, "type": true, "enum": true, "format": true, "pattern": true, "minimum": true, "maximum": true,
	"exclusiveMinimum": true, "exclusiveMaximum": true, "minLength": true, "maxLength": true, "minItems": true, "maxItems": true, "uniqueItems": true,
	"anyOf": true,
}

// readWords gives the words of every schema of the document, and of those that bodies are held against before theirs.
func readWords(doc *openapi3.T, operations map[string]*operation) (map[*openapi3.Schema]wordsByKeyword, error) {
	w := wordsReader{found: map[*openapi3.Schema]wordsByKeyword{}, seen: map[*openapi3.Schema]bool{}}
	if doc.Components != nil {
		for name, ref := range doc.Components.Schemas {
			w.walk(ref, name)
		}
	}
	for path, item := range doc.Paths.Map() {
		for _, op := range item.Operations() {
			for _, p := range append(item.Parameters, op.Parameters...) {
				w.walk(p.Value.Schema, path+" "+p.Value.Name)
			}
			if op.RequestBody != nil && op.RequestBody.Value != nil {
				for _, m := range op.RequestBody.Value.Content {
					w.walk(m.Schema, path)
				}
			}
		}
	}
	for id, o := range operations {
		if o.body == nil {
			continue
		}
		for _, s := range o.body.first {
			w.walk(s.NewRef(), id+" "+xFirst)
		}
	}
	return w.found, w.err
}

// wordsReader walks all schemas once and keeps the first error.
type wordsReader struct {
	found map[*openapi3.Schema]wordsByKeyword
	seen  map[*openapi3.Schema]bool
	err   error
}

func (w *wordsReader) walk(ref *openapi3.SchemaRef, name string) {
	if ref == nil || ref.Value == nil || w.seen[ref.Value] || w.err != nil {
		return
	}
	s := ref.Value
	w.seen[s] = true
	if extension, ok := s.Extensions[xError]; ok {
		var byKeyword wordsByKeyword
		if w.err = readExtension(extension, &byKeyword); w.err == nil {
			w.err = checkKeywords(byKeyword)
		}
		if w.err != nil {
			w.err = fmt.Errorf("x-error of %s: %w", name, w.err)
			return
		}
		w.found[s] = byKeyword
	}
	for property, p := range s.Properties {
		w.walk(p, name+"."+property)
	}
	w.walk(s.Items, name+"[]")
	w.walk(s.AdditionalProperties.Schema, name+".*")
	for _, part := range s.AllOf {
		w.walk(part, name)
	}
}

func checkKeywords(byKeyword wordsByKeyword) error {
	for keyword := range byKeyword {
		if !keywords[keyword] {
			return fmt.Errorf("%q is no keyword", keyword)
		}
	}
	return nil
}

// readOperationWords gives the words of an operation.
func readOperationWords(op *openapi3.Operation) ([]operationWords, error) {
	extension, ok := op.Extensions[xError]
	if !ok {
		return nil, nil
	}
	var byPlace map[string]words
	if err := readExtension(extension, &byPlace); err != nil {
		return nil, fmt.Errorf("x-error: %w", err)
	}
	var list []operationWords
	for place, said := range byPlace {
		at, keyword, _ := strings.Cut(place, " ")
		path := strings.Split(at, "/")[1:]
		if !keywords[keyword] || !reaches(bodySchema(op), path) {
			return nil, fmt.Errorf("x-error: %q is not a JSON pointer into the body and a keyword", place)
		}
		list = append(list, operationWords{path: path, keyword: keyword, words: said})
	}
	return list, nil
}

// bodySchema gives the schema of an operation's body; nil if it has none.
func bodySchema(op *openapi3.Operation) *openapi3.Schema {
	if op.RequestBody == nil || op.RequestBody.Value.Content[jsonType] == nil {
		return nil
	}
	return op.RequestBody.Value.Content[jsonType].Schema.Value
}

// reaches tells whether a path leads somewhere in a schema: by names of declared members, and by `*` or an index into arrays.
func reaches(s *openapi3.Schema, path []string) bool {
	switch {
	case s == nil:
		return false
	case len(path) == 0:
		return true
	case s.Items != nil:
		return reaches(s.Items.Value, path[1:])
	}
	child, _ := memberOf(s, path[0])
	return reaches(child, path[1:])
}

// readExtension reads an extension into a typed value; a name that the type does not have is an error.
func readExtension(extension, dst any) error {
	b, err := json.Marshal(extension)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	return d.Decode(dst)
}

// find gives the words for a place: an exact one before one with `*`.
func find(list []operationWords, path []string, keyword string) (best words, ok bool) {
	stars := len(path) + 1
	for _, w := range list {
		if n := w.stars(path); w.keyword == keyword && n >= 0 && n < stars {
			best, stars, ok = w.words, n, true
		}
	}
	return best, ok
}

// stars counts the `*` that a place needs to be path; -1 if it is another place.
func (w operationWords) stars(path []string) int {
	if len(w.path) != len(path) {
		return -1
	}
	n := 0
	for i, segment := range w.path {
		switch segment {
		case path[i]:
		case "*":
			n++
		default:
			return -1
		}
	}
	return n
}

// say gives a breach in the document's words: the operation's, else the schema's, else our own (difference 10).
func (c *Contract) say(f *flaw, ec echo.Context) *fault.Error {
	said, ok := words{}, false
	if o := operationOf(ec); o != nil {
		said, ok = find(o.words, f.path, f.keyword)
	}
	for i := 0; i < len(f.schemas) && !ok; i++ {
		said, ok = c.words[f.schemas[i]][f.keyword]
	}
	if !ok {
		return fault.BadRequest("%s", f.Error())
	}
	return &fault.Error{Kind: fault.Invalid, Type: said.Type, Message: fill(said.Message, f, ec), Code: said.Code}
}

// fill puts the value and the path's parameters into a message.
func fill(message string, f *flaw, ec echo.Context) string {
	if !strings.Contains(message, "{") {
		return message
	}
	pairs := []string{"{value}", shown(f.value)}
	values, _ := pathParameters(ec)
	for name, value := range values {
		pairs = append(pairs, "{path."+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(message)
}
