package db

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// turns lets one transaction after the other write, first come, first served. A pool gives a free connection to any of those that
// wait for it, so that a worker waits for one chunk of a batch after the other while the executor comes back at once. Nil is for a
// database that lets many write.
type turns struct {
	one     *semaphore.Weighted
	waiting atomic.Int64
}

func newTurns() *turns { return &turns{one: semaphore.NewWeighted(1)} }

// take waits for the turn; the error is that of ctx.
func (t *turns) take(ctx context.Context) error {
	if t == nil {
		return nil
	}
	t.waiting.Add(1)
	defer t.waiting.Add(-1)
	return t.one.Acquire(ctx, 1)
}

// pass gives the turn to the next one.
func (t *turns) pass() {
	if t != nil {
		t.one.Release(1)
	}
}

// WritesWaiting tells how many transactions wait for the one that SQLite lets write. PostgreSQL lets many, and here is always 0.
func (s *Store) WritesWaiting() int64 {
	if s.turns == nil {
		return 0
	}
	return s.turns.waiting.Load()
}
