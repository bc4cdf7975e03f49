package db_test

import (
	"context"
	"fmt"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

func TestSurvey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		odd := `b, {"c"} '\ä`
		newTasks(t, s, "ready", 2)
		newTasks(t, s, odd, 2)
		out := newTasks(t, s, "out", 1)
		newTasks(t, s, "unasked", 1)
		for i, until := range []db.Time{7000, 6000} {
			one := topics(odd)
			one[0].Until = until
			fetch(t, s, db.Fetch{WorkerID: fmt.Sprint("w", i), Max: 1, Topics: one})
		}
		fetch(t, s, db.Fetch{WorkerID: "w", Max: 1, Topics: topics("ready", "out")})
		fetch(t, s, db.Fetch{WorkerID: "w", Max: 1, Topics: topics("out")})
		in(t, s, func(tx *db.Tx) error { return tx.SetAttempts(context.Background(), out, 0) })
		list, err := s.Survey(context.Background(), []string{"ready", odd, "out", "none"})
		if err != nil || len(list) != 4 {
			t.Fatalf("%+v, %v", list, err)
		}
		for _, got := range list {
			free := db.Time(0)
			if got.Free != nil {
				free = *got.Free
			}
			want := map[string]db.TopicWork{"ready": {Ready: true}, odd: {}, "out": {}, "none": {}}[got.Topic]
			if wantFree := map[string]db.Time{"ready": 5000, odd: 6000}[got.Topic]; got.Ready != want.Ready || free != wantFree {
				t.Errorf("%q: ready %v, free at %d; want %v, %d", got.Topic, got.Ready, free, want.Ready, wantFree)
			}
		}
	})
}

// What is given back is as if it had not been fetched; what somebody else has by now stays his.
func TestGiveBack(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		newTasks(t, s, "a", 3)
		got := fetch(t, s, db.Fetch{WorkerID: "w", Max: 3, Topics: topics("a")})
		other, later := "other", db.Time(9000)
		in(t, s, func(tx *db.Tx) error {
			return tx.SetLock(context.Background(), got[1].ID, &other, got[1].LockExpiration)
		})
		in(t, s, func(tx *db.Tx) error { return tx.SetLock(context.Background(), got[2].ID, got[2].WorkerID, &later) })
		in(t, s, func(tx *db.Tx) error { return tx.GiveBack(context.Background(), "w", got) })
		for i, free := range []bool{true, false, false} {
			k, err := s.Task(context.Background(), got[i].ID)
			if err != nil || (k.LockExpiration == nil) != free || (k.WorkerID == nil) != free {
				t.Errorf("task %d: %+v, %v", i, k, err)
			}
		}
		if again := fetch(t, s, db.Fetch{WorkerID: "x", Max: 3, Topics: topics("a")}); len(again) != 1 || again[0].ID != got[0].ID {
			t.Errorf("fetched %+v", again)
		}
	})
}
