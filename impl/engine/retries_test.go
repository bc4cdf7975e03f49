package engine_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// The rule of contract-facts 10.4, for one task and for many at once.
func TestSetRetries(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		ways := map[string]func(id string, n int32) error{
			"one": func(id string, n int32) error { return w.SetTaskRetries(context.Background(), everybody, id, n) },
			"many": func(id string, n int32) error {
				return w.SetRetries(context.Background(), everybody, engine.SetRetries{Retries: n, Selection: engine.Selection{IDs: engine.IDsOf(id)}})
			},
		}
		for way, set := range ways {
			a := w.create(engine.NewTask{})
			w.fail(a.ID, engine.Failure{Message: ptr("boom"), Retries: 4, RetryTimeout: 3600000})
			before := w.read(a.ID)
			for i, c := range []struct {
				set       int32
				open, all int
				woken     int
			}{{5, 0, 0, 0}, {0, 1, 1, 0}, {0, 1, 1, 0}, {2147483647, 0, 1, 1}, {1, 0, 1, 0}, {0, 1, 2, 0}, {3, 0, 2, 1}} {
				w.woken()
				w.must(set(a.ID.String(), c.set))
				h := w.history(a.ID)
				if k := w.read(a.ID); *k.Retries != c.set || *k.WorkerID != *before.WorkerID || *k.LockExpiration != *before.LockExpiration || *k.ErrorMessage != "boom" {
					t.Errorf("%s, step %d: %+v", way, i, k)
				}
				if open := int(w.open(a.ID)); open != c.open || len(h) != c.all || len(w.woken()) != c.woken {
					t.Errorf("%s, step %d: %d open incidents of %d", way, i, open, len(h))
				}
				if len(h) > 0 && (*h[0].Message != "boom" || h[0].HistoryConfiguration == nil) {
					t.Errorf("%s, step %d: the incident does not tell of the last failure: %+v", way, i, h[0])
				}
			}
		}
	})
}

func TestSetRetriesRefuses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		negative := "The number of retries cannot be negative: retries is not greater than or equal to 0"
		refused(t, w.SetTaskRetries(context.Background(), everybody, "nonexistent", -1), fault.Invalid, fault.BadUserRequest, negative)
		refused(t, w.SetTaskRetries(context.Background(), everybody, "nonexistent", 1), fault.NotFound, fault.Rest, "External task with id nonexistent does not exist")
		set := func(n int32, ids ...string) error {
			return w.SetRetries(context.Background(), everybody, engine.SetRetries{Retries: n, Selection: engine.Selection{IDs: engine.IDsOf(ids...)}})
		}
		a := w.create(engine.NewTask{}).ID
		unknown := dbtest.ID().String()
		refused(t, set(-1, a.String()), fault.Invalid, fault.InvalidRequest, negative)
		refused(t, set(1), fault.Invalid, fault.InvalidRequest, "externalTaskIds is empty")
		refused(t, set(1, a.String(), "x", unknown), fault.NotFound, fault.InvalidRequest, "Cannot find external task with id x: externalTask is null")
		refused(t, set(1, a.String(), unknown, "x"), fault.NotFound, fault.InvalidRequest, "Cannot find external task with id "+unknown+": externalTask is null")
		if w.read(a).Retries != nil {
			t.Error("a refused request changed a task")
		}
		in := engine.SetRetries{Retries: 1, Selection: engine.Selection{IDs: engine.IDsOf(a.String(), unknown, "x"), SkipMissing: true}}
		w.must(w.SetRetries(context.Background(), everybody, in))
		if *w.read(a).Retries != 1 {
			t.Error("missing ids that are to be skipped hindered the others")
		}
	})
}

// More tasks than one statement takes.
func TestSetRetriesOfMany(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		ids := w.tasks(6001, "t")
		in := engine.SetRetries{Selection: engine.Selection{}}
		for _, id := range ids {
			in.IDs.Add(id)
		}
		for _, want := range []int64{6001, 0} {
			w.must(w.SetRetries(context.Background(), everybody, in))
			if n, err := w.CountIncidents(context.Background(), everybody, ask()); err != nil || n != want {
				t.Errorf("%d open incidents, want %d, %v", n, want, err)
			}
			in.Retries = 3
		}
	})
}

// Whatever workers and operators do at the same moment, a task has an open incident exactly when it has no retries.
func TestIncidentsFollowRetriesAtTheSameMoment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		ids := w.tasks(20, "t")
		w.fetch("w", 20, "t")
		var all sync.WaitGroup
		errs := make([]error, 6)
		for i := range errs {
			all.Go(func() {
				for n := range 10 {
					id := ids[(n*7+i)%len(ids)].String()
					var err error
					switch i % 3 {
					case 0:
						err = w.Fail(context.Background(), everybody, id, engine.Failure{WorkerID: "w", Retries: int32(n % 2)})
					case 1:
						err = w.SetTaskRetries(context.Background(), everybody, id, int32((n+1)%2))
					case 2:
						err = w.SetRetries(context.Background(), everybody, engine.SetRetries{Retries: int32(n % 2), Selection: engine.Selection{Query: ptr(ask("topicName", "t"))}})
					}
					errs[i] = errors.Join(errs[i], err)
				}
			})
		}
		all.Wait()
		w.must(errors.Join(errs...))
		for _, id := range ids {
			want := int64(0)
			if k := w.read(id); k.Retries != nil && *k.Retries == 0 {
				want = 1
			}
			if open := w.open(id); open != want {
				t.Errorf("task %s has %d open incidents, want %d", id, open, want)
			}
		}
	})
}
