package contract

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"rearm/impl/fault"
)

// How many arrays and objects may stand in each other, and how many values a body may hold besides the items of streamed lists.
// An empty object takes 3 bytes of a body and about a hundred of memory.
const (
	maxDepth  = 1000
	maxValues = 2_000_000
)

// decoder reads one JSON value strictly (openapi-traps 13): UTF-8 without lone surrogates and NUL, numbers that a float64 can
// hold, nothing after the value. Of members with the same name the last one counts, as in the reference. Errors of
// the text are 400s that name the place by a JSON pointer.
type decoder struct {
	*jsontext.Decoder
	streams map[string]*stream // members of the outermost object that are read item by item
	lists   map[string]*list   // what was read of them
	size    int64              // of the text in bytes; not above 0 where it is not known
	values  int                // read so far
}

func newDecoder(r io.Reader, size int64, streams map[string]*stream) *decoder {
	return &decoder{Decoder: jsontext.NewDecoder(r, jsontext.AllowDuplicateNames(true)), size: size, streams: streams}
}

// document reads the one value, as map[string]any, []any, json.Number, string, bool or nil.
func (d *decoder) document() (any, error) {
	v, err := d.value()
	if err != nil {
		return nil, err
	}
	switch _, err := d.ReadToken(); {
	case errors.Is(err, io.EOF):
		return v, nil
	case err != nil:
		return nil, malformed(err)
	}
	return nil, fault.BadRequest("The body: malformed JSON: more text after the value")
}

func (d *decoder) value() (any, error) {
	if d.StackDepth() > maxDepth {
		return nil, fault.BadRequest("The body: more than %d arrays and objects in each other", maxDepth)
	}
	if d.values++; d.values > maxValues {
		return nil, fault.BadRequest("The body: more than %d values", maxValues)
	}
	switch d.PeekKind() {
	case '{':
		return d.object()
	case '[':
		return d.array()
	}
	token, err := d.ReadToken()
	if err != nil {
		return nil, malformed(err)
	}
	switch token.Kind() {
	case '"':
		return d.text(token)
	case '0':
		return d.number(token)
	case 't', 'f':
		return token.Bool(), nil
	}
	return nil, nil
}

func (d *decoder) object() (any, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, malformed(err)
	}
	object := map[string]any{}
	for d.PeekKind() != '}' {
		token, err := d.ReadToken()
		if err != nil {
			return nil, malformed(err)
		}
		name, err := d.text(token)
		if err != nil {
			return nil, err
		}
		if object[name], err = d.member(name); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return object, malformed(err)
}

// member reads the value of a member.
func (d *decoder) member(name string) (any, error) {
	if s := d.streams[name]; s != nil && d.StackDepth() == 1 {
		return d.stream(name, s)
	}
	return d.value()
}

func (d *decoder) array() (any, error) {
	if _, err := d.ReadToken(); err != nil {
		return nil, malformed(err)
	}
	array := []any{}
	for d.PeekKind() != ']' {
		item, err := d.value()
		if err != nil {
			return nil, err
		}
		array = append(array, item)
	}
	_, err := d.ReadToken()
	return array, malformed(err)
}

func (d *decoder) text(token jsontext.Token) (string, error) {
	s := token.String()
	if strings.IndexByte(s, 0) >= 0 {
		return "", d.holdsNUL()
	}
	return s, nil
}

// holdsNUL refuses the text that was read last.
func (d *decoder) holdsNUL() error {
	return fault.BadRequest("%s: must not hold a NUL character", place(d.StackPointer()))
}

func (d *decoder) number(token jsontext.Token) (any, error) {
	s := token.String()
	if _, err := strconv.ParseFloat(s, 64); err != nil {
		return nil, fault.BadRequest("%s: the number is out of range", place(d.StackPointer()))
	}
	return json.Number(s), nil
}

// malformed gives an error while reading JSON as a 400, but for a body that is too large or a request that was given up.
func malformed(err error) error {
	var syntax *jsontext.SyntacticError
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLarge), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &syntax):
		reason := syntax.Err.Error()
		if errors.Is(syntax.Err, io.ErrUnexpectedEOF) {
			reason = "the text ends too early"
		}
		return fault.BadRequest("%s: malformed JSON at byte %d: %s", place(syntax.JSONPointer), syntax.ByteOffset, reason)
	case errors.Is(err, io.EOF):
		return fault.BadRequest("The body: malformed JSON: the text ends too early")
	}
	return &fault.Error{Kind: fault.Invalid, Type: fault.InvalidRequest, Message: "The body did not arrive whole, or in time", Err: err}
}

// place names a place in a body.
func place(at jsontext.Pointer) string {
	if at == "" {
		return "The body"
	}
	return shown(string(at))
}
