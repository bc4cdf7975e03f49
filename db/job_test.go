package db_test

import (
	"context"
	"errors"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// batch writes a batch with one range of jobs, ready to run, and gives it.
func batch(t *testing.T, s *db.Store, jobs int32) *db.Batch {
	t.Helper()
	retries := int32(5)
	id := db.BatchBase(dbtest.ID())
	b := &db.Batch{ID: id, Mark: id.Mark(), Type: "set-external-task-retries", Retries: &retries, Items: jobs, TotalJobs: jobs, JobsPerSeed: 100,
		ItemsPerJob: 1, JobsPerChunk: 1000, StartTime: 1000}
	in(t, s, func(tx *db.Tx) error {
		if err := tx.InsertBatch(context.Background(), b); err != nil {
			return err
		}
		return tx.InsertRanges(context.Background(), db.Range{BatchID: id, Kind: db.ExecutionJob, N: jobs, Retries: 3, CreateTime: 1000})
	})
	return b
}

func in(t *testing.T, s *db.Store, f func(*db.Tx) error) {
	t.Helper()
	if err := s.Tx(context.Background(), f); err != nil {
		t.Fatal(err)
	}
}

// shape tells the ranges of execution jobs that can be claimed as (first, n) pairs, by claiming them all and rolling back.
func shape(t *testing.T, s *db.Store, id db.ID) [][2]int32 {
	t.Helper()
	var got [][2]int32
	back := errors.New("back")
	err := s.Tx(context.Background(), func(tx *db.Tx) error {
		for {
			claimed, err := tx.ClaimJobs(context.Background(), id, 1<<40, 1<<30)
			if err != nil || len(claimed) == 0 {
				return errors.Join(err, back)
			}
			for _, r := range claimed {
				got = append(got, [2]int32{r.First, r.N})
			}
		}
	})
	if !errors.Is(err, back) {
		t.Fatal(err)
	}
	return got
}

func same(t *testing.T, got [][2]int32, want ...[2]int32) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("ranges %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("ranges %v, want %v", got, want)
		}
	}
}

func TestClaimJobs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, b := context.Background(), batch(t, s, 10)
		in(t, s, func(tx *db.Tx) error {
			claimed, err := tx.ClaimJobs(ctx, b.ID, 2000, 4)
			if err != nil || len(claimed) != 1 || claimed[0].First != 0 || claimed[0].N != 4 {
				t.Errorf("claimed %v, %v", claimed, err)
			}
			return err
		})
		same(t, shape(t, s, b.ID), [2]int32{4, 6})
		in(t, s, func(tx *db.Tx) error { _, err := tx.Isolate(ctx, b.ID.Sub(db.SubJob, 7)); return err })
		same(t, shape(t, s, b.ID), [2]int32{4, 3}, [2]int32{7, 1}, [2]int32{8, 2})
		in(t, s, func(tx *db.Tx) error { // small neighbours are claimed together, and a suspended one is left out
			one, err := tx.Isolate(ctx, b.ID.Sub(db.SubJob, 7))
			if err != nil {
				return err
			}
			one.Suspended = true
			return tx.UpdateRange(ctx, one)
		})
		in(t, s, func(tx *db.Tx) error {
			claimed, err := tx.ClaimJobs(ctx, b.ID, 2000, 100)
			if err != nil || len(claimed) != 2 || claimed[1].First != 8 {
				t.Errorf("claimed %v, %v", claimed, err)
			}
			return err
		})
		same(t, shape(t, s, b.ID))
		if has, err := s.HasExecutionJobs(ctx, b.ID); err != nil || !has {
			t.Errorf("the suspended job is there: %v, %v", has, err)
		}
	})
}

func TestIsolate(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		for name, c := range map[string]struct {
			job  uint32
			want [][2]int32
		}{
			"first":  {0, [][2]int32{{0, 1}, {1, 4}}},
			"middle": {2, [][2]int32{{0, 2}, {2, 1}, {3, 2}}},
			"last":   {4, [][2]int32{{0, 4}, {4, 1}}},
		} {
			b := batch(t, s, 5)
			id := b.ID.Sub(db.SubJob, c.job)
			for range 2 { // a second time changes nothing
				in(t, s, func(tx *db.Tx) error {
					r, err := tx.Isolate(context.Background(), id)
					if err == nil && (r.N != 1 || r.ID(r.First) != id || r.Retries != 3) {
						t.Errorf("%s: isolated %+v", name, r)
					}
					return err
				})
			}
			same(t, shape(t, s, b.ID), c.want...)
		}
		b := batch(t, s, 5)
		for _, id := range []db.ID{b.ID.Sub(db.SubJob, 5), b.ID.Sub(db.SubJob, 1<<31), b.ID.Sub(db.SubSeed, 0), b.ID, dbtest.ID()} {
			err := s.Tx(context.Background(), func(tx *db.Tx) error { _, err := tx.Isolate(context.Background(), id); return err })
			if !errors.Is(err, db.ErrNotFound) {
				t.Errorf("isolate %v: %v, want not found", id, err)
			}
		}
	})
}

// Two transactions at once never claim the same job, and who holds a range does not hold up the other.
func TestClaimSkipsWhatIsClaimed(t *testing.T) {
	t.Parallel()
	ctx, s := context.Background(), dbtest.Postgres(t)
	b := batch(t, s, 5)
	in(t, s, func(tx *db.Tx) error { _, err := tx.Isolate(ctx, b.ID.Sub(db.SubJob, 1)); return err })
	in(t, s, func(outer *db.Tx) error {
		first, err := outer.ClaimJobs(ctx, b.ID, 2000, 1)
		if err != nil {
			return err
		}
		in(t, s, func(inner *db.Tx) error {
			second, err := inner.ClaimJobs(ctx, b.ID, 2000, 1)
			if err == nil && (len(second) != 1 || second[0].First == first[0].First) {
				t.Errorf("%v and %v were claimed at once", first, second)
			}
			return err
		})
		return nil
	})
	same(t, shape(t, s, b.ID), [2]int32{2, 3})
}

func TestBatchesToRun(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, b := context.Background(), batch(t, s, 5)
		toRun := func(want bool, why string) {
			t.Helper()
			if ids, err := s.BatchesToRun(ctx, 2000); err != nil || (len(ids) == 1) != want {
				t.Errorf("%s: to run %v, %v", why, ids, err)
			}
		}
		toRun(true, "jobs are there, and a seed job is missing")
		in(t, s, func(tx *db.Tx) error { b.JobsCreated = 5; return tx.UpdateSeeded(ctx, b) })
		in(t, s, func(tx *db.Tx) error { return tx.SuspendJobs(ctx, b.ID, 0, true) })
		toRun(false, "all jobs are suspended")
		in(t, s, func(tx *db.Tx) error { return tx.SuspendJobs(ctx, b.ID, 0, false) })
		toRun(true, "active again")
		in(t, s, func(tx *db.Tx) error {
			due := db.Time(9000)
			_, err := tx.TakeJobs(ctx, b.ID)
			return errors.Join(err, tx.InsertRanges(ctx, db.Range{BatchID: b.ID, Kind: db.MonitorJob, N: 1, Retries: 3, DueDate: &due}))
		})
		toRun(true, "no execution job is left, though the monitor is not due")
		in(t, s, func(tx *db.Tx) error { return tx.SuspendJobs(ctx, b.ID, db.MonitorJob, true) })
		toRun(false, "the monitor is suspended")
		in(t, s, func(tx *db.Tx) error { return tx.EndBatch(ctx, b.ID, 3000, nil) })
		toRun(false, "the batch has ended")
	})
}
