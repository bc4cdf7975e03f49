package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// jobLog gives what the job log says to a query: type of the job, its number, and what happened.
func (w *world) jobLog(q engine.Query) string {
	w.t.Helper()
	entries, err := w.JobLog(context.Background(), everybody, q)
	w.must(err)
	n, err := w.CountJobLog(context.Background(), everybody, q)
	w.must(err)
	if n != int64(len(entries)) {
		w.t.Errorf("%d entries, but %d are counted", len(entries), n)
	}
	list := make([]string, len(entries))
	for i := range entries {
		_, _, number := entries[i].JobID().Split()
		list[i] = fmt.Sprint(entries[i].JobType, " ", number, " ", []string{"created", "failed", "done", "deleted"}[entries[i].Event-1])
	}
	return strings.Join(list, ", ")
}

// ofBatch asks for all of a batch, job by job.
func ofBatch(id db.ID) engine.Query {
	q := ask("jobDefinitionConfiguration", id.String())
	q.Sorting = engine.Sorting{Levels: []engine.Level{{By: ptr("jobId"), Order: ptr("asc")}, {By: ptr("occurrence"), Order: ptr("asc")}}}
	return q
}

// What a batch does is in the log, whether an executor runs many jobs at once or somebody each by hand.
func TestJobLogOfABatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.JobsPerSeed.Default = 2
		at := func(retries int32) db.ID { return w.retryAsync(retries, w.tasks(3, "t")...).ID }
		fused, byHand := at(5), at(6)
		for range 2 {
			w.execute(w.jobs(byHand, db.SeedJob)[0])
		}
		for _, id := range append(w.jobs(byHand, db.ExecutionJob), w.jobs(byHand, db.MonitorJob)...) {
			w.execute(id)
		}
		w.runAll()
		const want = "set-external-task-retries 0 created, set-external-task-retries 0 done, set-external-task-retries 1 created, set-external-task-retries 1 done, " +
			"set-external-task-retries 2 created, set-external-task-retries 2 done, batch-seed-job 0 created, batch-seed-job 0 done, " +
			"batch-seed-job 1 created, batch-seed-job 1 done, batch-monitor-job 0 created, batch-monitor-job 0 done"
		expect(t, "of the executor", w.jobLog(ofBatch(fused)), want)
		expect(t, "by hand", w.jobLog(ofBatch(byHand)), want)
	})
}

func TestJobLogOfFailuresAndDeletion(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		ids := w.tasks(3, "t")
		dbtest.Poison(t, s, ids[1])
		b := w.retryAsync(5, ids...)
		w.runAll()
		job := w.jobs(b.ID, db.ExecutionJob)[0]
		failures := ask("jobId", job, "failureLog", true)
		failures.Sorting = sorted("jobRetries", "desc")
		entries, err := w.JobLog(ctx, everybody, failures)
		w.must(err)
		for i, l := range entries {
			if l.Retries != 3-int32(i) || l.Message == nil || !strings.Contains(*l.Message, "poisoned") || *l.Host != "rearm" {
				t.Errorf("failure %d: %+v", i, l)
			}
			trace, err := w.JobLogStacktrace(ctx, everybody, l.ID().String())
			if err != nil || trace == nil || !strings.Contains(*trace, "poisoned") {
				t.Errorf("its stack trace: %v, %v", trace, err)
			}
		}
		expect(t, "failures", len(entries), 3)
		found, err := w.HistoricIncidents(ctx, everybody, ask("configuration", job))
		w.must(err)
		expect(t, "the incident's cause", *found[0].HistoryConfiguration, entries[2].ID())
		w.pass(time.Second)
		w.must(w.DeleteBatch(ctx, everybody, b.ID.String(), false))
		expect(t, "the job", w.jobLog(ask("jobId", job)), "set-external-task-retries 1 created, set-external-task-retries 1 failed, "+
			"set-external-task-retries 1 failed, set-external-task-retries 1 failed, set-external-task-retries 1 deleted")
		expect(t, "deletions", w.jobLog(ask("deletionLog", true)), "set-external-task-retries 1 deleted, batch-monitor-job 1 deleted")
	})
}

func TestJobLogEntry(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		e, batch := listed(t, s)
		ctx, entry := context.Background(), batch.Sub(db.SubCreationLog, 1).String()
		err := s.Tx(ctx, func(tx *db.Tx) error {
			return tx.InsertLog(ctx, db.LogRange{BatchID: batch, Kind: db.ExecutionJob, Event: db.JobCreated, N: 3, Retries: 3})
		})
		if err != nil {
			t.Fatal(err)
		}
		if l, err := e.JobLogEntry(ctx, everybody, entry); err != nil || l.ID().String() != entry || l.JobID() != batch.Sub(db.SubJob, 1) || *l.TenantID != "t1" {
			t.Errorf("entry %+v, %v", l, err)
		}
		if trace, err := e.JobLogStacktrace(ctx, everybody, entry); err != nil || trace != nil {
			t.Errorf("stack trace of a creation: %v, %v", trace, err)
		}
		for id, caller := range map[string]db.Caller{
			"nonexistent": {}, batch.Sub(db.SubCreationLog, 3).String(): {}, batch.Sub(db.SubJob, 1).String(): {}, entry: {Tenants: []string{"t2"}},
		} {
			_, err := e.JobLogEntry(ctx, caller, id)
			wantFault(t, err, fault.NotFound, "Historic job log with id "+id+" does not exist")
			_, err = e.JobLogStacktrace(ctx, caller, id)
			wantFault(t, err, fault.NotFound, "No historic job log found with id "+id+": historicJobLog is null")
		}
	})
}

func TestJobLogRefuses(t *testing.T) {
	t.Parallel()
	w, ctx := newWorld(t, dbtest.SQLite(t)), context.Background()
	for _, c := range []struct {
		query     engine.Query
		typ, want string
	}{
		{ask("activityIdIn", []string{"a", ""}), fault.NotValid, "activityIds contains empty string"},
		{ask("failedActivityIdIn", []string{""}), fault.NotValid, "activityIds contains empty string"},
		{ask("executionIdIn", []string{""}), fault.NotValid, "executionIds contains empty string"},
		{ask("nope", true), fault.InvalidRequest, "filter: nope cannot be judged"},
		{engine.Query{Sorting: engine.Sorting{By: ptr("jobId")}}, fault.InvalidRequest, "Only a single sorting parameter specified. sortBy and sortOrder required"},
	} {
		_, err := w.JobLog(ctx, everybody, c.query)
		refused(t, err, fault.Invalid, c.typ, c.want)
		_, err = w.CountJobLog(ctx, everybody, c.query)
		refused(t, err, fault.Invalid, c.typ, c.want)
	}
}

// BenchmarkJobLogOfAMillion reads a page and counts in the log of a batch of 1,000,000 jobs that an executor has run.
func BenchmarkJobLogOfAMillion(b *testing.B) {
	w, ctx := newWorld(b, dbtest.Postgres(b)), context.Background()
	var ids []db.ID
	for range 100 {
		ids = append(ids, w.tasks(10_000, "t")...)
	}
	slices.SortFunc(ids, db.ID.Compare)
	batch := w.retryAsync(5, ids...)
	w.runAllReal()
	q := ofBatch(batch.ID)
	for name, q := range map[string]engine.Query{"by job": q, "by time": {Values: q.Values, Sorting: sorted("timestamp", "desc")}, "as it is": {Values: q.Values}} {
		q.First, q.Max = 1_000_000, 50
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if list, err := w.JobLog(ctx, everybody, q); err != nil || len(list) != 50 {
					b.Fatal(len(list), err)
				}
			}
		})
	}
	b.Run("count", func(b *testing.B) {
		for b.Loop() {
			if n, err := w.CountJobLog(ctx, everybody, q); err != nil || n < 2_000_000 {
				b.Fatal(n, err)
			}
		}
	})
}
