package db_test

import (
	"context"
	"errors"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// Every write to a task takes the batch's mark away, since an undo must not touch it then.
func TestWritesTakeTheMarkAway(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		id := newTasks(t, s, "a", 1)[0]
		worker, until := "w", db.Time(9000)
		for name, write := range map[string]func(tx *db.Tx) error{
			"lock":     func(tx *db.Tx) error { return tx.SetLock(context.Background(), id, &worker, &until) },
			"unlock":   func(tx *db.Tx) error { return tx.SetLock(context.Background(), id, nil, nil) },
			"priority": func(tx *db.Tx) error { return tx.SetPriority(context.Background(), id, 7) },
			"retries":  func(tx *db.Tx) error { return tx.SetAttempts(context.Background(), []db.ID{id}, 7) },
			"suspend": func(tx *db.Tx) error {
				k, err := tx.HoldTask(context.Background(), id)
				if err == nil {
					_, err = tx.SuspendScope(context.Background(), k.ScopeID, false)
				}
				return err
			},
			"failure": func(tx *db.Tx) error {
				k, err := tx.HoldTask(context.Background(), id)
				if err != nil {
					return err
				}
				return tx.FailTask(context.Background(), k, db.Failure{Retries: 1, LogID: dbtest.ID(), IncidentID: dbtest.ID()})
			},
		} {
			in(t, s, func(tx *db.Tx) error {
				_, _, err := tx.SetRetries(context.Background(), []db.ID{id}, db.SetBy{Retries: 3, Mark: 77})
				return err
			})
			before, mark := s.Written(t, id)
			in(t, s, write)
			if rev, now := s.Written(t, id); mark == nil || now != nil || rev != before+1 {
				t.Errorf("%s: revision %d after %d, mark %v after %v", name, rev, before, now, mark)
			}
		}
	})
}

func TestHoldTask(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		id := newTasks(t, s, "a", 1)[0]
		in(t, s, func(tx *db.Tx) error {
			if k, err := tx.HoldTask(context.Background(), id); err != nil || k.ID != id || k.TopicName != "a" {
				t.Errorf("got %+v, %v", k, err)
			}
			if _, err := tx.HoldTask(context.Background(), dbtest.ID()); !errors.Is(err, db.ErrNotFound) {
				t.Errorf("got %v", err)
			}
			return nil
		})
	})
}
