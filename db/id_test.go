package db

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParseID(t *testing.T) {
	t.Parallel()
	const text = "01930d2e-7b3c-7abc-9def-0123456789ab"
	id, ok := ParseID(text)
	if !ok || id.String() != text {
		t.Fatalf("ParseID(%q) = %v, %v", text, id, ok)
	}
	for _, bad := range []string{"", "x", strings.ToUpper(text), text[1:], text + "0", strings.ReplaceAll(text, "-", ""),
		"01930d2e-7b3c-7abc-9def-0123456789ag", "01930d2e_7b3c-7abc-9def-0123456789ab", "0193-0d2e7b3c-7abc-9def-0123456789ab",
		"01930d2e-7b3c-7abc-9def-01234567-9ab", "01930d2e-7b3c-7abc-9def-0123456789-a", "01930d2e-7b3c-7abc-9def------------", "------------------------------------"} {
		if id, ok := ParseID(bad); ok {
			t.Errorf("ParseID(%q) = %v; want nothing", bad, id)
		}
	}
}

func anyID() *rapid.Generator[ID] {
	return rapid.Custom(func(t *rapid.T) (id ID) {
		copy(id[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "bytes"))
		return id
	})
}

func TestIDRoundTrips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyID().Draw(t, "a"), anyID().Draw(t, "b")
		if back, ok := ParseID(a.String()); !ok || back != a {
			t.Fatalf("%v came back as %v", a, back)
		}
		if a.Compare(b) != strings.Compare(a.String(), b.String()) {
			t.Fatal("the order of bytes is not the order of texts")
		}
		var fromBytes, fromText ID
		if fromBytes.Scan(a[:]) != nil || fromText.Scan(a.String()) != nil || fromBytes != a || fromText != a {
			t.Fatal("a scan lost the id")
		}
		if list := []ID{a, b}; !slices.Equal(Unpack(Pack(list)), list) {
			t.Fatal("packing lost an id")
		}
	})
	var id ID
	if id.Scan(7) == nil || id.Scan("x") == nil || id.Scan([]byte{1}) == nil {
		t.Error("nonsense was read as an id")
	}
}

func TestSubIDs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		base := BatchBase(anyID().Draw(t, "id"))
		kind := rapid.ByteRange(0, 15).Draw(t, "kind")
		ordinal := rapid.Uint32().Draw(t, "ordinal")
		b, k, o := base.Sub(kind, ordinal).Split()
		if b != base || k != kind || o != ordinal {
			t.Fatalf("%v, %d, %d came back as %v, %d, %d", base, kind, ordinal, b, k, o)
		}
		if mark := base.Mark(); mark < 0 || mark != base.Sub(kind, ordinal).Mark() {
			t.Fatalf("the mark %d is not that of the batch", mark)
		}
	})
	for _, kind := range []JobKind{ExecutionJob, SeedJob, MonitorJob} {
		_, sub, _ := kind.Definition(NilID).Split()
		if back, ok := JobKindOf(sub); !ok || back != kind {
			t.Errorf("the definition of %d came back as %d", kind, back)
		}
	}
	if _, ok := JobKindOf(SubJob); ok {
		t.Error("a job was taken for a definition")
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Outcome {
			switch rapid.IntRange(0, 2).Draw(t, "which") {
			case 0:
				return Outcome{Gone: true}
			case 1:
				return Outcome{}
			}
			n := rapid.Int32Min(0).Draw(t, "previous")
			return Outcome{Previous: &n}
		})).Draw(t, "list")
		back, err := DecodeOutcomes(EncodeOutcomes(list))
		if err != nil || len(back) != len(list) {
			t.Fatalf("%d outcomes came back as %d, %v", len(list), len(back), err)
		}
		for i := range list {
			a, b := list[i], back[i]
			if a.Gone != b.Gone || (a.Previous == nil) != (b.Previous == nil) || a.Previous != nil && *a.Previous != *b.Previous {
				t.Fatalf("outcome %d changed", i)
			}
		}
	})
	for _, bad := range [][]byte{{0x80}, {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01}} {
		if _, err := DecodeOutcomes(bad); err == nil {
			t.Errorf("%x was read as outcomes", bad)
		}
	}
}

func TestTime(t *testing.T) {
	t.Parallel()
	if got := Time(1000).AddMillis(1<<63 - 1); got != maxTime {
		t.Errorf("the end of time is %d", got)
	}
	if got := Time(1000).AddMillis(-500); got != 500 {
		t.Errorf("500 ms before 1000 is %d", got)
	}
	if got := TimeOf(Time(1234).Time()); got != 1234 {
		t.Errorf("1234 came back as %d", got)
	}
}
