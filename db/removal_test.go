package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// ended writes a batch that has ended at 5000, with a job log of one entry, a chunk, a text and a closed incident of its job.
func ended(t *testing.T, s *db.Store, removal *db.Time) db.ID {
	t.Helper()
	ctx, b := context.Background(), batch(t, s, 1)
	in(t, s, func(tx *db.Tx) error {
		job := b.ID.Sub(db.SubJob, 0)
		return errors.Join(tx.InsertChunks(ctx, b.ID, []db.ID{db.NilID}, 1000), tx.InsertTexts(ctx, b.ID, 0, []string{"x"}),
			tx.InsertLog(ctx, db.LogRange{BatchID: b.ID, Kind: db.ExecutionJob, Event: db.JobSucceeded, N: 1}),
			tx.OpenJobIncident(ctx, db.JobIncident{ID: b.ID.Sub(db.SubJobIncident, 0), Job: job, Definition: db.ExecutionJob.Definition(b.ID)}),
			tx.CloseJobIncidents(ctx, job, job, db.IncidentResolved, 4000), tx.EndBatch(ctx, b.ID, 5000, removal))
	})
	if _, err := dbtest.Raw(t, s).ExecContext(ctx, "delete from job"); err != nil {
		t.Fatal(err)
	}
	return b.ID
}

// rows counts what is kept of batches: themselves, log, chunks, texts and incidents.
func rows(t *testing.T, s *db.Store) string {
	t.Helper()
	var list []int
	for _, table := range []string{"historic_batch", "job_log", "batch_chunk", "batch_text", "incident"} {
		list = append(list, dbtest.Count(t, s, "select count(*) from "+table))
	}
	return fmt.Sprint(list)
}

func TestSetRemovalTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, one, other := context.Background(), ended(t, s, nil), ended(t, s, ptr(db.Time(8000)))
		times := func() string {
			t.Helper()
			var list []db.Time
			for _, id := range []db.ID{one, other} {
				b, err := s.HistoricBatch(ctx, id)
				incidents, err2 := s.HistoricIncidents(ctx, &db.Filter{Values: map[string]any{"configuration": id.Sub(db.SubJob, 0).String()}, Max: 1})
				if err := errors.Join(err, err2); err != nil || len(incidents) != 1 {
					t.Fatal(len(incidents), err)
				}
				list = append(list, orLeast(b.RemovalTime), orLeast(incidents[0].RemovalTime))
			}
			return fmt.Sprint(list)
		}
		if got := times(); got != "[0 0 8000 8000]" {
			t.Errorf("after the end: %s", got)
		}
		in(t, s, func(tx *db.Tx) error {
			locked, err := tx.LockHistoricBatches(ctx, []db.ID{other, one, dbtest.ID()})
			if err != nil || len(locked) != 2 || locked[0].ID != one || *locked[1].RemovalTime != 8000 {
				t.Errorf("locked %+v, %v", locked, err)
			}
			return tx.SetRemovalTime(ctx, []db.ID{one}, ptr(db.Time(9000)))
		})
		if got := times(); got != "[9000 9000 8000 8000]" {
			t.Errorf("one is set: %s", got)
		}
		in(t, s, func(tx *db.Tx) error { return tx.SetRemovalTime(ctx, []db.ID{one, other}, nil) })
		if got := times(); got != "[0 0 0 0]" {
			t.Errorf("both are cleared: %s", got)
		}
	})
}

// A removal time that was set while the batch ran stays when it ends without one of its own.
func TestEndBatchKeepsRemovalTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx := context.Background()
		for _, c := range []struct {
			own  *db.Time
			want db.Time
		}{{nil, 7000}, {ptr(db.Time(6000)), 6000}} {
			b := batch(t, s, 1)
			in(t, s, func(tx *db.Tx) error {
				return errors.Join(tx.SetRemovalTime(ctx, []db.ID{b.ID}, ptr(db.Time(7000))), tx.EndBatch(ctx, b.ID, 5000, c.own))
			})
			if h, err := s.HistoricBatch(ctx, b.ID); err != nil || *h.RemovalTime != c.want || *h.EndTime != 5000 {
				t.Errorf("%+v, %v; want %d", h, err, c.want)
			}
		}
	})
}

// The history of a running batch may go: what the batch needs stays, and its end leaves nothing.
func TestDeleteRunningHistory(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, b := context.Background(), batch(t, s, 2)
		in(t, s, func(tx *db.Tx) error {
			open := db.JobIncident{ID: b.ID.Sub(db.SubJobIncident, 0), Job: b.ID.Sub(db.SubJob, 0), Definition: db.ExecutionJob.Definition(b.ID)}
			closed := db.JobIncident{ID: b.ID.Sub(db.SubJobIncident, 1), Job: b.ID.Sub(db.SubJob, 1), Definition: db.ExecutionJob.Definition(b.ID)}
			return errors.Join(tx.InsertChunks(ctx, b.ID, []db.ID{db.NilID}, 1000), tx.InsertTexts(ctx, b.ID, 0, []string{"x"}),
				tx.InsertLog(ctx, db.LogRange{BatchID: b.ID, Kind: db.ExecutionJob, Event: db.JobCreated, N: 2}),
				tx.OpenJobIncident(ctx, open), tx.OpenJobIncident(ctx, closed),
				tx.CloseJobIncidents(ctx, closed.Job, closed.Job, db.IncidentResolved, 1))
		})
		in(t, s, func(tx *db.Tx) error { return tx.DeleteRunningHistory(ctx, b.ID) })
		if got := rows(t, s); got != "[0 0 1 1 1]" {
			t.Errorf("while it runs: %s", got)
		}
		in(t, s, func(tx *db.Tx) error {
			return errors.Join(tx.InsertLog(ctx, db.LogRange{BatchID: b.ID, Kind: db.ExecutionJob, Event: db.JobSucceeded, N: 2}), tx.EndBatch(ctx, b.ID, 5000, ptr(db.Time(6000))))
		})
		if got := rows(t, s); got != "[0 0 0 0 0]" {
			t.Errorf("after the end: %s", got)
		}
	})
}

func TestCleanableBatches(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx := context.Background()
		ended(t, s, nil)
		ended(t, s, ptr(db.Time(6000)))
		ended(t, s, ptr(db.Time(6001)))
		in(t, s, func(tx *db.Tx) error {
			id := db.BatchBase(dbtest.ID())
			b := &db.Batch{ID: id, Mark: id.Mark(), Type: "other", Items: 1, TotalJobs: 1, JobsPerSeed: 1, ItemsPerJob: 1, JobsPerChunk: 1, TenantID: ptr("t1")}
			return errors.Join(tx.InsertBatch(ctx, b), tx.SetRemovalTime(ctx, []db.ID{id}, ptr(db.Time(1)))) // it runs: not cleanable
		})
		asc, desc := []db.Order{{By: "finished"}}, []db.Order{{By: "finished", Desc: true}}
		for _, c := range []struct {
			f    db.Filter
			want string
		}{
			{db.Filter{Max: 9}, "[{other 0 0} {set-external-task-retries 3 1}]"},
			{db.Filter{Max: 9, Sort: asc}, "[{other 0 0} {set-external-task-retries 3 1}]"},
			{db.Filter{Max: 1, Sort: desc}, "[{set-external-task-retries 3 1}]"},
			{db.Filter{First: 1, Max: 9, Sort: desc}, "[{other 0 0}]"},
			{db.Filter{}, "[]"},
			{db.Filter{Max: 9, Caller: db.Caller{Tenants: []string{"t2"}, Untenanted: true}}, "[{set-external-task-retries 3 1}]"},
		} {
			c.f.Now = 6000
			if list, err := s.CleanableBatches(ctx, &c.f); err != nil || fmt.Sprint(list) != c.want {
				t.Errorf("%+v: %v, %v; want %s", c.f, list, err, c.want)
			}
		}
		for want, caller := range map[int64]db.Caller{2: {}, 1: {Tenants: []string{"t2"}, Untenanted: true}, 0: {Tenants: []string{"t2"}}} {
			if n, err := s.CountCleanableBatches(ctx, &db.Filter{Caller: caller}); err != nil || n != want {
				t.Errorf("%d rows, %v; want %d", n, err, want)
			}
		}
		for _, bad := range []db.Filter{{Sort: []db.Order{{By: "nope"}}}, {Values: map[string]any{"nope": true}}} {
			_, err := s.CleanableBatches(ctx, &bad)
			_, err2 := s.CountCleanableBatches(ctx, &bad)
			if !errors.Is(err, db.ErrFilter) || !errors.Is(err2, db.ErrFilter) {
				t.Errorf("%+v: %v, %v", bad, err, err2)
			}
		}
	})
}

func TestHistoricBatchIDs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, done, runs := context.Background(), ended(t, s, nil), batch(t, s, 1).ID
		if ids, err := s.HistoricBatchIDs(ctx, &db.Filter{Values: map[string]any{"completed": true}}); err != nil || !slices.Equal(ids, []db.ID{done}) {
			t.Errorf("%v, %v", ids, err)
		}
		if _, err := s.HistoricBatchIDs(ctx, &db.Filter{Values: map[string]any{"nope": true}}); !errors.Is(err, db.ErrFilter) {
			t.Error(err)
		}
		ids, err := s.ExistingHistoricBatches(ctx, db.Caller{}, []db.ID{runs, dbtest.ID(), done})
		slices.SortFunc(ids, db.ID.Compare)
		if err != nil || !slices.Equal(ids, []db.ID{done, runs}) {
			t.Errorf("%v, %v", ids, err)
		}
	})
}
