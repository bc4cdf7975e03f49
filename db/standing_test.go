package db_test

import (
	"context"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

func TestStanding(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, want := context.Background(), db.Standing{}
		check := func(what string) {
			t.Helper()
			if got, err := s.Standing(ctx); err != nil || got != want {
				t.Errorf("%s: %+v, %v, want %+v", what, got, err, want)
			}
		}
		check("nothing")
		b, ids := batch(t, s, 5), newTasks(t, s, "a", 3)
		want.ActiveBatches = 1
		check("a batch")
		in(t, s, func(tx *db.Tx) error {
			return tx.OpenTaskIncidents(ctx, ids, []db.ID{dbtest.ID(), dbtest.ID(), dbtest.ID()}, 1)
		})
		in(t, s, func(tx *db.Tx) error { return tx.ResolveTaskIncidents(ctx, ids[:1], 2) })
		want.TaskIncidents = 2
		check("three incidents of tasks, of which one is resolved")
		in(t, s, func(tx *db.Tx) error {
			return tx.OpenJobIncident(ctx, db.JobIncident{ID: dbtest.ID(), Job: b.ID.Sub(db.SubJob, 0), Definition: db.ExecutionJob.Definition(b.ID), At: 1})
		})
		want.JobIncidents = 1
		check("one of a job")
		in(t, s, func(tx *db.Tx) error { return tx.SuspendBatch(ctx, b.ID, true, 7) })
		want.ActiveBatches, want.SuspendedBatches = 0, 1
		check("suspended")
	})
}
