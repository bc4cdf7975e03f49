package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// seeded makes a batch on n new tasks whose seed job has run, and gives the ids of its execution jobs.
func (w *world) seeded(n int) (*db.Batch, []string) {
	w.t.Helper()
	b := w.retryAsync(5, w.tasks(n, "t")...)
	w.execute(w.jobs(b.ID, db.SeedJob)[0])
	return b, w.jobs(b.ID, db.ExecutionJob)
}

// job reads a job that is there.
func (w *world) job(id string) *db.Job {
	w.t.Helper()
	j, err := w.Job(context.Background(), everybody, id)
	w.must(err)
	return j
}

// rows counts the rows that execution jobs take.
func (w *world) rows() int {
	return dbtest.Count(w.t, w.store, "select count(*) from job where kind = 1")
}

func TestSetOneJob(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		b, ids := w.seeded(9)
		due := db.TimeOf(w.clock().Add(time.Hour))
		w.must(w.SetJobDueDate(ctx, everybody, ids[4], &due))
		w.must(w.SetJobPriority(ctx, everybody, ids[4], -7))
		w.must(w.SuspendJob(ctx, everybody, ids[4], engine.JobSelection{}, true))
		expect(t, "ranges", w.rows(), 3)
		j := w.job(ids[4])
		if j.DueDate == nil || *j.DueDate != due || j.Priority != -7 || !j.Suspended || j.Retries != 3 {
			t.Errorf("the job is %+v", j.Range)
		}
		if next := w.job(ids[5]); next.DueDate != nil || next.Priority != 0 || next.Suspended {
			t.Errorf("its neighbour is %+v", next.Range)
		}
		w.runAll()
		expect(t, "all others are done", w.statistics(b.ID), "created 9 remaining 1 completed 8 failed 0")
		w.must(w.SuspendJob(ctx, everybody, ids[4], engine.JobSelection{}, false))
		w.runAll()
		expect(t, "active, and not due", w.statistics(b.ID), "created 9 remaining 1 completed 8 failed 0")
		w.must(w.SetJobDueDate(ctx, everybody, ids[4], nil))
		w.runAll()
		expect(t, "due", w.statistics(b.ID), "ended")
	})
}

func TestWritesOnUnknownJobs(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t, dbtest.SQLite(t)), context.Background()
	_, ids := w.seeded(1)
	w.execute(ids[0])
	for _, id := range []string{"x", dbtest.ID().String(), ids[0]} {
		isNull := "No job found with id '" + id + "': job is null"
		refused(t, w.SetJobDueDate(ctx, everybody, id, nil), fault.NotFound, fault.InvalidRequest, "No job found with id '"+id+"'.")
		refused(t, w.SetJobPriority(ctx, everybody, id, 1), fault.NotFound, fault.InvalidRequest, isNull)
		refused(t, w.SuspendJob(ctx, everybody, id, engine.JobSelection{}, true), fault.NotFound, fault.InvalidRequest, isNull)
		refused(t, w.DeleteJob(ctx, everybody, id), fault.NotFound, fault.InvalidRequest, isNull)
		refused(t, w.RecalculateDueDate(ctx, everybody, id), fault.NotFound, fault.InvalidRequest, isNull)
	}
}

func TestRecalculate(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	b, ids := w.seeded(1)
	for id, typ := range map[string]string{ids[0]: "set-external-task-retries", w.jobs(b.ID, db.MonitorJob)[0]: "batch-monitor-job"} {
		refused(t, w.RecalculateDueDate(context.Background(), everybody, id), fault.Invalid, fault.InvalidRequest,
			fmt.Sprintf("Only timer jobs can be recalculated, but the job with id '%s' is of type '%s'.", id, typ))
	}
}

// Deleted jobs count as completed, their items as skipped; their incidents are deleted with them.
func TestDeleteJob(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		w.ItemsPerJob.Default = 2
		b, ids := w.seeded(9) // the fifth job has one item
		w.must(w.SetJobRetries(ctx, everybody, ids[1], engine.JobRetries{}))
		w.must(w.DeleteJob(ctx, everybody, ids[1]))
		w.must(w.DeleteJob(ctx, everybody, ids[4]))
		expect(t, "the batch", w.statistics(b.ID), "created 5 remaining 3 completed 2 failed 0")
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Skipped: 3, Pending: 6})
		expect(t, "deleted incidents", dbtest.Count(t, s, "select count(*) from incident where state = 2"), 1)
		expect(t, "entries", dbtest.Count(t, s, "select sum(n) from job_log where event = 4 and kind = 1"), 2)
		for _, i := range []int{0, 2, 3} {
			w.must(w.DeleteJob(ctx, everybody, ids[i]))
		}
		w.runAll()
		expect(t, "without jobs", w.statistics(b.ID), "ended")
		expect(t, "tasks that were set", dbtest.Count(t, s, "select count(*) from external_task_state where retries = 5"), 0)
	})
}

// Seed and monitor jobs that somebody deletes are made anew by the executor, so that the batch ends.
func TestDeleteSeedAndMonitor(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		w.JobsPerSeed.Default = 2
		b := w.retryAsync(5, w.tasks(5, "t")...)
		w.execute(w.jobs(b.ID, db.SeedJob)[0])
		seed := w.jobs(b.ID, db.SeedJob)[0]
		w.must(w.SetJobRetries(ctx, everybody, seed, engine.JobRetries{}))
		w.must(w.DeleteJob(ctx, everybody, seed))
		_, open := w.openIncidents()
		expect(t, "open incidents", open, 0)
		for _, id := range w.jobs(b.ID, db.ExecutionJob) {
			w.must(w.SuspendJob(ctx, everybody, id, engine.JobSelection{}, true))
		}
		w.runAll()
		expect(t, "seeded", w.statistics(b.ID), "created 5 remaining 2 completed 3 failed 0")
		w.must(w.DeleteJob(ctx, everybody, w.jobs(b.ID, db.MonitorJob)[0]))
		for _, id := range w.jobs(b.ID, db.ExecutionJob) {
			w.must(w.SuspendJob(ctx, everybody, id, engine.JobSelection{}, false))
		}
		w.runAll()
		expect(t, "in the end", w.statistics(b.ID), "ended")
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 5})
	})
}

// A job that succeeds resolves its incident, whatever its retries are by then.
func TestSuccessResolvesIncidents(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		b, ids := w.seeded(4)
		monitor := w.jobs(b.ID, db.MonitorJob)[0]
		for _, id := range []string{ids[0], ids[1], monitor} {
			w.must(w.SetJobRetries(ctx, everybody, id, engine.JobRetries{}))
		}
		for kind := db.ExecutionJob; kind <= db.MonitorJob; kind++ {
			w.must(w.SetDefinitionRetries(ctx, everybody, kind.Definition(b.ID).String(), engine.JobRetries{Retries: 2}))
		}
		_, open := w.openIncidents()
		expect(t, "open incidents of jobs with retries", open, 3)
		w.must(w.SetJobRetries(ctx, everybody, ids[1], engine.JobRetries{}))
		expect(t, "incidents of the one that lost them again", dbtest.Count(t, s, "select count(*) from incident"), 3)
		w.execute(ids[1])
		_, open = w.openIncidents()
		expect(t, "open incidents", open, 2)
		w.runAll()
		expect(t, "the batch", w.statistics(b.ID), "ended")
		expect(t, "resolved incidents", dbtest.Count(t, s, "select count(*) from incident where state = 1"), 3)
	})
}
