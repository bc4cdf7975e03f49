package variable

import (
	"encoding/json"
	"errors"
	"testing"

	"rearm/impl/fault"
)

func input(typ, value string, info Info) Input {
	in := Input{Info: info}
	if typ != "-" {
		in.Type = &typ
	}
	if value != "" {
		in.Value = json.RawMessage(value)
	}
	return in
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, value, wantType, want string }{
		{"String", `"Grüße \"q\" \\ \n <b>"`, "String", `"Grüße \"q\" \\ \n <b>"`},
		{"string", `""`, "String", `""`},
		{"String", "5", "String", `"5"`},
		{"String", "5.10", "String", `"5.10"`},
		{"String", "true", "String", `"true"`},
		{"String", "null", "String", "null"},
		{"Boolean", "true", "Boolean", "true"},
		{"boolean", `"False"`, "Boolean", "false"},
		{"Short", "-32768", "Short", "-32768"},
		{"Integer", `" 5 "`, "Integer", "5"},
		{"Integer", "2147483647", "Integer", "2147483647"},
		{"Long", "9223372036854775807", "Long", "9223372036854775807"},
		{"Long", `"-9223372036854775808"`, "Long", "-9223372036854775808"},
		{"Double", "1.50", "Double", "1.50"},
		{"Double", "2", "Double", "2.0"},
		{"Double", `"5.5"`, "Double", "5.5"},
		{"Double", `"5"`, "Double", "5.0"},
		{"Double", "1.7976931348623157e308", "Double", "1.7976931348623157e308"},
		{"Date", `"2015-10-06T16:34:42.123+0200"`, "Date", `"2015-10-06T14:34:42.123+0000"`},
		{"date", `"2015-10-06T16:34:42Z"`, "Date", `"2015-10-06T16:34:42.000+0000"`},
		{"Bytes", `"aGVsbG8="`, "Bytes", `"aGVsbG8="`},
		{"Bytes", `"aGVs\nbG8"`, "Bytes", `"aGVsbG8="`},
		{"Bytes", `"-_8"`, "Bytes", `"+/8="`},
		{"Bytes", `"aGVsbG8=x"`, "Bytes", `"aGVsbG8x"`},
		{"Bytes", `""`, "Bytes", `""`},
		{"Null", "null", "Null", "null"},
		{"Null", "", "Null", "null"},
		{"Integer", "null", "Integer", "null"},
		{"Json", `"{\"a\":1}"`, "Json", `"{\"a\":1}"`},
		{"Xml", `"<a/>"`, "Xml", `"<a/>"`},
		{"Object", `"rO0="`, "Object", `"rO0="`},
		{"-", `"x"`, "String", `"x"`},
		{"-", `"2015-10-06T16:34:42.123+0000"`, "String", `"2015-10-06T16:34:42.123+0000"`},
		{"-", "5", "Integer", "5"},
		{"-", "-2147483649", "Long", "-2147483649"},
		{"-", "5.0", "Double", "5.0"},
		{"-", "1e3", "Double", "1e3"},
		{"-", "false", "Boolean", "false"},
		{"-", " null ", "Null", "null"},
		{"-", `{"a":[1]}`, "Object", `"{\"a\":[1]}"`},
	} {
		v, err := Parse(input(c.typ, c.value, nil))
		if err != nil || v.Type != c.wantType || string(v.JSON) != c.want || v.Transient {
			t.Errorf("%s %s: got %s %s, %v; want %s %s", c.typ, c.value, v.Type, v.JSON, err, c.wantType, c.want)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ, value string
		fault      string
		message    string
	}{
		{"Integer", `"five"`, fault.InvalidRequest, "Cannot convert value 'five' of type 'Integer' to java type java.lang.Integer"},
		{"Integer", "5.5", fault.InvalidRequest, "Cannot convert value '5.5' of type 'Integer' to java type java.lang.Integer"},
		{"Integer", "2147483648", fault.InvalidRequest, "Cannot convert value '2147483648' of type 'Integer' to java type java.lang.Integer"},
		{"Integer", "true", fault.InvalidRequest, "Cannot convert value 'true' of type 'Integer' to java type java.lang.Integer"},
		{"Integer", "{}", fault.InvalidRequest, "Cannot convert value '{}' of type 'Integer' to java type java.lang.Integer"},
		{"Integer", `""`, fault.InvalidRequest, "Cannot convert value '' of type 'Integer' to java type java.lang.Integer"},
		{"Long", "9223372036854775808", fault.InvalidRequest, "Cannot convert value '9223372036854775808' of type 'Long' to java type java.lang.Long"},
		{"-", "9223372036854775808", fault.InvalidRequest, "Cannot convert value '9223372036854775808' of type 'Long' to java type java.lang.Long"},
		{"Short", "70000", fault.InvalidRequest, "Cannot convert value '70000' of type 'Short' to java type java.lang.Short"},
		{"Double", `"x"`, fault.InvalidRequest, "Cannot convert value 'x' of type 'Double' to java type java.lang.Double"},
		{"Double", `"NaN"`, fault.InvalidRequest, "Cannot convert value 'NaN' of type 'Double' to java type java.lang.Double"},
		{"Double", "1e999", fault.InvalidRequest, "Cannot convert value '1e999' of type 'Double' to java type java.lang.Double"},
		{"Boolean", `"maybe"`, fault.InvalidRequest, "Cannot convert value 'maybe' of type 'Boolean' to java type java.lang.Boolean"},
		{"Boolean", "1", fault.InvalidRequest, "Cannot convert value '1' of type 'Boolean' to java type java.lang.Boolean"},
		{"Boolean", `""`, fault.InvalidRequest, "Cannot convert value '' of type 'Boolean' to java type java.lang.Boolean"},
		{"String", "{}", fault.InvalidRequest, "Cannot convert value '{}' of type 'String' to java type java.lang.String"},
		{"String", `["a"]`, fault.InvalidRequest, `Cannot convert value '["a"]' of type 'String' to java type java.lang.String`},
		{"Date", `"2015-10-06"`, fault.InvalidRequest, "Cannot convert value '2015-10-06' of type 'Date' to java type java.util.Date"},
		{"Date", `"2015-13-06T16:34:42.123+0000"`, fault.InvalidRequest, "Cannot convert value '2015-13-06T16:34:42.123+0000' of type 'Date' to java type java.util.Date"},
		{"Date", `"9999-12-31T23:59:59-2300"`, fault.InvalidRequest, "Cannot convert value '9999-12-31T23:59:59-2300' of type 'Date' to java type java.util.Date"},
		{"Date", "5", fault.InvalidRequest, "Cannot convert value '5' of type 'Date' to java type java.util.Date"},
		{"Bytes", "5", fault.InvalidRequest, "Cannot convert value '5' of type 'Bytes' to java type [B"},
		{"Null", "1", fault.InvalidRequest, "Cannot convert value '1' of type 'Null' to java type java.lang.Void"},
		{"Nope", "1", fault.Rest, "Unsupported value type 'Nope'"},
		{"STRING", "1", fault.Rest, "Unsupported value type 'STRING'"},
		{"", "1", fault.InvalidRequest, "The type of a variable must not be empty."},
		{"Object", "5", fault.InvalidRequest, "Must provide 'null' or String value for value of SerializableValue type 'Object'."},
		{"Json", "{}", fault.InvalidRequest, "Must provide 'null' or String value for value of SerializableValue type 'Json'."},
		{"Json", `"{"`, fault.InvalidRequest, "The value of a variable of type 'Json' is not JSON."},
		{"File", `"aGVsbG8="`, fault.InvalidRequest, "Cannot create file without valueInfo."},
	} {
		_, err := Parse(input(c.typ, c.value, nil))
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Type != c.fault || f.Message != c.message {
			t.Errorf("%s %s: got %v; want %s %s", c.typ, c.value, err, c.fault, c.message)
		}
	}
}

func TestParseInfo(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		typ, value string
		info       Info
		want       string
	}{
		{"String", `"x"`, Info{"anything": "x"}, `{}`},
		{"File", `"aGVsbG8="`, Info{"filename": "a.txt", "mimeType": "text/plain", "encoding": "UTF-8", "more": 1}, `{"encoding":"UTF-8","filename":"a.txt","mimeType":"text/plain"}`},
		{"file", "null", Info{"filename": "a.txt", "mimetype": "text/plain"}, `{"filename":"a.txt","mimeType":"text/plain"}`},
		{"Object", `"x"`, Info{"objectTypeName": "T", "serializationDataFormat": "application/json", "x": "y"}, `{"objectTypeName":"T","serializationDataFormat":"application/json"}`},
		{"-", `[1]`, nil, `{"objectTypeName":"java.util.ArrayList","serializationDataFormat":"application/json"}`},
	} {
		v, err := Parse(input(c.typ, c.value, c.info))
		if err != nil || string(v.Info) != c.want {
			t.Errorf("%s %v: got %s, %v; want %s", c.typ, c.info, v.Info, err, c.want)
		}
	}
	if v, err := Parse(input("String", `"x"`, Info{"transient": true})); err != nil || !v.Transient {
		t.Errorf("transient: %+v, %v", v, err)
	}
	for _, info := range []Info{{}, {"filename": ""}, {"filename": 5}} {
		if _, err := Parse(input("File", `"aGVsbG8="`, info)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("a file without a name: %v", err)
		}
	}
	if _, err := Parse(input("File", "5", Info{"filename": "a"})); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a file that is a number: %v", err)
	}
}

// What is kept for comparisons agrees with the value.
func TestParseKeepsForComparison(t *testing.T) {
	t.Parallel()
	text, yes, number, date, half := "x", int64(1), int64(5), int64(1577836800000), 0.5
	for _, c := range []struct {
		typ, value string
		text       *string
		long       *int64
		double     *float64
	}{
		{"String", `"x"`, &text, nil, nil}, {"Boolean", "true", nil, &yes, nil}, {"Short", "5", nil, &number, nil}, {"Long", "5", nil, &number, nil},
		{"Double", "0.5", nil, nil, &half}, {"Date", `"2020-01-01T00:00:00.000+0000"`, nil, &date, nil}, {"Bytes", `"eA=="`, nil, nil, nil}, {"Integer", "null", nil, nil, nil},
	} {
		v, err := Parse(input(c.typ, c.value, nil))
		if err != nil || !equal(v.Text, c.text) || !equal(v.Long, c.long) || !equal(v.Double, c.double) {
			t.Errorf("%s %s: got %v %v %v, %v", c.typ, c.value, v.Text, v.Long, v.Double, err)
		}
	}
}

func equal[T comparable](a, b *T) bool { return a == b || a != nil && b != nil && *a == *b }
