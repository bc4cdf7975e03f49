package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"rearm/db"
	"rearm/db/dbtest"
)

func fetch(t *testing.T, s *db.Store, f db.Fetch) (got []db.LockedTask) {
	t.Helper()
	in(t, s, func(tx *db.Tx) (err error) {
		got, err = tx.FetchTasks(context.Background(), &f)
		return err
	})
	return got
}

// fetchBothWays fetches in a transaction, and by one statement where the database can, each time the same tasks.
func fetchBothWays(t *testing.T, s *db.Store, f db.Fetch) map[string][]db.LockedTask {
	t.Helper()
	ways := map[string][]db.LockedTask{"in a transaction": fetch(t, s, f)}
	if s.Dialect() == "postgres" {
		in(t, s, func(tx *db.Tx) error { return tx.GiveBack(context.Background(), f.WorkerID, ways["in a transaction"]) })
		ways["at once"] = fetchAtOnce(t, s, f, 2000)
	}
	for _, got := range ways {
		in(t, s, func(tx *db.Tx) error { return tx.GiveBack(context.Background(), f.WorkerID, got) })
	}
	return ways
}

func fetchAtOnce(t *testing.T, s *db.Store, f db.Fetch, now db.Time) []db.LockedTask {
	t.Helper()
	got, err := s.FetchAtOnce(context.Background(), &f, now)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func topics(names ...string) (list []db.FetchTopic) {
	for _, name := range names {
		list = append(list, db.FetchTopic{Name: name, Until: 5000})
	}
	return list
}

func TestLookForWork(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		look := func(now db.Time, want db.Work, names ...string) {
			t.Helper()
			if got, err := s.LookForWork(context.Background(), names, now); err != nil || got != want {
				t.Errorf("got %+v, want %+v, %v", got, want, err)
			}
		}
		newTasks(t, s, "a", 1)
		look(2000, db.Work{Ready: true}, "a", "b")
		look(2000, db.Work{}, "b")
		fetch(t, s, db.Fetch{WorkerID: "w", Max: 1, Topics: topics("a")})
		look(4999, db.Work{}, "a", "b")
		look(5000, db.Work{Expired: true}, "a", "b")
		in(t, s, func(tx *db.Tx) error { return tx.ReleaseExpired(context.Background(), []string{"a", "b"}, 4999) })
		look(5000, db.Work{Expired: true}, "a")
		in(t, s, func(tx *db.Tx) error { return tx.ReleaseExpired(context.Background(), []string{"a", "b"}, 5000) })
		look(5000, db.Work{Ready: true}, "a")
	})
}

// A look for work goes by the indexes, also where the database believes that nearly all tasks are ready.
func TestLookForWorkByIndex(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		newTasks(t, s, "a", 2000)
		plan := s.PlanOfLook(t, "a")
		if !strings.Contains(plan, "external_task_ready") || !strings.Contains(plan, "external_task_held") {
			t.Errorf("the plan is\n%s", plan)
		}
	})
}

// Releasing a lock that has run out counts as no write: a batch's mark stays, so that it can be undone. A fetch does count.
func TestReleaseIsNoWrite(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		a := newTasks(t, s, "a", 1)
		fetch(t, s, db.Fetch{WorkerID: "w", Max: 1, Topics: topics("a")})
		in(t, s, func(tx *db.Tx) error {
			_, _, err := tx.SetRetries(context.Background(), a, db.SetBy{Retries: 3, Mark: 77})
			return err
		})
		rev, mark := s.Written(t, a[0])
		in(t, s, func(tx *db.Tx) error { return tx.ReleaseExpired(context.Background(), []string{"a"}, 9000) })
		if r, m := s.Written(t, a[0]); r != rev || m == nil || *m != 77 || *mark != 77 {
			t.Errorf("after the release: revision %d, mark %v; before: %d", r, m, rev)
		}
		fetch(t, s, db.Fetch{WorkerID: "w", Max: 1, Topics: topics("a")})
		if r, m := s.Written(t, a[0]); r != rev+1 || m != nil {
			t.Errorf("after a fetch: revision %d, mark %v", r, m)
		}
	})
}

// What another transaction holds is passed over, with one topic and with several; what is behind it is found.
func TestFetchPassesOverWhatIsHeld(t *testing.T) {
	t.Parallel()
	s := dbtest.Postgres(t)
	a, b := newTasks(t, s, "a", 3), newTasks(t, s, "b", 3)
	back := errors.New("back")
	for _, names := range [][]string{{"a"}, {"a", "b"}} {
		err := s.Tx(context.Background(), func(tx *db.Tx) error {
			for _, id := range []db.ID{a[0], b[0]} {
				if _, err := tx.HoldTask(context.Background(), id); err != nil {
					return err
				}
			}
			got := fetch(t, s, db.Fetch{WorkerID: "w", Max: 10, Topics: topics(names...)})
			if len(got) != 2*len(names) {
				t.Errorf("%v: fetched %d tasks", names, len(got))
			}
			for _, k := range got {
				if k.ID == a[0] || k.ID == b[0] {
					t.Errorf("%v: fetched a task that is held", names)
				}
				in(t, s, func(tx *db.Tx) error { return tx.SetLock(context.Background(), k.ID, nil, nil) })
			}
			return back
		})
		if !errors.Is(err, back) {
			t.Fatal(err)
		}
	}
}

// Of several topics no more tasks are locked than are given.
func TestFetchLocksNoMoreThanItGives(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		newTasks(t, s, "a", 5)
		newTasks(t, s, "b", 5)
		if got := fetch(t, s, db.Fetch{WorkerID: "w", Max: 6, Spare: 0, Topics: topics("a", "b")}); len(got) != 6 {
			t.Errorf("fetched %d tasks", len(got))
		}
		if n, err := s.CountTasks(context.Background(), &db.Filter{Now: 2000, Values: map[string]any{"locked": true}}); err != nil || n != 6 {
			t.Errorf("%d tasks are locked, %v", n, err)
		}
	})
}

// However the limit is sent, a fetch takes as many as are asked for.
func TestFetchTakesNoMoreThanAsked(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		newTasks(t, s, "a", 210)
		for _, max := range []int{1, 100, 101} {
			if got := fetch(t, s, db.Fetch{WorkerID: "w", Max: max, Topics: topics("a")}); len(got) != max {
				t.Errorf("asked for %d, got %d", max, len(got))
			}
		}
		if got := fetch(t, s, db.Fetch{WorkerID: "w", Max: 101, Topics: topics("a")}); len(got) != 8 {
			t.Errorf("of 8 that were left, got %d", len(got))
		}
	})
}

// One statement fetches as a transaction does, in the same order, but nothing while a lock has run out.
func TestFetchAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		newTasks(t, s, "a", 4)
		newTasks(t, s, "b", 2)
		if s.Dialect() == "sqlite" {
			if got := fetchAtOnce(t, s, db.Fetch{WorkerID: "w", Max: 10, Topics: topics("a")}, 2000); got != nil {
				t.Errorf("got %+v of a database that cannot do it", got)
			}
			return
		}
		for _, f := range []db.Fetch{
			{WorkerID: "w", Max: 4, Topics: topics("a")}, {WorkerID: "w", Max: 101, Topics: topics("a")}, {WorkerID: "w", Max: 6, Topics: topics("a", "b", "c"), Spare: 10},
			{WorkerID: "w", Max: 5, Topics: topics("b"), Order: db.FetchOrder{Created: -1}},
		} {
			ways := fetchBothWays(t, s, f)
			if diff := cmp.Diff(ways["in a transaction"], ways["at once"], cmp.Comparer(func(a, b db.LockedTask) bool {
				return a.ID == b.ID && *a.WorkerID == *b.WorkerID && *a.LockExpiration == 5000
			})); diff != "" || len(ways["at once"]) == 0 {
				t.Errorf("%+v: %s", f, diff)
			}
		}
		one := db.Fetch{WorkerID: "w", Max: 1, Topics: topics("a")}
		if got := fetchAtOnce(t, s, one, 2000); len(got) != 1 {
			t.Fatalf("fetched %d tasks", len(got))
		}
		for _, names := range [][]string{{"a"}, {"b", "a"}} {
			if got := fetchAtOnce(t, s, db.Fetch{WorkerID: "w", Max: 1, Topics: topics(names...)}, 5000); len(got) != 0 {
				t.Errorf("%v: fetched %d tasks after a lock has run out", names, len(got))
			}
		}
		if got := fetchAtOnce(t, s, db.Fetch{WorkerID: "w", Max: 1, Topics: topics("b")}, 5000); len(got) != 1 {
			t.Errorf("fetched %d tasks of a topic without locks", len(got))
		}
		if got := fetchAtOnce(t, s, one, 4999); len(got) != 1 {
			t.Errorf("fetched %d tasks before a lock has run out", len(got))
		}
	})
}
