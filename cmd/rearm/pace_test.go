package main

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/impl/contract"
)

// A caller may make the requests of a second at once, and then one after the other; others do not notice.
func TestPace(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC)
	p, err := newPace(4, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	allowed := func(caller string, n int) (count int) {
		for range n {
			if p.allows(caller) {
				count++
			}
		}
		return count
	}
	for _, step := range []struct {
		caller string
		later  time.Duration
		want   int
	}{
		{"a", 0, 4}, {"a", 0, 0}, {"b", 0, 4}, {"a", 250 * time.Millisecond, 1}, {"a", 200 * time.Millisecond, 0}, {"a", 50 * time.Millisecond, 1},
		{"a", time.Hour, 4},
	} {
		now = now.Add(step.later)
		if got := allowed(step.caller, 10); got != step.want {
			t.Errorf("%s after %v: %d were allowed, want %d", step.caller, step.later, got, step.want)
		}
	}
}

// However many callers there are, few are remembered: those that came last.
func TestPaceIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Now()
	p, err := newPace(1, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 2 * paced {
		p.allows(fmt.Sprint(i))
	}
	if p.callers.Len() != paced {
		t.Errorf("%d callers are remembered", p.callers.Len())
	}
	if p.allows(fmt.Sprint(2*paced - 1)) {
		t.Error("the last one was forgotten")
	}
	if !p.allows("0") {
		t.Error("the first one was not forgotten")
	}
}

func TestCallerOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, address, want string }{
		{"", "192.0.2.1:4711", "192.0.2.1"},
		{"", "[::ffff:192.0.2.1]:4711", "192.0.2.1"},
		{"", "[2001:db8:1:2:3:4:5:6]:4711", "2001:db8:1:2::/64"},
		{"", "[fe80::1%eth0]:4711", "fe80::/64"},
		{"", "@", "@"},
		{"", "host:1", "host"},
		{"mary", "192.0.2.1:4711", "name mary"},
	} {
		r := httptest.NewRequestWithContext(contract.WithCaller(t.Context(), db.Caller{Name: c.name}), "GET", "/", nil)
		r.RemoteAddr = c.address
		if got := callerOf(r); got != c.want {
			t.Errorf("%q at %s is %q, want %q", c.name, c.address, got, c.want)
		}
	}
}

// Over HTTP: a caller who asks too often is told when to come again, and whether the node lives can be asked all the same.
func TestRate(t *testing.T) {
	t.Parallel()
	n, c := startNode(t, "sqlite::memory:", func(c *Config) { c.Rate = 1 }), worker(t)
	var refused heard
	until(t, "refused", func() bool { refused = n.get(t, c, "/version"); return refused.status != 200 })
	refused.wants(t, 429, `{"type":"RestException","message":"More than 1 requests a second are too many of one caller. Please try again later.","code":null}`)
	if refused.retry != "1" {
		t.Errorf("Retry-After %q", refused.retry)
	}
	for range 5 {
		if status, body := fetched(t, n.url()+"/healthz"); status != 200 {
			t.Errorf("whether it lives: %d %s", status, body)
		}
	}
	until(t, "allowed again", func() bool { return n.get(t, c, "/version").status == 200 })
	if got := n.get(t, c, "/nope"); got.status == 200 || !strings.Contains(got.text, `"code":null`) {
		t.Errorf("an unknown path: %+v", got)
	}
}
