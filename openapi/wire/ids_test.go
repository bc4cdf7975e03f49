package wire_test

import (
	"encoding/json"
	"slices"
	"testing"

	"rearm/openapi/wire"
)

func TestIDs(t *testing.T) {
	t.Parallel()
	mixed := wire.IDs{UUIDs: [][16]byte{{1}, {}, {0xab, 15: 1}, {}}, Others: []string{"a", ""}}
	want := `["01000000-0000-0000-0000-000000000000","a","ab000000-0000-0000-0000-000000000001",""]`
	for _, l := range []wire.IDs{mixed, wire.NewIDs(mixed.Texts()...)} {
		b, err := json.Marshal(l)
		if err != nil || string(b) != want {
			t.Errorf("%s, %v", b, err)
		}
		var read wire.IDs
		if err := json.Unmarshal(b, &read); err != nil || !slices.Equal(read.Texts(), mixed.Texts()) {
			t.Errorf("%v, %v", read, err)
		}
	}
	var none wire.IDs
	if b, err := json.Marshal(none); err != nil || string(b) != "[]" {
		t.Errorf("%s, %v", b, err)
	}
	if err := json.Unmarshal([]byte(`[1]`), &none); err == nil {
		t.Error("a number was taken for an id")
	}
}
