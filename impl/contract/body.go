package contract

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/oapi-codegen/runtime"

	"rearm/impl/fault"
)

const jsonType = "application/json"

// body is what an operation takes as its body: JSON of a schema.
type body struct {
	schema  *openapi3.Schema
	first   []*openapi3.Schema // parts of schema that are judged before it
	streams map[string]*stream
}

// xFirst is the extension by which the document says which of several mistakes is told (difference 18): schemas that a body is held
// against one after the other, before its own.
const xFirst = "x-rearm-first"

// readBody gives the body that an operation takes; nil if it takes none. Other media types than JSON are an error.
func readBody(op *openapi3.Operation) (*body, error) {
	if op.RequestBody == nil {
		return nil, nil
	}
	schema := bodySchema(op)
	if schema == nil || len(op.RequestBody.Value.Content) != 1 {
		return nil, fmt.Errorf("a body has to be %s alone, with a schema", jsonType)
	}
	first, err := readFirst(schema)
	if err != nil {
		return nil, err
	}
	streams, err := readStreams(schema)
	return &body{schema: schema, first: first, streams: streams}, err
}

// readFirst gives the schemas that a body is held against before its own.
func readFirst(s *openapi3.Schema) (first []*openapi3.Schema, err error) {
	if extension, ok := s.Extensions[xFirst]; ok {
		err = readExtension(extension, &first)
	}
	for _, part := range first {
		err = errors.Join(err, part.Validate(context.Background()))
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", xFirst, err)
	}
	return first, nil
}

// parsed is a body that was judged and waits for the generated code to ask for it.
type parsed struct {
	value any
	lists map[string]*list // streamed lists; their place in value is empty
}

// parsedKey is where it waits in echo's context.
const parsedKey = "rearm.contract.body"

// takeBody reads and judges the body of a request, and leaves it for the generated code. done is called when the request is
// answered, also after an error. A body that is empty counts as {} (contract-facts 1.2), which the schema then judges.
func (o *operation) takeBody(ec echo.Context) (done func(), err error) {
	r := ec.Request()
	limited, done, err := o.limit(ec)
	if err != nil {
		return done, err
	}
	if err := isJSON(r.Header); err != nil {
		return done, err
	}
	p, err := o.body.read(r, limited)
	if err != nil {
		return done, err
	}
	if err := o.body.judge(p); err != nil {
		return done, err
	}
	if _, f := settle(o.body.schema, p.value); f != nil {
		return done, f
	}
	ec.Set(parsedKey, p)
	r.Header.Set("Content-Type", jsonType) // the generated code compares bytes
	r.Body, r.ContentLength = http.NoBody, -1
	return done, nil
}

// read reads the value of a body.
func (b *body) read(r *http.Request, from io.Reader) (*parsed, error) {
	buffered := bufio.NewReaderSize(from, 16)
	if _, err := buffered.Peek(1); err == io.EOF {
		return &parsed{value: map[string]any{}}, nil
	}
	if r.Header.Get("Content-Type") == "" {
		return nil, fault.New(fault.MediaType, fault.NotSupported, "A body needs the header Content-Type: %s", jsonType)
	}
	d := newDecoder(buffered, r.ContentLength, b.streams)
	value, err := d.document()
	return &parsed{value: value, lists: d.lists}, err
}

// isJSON refuses a Content-Type that is not JSON; its case and parameters do not matter (contract-facts 1.2). None at all is
// left to read, since it is right without a body.
func isJSON(header http.Header) error {
	given := header.Get("Content-Type")
	base, _, _ := strings.Cut(given, ";")
	if given == "" || strings.EqualFold(strings.TrimSpace(base), jsonType) {
		return nil
	}
	return fault.New(fault.MediaType, fault.NotSupported, "A body has to be %s, not %q", jsonType, given)
}

// serializer gives the generated code the bodies that were judged.
type serializer struct{ echo.DefaultJSONSerializer }

// Deserialize makes the typed body of a request.
func (s serializer) Deserialize(ec echo.Context, dst any) error {
	p, ok := ec.Get(parsedKey).(*parsed)
	if !ok {
		return s.DefaultJSONSerializer.Deserialize(ec, dst)
	}
	ec.Set(parsedKey, nil)
	if err := runtime.BindJSONValue(p.value, dst); err != nil {
		return &fault.Error{Kind: fault.Invalid, Type: fault.InvalidRequest, Message: "The body does not fit the contract", Err: err}
	}
	for name, l := range p.lists {
		if err := l.set(reflect.ValueOf(dst).Elem(), name); err != nil {
			return &fault.Error{Err: err}
		}
	}
	return nil
}
