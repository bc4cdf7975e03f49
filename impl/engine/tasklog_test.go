package engine_test

import (
	"context"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// log lists the entries of the task log that a query selects, oldest first, and checks their number.
func (w *world) taskLog(caller db.Caller, pairs ...any) []db.TaskEntry {
	w.t.Helper()
	q := ask(pairs...)
	q.Sorting = engine.Sorting{By: ptr("timestamp"), Order: ptr("asc")}
	list, err := w.TaskLog(context.Background(), caller, q)
	w.must(err)
	n, err := w.CountTaskLog(context.Background(), caller, q)
	w.must(err)
	if int(n) != len(list) {
		w.t.Errorf("%v: counted %d of %d", pairs, n, len(list))
	}
	return list
}

// Only what contract-facts 8.1 names leaves an entry; the retries are those before a failure.
func TestTaskLogOfALife(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{Priority: 4})
		id, ctx := a.ID.String(), context.Background()
		for _, f := range []engine.Failure{{Message: ptr("e1"), Details: ptr("details of e1"), Retries: 9}, {Message: ptr("e2"), Retries: 8}} {
			w.pass(time.Second)
			w.fail(a.ID, f)
		}
		w.must(w.SetTaskRetries(ctx, everybody, id, 0))
		w.must(w.SetTaskRetries(ctx, everybody, id, 3))
		w.must(w.SetPriority(ctx, everybody, id, 11))
		w.must(w.ExtendLock(ctx, everybody, id, "w", 60000))
		w.must(w.Unlock(ctx, everybody, id))
		if got := w.taskLog(everybody, "externalTaskId", id); len(got) != 3 || got[2].RemovalTime != nil {
			t.Fatalf("while it lives: %+v", got)
		}
		w.pass(time.Second)
		w.complete(a.ID)
		if got := w.entries(a.ID); got != "1 - - -; 2 - e1 w; 2 9 e2 w; 3 3 - w; " {
			t.Errorf("log %s", got)
		}
		removal := db.TimeOf(w.now).Add(w.HistoryTTL)
		for i, l := range w.taskLog(everybody, "externalTaskId", id) {
			details, err := w.TaskEntryDetails(ctx, everybody, l.ID.String())
			if want := []string{"-", "details of e1", "details of e1", "-"}[i]; err != nil || show(details) != want {
				t.Errorf("details at %d: %s, want %s, %v", i, show(details), want, err)
			}
			one, err := w.TaskEntry(ctx, everybody, l.ID.String())
			if err != nil || one.Event != l.Event || *one.RemovalTime != removal || one.Priority != []int64{4, 4, 4, 11}[i] {
				t.Errorf("entry at %d: %+v, %v", i, one, err)
			}
		}
	})
}

func TestTaskLogOfTenants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{TenantID: ptr("ten")})
		mary, hans := db.Caller{Tenants: []string{"other"}}, db.Caller{Tenants: []string{"ten"}}
		entry := w.taskLog(hans)[0].ID.String()
		if got := w.taskLog(mary); len(got) != 0 {
			t.Errorf("another tenant's entries: %+v", got)
		}
		_, err := w.TaskEntry(context.Background(), mary, entry)
		refused(t, err, fault.NotFound, fault.InvalidRequest, "Historic external task log with id "+entry+" does not exist")
		_, err = w.TaskEntryDetails(context.Background(), mary, entry)
		refused(t, err, fault.NotFound, fault.InvalidRequest, "No historic external task log found with id "+entry+": historicExternalTaskLog is null")
		if details, err := w.TaskEntryDetails(context.Background(), hans, entry); err != nil || details != nil {
			t.Errorf("one's own: %v, %v", details, err)
		}
	})
}

// An entry is found by what its scope is: that of the first task, also for those that join it.
func TestTaskLogOfAScope(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{ScopeID: ptr("p"), DefinitionKey: ptr("order"), TenantID: ptr("ten")})
		joined := w.create(engine.NewTask{ScopeID: ptr("p"), DefinitionKey: ptr("other")})
		w.fail(joined.ID, engine.Failure{Retries: 1})
		w.complete(joined.ID)
		w.create(engine.NewTask{ScopeID: ptr("q")})
		w.must(w.CancelScope(context.Background(), everybody, "p"))
		for _, pair := range [][2]any{{"processDefinitionKey", "order"}, {"processDefinitionId", "order:1:rearm"}, {"tenantIdIn", []string{"ten"}}, {"processInstanceId", "p"}} {
			if got := w.taskLog(everybody, pair[0], pair[1]); len(got) != 5 || *got[4].DefinitionID != "order:1:rearm" || *got[4].TenantID != "ten" {
				t.Errorf("%v: %+v", pair, got)
			}
		}
		if got := w.taskLog(everybody, "withoutTenantId", true); len(got) != 1 || got[0].DefinitionKey != nil {
			t.Errorf("without a tenant: %+v", got)
		}
	})
}

func TestTaskLogRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	half := ask()
	half.Sorting.By = ptr("timestamp")
	for _, c := range []struct {
		q            engine.Query
		typ, message string
	}{
		{ask("activityIdIn", []string{"a", "", "b"}), fault.NotValid, "activityIds contains empty string"},
		{ask("activityInstanceIdIn", []string{""}), fault.NotValid, "activityInstanceIds contains empty string"},
		{ask("executionIdIn", []string{""}), fault.NotValid, "executionIds contains empty string"},
		{ask("variables", "x"), fault.InvalidRequest, "filter: variables cannot be judged"},
		{half, fault.InvalidRequest, "Only a single sorting parameter specified. sortBy and sortOrder required"},
	} {
		_, err := w.TaskLog(context.Background(), everybody, c.q)
		refused(t, err, fault.Invalid, c.typ, c.message)
		_, err = w.CountTaskLog(context.Background(), everybody, c.q)
		refused(t, err, fault.Invalid, c.typ, c.message)
	}
	if got := w.taskLog(everybody, "tenantIdIn", []string{""}); len(got) != 0 {
		t.Errorf("of a tenant without a name: %+v", got)
	}
	for _, id := range []string{"nonexistent", dbtest.ID().String()} {
		_, err := w.TaskEntry(context.Background(), everybody, id)
		refused(t, err, fault.NotFound, fault.InvalidRequest, "Historic external task log with id "+id+" does not exist")
		_, err = w.TaskEntryDetails(context.Background(), everybody, id)
		refused(t, err, fault.NotFound, fault.InvalidRequest, "No historic external task log found with id "+id+": historicExternalTaskLog is null")
	}
}
