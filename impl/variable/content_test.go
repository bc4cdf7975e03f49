package variable

import (
	"encoding/json"
	"io"
	"strings"
	"testing"

	"rearm/impl/fault"
)

// Whatever Parse takes comes back byte for byte, with its number.
func TestContent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, want string }{
		{`"aGVsbG8="`, "hello"}, {`"aGVsbG8"`, "hello"}, {`"aGVs\nbG8="`, "hello"}, {`"AAEC_w"`, "\x00\x01\x02\xff"}, {`"AAEC/w=="`, "\x00\x01\x02\xff"}, {`"YWI="`, "ab"},
		{`"YWJj"`, "abc"}, {`""`, ""}, {"null", ""},
	} {
		v, err := Parse(input("Bytes", c.value, nil))
		if err != nil {
			t.Fatal(err)
		}
		r, size := Content(v.JSON)
		if b, err := io.ReadAll(r); err != nil || string(b) != c.want || size != int64(len(b)) {
			t.Errorf("%s: %q of %d bytes, %v", c.value, b, size, err)
		}
	}
}

func TestParseSizes(t *testing.T) {
	t.Parallel()
	most := json.RawMessage(`"` + strings.Repeat("x", MaxSize-2) + `"`)
	if v, err := Parse(Input{Value: most}); err != nil || len(v.JSON) != MaxSize {
		t.Errorf("as much as may be: %v", err)
	}
	_, err := Parse(Input{Value: json.RawMessage(`"x` + string(most[1:]))})
	if fault.KindOf(err) != fault.Invalid || err.Error() != "The value of a variable may have at most 50331648 bytes as JSON, not 50331649." {
		t.Errorf("one byte more: %v", err)
	}
	long := strings.Repeat("ü", MaxInfo)
	for _, c := range []struct {
		typ  string
		info Info
	}{
		{"File", Info{"filename": long + "x"}}, {"File", Info{"filename": "a", "mimeType": long + "x"}}, {"File", Info{"filename": "a", "mimetype": long + "x"}},
		{"File", Info{"filename": "a", "encoding": long + "x"}}, {"Object", Info{"objectTypeName": long + "x"}}, {"Object", Info{"serializationDataFormat": long + "x"}},
	} {
		if _, err := Parse(input(c.typ, `"eA=="`, c.info)); fault.KindOf(err) != fault.Invalid || !strings.HasSuffix(err.Error(), "in the valueInfo of a variable may have at most 1000 characters.") {
			t.Errorf("%s %v: %v", c.typ, len(c.info), err)
		}
	}
	if _, err := Parse(input("File", `"eA=="`, Info{"filename": long, "more": long + "x"})); err != nil {
		t.Errorf("as long as may be: %v", err)
	}
}
