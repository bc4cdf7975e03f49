package variable

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"

	"rearm/impl/fault"
)

// Layout is the form of dates in answers (contract-facts 1.7).
const Layout = "2006-01-02T15:04:05.000-0700"

// ParseDate reads a date in the reference's form or in RFC 3339 (difference 11), cut to milliseconds. Dates that in UTC are not
// in the years 0 to 9999, which Layout cannot write, are none.
func ParseDate(s string) (time.Time, bool) {
	for _, layout := range []string{"2006-01-02T15:04:05-0700", time.RFC3339} {
		if t, err := time.Parse(layout, s); err == nil && t.UTC().Year() >= 0 && t.UTC().Year() <= 9999 {
			return t.UTC().Truncate(time.Millisecond), true
		}
	}
	return time.Time{}, false
}

// java are the classes that the reference names in its errors.
var java = map[string]string{
	"String": "java.lang.String", "Boolean": "java.lang.Boolean", "Short": "java.lang.Short", "Integer": "java.lang.Integer",
	"Long": "java.lang.Long", "Double": "java.lang.Double", "Date": "java.util.Date", "Bytes": "[B", "Null": "java.lang.Void",
}

// bits is how large whole numbers of a type are.
var bits = map[string]int{"Short": 16, "Integer": 32, "Long": 64}

func cannotConvert(in Input, v *Value) error {
	text, _ := scalar(in.Value)
	return fault.BadRequest("Cannot convert value '%s' of type '%s' to java type %s", text, v.Type, java[v.Type])
}

// scalar gives a JSON value as text: a string without its quotes, a number or boolean as it is written. ok is false for objects
// and arrays, whose text is theirs.
func scalar(value json.RawMessage) (text string, ok bool) {
	s := strings.TrimSpace(string(value))
	switch s[0] {
	case '"':
		err := json.Unmarshal(value, &text)
		return text, err == nil
	case '{', '[':
		return s, false
	}
	return s, true
}

func isString(value json.RawMessage) bool { return strings.TrimSpace(string(value))[0] == '"' }

func readString(in Input, v *Value) error {
	text, ok := scalar(in.Value)
	if !ok {
		return cannotConvert(in, v)
	}
	v.Text, v.JSON = &text, quote(text)
	return nil
}

func readBoolean(in Input, v *Value) error {
	text, _ := scalar(in.Value)
	number := int64(0)
	switch strings.TrimSpace(text) {
	case "true", "True", "TRUE":
		number = 1
	case "false", "False", "FALSE":
	default:
		return cannotConvert(in, v)
	}
	v.Long, v.JSON = &number, quote(number == 1)
	return nil
}

func fits(s string, size int) bool {
	_, err := strconv.ParseInt(s, 10, size)
	return err == nil
}

func readWhole(in Input, v *Value) error {
	text, _ := scalar(in.Value)
	number, err := strconv.ParseInt(strings.TrimSpace(text), 10, bits[v.Type])
	if err != nil {
		return cannotConvert(in, v)
	}
	v.Long, v.JSON = &number, json.RawMessage(strconv.FormatInt(number, 10))
	return nil
}

func readDouble(in Input, v *Value) error {
	text, _ := scalar(in.Value)
	number, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(number) || math.IsInf(number, 0) {
		return cannotConvert(in, v)
	}
	v.Double, v.JSON = &number, json.RawMessage(text)
	if isString(in.Value) {
		v.JSON = quote(number)
	}
	if !strings.ContainsAny(string(v.JSON), ".eE") {
		v.JSON = append(v.JSON, ".0"...)
	}
	return nil
}

func readDate(in Input, v *Value) error {
	text, _ := scalar(in.Value)
	date, ok := ParseDate(text)
	if !ok || !isString(in.Value) {
		return cannotConvert(in, v)
	}
	millis := date.UnixMilli()
	v.Long, v.JSON = &millis, quote(date.Format(Layout))
	return nil
}

func readBytes(in Input, v *Value) error {
	if !isString(in.Value) {
		return cannotConvert(in, v)
	}
	text, _ := scalar(in.Value)
	v.JSON = quote(clean(text))
	return nil
}

// clean gives base64 in its canonical form. Like the reference's decoder it passes over what is none, and takes the alphabet for
// URLs as well.
func clean(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '+' || r == '/':
			return r
		case r == '-':
			return '+'
		case r == '_':
			return '/'
		}
		return -1
	}, text)
	if len(text)%4 == 1 {
		text = text[:len(text)-1]
	}
	raw, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil { // only letters of the alphabet are left
		panic(err)
	}
	return base64.StdEncoding.EncodeToString(raw)
}

// describeFile checks the valueInfo of a file and keeps what is known of it. JavaScript clients write `mimetype`.
func describeFile(in Input, v *Value) (err error) {
	if in.Info == nil {
		return fault.BadRequest("Cannot create file without valueInfo.")
	}
	if in.Info.text("filename") == "" {
		return fault.BadRequest("Cannot create file without filename! Please set a name into ValueInfo with key filename")
	}
	info := Info{"filename": in.Info["filename"], "mimeType": in.Info["mimeType"], "encoding": in.Info["encoding"]}
	if info.text("mimeType") == "" {
		if info["mimeType"] = in.Info["mimetype"]; info["mimeType"] == "" { // which says as little as none
			info["mimeType"] = nil
		}
	}
	v.Info, err = only(info, "filename", "mimeType", "encoding")
	return err
}

func readFile(in Input, v *Value) error {
	if !isString(in.Value) {
		return fault.BadRequest("The value of a File must be a text in base64, or null.")
	}
	return readBytes(in, v)
}

func readNull(in Input, v *Value) error { return cannotConvert(in, v) }

// readSerialized reads Object, Json and Xml, which come as texts. A JSON object or array without a type is an Object, too.
func readSerialized(in Input, v *Value) error {
	text, scalar := scalar(in.Value)
	switch {
	case isString(in.Value):
	case !scalar && in.Type == nil:
		class := "java.util.LinkedHashMap"
		if text[0] == '[' {
			class = "java.util.ArrayList"
		}
		v.Info = quote(map[string]string{"objectTypeName": class, "serializationDataFormat": "application/json"})
	default:
		return fault.BadRequest("Must provide 'null' or String value for value of SerializableValue type '%s'.", v.Type)
	}
	if v.Type == "Json" && !json.Valid([]byte(text)) {
		return fault.BadRequest("The value of a variable of type 'Json' is not JSON.")
	}
	v.JSON = quote(text)
	return nil
}
