package db_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"rearm/db"
)

// An id is read from its one spelling only, as another library reads it, and written again it is the same text.
func FuzzParseID(f *testing.F) {
	const id = "0198f3a2-5c1e-7d10-8a57-3f1c2b6d9e01"
	for _, s := range []string{"", id, strings.ToUpper(id), "{" + id + "}", "urn:uuid:" + id, strings.ReplaceAll(id, "-", ""), id[:35] + "g", uuid.Nil.String()} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		id, ok := db.ParseID(s)
		theirs, err := uuid.Parse(s)
		if want := err == nil && theirs.String() == s; ok != want || ok && (id.String() != s || [16]byte(theirs) != id) {
			t.Errorf("%q: %s, %v; want %s, %v", s, id, ok, theirs, want)
		}
		if same, also := db.ParseID([]byte(s)); same != id || also != ok {
			t.Errorf("%q as bytes: %s, %v", s, same, also)
		}
		var text, raw db.ID
		if err := text.Scan(s); (err == nil) != ok || text != id {
			t.Errorf("%q scanned: %s, %v", s, text, err)
		}
		if err := raw.Scan(id[:]); err != nil || raw != id {
			t.Errorf("the bytes of %q scanned: %s, %v", s, raw, err)
		}
	})
}

// What belongs to a batch says so by its id, and what it is there; ids of one batch sort by that.
func FuzzSubID(f *testing.F) {
	f.Add([]byte("0123456789abcdef"), byte(3), uint32(7), uint32(8))
	f.Add(bytes.Repeat([]byte{0xff}, 16), byte(15), uint32(1<<32-1), uint32(0))
	f.Fuzz(func(t *testing.T, raw []byte, kind byte, ordinal, other uint32) {
		var id db.ID
		copy(id[:], raw)
		batch, kind := db.BatchBase(id), kind&15
		sub := batch.Sub(kind, ordinal)
		if base, k, n := sub.Split(); base != batch || k != kind || n != ordinal {
			t.Errorf("%s is %s %d %d; want %s %d %d", sub, base, k, n, batch, kind, ordinal)
		}
		if sub.Mark() != batch.Mark() || sub.Mark() < 0 {
			t.Errorf("%s has the mark %d, its batch %d", sub, sub.Mark(), batch.Mark())
		}
		if got := sub.Compare(batch.Sub(kind, other)) < 0; got != (ordinal < other) {
			t.Errorf("%d and %d of %s are out of order", ordinal, other, batch)
		}
	})
}

// Whatever bytes are read as outcomes are written as no more bytes, which read the same. Damage is an error.
func FuzzOutcomes(f *testing.F) {
	for _, b := range [][]byte{nil, {0, 1, 2}, {0xff}, {0x81, 0x80, 0x80, 0x80, 0x08}, {0x82, 0x80, 0x80, 0x80, 0x08}, {0x80, 0x00}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		list, err := db.DecodeOutcomes(b)
		if err != nil {
			return
		}
		for i, o := range list {
			if o.Previous != nil && (*o.Previous < 0 || o.Gone) {
				t.Errorf("outcome %d of %x is %v with %d retries", i, b, o.Gone, *o.Previous)
			}
		}
		written := db.EncodeOutcomes(list)
		again, err := db.DecodeOutcomes(written)
		if err != nil || len(written) > len(b) || !reflect.DeepEqual(again, list) {
			t.Errorf("%x is written as %x: %v", b, written, err)
		}
	})
}

// The ids of a chunk come back as they were; bytes that are no whole id at its end are none.
func FuzzChunk(f *testing.F) {
	for _, n := range []int{0, 1, 15, 16, 17, 32, 100} {
		f.Add(bytes.Repeat([]byte{7}, n))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		ids := db.Unpack(b)
		if packed := db.Pack(ids); !bytes.Equal(packed, b[:len(b)/16*16]) || !slices.Equal(db.Unpack(packed), ids) {
			t.Errorf("%x is %v, and that %x", b, ids, packed)
		}
	})
}
