// Package wire holds the Go types that the contract names by a format of its own. It imports nothing of ours, so that
// generated code may use it.
package wire

import (
	"fmt"
	"strings"
	"time"
)

// Layout is the form of every date in an answer: milliseconds, and a numeric zone without a colon (contract-facts 1.7).
const Layout = "2006-01-02T15:04:05.000-0700"

// layouts are the forms that a request may use. Fractions of any length are read by time.Parse after the seconds.
var layouts = []string{"2006-01-02T15:04:05-0700", time.RFC3339}

// DateTime is a point in time as the contract writes it (format date-time-rfc822).
type DateTime struct{ time.Time }

// NewDateTime gives t as it is written on the wire: in UTC, cut to milliseconds.
func NewDateTime(t time.Time) DateTime { return DateTime{t.UTC().Truncate(time.Millisecond)} }

// ParseDateTime reads the reference's form (`2013-01-23T14:42:45.000+0200`) or RFC 3339. Anything else, dates that no calendar
// has, such as month 13, and those that in UTC are not in the years 0 to 9999, which Layout cannot write, are an error.
func ParseDateTime(s string) (DateTime, error) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil && t.UTC().Year() >= 0 && t.UTC().Year() <= 9999 {
			return NewDateTime(t), nil
		}
	}
	return DateTime{}, fmt.Errorf("%q is not a date of the form yyyy-MM-dd'T'HH:mm:ss.SSSZ", s)
}

// String gives the date in Layout.
func (d DateTime) String() string { return d.UTC().Format(Layout) }

// MarshalText is for query parameters that the generated client sends.
func (d DateTime) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what ParseDateTime reads.
func (d *DateTime) UnmarshalText(b []byte) (err error) {
	*d, err = ParseDateTime(string(b))
	return err
}

// MarshalJSON gives the date in Layout, in quotes.
func (d DateTime) MarshalJSON() ([]byte, error) { return []byte(`"` + d.String() + `"`), nil }

// UnmarshalJSON reads a string that ParseDateTime reads; null leaves d as it is.
func (d *DateTime) UnmarshalJSON(b []byte) error {
	s := string(b)
	if s == "null" {
		return nil
	}
	if len(s) < 2 || s[0] != '"' || !strings.HasSuffix(s, `"`) {
		return fmt.Errorf("%s is not a date in quotes", s)
	}
	return d.UnmarshalText(b[1 : len(b)-1])
}

// Bind reads a query parameter; generated code calls it.
func (d *DateTime) Bind(s string) error { return d.UnmarshalText([]byte(s)) }
