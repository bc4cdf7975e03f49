package variable

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"testing"
	"time"
	"unicode/utf8"

	"rearm/impl/fault"
)

// A value is refused with a 400, or what is kept of it is JSON that reads as the same value: a client may send back what it got.
func FuzzParse(f *testing.F) {
	for _, c := range []struct{ typ, value, info string }{
		{"String", `"x"`, `{}`}, {"Integer", `" 5 "`, `{}`}, {"Short", "-32768", `{}`}, {"Long", "9223372036854775807", `null`}, {"Double", "1e3", `{}`}, {"Double", `"0x1p-2"`, `{}`},
		{"Double", `"1e400"`, `{}`}, {"Double", `"-0"`, `{}`}, {"Boolean", `"True"`, `{}`}, {"Date", `"2015-10-06T16:34:42.123+0200"`, `{}`}, {"Date", `"9999-12-31T23:59:59-2300"`, `{}`},
		{"Bytes", `"aGVs\nbG8"`, `{}`}, {"File", `"aGVsbG8="`, `{"filename":"a.txt","mimetype":"text/plain"}`}, {"Json", `"{\"a\":1}"`, `{}`}, {"Xml", `"<a/>"`, `{}`},
		{"Object", `"x"`, `{"objectTypeName":"T","serializationDataFormat":"application/json"}`}, {"-", `{"a":[1]}`, `{"transient":true}`}, {"-", "5.0", `{}`}, {"", "1", `{}`}, {"éclair", "1", `{}`},
	} {
		f.Add(c.typ, c.value, c.info)
	}
	f.Fuzz(func(t *testing.T, typ, value, info string) {
		in := input(typ, value, nil)
		if value != "" && !json.Valid(in.Value) || !utf8.ValidString(value+info) || json.Unmarshal([]byte(info), &in.Info) != nil {
			return // what reads requests refuses it
		}
		v, err := Parse(in)
		if err != nil {
			if fault.KindOf(err) != fault.Invalid {
				t.Errorf("%q %s: %v", typ, value, err)
			}
			return
		}
		again := Input{Type: &v.Type, Value: v.JSON}
		if !json.Valid(v.JSON) || json.Unmarshal(v.Info, &again.Info) != nil {
			t.Fatalf("%q %s is kept as %s with %s", typ, value, v.JSON, v.Info)
		}
		if same, err := Parse(again); err != nil || string(same.JSON) != string(v.JSON) || string(same.Info) != string(v.Info) || !equal(same.Text, v.Text) ||
			!equal(same.Long, v.Long) || !equal(same.Double, v.Double) {
			t.Errorf("%q %s is kept as %s with %s, and that as %s with %s, %v", typ, value, v.JSON, v.Info, same.JSON, same.Info, err)
		}
	})
}

// Dates are read as they are written.
func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"2015-10-06T16:34:42.123+0200", "2015-10-06T16:34:42Z", "0000-01-01T00:00:00+0001", "9999-12-31T23:59:59.999-0001", "2015-13-01T00:00:00Z"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		date, ok := ParseDate(s)
		if !ok {
			return
		}
		if again, ok := ParseDate(date.Format(Layout)); !ok || !again.Equal(date) || date.Nanosecond()%int(time.Millisecond) != 0 {
			t.Errorf("%q is %s, and that %s", s, date.Format(Layout), again.Format(Layout))
		}
	})
}

// Bytes come back one by one, and as many as was said.
func FuzzContent(f *testing.F) {
	for _, s := range []string{"", "aGVsbG8=", "aGVsbG8", "aGVs bG8", "-_8", "====", "a", "é"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(input("Bytes", string(quote(text)), nil))
		if err != nil {
			t.Fatal(err)
		}
		r, size := Content(v.JSON)
		b, err := io.ReadAll(r)
		if err != nil || size != int64(len(b)) || string(v.JSON) != `"`+base64.StdEncoding.EncodeToString(b)+`"` {
			t.Errorf("%q: %d bytes, said to be %d, of %s; %v", text, len(b), size, v.JSON, err)
		}
		if exact, err := base64.StdEncoding.DecodeString(text); err == nil && string(exact) != string(b) {
			t.Errorf("%q is %x, not %x", text, exact, b)
		}
	})
}
