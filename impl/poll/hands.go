package poll

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// How many attempts run at the same time, and on one topic: more than 4 to 16 bring a PostgreSQL of a few cores nothing
// (limits.md D), and there are not so many connections.
const (
	hands  = 16
	widest = 8
)

// attemptTime bounds an attempt, since no client's leaving ends it.
const attemptTime = 30 * time.Second

// serve fetches for waiters until ctx ends.
func (r *Room) serve(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.work:
			for ctx.Err() == nil && r.turn(ctx) {
			}
		}
	}
}

// turn fetches for one waiter; false when there is nothing to do.
func (r *Room) turn(ctx context.Context) bool {
	r.mu.Lock()
	t, w, some := r.take()
	if w != nil {
		w.busy = true
		for i := range w.places {
			w.places[i].seen = w.places[i].topic.round
		}
	}
	r.mu.Unlock()
	if w != nil {
		r.attempt(ctx, t, w)
	}
	return some
}

// take takes what is to be done next, by turns one of those who have just come and one of the topics that were woken. There may
// be nobody to fetch for after all; some is false when there is nothing at all.
func (r *Room) take() (t *topic, w *waiter, some bool) {
	r.last = len(r.fresh) > 0 && (!r.last || len(r.queue) == 0)
	switch {
	case r.last:
		w, r.fresh = r.fresh[0], r.fresh[1:]
		if w.gone || w.busy || w.tried {
			w = nil
		}
		return nil, w, true
	case len(r.queue) > 0:
		t, r.queue = r.queue[0], r.queue[1:]
		t.queued = false
		return t, r.choose(t), true
	}
	r.fresh, r.queue = nil, nil
	return nil, nil, false
}

// attempt fetches for a waiter, in a topic's round or, without one, for the first time; it answers the waiter unless that goes on
// waiting.
func (r *Room) attempt(ctx context.Context, t *topic, w *waiter) {
	a := r.try(ctx, w)
	r.mu.Lock()
	if t != nil {
		t.paced(&a, w.in.MaxTasks)
	}
	stays := r.settle(w, &a)
	r.mu.Unlock()
	if !stays {
		w.answer <- a
	}
}

// try fetches once for a waiter who is there, as part of its request, but until ctx ends and not until the request does: what is
// locked for a client that goes at that moment has to be known, so that it can be given back. A panic is an error, with its stack
// for the log.
func (r *Room) try(ctx context.Context, w *waiter) (a answer) {
	defer func() {
		if p := recover(); p != nil {
			a = answer{err: fmt.Errorf("panic: %v\n%s", p, debug.Stack())}
		}
	}()
	if err := w.ctx.Err(); err != nil {
		return answer{err: err}
	}
	own, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), attemptTime)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	a.got, a.err = r.source.FetchAndLock(own, w.caller, w.in)
	return a
}
