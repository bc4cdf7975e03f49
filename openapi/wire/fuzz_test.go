package wire_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"rearm/openapi/wire"
)

// Every date that is read can be written in the form of answers, and read again it is the same moment.
func FuzzDateTime(f *testing.F) {
	for _, s := range []string{
		"2013-01-23T14:42:45.120+0200", "2013-01-23T12:42:45Z", "2013-01-23T14:42:45,5+02:00", "0000-01-01T00:00:00+0001", "9999-12-31T23:59:59.999-0001",
		"0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2016-12-31T23:59:60Z", "2013-02-30T00:00:00Z", "", "x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := wire.ParseDateTime(s)
		if err != nil {
			return
		}
		text := d.String()
		again, err := wire.ParseDateTime(text)
		if err != nil || !again.Equal(d.Time) || again.String() != text || len(text) != len(wire.Layout) {
			t.Errorf("%q is read as %s, and that as %s, %v", s, text, again, err)
		}
		b, err := json.Marshal(d)
		var back wire.DateTime
		if err != nil || json.Unmarshal(b, &back) != nil || !back.Equal(d.Time) {
			t.Errorf("%q as JSON: %s, %v, %s", s, b, err, back)
		}
	})
}

// A list of ids keeps every text as it is, whether it is a UUID or not.
func FuzzIDs(f *testing.F) {
	const id = "0198f3a2-5c1e-7d10-8a57-3f1c2b6d9e01"
	for _, s := range []string{"", "a", id, id + "\na\n" + id, strings.ToUpper(id), uuid.Nil.String(), "\n\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?")
		texts := strings.Split(s, "\n")
		var packed wire.IDs
		for _, text := range texts {
			parsed, err := uuid.Parse(text)
			if err != nil || parsed == uuid.Nil || parsed.String() != text {
				parsed, packed.Others = uuid.Nil, append(packed.Others, text)
			}
			packed.UUIDs = append(packed.UUIDs, parsed)
		}
		want, _ := json.Marshal(texts)
		for _, list := range []wire.IDs{packed, wire.NewIDs(texts...)} {
			b, err := json.Marshal(list)
			if err != nil || string(b) != string(want) || !slices.Equal(list.Texts(), texts) {
				t.Errorf("%q is written as %s, %v", texts, b, err)
			}
			var read wire.IDs
			if err := json.Unmarshal(b, &read); err != nil || !slices.Equal(read.Texts(), texts) {
				t.Errorf("%s is read as %q, %v", b, read.Texts(), err)
			}
		}
	})
}
