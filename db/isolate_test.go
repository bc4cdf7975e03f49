package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// cuts gives ranges as pairs of first and n.
func cuts(rows []db.Range) string {
	list := [][2]int32{}
	for _, r := range rows {
		list = append(list, [2]int32{r.First, r.N})
	}
	return fmt.Sprint(list)
}

// isolate isolates a span of execution jobs of a batch, locked before, and gives the ranges.
func isolate(t *testing.T, s *db.Store, id db.ID, lo, hi int32) string {
	t.Helper()
	var rows []db.Range
	in(t, s, func(tx *db.Tx) (err error) {
		_, locked := tx.LockBatch(context.Background(), id)
		rows, err = tx.IsolateSpan(context.Background(), db.Span{Batch: id, Kind: db.ExecutionJob, Lo: lo, Hi: hi})
		return errors.Join(locked, err)
	})
	return cuts(rows)
}

func TestIsolateSpan(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		for _, c := range []struct {
			lo, hi int32
			want   string
			left   [][2]int32
		}{
			{0, 9, "[[0 4] [4 2] [7 3]]", [][2]int32{{0, 4}, {4, 2}, {7, 3}}}, // all of what is there; 6 is not
			{1, 2, "[[1 2]]", [][2]int32{{0, 1}, {1, 2}, {3, 1}, {4, 2}, {7, 3}}},
			{3, 7, "[[3 1] [4 2] [7 1]]", [][2]int32{{0, 3}, {3, 1}, {4, 2}, {7, 1}, {8, 2}}},
			{6, 6, "[]", [][2]int32{{0, 4}, {4, 2}, {7, 3}}},
			{9, 20, "[[9 1]]", [][2]int32{{0, 4}, {4, 2}, {7, 2}, {9, 1}}},
			{10, 20, "[]", [][2]int32{{0, 4}, {4, 2}, {7, 3}}},
		} {
			b := batch(t, s, 4)
			in(t, s, func(tx *db.Tx) error {
				return tx.InsertRanges(context.Background(), db.Range{BatchID: b.ID, Kind: db.ExecutionJob, First: 4, N: 2, Retries: 2},
					db.Range{BatchID: b.ID, Kind: db.ExecutionJob, First: 7, N: 3, Retries: 1})
			})
			for range 2 { // a second time changes nothing
				if got := isolate(t, s, b.ID, c.lo, c.hi); got != c.want {
					t.Errorf("%d to %d: %s, want %s", c.lo, c.hi, got, c.want)
				}
			}
			same(t, shape(t, s, b.ID), c.left...)
		}
	})
}

// Jobs that somebody is running are waited for: what is done then is not there any more, what was left is.
func TestIsolateWaitsForWhatRuns(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), dbtest.Postgres(t)
	for _, c := range []struct {
		claimed int32
		fails   bool
		want    string
	}{{3, false, "[[3 5]]"}, {3, true, "[[1 7]]"}, {10, false, "[]"}, {10, true, "[[1 7]]"}} {
		b := batch(t, s, 10)
		got := make(chan string, 1)
		back := errors.New("back")
		err := s.Tx(ctx, func(tx *db.Tx) error {
			if _, err := tx.ClaimJobs(ctx, b.ID, 2000, c.claimed); err != nil {
				return err
			}
			go func() { got <- isolate(t, s, b.ID, 1, 7) }()
			for waiting := 0; waiting == 0; {
				waiting = dbtest.Count(t, s, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'")
			}
			if c.fails {
				return back
			}
			return nil
		})
		if err != nil && !errors.Is(err, back) {
			t.Fatal(err)
		}
		if list := <-got; list != c.want {
			t.Errorf("%d claimed, fails %v: isolated %s, want %s", c.claimed, c.fails, list, c.want)
		}
	}
}
