package engine_test

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
)

// past fills a world with history that may go after an hour: n batches, and twice as many scopes that have ended.
func past(w *world, n int) {
	w.t.Helper()
	ttl := time.Hour
	w.BatchTTL.Default, w.HistoryTTL = &ttl, ttl
	for range n {
		w.endedBatch(2)
	}
	for _, task := range w.fetch("w", 2*n, "t") {
		w.must(w.Fail(context.Background(), everybody, task.ID.String(), engine.Failure{WorkerID: "w", Message: ptr("boom")}))
		w.complete(task.ID)
	}
}

// kept counts all rows of history.
func kept(w *world) (n int) {
	w.t.Helper()
	for _, table := range []string{"historic_batch", "batch_chunk", "job_log", "scope", "task_log", "variable", "incident"} {
		n += dbtest.Count(w.t, w.store, "select count(*) from "+table)
	}
	return n
}

// cleanAll cleans up until nothing is left.
func (w *world) cleanAll(limit int64) (all db.Cleaned) {
	w.t.Helper()
	for {
		c, err := w.CleanUp(context.Background(), engine.CleanUp{Limit: limit})
		w.must(err)
		if (c == db.Cleaned{}) {
			return all
		}
		all.Add(c)
	}
}

func TestCleanUp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		past(w, 2)
		before := kept(w)
		w.pass(time.Hour - time.Second)
		expect(t, "too early", w.cleanAll(0), db.Cleaned{})
		w.pass(time.Minute)
		live := w.create(engine.NewTask{})
		w.endedBatch(1)
		due, err := w.CleanUp(ctx, engine.CleanUp{DryRun: true})
		w.must(err)
		if due.Batches != 2 || due.Scopes != 4 || due.TaskLog != 12 || due.Incidents != 4 || due.JobLog == 0 {
			t.Errorf("due: %+v", due)
		}
		again, err := w.CleanUp(ctx, engine.CleanUp{DryRun: true})
		w.must(err)
		expect(t, "after a dry run", again, due)
		some, err := w.CleanUp(ctx, engine.CleanUp{Limit: 3})
		w.must(err)
		if n := some.JobLog + some.TaskLog; n != 6 {
			t.Errorf("a little: %+v", some)
		}
		some.Add(w.cleanAll(0))
		expect(t, "all", some, due)
		_, err = w.Task(ctx, everybody, live.ID.String())
		w.must(err)
		if n := kept(w); n >= before {
			t.Errorf("%d rows before, %d after", before, n)
		}
		expect(t, "batches kept", dbtest.Count(t, s, "select count(*) from historic_batch"), 1)
		expect(t, "scopes kept", dbtest.Count(t, s, "select count(*) from scope"), 2)
	})
}

// Two nodes at once clean up everything, each part once, while a third goes on working.
func TestCleanUpBySeveral(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		past(w, 6)
		w.pass(2 * time.Hour)
		due, err := w.CleanUp(context.Background(), engine.CleanUp{DryRun: true})
		w.must(err)
		var all sync.WaitGroup
		var mu sync.Mutex
		var cleaned db.Cleaned
		for range 2 {
			all.Go(func() {
				c := w.cleanAll(4)
				mu.Lock()
				defer mu.Unlock()
				cleaned.Add(c)
			})
		}
		all.Go(func() { w.endedBatch(3) })
		all.Wait()
		cleaned.Add(w.cleanAll(4)) // what one of them left to the other
		expect(t, "cleaned", cleaned, due)
	})
}

func TestCleaner(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		var log bytes.Buffer
		w.Log = slog.New(slog.NewTextHandler(&log, nil))
		c := w.NewCleaner()
		step := func() time.Duration {
			t.Helper()
			next, more, err := c.Step(ctx, time.Second)
			w.must(err)
			if more {
				t.Error("it does not rest")
			}
			return next.Sub(w.clock())
		}
		expect(t, "with nothing to do", step(), time.Minute)
		past(w, 1)
		w.pass(time.Hour)
		expect(t, "after some work", step(), 10*time.Millisecond)
		w.pass(5 * time.Millisecond)
		expect(t, "too early", step(), 5*time.Millisecond)
		expect(t, "said before the end", log.Len(), 0)
		w.pass(5 * time.Millisecond)
		expect(t, "at the end", step(), time.Minute)
		expect(t, "left", kept(w), 0)
		if !strings.Contains(log.String(), "history was cleaned up") || !strings.Contains(log.String(), "batches=1 scopes=2 task_log=6") {
			t.Errorf("the log says %s", log.String())
		}
		_, err := dbtest.Raw(t, s).ExecContext(ctx, "alter table scope rename to elsewhere")
		w.must(err)
		w.pass(time.Minute)
		if _, _, err := c.Step(ctx, time.Second); err == nil {
			t.Error("a table is missing, and nobody says so")
		}
	})
}
