package db

import "time"

// Time is a point in time in milliseconds since 1970, UTC: the form in which both databases store and compare it.
type Time int64

// TimeOf gives t, cut to milliseconds.
func TimeOf(t time.Time) Time { return Time(t.UnixMilli()) }

// Time gives t as Go's own type, in UTC.
func (t Time) Time() time.Time { return time.UnixMilli(int64(t)).UTC() }

// Add gives the time d later, cut to milliseconds.
func (t Time) Add(d time.Duration) Time { return t + Time(d.Milliseconds()) }

// AddMillis gives the time ms milliseconds later; it stops at the ends of time instead of wrapping around.
func (t Time) AddMillis(ms int64) Time {
	switch sum := int64(t) + ms; {
	case ms > 0 && sum < int64(t):
		return maxTime
	default:
		return min(Time(sum), maxTime)
	}
}

// maxTime is the end of the year 9999, the last that the contract's date format can write.
const maxTime Time = 253402300799999
