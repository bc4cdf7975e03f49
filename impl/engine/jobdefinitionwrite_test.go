package engine_test

import (
	"context"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// suspended counts the suspended jobs.
func (w *world) suspended() int64 {
	w.t.Helper()
	n, err := w.CountJobs(context.Background(), everybody, ask("suspended", true))
	w.must(err)
	return n
}

func TestSuspendDefinition(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		b := w.retryAsync(5, w.tasks(4, "t")...)
		definition := db.ExecutionJob.Definition(b.ID).String()
		w.must(w.SuspendDefinition(ctx, everybody, definition, engine.DefinitionSuspension{Suspend: true}))
		w.runAll()
		expect(t, "jobs of a suspended definition", w.suspended(), 4)
		w.must(w.SuspendDefinition(ctx, everybody, definition, engine.DefinitionSuspension{}))
		expect(t, "existing jobs without includeJobs", w.suspended(), 4)
		w.must(w.SuspendJobs(ctx, everybody, engine.JobSelection{DefinitionID: &definition}, false))
		w.must(w.SuspendJobs(ctx, everybody, engine.JobSelection{DefinitionID: &definition}, true))
		d, err := w.JobDefinition(ctx, everybody, definition)
		w.must(err)
		expect(t, "the definition is suspended", d.Suspended, false)
		w.must(w.SuspendDefinition(ctx, everybody, definition, engine.DefinitionSuspension{IncludeJobs: true}))
		w.runAll()
		expect(t, "activated", w.statistics(b.ID), "ended")
		for _, id := range []string{"x", definition, dbtest.ID().String()} {
			w.must(w.SuspendDefinition(ctx, everybody, id, engine.DefinitionSuspension{Suspend: true}))
			w.must(w.SetDefinitionRetries(ctx, everybody, id, engine.JobRetries{Retries: 1}))
			w.must(w.SuspendJobs(ctx, everybody, engine.JobSelection{DefinitionID: &id}, true))
			refused(t, w.SetDefinitionPriority(ctx, everybody, id, ptr(int64(1)), false), fault.NotFound, fault.InvalidRequest,
				"Job definition with id '"+id+"' does not exist: jobDefinition is null")
		}
	})
}

// A suspension with a date is carried out by the executor when the date has come, in the order of the dates.
func TestSuspendDefinitionLater(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		b, ids := w.seeded(4)
		definition := db.ExecutionJob.Definition(b.ID).String()
		for _, id := range ids {
			w.must(w.SetJobDueDate(ctx, everybody, id, ptr(db.TimeOf(w.clock().Add(3*time.Hour)))))
		}
		at := func(hours time.Duration) *db.Time { return ptr(db.TimeOf(w.clock().Add(hours * time.Hour))) }
		w.must(w.SuspendDefinition(ctx, everybody, definition, engine.DefinitionSuspension{IncludeJobs: true, At: at(4)}))
		w.must(w.SuspendDefinition(ctx, everybody, definition, engine.DefinitionSuspension{Suspend: true, IncludeJobs: true, At: at(2)}))
		w.runAll()
		expect(t, "at first", w.suspended(), 0)
		next, _, err := w.NewRunner().Step(ctx, time.Second)
		w.must(err)
		expect(t, "the next moment", db.TimeOf(next), *w.soonest(2 * time.Hour))
		w.pass(2 * time.Hour)
		w.runAll()
		expect(t, "suspended in time", w.suspended(), 4)
		d, err := w.JobDefinition(ctx, everybody, definition)
		w.must(err)
		expect(t, "the definition is suspended", d.Suspended, true)
		w.pass(time.Hour)
		w.runAll()
		expect(t, "due, and suspended", w.statistics(b.ID), "created 4 remaining 4 completed 0 failed 0")
		w.pass(time.Hour)
		w.runAll()
		expect(t, "active again", w.statistics(b.ID), "ended")
		expect(t, "left over", dbtest.Count(t, s, "select count(*) from definition_suspension"), 0)
	})
}

// soonest gives the monitor's next check or the moment d from now, whichever comes first.
func (w *world) soonest(d time.Duration) *db.Time {
	at := db.TimeOf(w.clock().Add(min(d, w.PollTime)))
	return &at
}

func TestDefinitionPriority(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		w.JobsPerSeed.Default = 2
		b, _ := w.seeded(5)
		definition := db.ExecutionJob.Definition(b.ID).String()
		count := func(priority int64) int64 {
			n, err := w.CountJobs(ctx, everybody, ask("jobDefinitionId", definition, "priorityLowerThanOrEquals", priority, "priorityHigherThanOrEquals", priority))
			w.must(err)
			return n
		}
		w.must(w.SetDefinitionPriority(ctx, everybody, definition, ptr(int64(7)), false))
		expect(t, "existing jobs", count(7), 2)
		w.execute(w.jobs(b.ID, db.SeedJob)[0])
		expect(t, "and new ones", count(7), 4)
		refused(t, w.SetDefinitionPriority(ctx, everybody, definition, nil, true), fault.Invalid, fault.InvalidRequest,
			"Cannot reset priority for job definition "+definition+" with includeJobs=true")
		w.must(w.SetDefinitionPriority(ctx, everybody, definition, nil, false))
		w.execute(w.jobs(b.ID, db.SeedJob)[0])
		expect(t, "existing jobs keep it", count(7), 4)
		expect(t, "new ones do not get it", count(0), 1)
	})
}

func TestDefinitionRetries(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		b, ids := w.seeded(3)
		definition, due := db.ExecutionJob.Definition(b.ID).String(), db.TimeOf(w.clock())
		w.must(w.SetJobRetries(ctx, everybody, ids[1], engine.JobRetries{DueDate: &due, SetDueDate: true}))
		w.must(w.SetDefinitionRetries(ctx, everybody, definition, engine.JobRetries{Retries: 7}))
		for i, want := range []int32{3, 7, 3} {
			expect(t, "retries", w.job(ids[i]).Retries, want)
		}
		expect(t, "its due date", *w.job(ids[1]).DueDate, due)
		refused(t, w.SetDefinitionRetries(ctx, everybody, "x", engine.JobRetries{Retries: -1}), fault.Invalid, fault.InvalidRequest,
			"ENGINE-13054 The number of job retries must be a non-negative Integer, but '-1' has been provided.")
	})
}

func TestSelectionsByOneCriterion(t *testing.T) {
	t.Parallel()
	w, ctx, x := newWorld(t, dbtest.SQLite(t)), context.Background(), ptr("x")
	const several = "Only one of jobId, jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey should be set to update the suspension state."
	for _, c := range []struct {
		err  error
		want string
	}{
		{w.SuspendJobs(ctx, everybody, engine.JobSelection{}, true),
			"Either jobId, jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey should be set to update the suspension state."},
		{w.SuspendJobs(ctx, everybody, engine.JobSelection{JobID: x, ScopeID: x}, true),
			"Either jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey can be set to update the suspension state."},
		{w.SuspendJobs(ctx, everybody, engine.JobSelection{DefinitionID: x, ProcessDefinitionKey: x}, true), several},
		{w.SuspendJob(ctx, everybody, "x", engine.JobSelection{ProcessDefinitionID: x}, true), several},
		{w.SuspendDefinitions(engine.ProcessDefinitions{}),
			"Either jobDefinitionId, processDefinitionId or processDefinitionKey should be set to update the suspension state."},
		{w.SuspendDefinitions(engine.ProcessDefinitions{JobDefinitionID: x, ID: x}),
			"Either processDefinitionId or processDefinitionKey can be set to update the suspension state."},
		{w.SuspendDefinitions(engine.ProcessDefinitions{ID: x, Key: x}),
			"Only one of jobDefinitionId, processDefinitionId or processDefinitionKey should be set to update the suspension state."},
	} {
		refused(t, c.err, fault.Invalid, fault.InvalidRequest, c.want)
	}
	w.must(w.SuspendJobs(ctx, everybody, engine.JobSelection{ScopeID: x}, true))
	w.must(w.SuspendDefinitions(engine.ProcessDefinitions{Key: x}))
}
