// Package variable reads typed values as they come from a client, checks them, and gives them the form in which they are kept:
// the value as JSON, and once more as text or number to compare with. The types and their errors are those of contract-facts
// 10.6 and of the differences 9 and 17.
package variable

import (
	"encoding/json"
	"strings"
	"unicode/utf8"

	"rearm/impl/fault"
)

// Input is a typed value of a request. A nil Type lets Value decide; a nil Value is null, a nil Info is empty.
type Input struct {
	Type  *string         `json:"type"`
	Value json.RawMessage `json:"value"`
	Info  Info            `json:"info"`
}

// Info is the valueInfo of a request: what is said of a value besides its type.
type Info map[string]any

// text gives a text of the valueInfo; "" when it is not there, or no text.
func (i Info) text(key string) string {
	s, _ := i[key].(string)
	return s
}

// Value is a value that has been checked.
type Value struct {
	Type      string          // capitalised
	JSON      json.RawMessage // the value as it is given back
	Text      *string         // of a String
	Long      *int64          // of Short, Integer and Long; of a Boolean 0 or 1; of a Date milliseconds since 1970
	Double    *float64        // of a Double
	Info      json.RawMessage // an object
	Transient bool            // not to be kept
}

// MaxSize is how many bytes a value may have as JSON; Bytes and files count in base64, which makes 36 MB of them.
const MaxSize = 48 << 20

// MaxInfo is how many characters each text of a valueInfo may have. It keeps the headers that are made of them short enough
// for every client.
const MaxInfo = 1000

// null is JSON's.
var null = json.RawMessage("null")

// readers read a value that is not null, by its type.
var readers = map[string]func(in Input, v *Value) error{
	"String": readString, "Boolean": readBoolean, "Short": readWhole, "Integer": readWhole, "Long": readWhole, "Double": readDouble,
	"Date": readDate, "Bytes": readBytes, "File": readFile, "Null": readNull, "Object": readSerialized, "Json": readSerialized, "Xml": readSerialized,
}

// Parse checks a value and gives it the form in which it is kept. The error is the reference's, but where that would be one of
// the Java language.
func Parse(in Input) (Value, error) {
	name, err := typeOf(in)
	if err != nil {
		return Value{}, err
	}
	v := Value{Type: name, JSON: null, Info: json.RawMessage("{}")}
	v.Transient, _ = in.Info["transient"].(bool)
	if err := describe(in, &v); err != nil {
		return v, err
	}
	if isNull(in.Value) {
		return v, nil
	}
	if err := readers[name](in, &v); err != nil {
		return v, err
	}
	if len(v.JSON) > MaxSize {
		return v, fault.BadRequest("The value of a variable may have at most %d bytes as JSON, not %d.", MaxSize, len(v.JSON))
	}
	return v, nil
}

// describe checks the valueInfo and keeps what its type asks for.
func describe(in Input, v *Value) (err error) {
	switch v.Type {
	case "File":
		return describeFile(in, v)
	case "Object":
		v.Info, err = only(in.Info, "objectTypeName", "serializationDataFormat")
	}
	return err
}

// typeOf gives the name of a value's type: the one that was given, with a capital, or the one that the JSON value says.
func typeOf(in Input) (string, error) {
	if in.Type == nil {
		return guess(in.Value), nil
	}
	given := *in.Type
	if given == "" {
		return "", fault.BadRequest("The type of a variable must not be empty.")
	}
	name := strings.ToUpper(given[:1]) + given[1:]
	if readers[name] == nil {
		return "", fault.New(fault.Invalid, fault.Rest, "Unsupported value type '%s'", given)
	}
	return name, nil
}

// guess gives the type of a value that came without one.
func guess(value json.RawMessage) string {
	s := strings.TrimSpace(string(value))
	switch {
	case isNull(value):
		return "Null"
	case s[0] == '"':
		return "String"
	case s == "true" || s == "false":
		return "Boolean"
	case s[0] == '{' || s[0] == '[':
		return "Object"
	case strings.ContainsAny(s, ".eE"):
		return "Double"
	case fits(s, 32):
		return "Integer"
	}
	return "Long"
}

func isNull(value json.RawMessage) bool {
	s := strings.TrimSpace(string(value))
	return s == "" || s == "null"
}

// only gives those entries of a valueInfo that are texts of these names, as JSON.
func only(info Info, names ...string) (json.RawMessage, error) {
	kept := map[string]string{}
	for _, name := range names {
		s, ok := info[name].(string)
		if utf8.RuneCountInString(s) > MaxInfo {
			return nil, fault.BadRequest("%s in the valueInfo of a variable may have at most %d characters.", name, MaxInfo)
		}
		if ok {
			kept[name] = s
		}
	}
	return quote(kept), nil
}

// quote writes a value as JSON, leaving <, > and & as they are.
func quote(v any) json.RawMessage {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil { // texts and numbers always can
		panic(err)
	}
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n"))
}
