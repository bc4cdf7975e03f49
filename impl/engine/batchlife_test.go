package engine_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// retryAsync makes a batch on tasks by their ids.
func (w *world) retryAsync(retries int32, ids ...db.ID) *db.Batch {
	w.t.Helper()
	b, err := w.SetRetriesAsync(context.Background(), everybody, engine.SetRetriesAsync{Retries: retries, Selection: byID(ids...)})
	w.must(err)
	return b
}

func byID(ids ...db.ID) (s engine.Selection) {
	for _, id := range ids {
		s.IDs.Add(id)
	}
	return s
}

// runAll lets an executor work until it finds nothing to do.
func (w *world) runAll() {
	w.t.Helper()
	r := w.NewRunner()
	for {
		_, more, err := r.Step(context.Background(), time.Second)
		w.must(err)
		if !more {
			return
		}
	}
}

// statistics gives what a running batch says of its jobs: created, remaining, completed, failed.
func (w *world) statistics(id db.ID) string {
	w.t.Helper()
	list, err := w.BatchStatistics(context.Background(), everybody, engine.Query{Values: map[string]any{"batchId": id.String()}, Max: 1})
	w.must(err)
	if len(list) == 0 {
		return "ended"
	}
	s := list[0]
	return fmt.Sprintf("created %d remaining %d completed %d failed %d", s.JobsCreated, s.Remaining(), s.Completed(), s.Failed)
}

func (w *world) outcomes(id db.ID) db.Outcomes {
	w.t.Helper()
	o, err := w.BatchOutcomes(context.Background(), everybody, id.String())
	w.must(err)
	return o
}

// openIncidents counts the open incidents on tasks and on jobs.
func (w *world) openIncidents() (tasks, jobs int) {
	return dbtest.Count(w.t, w.store, "select count(*) from incident where state = 0 and type = 'failedExternalTask'"),
		dbtest.Count(w.t, w.store, "select count(*) from incident where state = 0 and type = 'failedJob'")
}

func expect[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestBatchFromRequestToEnd(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		ids := w.tasks(2500, "t")
		w.must(w.SetRetries(context.Background(), everybody, engine.SetRetries{Retries: 0, Selection: byID(ids[:1200]...)}))
		w.must(w.SetRetries(context.Background(), everybody, engine.SetRetries{Retries: 5, Selection: byID(ids[2499])}))
		w.woken()
		b := w.retryAsync(5, append(ids, ids[7], ids[8])...)
		expect(t, "jobs", b.TotalJobs, 2500)
		expect(t, "at first", w.statistics(b.ID), "created 0 remaining 2500 completed 0 failed 0")
		w.pass(time.Second)
		w.runAll()
		expect(t, "in the end", w.statistics(b.ID), "ended")
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 2499, Unchanged: 1})
		expect(t, "retries of all", dbtest.Count(t, s, "select count(*) from external_task_state where retries = 5 and rev > 0"), 2500)
		tasks, _ := w.openIncidents()
		expect(t, "open incidents", tasks, 0)
		expect(t, "resolved incidents", dbtest.Count(t, s, "select count(*) from incident where state = 1 and end_time is not null"), 1200)
		expect(t, "topics woken", strings.Join(w.woken()[:1], ","), "t")
		h, err := w.HistoricBatch(context.Background(), everybody, b.ID.String())
		w.must(err)
		if now := db.TimeOf(w.clock()); h.EndTime == nil || *h.EndTime != now || h.ExecutionStartTime == nil || *h.ExecutionStartTime != now || h.StartTime == now {
			t.Errorf("the history is %+v", h)
		}
		expect(t, "jobs left", dbtest.Count(t, s, "select count(*) from job"), 0)
	})
}

func TestBatchToZeroMakesIncidents(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		ids := w.tasks(30, "t")
		w.must(w.SetRetries(context.Background(), everybody, engine.SetRetries{Retries: 0, Selection: byID(ids[0])}))
		b := w.retryAsync(0, ids...)
		w.runAll()
		tasks, _ := w.openIncidents()
		expect(t, "open incidents", tasks, 30)
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 29, Unchanged: 1})
		if got := w.fetch("w", 100, "t"); len(got) != 0 {
			t.Errorf("%d tasks without retries were fetched", len(got))
		}
		w.retryAsync(1, ids...)
		w.runAll()
		tasks, _ = w.openIncidents()
		expect(t, "open incidents afterwards", tasks, 0)
		expect(t, "fetched afterwards", len(w.fetch("w", 100, "t")), 30)
	})
}

// What goes away between the request and its execution is gone, and nothing waits for it (difference 3).
func TestBatchWithGoneTasks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		ids := w.tasks(10, "t")
		b := w.retryAsync(5, ids...)
		w.fetch("w", 3, "t")
		for _, task := range w.fetch("w", 3, "t") {
			w.must(w.Complete(context.Background(), everybody, task.ID.String(), engine.Result{WorkerID: "w"}))
		}
		w.runAll()
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 7, Gone: 3})
		expect(t, "the batch", w.statistics(b.ID), "ended")
	})
}

func TestBatchSelections(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		q, other := w.tasks(3, "q"), w.tasks(2, "other")
		make := func(in engine.SetRetriesAsync) *db.Batch {
			t.Helper()
			b, err := w.SetRetriesAsync(ctx, everybody, in)
			w.must(err)
			w.runAll()
			return b
		}
		topic := func(name string) *engine.Query { return &engine.Query{Values: map[string]any{"topicName": name}} }
		byQuery := make(engine.SetRetriesAsync{Retries: 7, Selection: engine.Selection{Query: topic("q")}})
		expect(t, "by query", w.outcomes(byQuery.ID), db.Outcomes{Set: 3})
		both := byID(q[0], other[0])
		both.Query = topic("q")
		expect(t, "by ids and query", w.outcomes(make(engine.SetRetriesAsync{Retries: 8, Selection: both}).ID), db.Outcomes{Set: 4})
		all := make(engine.SetRetriesAsync{Retries: 9, Selection: engine.Selection{Query: &engine.Query{}}})
		expect(t, "all", w.outcomes(all.ID), db.Outcomes{Set: 5})
		skip := byID(q[0], dbtest.ID())
		skip.SkipMissing = true
		skip.IDs.AddText("no id at all")
		skip.IDs.AddText("no id at all")
		expect(t, "missing skipped", w.outcomes(make(engine.SetRetriesAsync{Retries: 1, Selection: skip}).ID), db.Outcomes{Set: 1, Gone: 2})
		nothing := engine.Selection{IDs: engine.IDsOf("x"), SkipMissing: true}
		expect(t, "only missing", w.outcomes(make(engine.SetRetriesAsync{Retries: 1, Selection: nothing}).ID), db.Outcomes{Gone: 1})
	})
}

func TestBatchRefused(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		ids := w.tasks(1, "t")
		var many engine.Selection
		for i := range 13 {
			many.IDs.AddText(fmt.Sprintf("x%d", i))
		}
		for what, c := range map[string]struct {
			in      engine.SetRetriesAsync
			kind    fault.Kind
			message string
		}{
			"negative":       {engine.SetRetriesAsync{Retries: -1, Selection: byID(ids...)}, fault.Invalid, "cannot be negative"},
			"nothing":        {engine.SetRetriesAsync{}, fault.Invalid, "externalTaskIds is empty"},
			"empty query":    {engine.SetRetriesAsync{Selection: engine.Selection{Query: &engine.Query{Values: map[string]any{"topicName": "no"}}}}, fault.Invalid, "externalTaskIds is empty"},
			"unknown":        {engine.SetRetriesAsync{Selection: byID(ids[0], dbtest.ID())}, fault.NotFound, "Cannot find external tasks with ids"},
			"many unknown":   {engine.SetRetriesAsync{Selection: many}, fault.NotFound, "x8, x9 and 3 more"},
			"bad filter":     {engine.SetRetriesAsync{Selection: engine.Selection{Query: &engine.Query{Values: map[string]any{"nope": "no"}}}}, fault.Invalid, "nope"},
			"half a sorting": {engine.SetRetriesAsync{Selection: engine.Selection{Query: &engine.Query{Sorting: engine.Sorting{By: new("id")}}}}, fault.Invalid, "Only a single sorting parameter"},
		} {
			_, err := w.SetRetriesAsync(context.Background(), everybody, c.in)
			if err == nil || fault.KindOf(err) != c.kind || !strings.Contains(err.Error(), c.message) {
				t.Errorf("%s: %v", what, err)
			}
		}
		for _, table := range []string{"batch", "historic_batch", "batch_chunk", "batch_text", "job", "job_log"} {
			expect(t, "rows left behind in "+table, dbtest.Count(t, s, "select count(*) from "+table), 0)
		}
	})
}

func TestBatchOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		in := engine.SetRetriesAsync{Retries: 4, Selection: byID(w.tasks(3, "t")...), IdempotencyKey: "k"}
		first, err := w.SetRetriesAsync(ctx, everybody, in)
		w.must(err)
		w.runAll()
		again, err := w.SetRetriesAsync(ctx, everybody, in)
		w.must(err)
		if again.ID != first.ID || again.TotalJobs != 3 || *again.Retries != 4 {
			t.Errorf("again: %+v, first: %+v", again, first)
		}
		expect(t, "batches", dbtest.Count(t, s, "select count(*) from historic_batch"), 1)
		in.Retries = 5
		if _, err := w.SetRetriesAsync(ctx, everybody, in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("another request under the same key: %v", err)
		}
		in.Selection = byID(dbtest.ID())
		if _, err := w.SetRetriesAsync(ctx, everybody, in); fault.KindOf(err) != fault.Invalid {
			t.Errorf("another request under the same key, of a task that is not there: %v", err)
		}
		in.Selection = byID(w.tasks(3, "t")...)
		w.pass(25 * time.Hour)
		if _, err := w.SetRetriesAsync(ctx, everybody, in); err != nil {
			t.Errorf("a day later: %v", err)
		}
	})
}

// Tasks are picked before the transaction: on SQLite, where one alone writes, a request that is refused waits for nobody, and a large
// one keeps the others from writing only as long as its items are written.
func TestPickedBefore(t *testing.T) {
	t.Parallel()
	s := dbtest.SQLite(t)
	w := newWorld(t, s)
	writer, err := dbtest.Raw(t, s).Beginx() // which takes the lock at once
	w.must(err)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // the lock is waited for longer
	defer cancel()
	for _, key := range []string{"", "k"} {
		_, err = w.SetRetriesAsync(ctx, everybody, engine.SetRetriesAsync{Retries: 1, Selection: byID(dbtest.ID()), IdempotencyKey: key})
		if fault.KindOf(err) != fault.NotFound {
			t.Errorf("while another one writes, key %q: %v", key, err)
		}
	}
	w.must(writer.Rollback())
}

// Hundreds of thousands of texts that are no ids are refused, or taken, in seconds: each is looked at once.
func TestManyTextsThatAreNoIDs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		var many engine.Selection
		for i := range 100_000 {
			many.IDs.AddText(fmt.Sprintf("no id %d", i))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		_, err := w.SetRetriesAsync(ctx, everybody, engine.SetRetriesAsync{Retries: 1, Selection: many})
		if err == nil || !strings.HasSuffix(err.Error(), "no id 9 and 99990 more") {
			t.Errorf("refused: %v", err)
		}
		many.SkipMissing = true
		b, err := w.SetRetriesAsync(ctx, everybody, engine.SetRetriesAsync{Retries: 1, Selection: many})
		w.must(err)
		if b.Items != 100_000 {
			t.Errorf("%d items", b.Items)
		}
	})
}
