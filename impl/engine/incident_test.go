package engine_test

import (
	"context"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

func TestIncident(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{Retries: ptr(int32(0)), TenantID: ptr("ten"), DefinitionKey: ptr("order")})
		id := w.history(a.ID)[0].ID.String()
		i, err := w.Incident(context.Background(), everybody, id)
		if err != nil || i.Configuration != a.ID || *i.ScopeID != a.ScopeID || *i.DefinitionKey != "order" || i.Message != nil || i.CreateTime != a.CreateTime {
			t.Fatalf("got %+v, %v", i, err)
		}
		refused(t, w.ResolveIncident(context.Background(), everybody, id), fault.Invalid, fault.InvalidRequest, "Cannot resolve an incident of type failedExternalTask")
		annotate := func(text *string) error { return w.AnnotateIncident(context.Background(), everybody, id, text) }
		for _, text := range []*string{ptr("looking"), nil, ptr(""), ptr("last")} {
			w.must(annotate(text))
			if i, err := w.Incident(context.Background(), everybody, id); err != nil || show(i.Annotation) != show(text) {
				t.Errorf("annotation %s, want %s, %v", show(i.Annotation), show(text), err)
			}
		}
		mary := db.Caller{Tenants: []string{"other"}}
		if _, err := w.Incident(context.Background(), mary, id); fault.KindOf(err) != fault.NotFound {
			t.Errorf("another tenant's incident: %v", err)
		}
		w.must(w.SetTaskRetries(context.Background(), everybody, a.ID.String(), 1))
		refused(t, annotate(ptr("too late")), fault.Invalid, fault.BadUserRequest, "incident is null")
		_, err = w.Incident(context.Background(), everybody, id)
		refused(t, err, fault.NotFound, fault.InvalidRequest, "No matching incident with id "+id)
		refused(t, w.ResolveIncident(context.Background(), everybody, "x"), fault.NotFound, fault.InvalidRequest, "Cannot find an incident with id 'x': incident is null")
		if h := w.history(a.ID); show(h[0].Annotation) != "last" {
			t.Errorf("history %+v", h)
		}
	})
}

func TestIncidentFilters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		names := map[db.ID]string{}
		a := w.create(engine.NewTask{DefinitionKey: ptr("order"), ActivityID: ptr("charge")})
		b := w.create(engine.NewTask{TenantID: ptr("ten")})
		names[a.ID], names[b.ID] = "a", "b"
		w.fail(a.ID, engine.Failure{Message: ptr("run boom")})
		w.pass(1e9)
		w.fail(b.ID, engine.Failure{Message: ptr("run bang")})
		at := w.history(b.ID)[0].CreateTime
		w.pass(1e9)
		w.must(w.SetTaskRetries(context.Background(), everybody, a.ID.String(), 1))
		first := w.history(a.ID)[0]
		for _, c := range []struct {
			open, all string // what the filter finds among open ones, and among all; "-": not a filter there
			q         engine.Query
		}{
			{"b", "ab", ask()},
			{"", "a", ask("incidentId", first.ID.String())},
			{"", "", ask("incidentId", "nonexistent")},
			{"", "a", ask("causeIncidentId", first.ID.String())},
			{"", "a", ask("rootCauseIncidentId", first.ID.String())},
			{"b", "ab", ask("incidentType", db.FailedExternalTask)},
			{"", "", ask("incidentType", db.FailedJob)},
			{"b", "b", ask("incidentMessage", "run bang")},
			{"", "", ask("incidentMessage", "run")},
			{"b", "ab", ask("incidentMessageLike", "run%")},
			{"b", "b", ask("incidentMessageLike", "run_bang")},
			{"", "a", ask("processDefinitionId", "order:1:rearm")},
			{"", "a", ask("processDefinitionKeyIn", []string{"order", "x"})},
			{"b", "b", ask("processInstanceId", b.ScopeID)},
			{"b", "b", ask("executionId", b.ExecutionID.String())},
			{"", "a", ask("activityId", "charge")},
			{"", "", ask("failedActivityId", "charge")},
			{"b", "b", ask("configuration", b.ID.String())},
			{"b", "b", ask("tenantIdIn", []string{"ten"})},
			{"", "", ask("jobDefinitionIdIn", []string{"x"})},
			{"b", "-", ask("incidentTimestampAfter", at-1)},
			{"", "-", ask("incidentTimestampAfter", at)},
			{"b", "-", ask("incidentTimestampBefore", at+1)},
			{"-", "a", ask("processDefinitionKey", "order")},
			{"-", "a", ask("historyConfiguration", first.HistoryConfiguration.String())},
			{"-", "b", ask("createTimeAfter", at-1)},
			{"-", "a", ask("createTimeBefore", at)},
			{"-", "a", ask("endTimeAfter", at)},
			{"-", "", ask("endTimeBefore", at)},
			{"-", "b", ask("open", true)},
			{"-", "b", ask("open", false)},
			{"-", "a", ask("resolved", true)},
			{"-", "ab", ask("resolved", false)},
			{"-", "", ask("deleted", true)},
			{"-", "a", ask("withoutTenantId", true, "tenantIdIn", []string{"ten"})},
		} {
			check := func(what, want string, list []db.Incident, err error, n int64) {
				got := ""
				for _, i := range list {
					got += names[i.Configuration]
				}
				if err != nil || got != want || int(n) != len(want) {
					t.Errorf("%s %v: got %q, counted %d, want %q, %v", what, c.q.Values, got, n, want, err)
				}
			}
			if c.open != "-" {
				list, err := w.Incidents(context.Background(), everybody, c.q)
				n, _ := w.CountIncidents(context.Background(), everybody, c.q)
				check("open", c.open, list, err, n)
			}
			if c.all != "-" {
				list, err := w.HistoricIncidents(context.Background(), everybody, c.q)
				n, _ := w.CountHistoricIncidents(context.Background(), everybody, c.q)
				check("all", c.all, list, err, n)
			}
		}
	})
}

func TestIncidentSorting(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{Retries: ptr(int32(0))})
		for keys, list := range map[*db.Resource]func(engine.Query) (int, error){
			db.Incidents: func(q engine.Query) (int, error) {
				l, err := w.Incidents(context.Background(), everybody, q)
				return len(l), err
			},
			db.HistoricIncidents: func(q engine.Query) (int, error) {
				l, err := w.HistoricIncidents(context.Background(), everybody, q)
				return len(l), err
			},
		} {
			for key := range keys.Sorts {
				q := ask()
				q.Sorting = engine.Sorting{By: &key, Order: ptr("desc")}
				if n, err := list(q); err != nil || n != 1 {
					t.Errorf("sorted by %s: %d, %v", key, n, err)
				}
			}
		}
	})
}

func TestHistoricIncidentsOfTwoStates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	for _, c := range []struct {
		q     engine.Query
		first string
	}{{ask("open", true, "resolved", true), "open"}, {ask("open", false, "deleted", true), "open"}, {ask("resolved", true, "deleted", true), "resolved"}} {
		want := "Already querying for incident state <" + c.first + ">"
		_, err := w.HistoricIncidents(context.Background(), everybody, c.q)
		refused(t, err, fault.Invalid, fault.ProcessEngine, want)
		_, err = w.CountHistoricIncidents(context.Background(), everybody, c.q)
		refused(t, err, fault.Invalid, fault.ProcessEngine, want)
	}
}
