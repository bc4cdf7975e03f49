package wire

import (
	"encoding/json"
	"testing"
	"time"
)

func TestDateTimeReadsBothForms(t *testing.T) {
	t.Parallel()
	want := time.Date(2013, 1, 23, 12, 42, 45, 120e6, time.UTC)
	for _, s := range []string{
		"2013-01-23T14:42:45.120+0200", "2013-01-23T12:42:45.120Z", "2013-01-23T14:42:45.120+02:00", "2013-01-23T12:42:45.12-0000",
	} {
		got, err := ParseDateTime(s)
		if err != nil || !got.Equal(want) {
			t.Errorf("ParseDateTime(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
}

func TestDateTimeRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "2013-13-01T00:00:00.000+0000", "2013-02-30T00:00:00Z", "2013-01-23", "2013-01-23T14:42:45", "1700000000000", "x",
		"0000-01-01T00:00:00.000+0001", "9999-12-31T23:59:59.999-0001"} {
		if got, err := ParseDateTime(s); err == nil {
			t.Errorf("ParseDateTime(%q) = %v; want an error", s, got)
		}
	}
}

func TestDateTimeJSON(t *testing.T) {
	t.Parallel()
	var v struct{ D *DateTime }
	if err := json.Unmarshal([]byte(`{"D":"2013-01-23T14:42:45.000+0200"}`), &v); err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(v)
	if want := `{"D":"2013-01-23T12:42:45.000+0000"}`; err != nil || string(b) != want {
		t.Errorf("got %s, %v; want %s", b, err, want)
	}
	if err := json.Unmarshal([]byte(`{"D":1700000000000}`), &v); err == nil {
		t.Error("a number was taken for a date")
	}
	if err := json.Unmarshal([]byte(`{"D":null}`), &v); err != nil || v.D != nil {
		t.Errorf("null gave %v, %v", v.D, err)
	}
}
