package engine_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// jobRetriesAsync makes a batch that sets the retries of jobs.
func (w *world) jobRetriesAsync(in engine.SetJobRetriesAsync) *db.Batch {
	w.t.Helper()
	b, err := w.SetJobRetriesAsync(context.Background(), everybody, in)
	w.must(err)
	return b
}

// Jobs whose numbers follow each other are set as ranges, and only those that were named.
func TestSetJobRetriesAsync(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		w.JobsPerSeed.Default = 10000
		x, ids := w.seeded(2500)
		w.must(w.SuspendBatch(ctx, everybody, x.ID.String(), true))
		due := db.TimeOf(w.clock().Add(time.Hour))
		named := append([]string{ids[2400]}, ids[100:1300]...)
		y := w.jobRetriesAsync(engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{DueDate: &due, SetDueDate: true}, IDs: append(named, named...)})
		expect(t, "jobs", y.TotalJobs, 1201)
		expect(t, "type", y.Type, engine.SetJobRetries)
		w.runAll()
		expect(t, "the batch", w.statistics(y.ID), "ended")
		expect(t, "outcomes", w.outcomes(y.ID), db.Outcomes{Set: 1201})
		// 3 rows of 1,000, 1,000 and 500 are cut at 100, 1100 (the end of the first chunk of items), 1300, 2400 and 2401
		expect(t, "rows", w.rows(), 8)
		expect(t, "the batch whose jobs they are", w.statistics(x.ID), "created 2500 remaining 2500 completed 0 failed 1201")
		_, open := w.openIncidents()
		expect(t, "open incidents", open, 1201)
		expect(t, "due", w.dueJobs(due), 1201)
		z := w.jobRetriesAsync(engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: 3}, IDs: ids[:1], Query: ptr(ask("noRetriesLeft", true))})
		w.runAll()
		expect(t, "outcomes", w.outcomes(z.ID), db.Outcomes{Set: 1201, Unchanged: 1})
		_, open = w.openIncidents()
		expect(t, "open incidents with retries again", open, 0)
		expect(t, "due as before", w.dueJobs(due), 1201)
		w.must(w.SuspendBatch(ctx, everybody, x.ID.String(), false))
		w.pass(time.Hour)
		w.runAll()
		expect(t, "outcomes of the first", w.outcomes(x.ID), db.Outcomes{Set: 2500})
	})
}

// dueJobs counts the jobs of a due date.
func (w *world) dueJobs(due db.Time) int {
	w.t.Helper()
	n := 0
	list, err := w.Jobs(context.Background(), everybody, ask())
	w.must(err)
	for i := range list {
		if list[i].DueDate != nil && *list[i].DueDate == due {
			n++
		}
	}
	return n
}

// Seed and monitor jobs can be named too, and jobs of several batches in one.
func TestSetRetriesOfJobsOfAllKinds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.ItemsPerJob.ByType = map[string]int{engine.SetJobRetries: 50}
		a := w.retryAsync(5, w.tasks(3, "t")...)
		b, _ := w.seeded(3)
		y := w.jobRetriesAsync(engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: 9}, Query: ptr(ask())})
		expect(t, "one job for all", y.TotalJobs, 1)
		w.execute(w.jobs(y.ID, db.SeedJob)[0])
		w.execute(w.jobs(y.ID, db.ExecutionJob)[0])
		expect(t, "outcomes", w.outcomes(y.ID), db.Outcomes{Set: 5})
		for _, id := range append(w.jobs(b.ID, db.ExecutionJob), w.jobs(a.ID, db.SeedJob)[0], w.jobs(b.ID, db.MonitorJob)[0]) {
			expect(t, "retries of "+id, w.job(id).Retries, 9)
		}
	})
}

// A job that sets one that does not exist fails for good; the others do their work, and the batch waits for an operator.
func TestSetRetriesOfJobsThatDoNotExist(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		x, ids := w.seeded(4)
		w.must(w.SuspendBatch(ctx, everybody, x.ID.String(), true))
		w.execute(ids[3])
		stranger := dbtest.ID().String()
		y := w.jobRetriesAsync(engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: 8}, IDs: append([]string{"nonexistent", "", stranger, "nonexistent"}, ids...)})
		expect(t, "jobs", y.TotalJobs, 7)
		w.runAll()
		expect(t, "the batch", w.statistics(y.ID), "created 7 remaining 4 completed 3 failed 4")
		expect(t, "outcomes", w.outcomes(y.ID), db.Outcomes{Set: 3, Failed: 4})
		var messages []string
		for _, id := range w.jobs(y.ID, db.ExecutionJob) {
			messages = append(messages, *w.job(id).ExceptionMessage)
		}
		var want []string
		for _, id := range []string{"", "nonexistent", ids[3], stranger} { // ids that rearm made later are greater
			want = append(want, "ENGINE-13053 No job found with id '"+id+"'.'")
		}
		expect(t, "messages", strings.Join(messages, "\n"), strings.Join(want, "\n"))
		expect(t, "failures", dbtest.Count(t, s, "select count(*) from job_log where event = 2"), 12)
		_, open := w.openIncidents()
		expect(t, "open incidents", open, 4)
		last := w.jobs(y.ID, db.ExecutionJob)[0]
		refused(t, w.ExecuteJob(ctx, everybody, last), fault.NotFound, fault.InvalidRequest, want[0])
		for _, id := range w.jobs(y.ID, db.ExecutionJob) {
			w.must(w.DeleteJob(ctx, everybody, id))
		}
		w.runAll()
		expect(t, "without the failed jobs", w.statistics(y.ID), "ended")
		expect(t, "outcomes", w.outcomes(y.ID), db.Outcomes{Set: 3, Skipped: 4})
	})
}

func TestSetJobRetriesAsyncRefuses(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t, dbtest.SQLite(t)), context.Background()
	try := func(in engine.SetJobRetriesAsync) error {
		_, err := w.SetJobRetriesAsync(ctx, everybody, in)
		return err
	}
	refused(t, try(engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: -1}}), fault.Invalid, fault.ProcessEngine,
		"ENGINE-13050 You must specify at least one of jobIds or jobQuery.")
	refused(t, try(engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: -1}, IDs: []string{"x"}}), fault.Invalid, fault.ProcessEngine,
		"Retries count is not greater than or equal to 0")
	refused(t, try(engine.SetJobRetriesAsync{Query: ptr(ask())}), fault.Invalid, fault.InvalidRequest, "jobIds is empty")
	refused(t, try(engine.SetJobRetriesAsync{Query: ptr(ask("timers", true, "messages", true))}), fault.Invalid, fault.InvalidRequest,
		"Parameter timers cannot be used together with parameter messages.")
	expect(t, "batches", dbtest.Count(t, w.store, "select count(*) from historic_batch"), 0)
}

// Batches on jobs, batches on the jobs of those, the batch that all is about, and operators, all at once: nobody waits for each
// other for ever, no job is lost, and what is named and there is set.
func TestBatchesOnBatchesAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		w.JobsPerSeed.Default = 10000
		x, ids := w.seeded(1500)
		var all sync.WaitGroup
		try := func(f func() error) {
			all.Go(func() {
				if err := f(); err != nil && fault.KindOf(err) == fault.Internal {
					t.Error(err)
				}
			})
		}
		for i := range 3 {
			w.jobRetriesAsync(engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: int32(i + 2)}, Query: ptr(ask())})
		}
		for range 3 {
			runner := w.NewRunner()
			try(func() (err error) {
				for more := true; more && err == nil; {
					_, more, err = runner.Step(ctx, time.Millisecond)
				}
				return err
			})
		}
		for i := range 40 {
			try(func() error {
				return errors.Join(w.SuspendJob(ctx, everybody, ids[i*30], engine.JobSelection{}, true), w.SuspendJob(ctx, everybody, ids[i*30], engine.JobSelection{}, false))
			})
		}
		all.Wait()
		w.runAll()
		// Jobs that came too late for those that they name have failed, and nothing else is left.
		expect(t, "jobs that wait", dbtest.Count(t, s, "select count(*) from job where kind = 1 and retries > 0"), 0)
		_, open := w.openIncidents()
		expect(t, "open incidents", open, dbtest.Count(t, s, "select coalesce(sum(n), 0) from job where kind = 1"))
		expect(t, "outcomes", w.outcomes(x.ID), db.Outcomes{Set: 1500})
	})
}

// One item that names no job undoes the whole job that it belongs to, and no other one.
func TestOneMissingJobAmongSeveralItems(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		w.ItemsPerJob.ByType = map[string]int{engine.SetJobRetries: 2}
		x, ids := w.seeded(6)
		w.must(w.SuspendBatch(ctx, everybody, x.ID.String(), true))
		w.execute(ids[3])
		y := w.jobRetriesAsync(engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: 8}, IDs: ids[:5]})
		w.runAll()
		expect(t, "the batch", w.statistics(y.ID), "created 3 remaining 1 completed 2 failed 1")
		expect(t, "outcomes", w.outcomes(y.ID), db.Outcomes{Set: 3, Failed: 2})
		for i, want := range map[int]int32{0: 8, 1: 8, 2: 3, 4: 8, 5: 3} {
			expect(t, "retries", w.job(ids[i]).Retries, want)
		}
	})
}
