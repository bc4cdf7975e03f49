package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// selected gives the names of the tasks that a selection selects, by setting their retries.
func (w *world) selected(names map[db.ID]string, s engine.Selection) string {
	w.t.Helper()
	w.must(w.SetRetries(context.Background(), everybody, engine.SetRetries{Retries: 1, Selection: engine.Selection{Query: ptr(ask())}}))
	err := w.SetRetries(context.Background(), everybody, engine.SetRetries{Retries: 2, Selection: s})
	if fault.KindOf(err) == fault.Invalid && err.Error() == "externalTaskIds is empty" {
		return ""
	}
	w.must(err)
	list, err := w.Tasks(context.Background(), everybody, ask())
	w.must(err)
	got := ""
	for _, k := range list {
		if *k.Retries == 2 {
			got += names[k.ID]
		}
	}
	return got
}

func TestSelection(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		names := map[db.ID]string{}
		ids := map[string]string{}
		for _, c := range []struct {
			name string
			task engine.NewTask
		}{
			{"a", engine.NewTask{ScopeID: ptr("p1"), BusinessKey: ptr("key-1"), DefinitionKey: ptr("one"), ActivityID: ptr("act")}},
			{"b", engine.NewTask{ScopeID: ptr("p1")}},
			{"c", engine.NewTask{ScopeID: ptr("p2"), TopicName: "u", BusinessKey: ptr("key-2"), TenantID: ptr("ten"), Variables: map[string]variable.Input{"x": of("", "5")}}},
			{"d", engine.NewTask{ScopeID: ptr("p3"), Retries: ptr(int32(0)), DefinitionKey: ptr("two")}},
		} {
			made := w.create(c.task)
			names[made.ID], ids[c.name] = c.name, made.ID.String()
			w.pass(1e9)
		}
		w.must(w.SuspendScope(context.Background(), everybody, "p2", true))
		w.complete(w.create(engine.NewTask{ScopeID: ptr("p4"), ActivityID: ptr("done")}).ID)
		start := w.read(mustID(t, ids["b"])).CreateTime
		query := func(pairs ...any) *engine.Query { return ptr(ask(pairs...)) }
		scopes := func(pairs ...any) engine.Selection { return engine.Selection{ScopeQuery: query(pairs...)} }
		historic := func(pairs ...any) engine.Selection { return engine.Selection{HistoricScopeQuery: query(pairs...)} }
		or := func(s engine.Selection, list ...engine.Query) engine.Selection {
			for _, q := range []*engine.Query{s.ScopeQuery, s.HistoricScopeQuery} {
				if q != nil {
					q.Or = list
				}
			}
			return s
		}
		equals := func(name string, value any) []db.Comparison {
			return []db.Comparison{{Name: &name, Operator: ptr("eq"), Value: value}}
		}
		for i, c := range []struct {
			s    engine.Selection
			want string
		}{
			{engine.Selection{IDs: engine.IDsOf(ids["d"], ids["a"], ids["a"])}, "ad"},
			{engine.Selection{Query: query()}, "abcd"},
			{engine.Selection{Query: query("topicName", "u")}, "c"},
			{engine.Selection{Query: query("topicName", "none")}, ""},
			{engine.Selection{IDs: engine.IDsOf(ids["a"]), Query: query("topicName", "u"), ScopeIDs: []string{"p3", "none"}}, "acd"},
			{engine.Selection{ScopeIDs: []string{"p1"}}, "ab"},
			{engine.Selection{ScopeIDs: []string{"none"}}, ""},
			{scopes(), "abcd"},
			{scopes("processInstanceIds", []string{"p1", "p3"}), "abd"},
			{scopes("businessKey", "key-2"), "c"},
			{scopes("businessKeyLike", "key-_"), "abc"},
			{scopes("businessKeyLike", `key\`), ""},
			{scopes("processDefinitionKey", "one"), "ab"},
			{scopes("processDefinitionId", "two:1:rearm"), "d"},
			{scopes("processDefinitionKeyIn", []string{"one", "two"}), "abd"},
			{scopes("processDefinitionKeyNotIn", []string{"one"}), "cd"},
			{scopes("tenantIdIn", []string{"ten"}), "c"},
			{scopes("withoutTenantId", true), "abd"},
			{scopes("suspended", true), "c"},
			{scopes("active", true), "abd"},
			{scopes("active", false), "abcd"},
			{scopes("variables", equals("x", int64(5))), "c"},
			{scopes("variables", equals("X", int64(5)), "variableNamesIgnoreCase", true), "c"},
			{scopes("activityIdIn", []string{"act"}), "ab"},
			{scopes("rootProcessInstanceId", "p1"), "ab"},
			{scopes("superProcessInstance", "p1"), ""},
			{scopes("leafProcessInstances", true, "rootProcessInstances", true), "abcd"},
			{historic(), "abcd"},
			{historic("processInstanceId", "p3"), "d"},
			{historic("processInstanceIdNotIn", []string{"p3"}), "abc"},
			{historic("processInstanceBusinessKeyIn", []string{"key-1"}), "ab"},
			{historic("processInstanceBusinessKeyLike", "%-2"), "c"},
			{historic("finished", true), ""},
			{historic("unfinished", true), "abcd"},
			{historic("startedAfter", start+1), "cd"},
			{historic("startedBefore", start-1), "ab"},
			{historic("finishedAfter", start), ""},
			{historic("incidentStatus", "resolved"), "d"},
			{historic("incidentStatus", "open"), ""},
			{historic("incidentType", db.FailedExternalTask), "d"},
			{historic("withIncidents", true), "d"},
			{historic("executedActivityIdIn", []string{"done"}), ""},
			{historic("activeActivityIdIn", []string{"act"}), "ab"},
			{historic("startedBy", "mary"), ""},
			{historic("completed", true), ""},
			{or(scopes(), ask("businessKey", "key-2", "processDefinitionKey", "two")), "cd"},
			{or(scopes("withoutTenantId", true), ask("businessKey", "key-2", "processDefinitionKey", "two")), "d"},
			{or(scopes(), ask("suspended", true, "activityIdIn", []string{"act"}), ask("businessKeyLike", "%1", "businessKey", "key-2", "active", false)), "abc"},
			{or(scopes(), ask("suspended", true), ask("active", true)), ""},
			{or(scopes(), ask("suspended", true, "active", true)), "abcd"},
			{or(scopes(), ask(), ask("suspended", false)), "abcd"},
			{or(scopes("suspended", true), ask("superProcessInstance", "p1", "incidentId", "none")), ""},
			{or(scopes(), ask("variables", append(equals("x", int64(4)), equals("x", int64(5))...))), "c"},
			{scopes("variables", append(equals("x", int64(4)), equals("x", int64(5))...)), ""},
			{or(scopes(), ask("variables", equals("X", int64(5)), "variableNamesIgnoreCase", true), ask("tenantIdIn", []string{"ten"}, "suspended", false)), "c"},
			{or(historic(), ask("incidentStatus", "resolved", "processInstanceBusinessKeyIn", []string{"key-1"})), "abd"},
			{or(historic("startedBefore", start-1), ask("incidentStatus", "resolved", "processInstanceBusinessKeyIn", []string{"key-1"})), "ab"},
			{or(historic(), ask("finished", true, "executedActivityIdIn", []string{"done"})), ""},
		} {
			if got := w.selected(names, c.s); got != c.want {
				t.Errorf("%d: %s: got %q, want %q", i, fmt.Sprint(c.s.ScopeQuery, c.s.HistoricScopeQuery, c.s.Query), got, c.want)
			}
		}
		for _, s := range []engine.Selection{
			or(scopes(), engine.Query{Or: []engine.Query{{}}}), or(scopes(), ask("nobodyKnows", true)), or(scopes(), make([]engine.Query, 501)...),
			or(scopes(), ask("processInstanceIds", []string{})), scopes("variables", slices.Repeat(equals("x", int64(5)), 501)),
			or(scopes(), slices.Repeat([]engine.Query{ask("variables", slices.Repeat(equals("x", int64(5)), 500))}, 10)...),
			historic("nobodyKnows", true), {Query: query("nobodyKnows", "x")},
		} {
			if err := w.SetRetries(context.Background(), everybody, engine.SetRetries{Selection: s}); fault.KindOf(err) != fault.Invalid {
				t.Errorf("%v cannot be judged, and gave %v", s, err)
			}
		}
		for _, s := range []engine.Selection{scopes("processInstanceIds", []string{}), historic("processInstanceIds", []string{})} {
			err := w.SetRetries(context.Background(), everybody, engine.SetRetries{Selection: s})
			refused(t, err, fault.Invalid, fault.ProcessEngine, "Set of process instance ids is empty")
		}
		q := ask()
		q.Sorting.Levels = []engine.Level{{By: ptr("id")}}
		err := w.SetRetries(context.Background(), everybody, engine.SetRetries{Selection: engine.Selection{Query: &q}})
		refused(t, err, fault.Invalid, fault.InvalidRequest, "Invalid query: call asc() or desc() after using orderByXX(): direction is null")
	})
}

func mustID(t *testing.T, s string) db.ID {
	t.Helper()
	id, ok := db.ParseID(s)
	if !ok {
		t.Fatalf("%q is no id", s)
	}
	return id
}
