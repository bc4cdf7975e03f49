package rest

import (
	"encoding/json"
	"strconv"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// dateOf reads the date of a comparison in the query parameter name, with the reference's words for one that is none
// (contract-facts 6.2).
func dateOf(name, text string) (db.Time, error) {
	d, err := wire.ParseDateTime(text)
	if err == nil {
		return db.TimeOf(d.Time), nil
	}
	words := "due date"
	if name == "createTimes" {
		words = "create time"
	}
	return 0, fault.BadRequest(`Invalid %s format: Cannot convert value "%s" to java type java.util.Date`, words, text)
}

// textOrDate gives a text that reads as a date as a time, any other as it is: so the reference compares variables
// (contract-facts 2.2).
func textOrDate(text string) any {
	if d, err := wire.ParseDateTime(text); err == nil {
		return db.TimeOf(d.Time)
	}
	return text
}

// jsonValue gives a value of a body as a comparison takes it: nil, bool, int64, float64, string or db.Time. What is already
// typed, and lists and objects, which cannot be compared, stay as they are.
func jsonValue(value any) any {
	raw, ok := value.(json.RawMessage)
	if !ok {
		return value
	}
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return value
	}
	switch v := v.(type) {
	case string:
		return textOrDate(v)
	case float64:
		if whole, err := strconv.ParseInt(string(raw), 10, 64); err == nil {
			return whole
		}
		return v
	case nil, bool:
		return v
	}
	return value
}
