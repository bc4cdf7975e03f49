package main

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// house is some servers on one database. Each has a seat; when it is killed another process takes the seat.
type house struct {
	database string
	seats    []*seat
}

// seat is the place of one server.
type seat struct {
	args []string
	mu   sync.Mutex
	now  *child
}

// newHouse starts n servers and waits for none. They keep no audit, whose lines would be kept here.
func newHouse(t *testing.T, database string, n int, args ...string) *house {
	t.Helper()
	h := &house{database: database}
	args = append(args, "--audit=false")
	for range n {
		h.seats = append(h.seats, &seat{args: args, now: spawn(t, database, args...)})
	}
	return h
}

// dial waits until all servers serve.
func (h *house) dial(t *testing.T) {
	t.Helper()
	for _, s := range h.seats {
		s.now.dial(t)
		s.open(s.now)
	}
}

// url gives where some server serves, or did a moment ago.
func (h *house) url() string {
	s := h.seats[rand.IntN(len(h.seats))]
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now.url
}

// any gives some seat.
func (h *house) any() *seat { return h.seats[rand.IntN(len(h.seats))] }

// open lets clients find a server.
func (s *seat) open(c *child) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = c
}

// replace kills the server of a seat and gives the seat to a new one, when that serves.
func (h *house) replace(t *testing.T, s *seat) {
	t.Helper()
	s.now.kill(t)
	c := spawn(t, h.database, s.args...)
	c.dial(t)
	s.open(c)
}

// terminate stops all servers, as an operator would.
func (h *house) terminate(t *testing.T) {
	t.Helper()
	for _, s := range h.seats {
		s.now.terminate(t)
	}
}
