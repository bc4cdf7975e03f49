package engine_test

import (
	"context"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

func TestCancelScope(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ScopeID: ptr("p"), Retries: ptr(int32(0))})
		b := w.create(engine.NewTask{ScopeID: ptr("p")})
		other := w.create(engine.NewTask{})
		w.must(w.Lock(context.Background(), everybody, b.ID.String(), "w", 60000))
		mary := db.Caller{Tenants: []string{}, Untenanted: true}
		w.must(w.CancelScope(context.Background(), mary, "p"))
		if list, err := w.Tasks(context.Background(), everybody, ask()); err != nil || len(list) != 1 || list[0].ID != other.ID {
			t.Errorf("left over: %+v, %v", list, err)
		}
		if h := w.history(a.ID); h[0].State != db.IncidentDeleted || *h[0].EndTime != db.TimeOf(w.now) || *h[0].RemovalTime != db.TimeOf(w.now).Add(w.HistoryTTL) {
			t.Errorf("incidents %+v", h)
		}
		if got := w.entries(b.ID); got != "1 - - -; 4 - - w; " {
			t.Errorf("log %s", got)
		}
		if c, err := s.Scope(context.Background(), "p"); err != nil || !c.Cancelled || c.EndTime == nil || c.Tasks != 0 {
			t.Errorf("scope %+v, %v", c, err)
		}
		for _, id := range []string{"p", "nonexistent"} {
			refused(t, w.CancelScope(context.Background(), everybody, id), fault.NotFound, fault.InvalidRequest,
				"No process instance found for id '"+id+"': processInstance is null")
			_, err := w.Scope(context.Background(), everybody, id)
			refused(t, err, fault.NotFound, fault.InvalidRequest, "Process instance with id "+id+" does not exist")
			refused(t, w.SuspendScope(context.Background(), everybody, id, true), fault.NotFound, fault.InvalidRequest, "Process instance with id "+id+" does not exist")
		}
		refused(t, w.Complete(context.Background(), everybody, b.ID.String(), engine.Result{WorkerID: "w"}), fault.NotFound, fault.Rest,
			"External task with id "+b.ID.String()+" does not exist")
	})
}

func TestCancelScopeOfAnotherTenant(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.create(engine.NewTask{ScopeID: ptr("p"), TenantID: ptr("a")})
	refused(t, w.CancelScope(context.Background(), db.Caller{Tenants: []string{"b"}}, "p"), fault.NotFound, fault.InvalidRequest,
		"No process instance found for id 'p': processInstance is null")
}

func TestCancelScopeIfThere(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{ScopeID: ptr("p"), TenantID: ptr("a")})
		w.must(w.CancelScopeIfThere(context.Background(), db.Caller{Tenants: []string{"b"}}, "p"))
		if c, err := s.Scope(context.Background(), "p"); err != nil || c.Cancelled {
			t.Errorf("another tenant's scope %+v, %v", c, err)
		}
		for range 2 {
			w.must(w.CancelScopeIfThere(context.Background(), everybody, "p"))
		}
		if c, err := s.Scope(context.Background(), "p"); err != nil || !c.Cancelled {
			t.Errorf("scope %+v, %v", c, err)
		}
		w.must(w.CancelScopeIfThere(context.Background(), everybody, "nonexistent"))
	})
}

// A batch finds the tasks of a cancelled scope gone, and ends (difference 3).
func TestCancelScopeOfARunningBatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a, other := w.create(engine.NewTask{ScopeID: ptr("p"), Retries: ptr(int32(0))}), w.create(engine.NewTask{})
		b := w.create(engine.NewTask{ScopeID: ptr("p")})
		batch := w.retryAsync(5, a.ID, b.ID, other.ID)
		w.must(w.CancelScope(context.Background(), everybody, "p"))
		w.runAll()
		expect(t, "outcomes", w.outcomes(batch.ID), db.Outcomes{Set: 1, Gone: 2})
		expect(t, "the batch", w.statistics(batch.ID), "ended")
		expect(t, "open incidents", w.open(a.ID), 0)
	})
}

func TestSuspendScopeWakes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{ScopeID: ptr("p"), TopicName: "b"})
		w.create(engine.NewTask{ScopeID: ptr("p"), TopicName: "a"})
		w.create(engine.NewTask{ScopeID: ptr("p"), TopicName: "a"})
		w.woken()
		w.must(w.SuspendScope(context.Background(), everybody, "p", true))
		if got := w.woken(); len(got) != 0 {
			t.Errorf("suspending woke %v", got)
		}
		w.must(w.SuspendScope(context.Background(), everybody, "p", false))
		if got := w.woken(); len(got) != 2 || got[0] != "a" || got[1] != "b" {
			t.Errorf("activating woke %v", got)
		}
		if c, err := w.Scope(context.Background(), everybody, "p"); err != nil || c.Suspended {
			t.Errorf("scope %+v, %v", c, err)
		}
	})
}
