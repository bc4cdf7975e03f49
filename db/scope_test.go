package db_test

import (
	"context"
	"errors"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

func TestOpenScopes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		open := func(list ...db.Scope) (old []db.Scope) {
			in(t, s, func(tx *db.Tx) (err error) {
				old, err = tx.OpenScopes(context.Background(), list)
				return err
			})
			return old
		}
		key := "k"
		if old := open(db.Scope{ID: "b", Tasks: 1, StartTime: 1, BusinessKey: &key}, db.Scope{ID: "a", Tasks: 2, StartTime: 1}); len(old) != 0 {
			t.Errorf("new scopes were there: %+v", old)
		}
		old := open(db.Scope{ID: "c", Tasks: 1, StartTime: 2}, db.Scope{ID: "b", Tasks: 3, StartTime: 2}, db.Scope{ID: "a", Tasks: 1, StartTime: 2})
		if len(old) != 2 || old[0].ID != "a" || old[0].Tasks != 3 || old[1].Tasks != 4 || *old[1].BusinessKey != "k" || old[1].StartTime != 1 {
			t.Errorf("joined %+v", old)
		}
		in(t, s, func(tx *db.Tx) error { return tx.CancelScope(context.Background(), "a", 9, nil) })
		if old := open(db.Scope{ID: "a", Tasks: 5, StartTime: 3}); len(old) != 1 || old[0].EndTime == nil || *old[0].EndTime != 9 || old[0].Tasks != 0 {
			t.Errorf("an ended scope took tasks: %+v", old)
		}
		if _, err := s.Scope(context.Background(), "nope"); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("got %v", err)
		}
	})
}

func TestLockScope(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		in(t, s, func(tx *db.Tx) error {
			_, err := tx.OpenScopes(context.Background(), []db.Scope{{ID: "a", Tasks: 1}, {ID: "b", Tasks: 1}})
			return errors.Join(err, tx.CancelScope(context.Background(), "b", 5, nil))
		})
		in(t, s, func(tx *db.Tx) error {
			if c, err := tx.LockScope(context.Background(), "a"); err != nil || c.Tasks != 1 {
				t.Errorf("got %+v, %v", c, err)
			}
			for _, id := range []string{"b", "none"} {
				if _, err := tx.LockScope(context.Background(), id); !errors.Is(err, db.ErrNotFound) {
					t.Errorf("%s: got %v", id, err)
				}
			}
			return nil
		})
	})
}
