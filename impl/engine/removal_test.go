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

// endedBatch runs a batch on n new tasks to its end.
func (w *world) endedBatch(n int) db.ID {
	w.t.Helper()
	b := w.retryAsync(5, w.tasks(n, "t")...)
	w.runAll()
	return b.ID
}

// removal gives the removal time of a batch; 0: none.
func (w *world) removal(id db.ID) db.Time {
	w.t.Helper()
	b, err := w.HistoricBatch(context.Background(), everybody, id.String())
	w.must(err)
	if b.RemovalTime == nil {
		return 0
	}
	return *b.RemovalTime
}

// setRemoval sets removal times in the background, and waits.
func (w *world) setRemoval(in engine.SetRemovalTime) *db.Batch {
	w.t.Helper()
	b, err := w.SetRemovalTime(context.Background(), everybody, in)
	w.must(err)
	w.runAll()
	return b
}

func TestSetRemovalTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		one, other := w.endedBatch(1), w.endedBatch(2)
		end := db.TimeOf(w.clock())
		w.pass(time.Hour)
		running := w.retryAsync(5, w.tasks(1, "t")...).ID
		w.must(w.SuspendBatch(context.Background(), everybody, running.String(), true))
		absolute := end.Add(30 * 24 * time.Hour)
		b := w.setRemoval(engine.SetRemovalTime{IDs: []string{one.String(), one.String(), "nonexistent", dbtest.ID().String()}, Absolute: &absolute})
		expect(t, "type and jobs", fmt.Sprint(b.Type, b.TotalJobs), "batch-set-removal-time1")
		expect(t, "absolute", fmt.Sprint(w.removal(one), w.removal(other)), fmt.Sprint(absolute, 0))
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 1})
		entries, err := w.JobLog(context.Background(), everybody, ask("jobDefinitionConfiguration", one.String(), "successLog", true))
		w.must(err)
		expect(t, "of the log", *entries[0].RemovalTime, absolute)

		w.setRemoval(engine.SetRemovalTime{IDs: []string{other.String()}, Query: ptr(ask("batchId", one.String())), Cleared: true})
		expect(t, "cleared", w.removal(one), 0)
		w.setRemoval(engine.SetRemovalTime{IDs: []string{one.String()}, Calculated: true})
		expect(t, "calculated without a time to live", w.removal(one), 0)

		week := 7 * 24 * time.Hour
		w.BatchTTL.Default = &week
		all := ask("type", engine.SetExternalTaskRetries)
		b = w.setRemoval(engine.SetRemovalTime{Query: &all, Calculated: true})
		expect(t, "jobs", b.TotalJobs, 3)
		expect(t, "calculated", fmt.Sprint(w.removal(one), w.removal(other), w.removal(running)), fmt.Sprint(end.Add(week), end.Add(week), 0))
		expect(t, "its own", w.removal(b.ID), db.TimeOf(w.clock()).Add(week))
	})
}

// Batches that go away before their turn are gone, and the batch that meant them ends.
func TestSetRemovalTimeOfWhatIsGone(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		stays, goes := w.endedBatch(1), w.endedBatch(1)
		at := db.Time(1 << 40)
		b, err := w.SetRemovalTime(ctx, everybody, engine.SetRemovalTime{Query: &engine.Query{}, Absolute: &at})
		w.must(err)
		w.must(w.DeleteHistoricBatch(ctx, everybody, goes.String()))
		w.runAll()
		expect(t, "the batch", w.statistics(b.ID), "ended")
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 1, Gone: 1})
		expect(t, "the other", w.removal(stays), at)
	})
}

func TestSetRemovalTimeRefuses(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t, dbtest.SQLite(t)), context.Background()
	b, at, half := w.endedBatch(1), db.Time(1), "batchId"
	ids := []string{b.String()}
	for _, c := range []struct {
		in        engine.SetRemovalTime
		typ, want string
	}{
		{engine.SetRemovalTime{}, fault.BadUserRequest, "Neither query nor ids provided."},
		{engine.SetRemovalTime{Absolute: &at}, fault.BadUserRequest, "Neither query nor ids provided."},
		{engine.SetRemovalTime{IDs: ids}, fault.BadUserRequest, "removalTime is null"},
		{engine.SetRemovalTime{IDs: ids, Absolute: &at, Cleared: true}, fault.BadUserRequest, "The removal time modes are mutually exclusive: mode is not null"},
		{engine.SetRemovalTime{IDs: ids, Cleared: true, Calculated: true}, fault.BadUserRequest, "The removal time modes are mutually exclusive: mode is not null"},
		{engine.SetRemovalTime{IDs: []string{}, Cleared: true}, fault.BadUserRequest, "historicBatches is empty"},
		{engine.SetRemovalTime{IDs: []string{"nonexistent"}, Cleared: true}, fault.BadUserRequest, "historicBatches is empty"},
		{engine.SetRemovalTime{Query: ptr(ask("completed", false)), Cleared: true}, fault.BadUserRequest, "historicBatches is empty"},
		{engine.SetRemovalTime{Query: &engine.Query{Sorting: engine.Sorting{By: &half}}, Cleared: true}, fault.InvalidRequest, "Only a single sorting parameter specified. sortBy and sortOrder required"},
		{engine.SetRemovalTime{Query: ptr(ask("nope", true)), Cleared: true}, fault.InvalidRequest, "filter: nope cannot be judged"},
	} {
		_, err := w.SetRemovalTime(ctx, everybody, c.in)
		refused(t, err, fault.Invalid, c.typ, c.want)
	}
	expect(t, "batches", dbtest.Count(t, w.store, "select count(*) from historic_batch"), 1)
	mary := db.Caller{Tenants: []string{"t2"}}
	_, err := w.SetRemovalTime(ctx, mary, engine.SetRemovalTime{IDs: ids, Cleared: true})
	refused(t, err, fault.Invalid, fault.BadUserRequest, "historicBatches is empty")
	mary.Untenanted = true
	_, err = w.SetRemovalTime(ctx, mary, engine.SetRemovalTime{IDs: ids, Cleared: true})
	w.must(err)
}

func TestCleanableBatches(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		w.BatchTTL.ByType = map[string]time.Duration{engine.SetExternalTaskRetries: time.Hour}
		w.setRemoval(engine.SetRemovalTime{IDs: []string{w.endedBatch(1).String()}, Calculated: true})
		w.pass(time.Minute)
		w.endedBatch(1)
		w.pass(time.Hour - time.Minute)
		report, err := w.CleanableBatches(ctx, everybody, engine.Query{Max: 9, Sorting: sorted("finished", "desc")})
		w.must(err)
		n, err := w.CountCleanableBatches(ctx, everybody, engine.Query{})
		w.must(err)
		expect(t, "rows", fmt.Sprint(n, len(report)), "2 2")
		expect(t, "first", report[0].CleanableBatches, db.CleanableBatches{Type: engine.SetExternalTaskRetries, Finished: 2, Cleanable: 1})
		expect(t, "its time to live", *report[0].TTL, time.Hour)
		expect(t, "second", report[1].CleanableBatches, db.CleanableBatches{Type: engine.SetBatchRemovalTime, Finished: 1})
		if report[1].TTL != nil {
			t.Errorf("kept for %v", *report[1].TTL)
		}
		_, err = w.CountCleanableBatches(ctx, everybody, engine.Query{Sorting: engine.Sorting{By: ptr("finished")}})
		refused(t, err, fault.Invalid, fault.InvalidRequest, "Only a single sorting parameter specified. sortBy and sortOrder required")
		_, err = w.CleanableBatches(ctx, everybody, ask("nope", true))
		refused(t, err, fault.Invalid, fault.InvalidRequest, "filter: nope cannot be judged")
	})
}

func TestDeleteHistoricBatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		done, other := w.endedBatch(2), w.endedBatch(1)
		unable := func(id string) string { return "Unable to delete historic batch with id '" + id + "'" }
		w.must(w.DeleteHistoricBatch(ctx, everybody, done.String()))
		for _, id := range []string{done.String(), "nonexistent", dbtest.ID().String()} {
			refused(t, w.DeleteHistoricBatch(ctx, everybody, id), fault.NotFound, fault.InvalidRequest, unable(id))
		}
		expect(t, "its log", w.jobLog(ofBatch(done)), "")
		expect(t, "chunks", dbtest.Count(t, s, "select count(*) from batch_chunk"), 1)
		_, err := w.HistoricBatch(ctx, everybody, other.String())
		w.must(err)
	})
}

// A batch goes on without its history, whether jobs fail or somebody ends it, and leaves nothing.
func TestDeleteHistoryOfARunningBatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		ids := w.tasks(3, "t")
		heal := dbtest.Poison(t, s, ids[1])
		b, dropped := w.retryAsync(5, ids...), w.retryAsync(5, w.tasks(2, "t")...)
		w.execute(w.jobs(b.ID, db.SeedJob)[0])
		for _, id := range []db.ID{b.ID, dropped.ID} {
			w.must(w.DeleteHistoricBatch(ctx, everybody, id.String()))
			expect(t, "a second time", fault.KindOf(w.DeleteHistoricBatch(ctx, everybody, id.String())), fault.NotFound)
		}
		w.must(w.DeleteBatch(ctx, everybody, dropped.ID.String(), false))
		w.runAll()
		expect(t, "the batch", w.statistics(b.ID), "created 3 remaining 1 completed 2 failed 1")
		_, open := w.openIncidents()
		expect(t, "open incidents", open, 1)
		heal()
		w.execute(w.jobs(b.ID, db.ExecutionJob)[0])
		w.runAll()
		expect(t, "in the end", w.statistics(b.ID), "ended")
		expect(t, "tasks with new retries", dbtest.Count(t, s, "select count(*) from external_task_state where retries = 5"), 3)
		for _, table := range []string{"historic_batch", "batch_chunk", "job_log", "job", "incident"} {
			expect(t, "left in "+table, dbtest.Count(t, s, "select count(*) from "+table), 0)
		}
	})
}
