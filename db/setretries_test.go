package db_test

import (
	"context"
	"slices"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// What a batch sets on many tasks is told of each of them, whatever they have in common: where it stands in the list, and what
// it had before.
func TestSetRetries(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, a, b := context.Background(), newTasks(t, s, "a", 4), newTasks(t, s, "b", 3)
		gone := dbtest.ID()
		in(t, s, func(tx *db.Tx) error {
			if err := tx.SetAttempts(ctx, []db.ID{a[0], b[1]}, 0); err != nil {
				return err
			}
			return tx.SetAttempts(ctx, []db.ID{a[1], a[2]}, 7)
		})
		ids := slices.Concat(a, b, []db.ID{gone})
		slices.SortFunc(ids, db.ID.Compare)
		in(t, s, func(tx *db.Tx) error {
			done, topics, err := tx.SetRetries(ctx, ids, db.SetBy{Retries: 3, Mark: 77})
			slices.Sort(topics)
			if !slices.Equal(topics, []string{"a", "b"}) || len(done) != 7 {
				t.Errorf("topics %v, done %v", topics, done)
			}
			before := map[db.ID]*int32{}
			for _, d := range done {
				before[ids[d.Place]] = d.Previous
			}
			for id, want := range map[db.ID]int32{a[0]: 0, b[1]: 0, a[1]: 7, a[2]: 7} {
				if got := before[id]; got == nil || *got != want {
					t.Errorf("before: %v, want %d", got, want)
				}
			}
			for _, id := range []db.ID{a[3], b[0], b[2]} {
				if got, told := before[id]; got != nil || !told {
					t.Errorf("before: %v, %v", got, told)
				}
			}
			if _, told := before[gone]; told {
				t.Error("what is gone was told as set")
			}
			return err
		})
		in(t, s, func(tx *db.Tx) error {
			done, topics, err := tx.SetRetries(ctx, ids, db.SetBy{Retries: 3, Mark: 78})
			if len(done) != 7 || len(topics) != 0 || *done[0].Previous != 3 {
				t.Errorf("again: %v, %v", done, topics)
			}
			return err
		})
	})
}
