package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// looks tells first, n, retries, priority and due date of all execution jobs of a batch.
func looks(t *testing.T, s *db.Store, id db.ID) (text string) {
	t.Helper()
	in(t, s, func(tx *db.Tx) error {
		rows, err := tx.IsolateSpan(context.Background(), db.Span{Batch: id, Kind: db.ExecutionJob, Hi: 1 << 30})
		for _, r := range rows {
			due := db.Time(0)
			if r.DueDate != nil {
				due = *r.DueDate
			}
			text += fmt.Sprint(r.First, "+", r.N, " ", r.Retries, " ", r.Priority, " ", due, "; ")
		}
		return err
	})
	return text
}

func TestSetManyJobs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, b := context.Background(), batch(t, s, 10)
		other := batch(t, s, 10)
		span := db.Span{Batch: b.ID, Kind: db.ExecutionJob, Lo: 2, Hi: 5}
		set := func(what db.RetriesAndDue) {
			t.Helper()
			in(t, s, func(tx *db.Tx) error {
				_, err := tx.IsolateSpan(ctx, span)
				return errors.Join(err, tx.SetSpanRetries(ctx, span, what))
			})
		}
		want := func(text string) {
			t.Helper()
			if got := looks(t, s, b.ID); got != text {
				t.Errorf("%s\nwant %s", got, text)
			}
		}
		set(db.RetriesAndDue{Retries: 7, DueDate: ptr(db.Time(9)), SetDueDate: true})
		want("0+2 3 0 0; 2+4 7 0 9; 6+4 3 0 0; ")
		set(db.RetriesAndDue{Retries: 0})
		want("0+2 3 0 0; 2+4 0 0 9; 6+4 3 0 0; ")
		in(t, s, func(tx *db.Tx) error { return tx.PrioritizeJobs(ctx, b.ID, db.ExecutionJob, -8) })
		in(t, s, func(tx *db.Tx) error {
			return tx.SetFailedRetries(ctx, b.ID, db.ExecutionJob, db.RetriesAndDue{Retries: 1, SetDueDate: true})
		})
		want("0+2 3 -8 0; 2+4 1 -8 0; 6+4 3 -8 0; ")
		if got := looks(t, s, other.ID); got != "0+10 3 0 0; " {
			t.Errorf("the jobs of another batch: %s", got)
		}
	})
}

// Incidents of many jobs are opened together; one that is open already is kept.
func TestJobIncidents(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, b := context.Background(), batch(t, s, 10)
		r := &db.Range{BatchID: b.ID, Kind: db.ExecutionJob, First: 2, N: 3, ExceptionMessage: ptr("boom")}
		entry := b.ID.Sub(db.SubFailureLog, 7)
		open := func(job int32, ordinal uint32, entry *db.ID) {
			t.Helper()
			in(t, s, func(tx *db.Tx) error {
				return tx.OpenJobIncident(ctx, db.JobIncident{ID: b.ID.Sub(db.SubJobIncident, ordinal), Job: r.ID(job), Definition: r.Kind.Definition(b.ID), At: 5, FailureLog: entry})
			})
		}
		has := func(want bool) {
			t.Helper()
			if n := dbtest.Count(t, s, "select count(*) from incident where state = 0"); (n > 0) != want {
				t.Errorf("%d incidents are open", n)
			}
		}
		has(false)
		open(3, 0, nil)
		in(t, s, func(tx *db.Tx) error { return tx.OpenJobIncidents(ctx, &db.Batch{Failures: 1}, r, 6) })
		open(4, 9, &entry)
		has(true)
		list, err := s.Incidents(ctx, &db.Filter{Max: 9})
		if err != nil || len(list) != 3 {
			t.Fatalf("%d incidents, %v", len(list), err)
		}
		for i, want := range []struct {
			ordinal uint32
			job     int32
			entry   *db.ID
		}{{0, 3, nil}, {1, 2, nil}, {3, 4, &entry}} {
			got := list[i]
			if got.ID != b.ID.Sub(db.SubJobIncident, want.ordinal) || got.Configuration != r.ID(want.job) || (got.HistoryConfiguration == nil) != (want.entry == nil) {
				t.Errorf("incident %d: %+v", i, got)
			}
		}
		in(t, s, func(tx *db.Tx) error { return tx.CloseJobIncidents(ctx, r.ID(2), r.ID(4), db.IncidentResolved, 7) })
		has(false)
	})
}

// Success is logged, and resolves the incidents of just these jobs, however many ranges they are; jobs that are left are told.
func TestLogSuccess(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, b := context.Background(), batch(t, s, 400)
		all := &db.Range{BatchID: b.ID, Kind: db.ExecutionJob, N: 400}
		in(t, s, func(tx *db.Tx) error { return tx.OpenJobIncidents(ctx, &db.Batch{}, all, 6) })
		log := func(step, n int32) (left bool) {
			t.Helper()
			var rows []db.LogRange
			for first := step - 1; first < 400; first += 2 * step {
				rows = append(rows, db.LogOf(&db.Range{BatchID: b.ID, Kind: db.ExecutionJob, First: first, N: n}, db.JobSucceeded, 7, "host"))
			}
			in(t, s, func(tx *db.Tx) (err error) {
				left, err = tx.LogSuccess(ctx, rows)
				return err
			})
			return left
		}
		for _, c := range []struct{ step, n, open, entries int32 }{{1, 1, 200, 200}, {200, 200, 100, 201}} {
			if left := log(c.step, c.n); !left {
				t.Error("no jobs are left")
			}
			open := dbtest.Count(t, s, "select count(*) from incident where state = 0 and end_time is null")
			if entries := dbtest.Count(t, s, "select count(*) from job_log where event = 3"); open != int(c.open) || entries != int(c.entries) {
				t.Errorf("%d incidents are open, %d entries; want %+v", open, entries, c)
			}
		}
		in(t, s, func(tx *db.Tx) error { _, err := tx.TakeJobs(ctx, b.ID); return err })
		if left := log(400, 1); left {
			t.Error("jobs are left")
		}
	})
}

func TestSuspensions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, b := context.Background(), batch(t, s, 5)
		in(t, s, func(tx *db.Tx) error {
			b.JobsCreated = 5
			return errors.Join(tx.UpdateSeeded(ctx, b), tx.SuspendJobs(ctx, b.ID, 0, true))
		})
		plan := []db.Suspension{
			{BatchID: b.ID, At: 3000, ID: dbtest.ID(), Kind: db.SeedJob, Suspended: true},
			{BatchID: b.ID, At: 2000, ID: dbtest.ID(), Kind: db.ExecutionJob, IncludeJobs: true},
			{BatchID: b.ID, At: 2000, ID: dbtest.ID(), Kind: db.MonitorJob},
		}
		for _, one := range plan {
			in(t, s, func(tx *db.Tx) error { return tx.InsertSuspension(ctx, one) })
		}
		due := func(now db.Time, want ...db.Suspension) {
			t.Helper()
			got, err := s.DueSuspensions(ctx, b.ID, now)
			run, failed := s.BatchesToRun(ctx, now)
			if errors.Join(err, failed) != nil || fmt.Sprint(got) != fmt.Sprint(want) || (len(run) == 1) != (len(want) > 0) {
				t.Errorf("due at %d: %v, to run: %v, %v", now, got, run, errors.Join(err, failed))
			}
		}
		next := func(want db.Time) {
			t.Helper()
			if got, err := s.NextDue(ctx); err != nil || got == nil && want != 0 || got != nil && *got != want {
				t.Errorf("next due: %v, %v; want %d", got, err, want)
			}
		}
		due(1999)
		next(2000)
		due(3000, plan[1], plan[2], plan[0])
		in(t, s, func(tx *db.Tx) error { return tx.DeleteSuspensions(ctx, b.ID, 2000) })
		due(3000, plan[0])
		in(t, s, func(tx *db.Tx) error { return tx.EndBatch(ctx, b.ID, 2500, nil) })
		due(3000)
		next(0)
	})
}

func TestDefinitionsOfABatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, b := context.Background(), batch(t, s, 5)
		b.Override(db.ExecutionJob, ptr(int64(7)))
		b.Override(db.SeedJob, ptr(int64(8)))
		b.Override(db.MonitorJob, ptr(int64(9)))
		b.Override(db.SeedJob, nil)
		b.SuspendDefinition(db.MonitorJob, true)
		b.SuspendDefinition(db.ExecutionJob, true)
		b.SuspendDefinition(db.ExecutionJob, false)
		in(t, s, func(tx *db.Tx) error { return tx.UpdateDefinitions(ctx, b) })
		got, err := s.Batch(ctx, b.ID)
		if err != nil {
			t.Fatal(err)
		}
		for kind, want := range map[db.JobKind]struct {
			priority  int64
			suspended bool
		}{db.ExecutionJob: {7, false}, db.SeedJob: {0, false}, db.MonitorJob: {9, true}} {
			if got.Priority(kind) != want.priority || got.JobsSuspended(kind) != want.suspended {
				t.Errorf("kind %d: priority %d, suspended %v", kind, got.Priority(kind), got.JobsSuspended(kind))
			}
		}
	})
}
