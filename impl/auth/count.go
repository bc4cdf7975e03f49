package auth

import "sync/atomic"

// Result is how an attempt to log in ended.
type Result string

// The results.
const (
	Accepted    Result = "accepted"
	Missing     Result = "missing"     // no attempt at all
	Malformed   Result = "malformed"   // the header cannot be read, or asks for a way that is not offered
	Wrong       Result = "wrong"       // the name, the password or the token is not believed
	Slowed      Result = "slowed"      // too many were wrong; this one was not looked at
	Unavailable Result = "unavailable" // it cannot be known now
)

// attempt is what is counted.
type attempt struct {
	way    string // Basic, JWT, or "" where none was chosen
	result Result
}

// counts counts attempts.
type counts struct{ byAttempt map[attempt]*atomic.Uint64 }

func newCounts() *counts {
	c := &counts{map[attempt]*atomic.Uint64{}}
	for _, result := range []Result{Missing, Malformed} {
		c.byAttempt[attempt{"", result}] = &atomic.Uint64{}
	}
	for _, way := range []string{Basic, JWT} {
		for _, result := range []Result{Accepted, Malformed, Wrong, Slowed, Unavailable} {
			c.byAttempt[attempt{way, result}] = &atomic.Uint64{}
		}
	}
	return c
}

func (c *counts) add(way string, result Result) { c.byAttempt[attempt{way, result}].Add(1) }

func (c *counts) each(f func(way string, result Result, n uint64)) {
	for a, n := range c.byAttempt {
		f(a.way, a.result, n.Load())
	}
}
