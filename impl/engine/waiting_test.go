package engine_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
)

// Whatever locks a task tells when the lock runs out, for those who wait.
func TestLocksAreTold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		id := w.create(engine.NewTask{}).ID.String()
		ctx, now := context.Background(), db.TimeOf(w.now)
		told := func(what string, want map[string]db.Time) {
			t.Helper()
			if !maps.Equal(w.held, want) {
				t.Errorf("%s told %v, want %v", what, w.held, want)
			}
			clear(w.held)
		}
		w.tasks(2, "other")
		w.fetch("w", 5, "t", "other", "none")
		told("a fetch", map[string]db.Time{"t": now.Add(time.Minute), "other": now.Add(time.Minute)})
		w.must(w.Lock(ctx, everybody, id, "w", 5000))
		told("a lock", map[string]db.Time{"t": now + 5000})
		w.must(w.ExtendLock(ctx, everybody, id, "w", 7000))
		told("an extension", map[string]db.Time{"t": now + 7000})
		w.must(w.Fail(ctx, everybody, id, engine.Failure{WorkerID: "w", Retries: 1, RetryTimeout: 9000}))
		told("a failure", map[string]db.Time{"t": now + 9000})
		w.woken()
		w.must(w.Fail(ctx, everybody, id, engine.Failure{WorkerID: "w", Retries: 0, RetryTimeout: 9000}))
		told("a failure for good", nil)
		if w.Lock(ctx, everybody, id, "x", 5000) == nil || w.ExtendLock(ctx, everybody, id, "x", 5000) == nil {
			t.Error("somebody else's lock could be changed")
		}
		told("what was refused", nil)
		if woken := w.woken(); len(woken) != 0 {
			t.Errorf("woke %v", woken)
		}
	})
}

func TestSurveyOfTopics(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.tasks(2, "a")
		w.fetch("w", 1, "a")
		list, err := w.Survey(context.Background(), []string{"a"})
		if err != nil || len(list) != 1 || list[0].Topic != "a" || !list[0].Ready || *list[0].Free != db.TimeOf(w.now.Add(time.Minute)) {
			t.Errorf("%+v, %v", list, err)
		}
	})
}

// Tasks that are given back can be fetched at once, and whoever waits for them is told.
func TestGiveBackWakes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.tasks(2, "a")
		w.tasks(1, "b")
		got := w.fetch("gone", 5, "a", "b")
		w.woken()
		w.must(w.GiveBack(context.Background(), "gone", got))
		woken := w.woken()
		if slices.Sort(woken); !slices.Equal(slices.Compact(woken), []string{"a", "b"}) {
			t.Errorf("woke %v", woken)
		}
		if again := w.fetch("here", 5, "a", "b"); len(again) != 3 {
			t.Errorf("fetched %+v", again)
		}
	})
}
