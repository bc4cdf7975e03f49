package contract

import (
	"bytes"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"

	"rearm/db"
	"rearm/openapi/wire"
)

// xStream marks a property that is read item by item.
const xStream = "x-rearm-stream"

// stream is a property of a body whose value is a plain array of strings, perhaps a million of them. kin-openapi would make an
// `any` of every item, visit each, and have the whole read again by the generated code; so the items are checked here one by one
// against the same schema, and kin-openapi sees the array with the first item alone, or with the first that is wrong.
type stream struct {
	item  *openapi3.Schema
	plain bool // the schema asks for no more than a string
}

// list is what was read of a stream. UUIDs, which nearly all items are, take 16 bytes each.
type list struct {
	items wire.IDs
	bad   int // the index of the first item that is wrong; -1 if there is none
}

// maxExpected is for how many items room is made before they have come.
const maxExpected = 1 << 20

// add adds an item. rest is how many bytes of the body are left, as far as is known: they tell how many more may come.
func (l *list) add(text []byte, rest int64) {
	if cap(l.items.UUIDs) == 0 && rest > 0 {
		l.items.UUIDs = make([][16]byte, 0, min(rest/int64(len(text)+len(`"",`)), maxExpected)+1)
	}
	id, ok := db.ParseID(text)
	if !ok || id == db.NilID {
		id, l.items.Others = db.NilID, append(l.items.Others, string(text))
	}
	l.items.UUIDs = append(l.items.UUIDs, id)
}

// readStreams gives the streamed properties of a body's schema.
func readStreams(s *openapi3.Schema) (map[string]*stream, error) {
	streams := map[string]*stream{}
	for name, ref := range s.Properties {
		p := ref.Value
		if marked, _ := p.Extensions[xStream].(bool); !marked {
			continue
		}
		if !p.Type.Is("array") || p.Items == nil || !p.Items.Value.Type.Is("string") || p.MaxItems != nil || p.MinItems > 0 || p.UniqueItems {
			return nil, fmt.Errorf("%s of %s: only for arrays of strings without minItems, maxItems and uniqueItems", xStream, name)
		}
		streams[name] = &stream{item: p.Items.Value, plain: isPlain(p.Items.Value)}
	}
	return streams, nil
}

// isPlain tells whether every string fits a schema.
func isPlain(s *openapi3.Schema) bool {
	return len(s.Enum) == 0 && s.Format == "" && s.Pattern == "" && s.MinLength == 0 && s.MaxLength == nil &&
		len(s.AllOf) == 0 && len(s.OneOf) == 0 && len(s.AnyOf) == 0 && s.Not == nil
}

// stream reads the value of a streamed member. The items of an array are kept in d.lists, and the value for kin-openapi is an
// array of the first item, or of the first wrong one if there is one; any other value is read as usual.
func (d *decoder) stream(name string, s *stream) (any, error) {
	delete(d.lists, name)
	if d.PeekKind() != '[' {
		return d.value()
	}
	if _, err := d.ReadToken(); err != nil {
		return nil, malformed(err)
	}
	l, judged := &list{bad: -1}, []any{}
	for i := 0; d.PeekKind() != ']'; i++ {
		item, err := d.item(s, l)
		if err != nil {
			return nil, err
		}
		switch {
		case l.bad < 0 && item != nil:
			l.bad, judged = i, []any{item.value}
		case i == 0 && item == nil:
			judged = []any{l.items.Texts()[0]}
		}
	}
	if d.lists == nil {
		d.lists = map[string]*list{}
	}
	d.lists[name] = l
	_, err := d.ReadToken()
	return judged, malformed(err)
}

// wrong is an item that its schema refuses.
type wrong struct{ value any }

// item reads one item into l; what it gives is nil unless the item is wrong.
func (d *decoder) item(s *stream, l *list) (*wrong, error) {
	if d.PeekKind() != '"' {
		value, err := d.value()
		return &wrong{value}, err
	}
	raw, err := d.ReadValue()
	if err != nil {
		return nil, malformed(err)
	}
	text := raw[1 : len(raw)-1]
	if bytes.IndexByte(text, '\\') >= 0 {
		if text, err = jsontext.AppendUnquote(nil, raw); err != nil {
			return nil, malformed(err)
		}
	}
	if bytes.IndexByte(text, 0) >= 0 {
		return nil, d.holdsNUL()
	}
	if !s.plain && s.item.VisitJSON(string(text), bodyOptions...) != nil {
		return &wrong{string(text)}, nil
	}
	l.add(text, d.size-d.InputOffset())
	return nil, nil
}

// reindex makes a breach in the only item that kin-openapi saw one in the item that it was.
func (p *parsed) reindex(f *flaw) {
	if len(f.path) < 2 {
		return
	}
	if l := p.lists[f.path[0]]; l != nil && l.bad >= 0 {
		f.path[1] = strconv.Itoa(l.bad)
	}
}

// set puts a streamed list into the field of a typed body that has its name. The field may be a wire.IDs or a []string, or what
// generated code makes of one that may be null, which has a method Set.
func (l *list) set(body reflect.Value, name string) error {
	for i := range body.NumField() {
		if tag, _, _ := strings.Cut(body.Type().Field(i).Tag.Get("json"), ","); tag != name {
			continue
		}
		switch field := body.Field(i).Addr().Interface().(type) {
		case *wire.IDs:
			*field = l.items
			return nil
		case *[]string:
			*field = l.items.Texts()
			return nil
		case interface{ Set(wire.IDs) }:
			field.Set(l.items)
			return nil
		case interface{ Set([]string) }:
			field.Set(l.items.Texts())
			return nil
		}
	}
	return fmt.Errorf("%s has no field for the list %s", body.Type(), name)
}
