package poll

import (
	"context"
	"log/slog"
	"time"

	"rearm/db"
	"rearm/impl/fault"
)

// When topics are surveyed without a wake-up.
const (
	safety    = 5 * time.Second       // all of them, in case a message of another node was lost
	minPause  = 30 * time.Millisecond // after a round; doubled as long as what is ready is not wanted
	maxPause  = time.Minute
	awayPause = time.Second // after the database did not answer
)

// Horizon is how far ahead the other nodes need to know of a lock's end; what lies further they find by their surveys.
const Horizon = 2 * safety

// Hold says that a task on a topic can be fetched once a lock runs out, if nobody extends it. It never blocks.
func (r *Room) Hold(name string, until db.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if t := r.topics[name]; t != nil {
		r.checkAt(t, until.Time())
	}
}

// Check surveys all topics, since messages of other nodes may have been lost. It never blocks.
func (r *Room) Check() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, t := range r.topics {
		if t.known {
			r.doubtful(t)
		}
	}
}

// checkAt surveys a topic at a time, or before.
func (r *Room) checkAt(t *topic, at time.Time) {
	if !t.check.IsZero() && !at.Before(t.check) {
		return
	}
	t.check = at
	in := max(0, at.Sub(r.now()))
	if t.timer == nil {
		t.timer = time.AfterFunc(in, func() { r.due(t) })
		return
	}
	t.timer.Reset(in)
}

// due is what a topic's timer does.
func (r *Room) due(t *topic) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.topics[t.name] == t {
		t.check = time.Time{}
		r.doubtful(t)
	}
}

// doubtful lets a topic be surveyed soon.
func (r *Room) doubtful(t *topic) {
	r.doubt[t] = struct{}{}
	select {
	case r.doubts <- struct{}{}:
	default:
	}
}

// watch surveys topics until ctx ends.
func (r *Room) watch(ctx context.Context) {
	tick := time.NewTicker(r.safety)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			r.Check()
		case <-r.doubts:
			r.survey(ctx)
		}
	}
}

// survey asks, once for all topics in doubt, whether something is ready and when the next lock runs out.
func (r *Room) survey(ctx context.Context) {
	r.mu.Lock()
	topics := make(map[string]*topic, len(r.doubt))
	names := make([]string, 0, len(r.doubt))
	for t := range r.doubt {
		topics[t.name] = t
		names = append(names, t.name)
	}
	clear(r.doubt)
	r.mu.Unlock()
	if len(names) == 0 {
		return
	}
	found, err := r.source.Survey(ctx, names)
	r.mu.Lock()
	defer r.mu.Unlock()
	if err != nil && ctx.Err() == nil {
		level := slog.LevelWarn
		if fault.KindOf(err) == fault.Unavailable { // which is said where it begins
			level = slog.LevelDebug
		}
		r.log.Log(ctx, level, "topics could not be looked at", slog.Any("error", err), slog.Duration("again_in", awayPause))
		for _, t := range topics {
			r.checkAt(t, r.now().Add(awayPause))
		}
	}
	for i := range found {
		if t := topics[found[i].Topic]; r.topics[t.name] == t {
			r.learn(t, &found[i])
		}
	}
}

// learn takes what a survey found. A lock that has run out is news; a task that was ready after the last round, and left there,
// is none, and opens rounds less and less often.
func (r *Room) learn(t *topic, found *db.TopicWork) {
	now := r.now()
	switch {
	case found.Free == nil:
	case found.Free.Time().After(now):
		r.checkAt(t, found.Free.Time())
	default:
		r.begin(t)
	}
	switch {
	case !found.Ready || t.open:
	case t.retry.After(now):
		r.checkAt(t, t.retry)
	default:
		t.pause = min(2*t.pause, maxPause)
		r.begin(t)
	}
}
