package engine_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// found gives the names of the tasks that a query finds, in order, and checks the count.
func (w *world) found(names map[db.ID]string, q engine.Query) string {
	w.t.Helper()
	list, err := w.Tasks(context.Background(), everybody, q)
	w.must(err)
	n, err := w.CountTasks(context.Background(), everybody, q)
	w.must(err)
	got := ""
	for _, k := range list {
		got += names[k.ID]
	}
	if int(n) != len(list) {
		w.t.Errorf("%v: counted %d of %d", q.Values, n, len(list))
	}
	return got
}

func TestTaskFilters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{TopicName: "f", Priority: 1, DefinitionKey: ptr("one"), ActivityID: ptr("task")})
		b := w.create(engine.NewTask{TopicName: "f", Priority: 5, ScopeID: ptr("p"), DefinitionKey: ptr("two"), ActivityID: ptr("task")})
		c := w.create(engine.NewTask{TopicName: "g", Priority: 9, ScopeID: ptr("p"), ActivityID: ptr("task2"), Retries: ptr(int32(0))})
		d := w.create(engine.NewTask{TopicName: "h", ScopeID: ptr("q"), TenantID: ptr("ten"), Retries: ptr(int32(1))})
		w.must(w.SuspendScope(context.Background(), everybody, "q", true))
		w.must(w.Lock(context.Background(), everybody, b.ID.String(), "wx", 60000))
		until := *w.read(b.ID).LockExpiration
		names := map[db.ID]string{a.ID: "a", b.ID: "b", c.ID: "c", d.ID: "d"}
		for _, x := range []struct {
			q    engine.Query
			want string
		}{
			{ask(), "abcd"},
			{ask("externalTaskId", a.ID.String()), "a"},
			{ask("externalTaskId", "nonexistent"), ""},
			{ask("externalTaskIdIn", []string{c.ID.String(), a.ID.String(), "x"}), "ac"},
			{ask("topicName", "f"), "ab"},
			{ask("topicName", ""), ""},
			{ask("workerId", "wx"), "b"},
			{ask("workerId", "WX"), ""},
			{ask("executionId", c.ExecutionID.String()), "c"},
			{ask("activityId", "task2"), "c"},
			{ask("activityIdIn", []string{"task2", "task"}), "abc"},
			{ask("processInstanceId", "p"), "bc"},
			{ask("processInstanceIdIn", []string{"p", "q"}), "bcd"},
			{ask("processDefinitionId", "two:1:rearm"), "bc"},
			{ask("processDefinitionKey", "one"), "a"},
			{ask("processDefinitionKeyIn", []string{"one", "two"}), "abc"},
			{ask("processDefinitionName", "one"), ""},
			{ask("processDefinitionNameLike", "%"), ""},
			{ask("tenantIdIn", []string{"ten"}), "d"},
			{ask("locked", true), "b"},
			{ask("locked", false), "abcd"},
			{ask("notLocked", true), "acd"},
			{ask("locked", true, "notLocked", true), ""},
			{ask("lockExpirationBefore", until), ""},
			{ask("lockExpirationBefore", until+1), "b"},
			{ask("lockExpirationAfter", until), ""},
			{ask("lockExpirationAfter", until-1), "b"},
			{ask("withRetriesLeft", true), "abd"},
			{ask("noRetriesLeft", true), "c"},
			{ask("withRetriesLeft", true, "noRetriesLeft", true), "c"},
			{ask("active", true), "abc"},
			{ask("suspended", true), "d"},
			{ask("active", true, "suspended", true), "d"},
			{ask("active", true, "suspended", false), "abc"},
			{ask("priorityHigherThanOrEquals", int64(5)), "bc"},
			{ask("priorityLowerThanOrEquals", int64(5)), "abd"},
			{ask("priorityHigherThanOrEquals", int64(6), "priorityLowerThanOrEquals", int64(5)), ""},
		} {
			if got := w.found(names, x.q); got != x.want {
				t.Errorf("%v: got %q, want %q", x.q.Values, got, x.want)
			}
		}
		w.pass(60e9)
		if l, n := w.found(names, ask("locked", true)), w.found(names, ask("notLocked", true)); l != "" || n != "acd" {
			t.Errorf("at the moment when a lock runs out: locked %q, not locked %q", l, n)
		}
	})
}

func TestTaskSortingAndPages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		names := map[db.ID]string{}
		for i, p := range []int64{5, 1, 5} {
			names[w.create(engine.NewTask{Priority: p, TenantID: ptr(string(rune('c' - i))), ScopeID: ptr(string(rune('x' + i)))}).ID] = string(rune('a' + i))
			w.pass(1e9)
		}
		by := func(key, order string) engine.Query {
			q := ask()
			q.Sorting = engine.Sorting{By: &key, Order: &order}
			return q
		}
		for _, x := range []struct{ key, asc, desc string }{{"id", "abc", "cba"}, {"taskPriority", "bac", "acb"}, {"createTime", "abc", "cba"}, {"tenantId", "cba", "abc"},
			{"processInstanceId", "abc", "cba"}, {"lockExpirationTime", "abc", "abc"}, {"processDefinitionKey", "abc", "abc"}, {"processDefinitionId", "abc", "abc"}} {
			if asc, desc := w.found(names, by(x.key, "asc")), w.found(names, by(x.key, "desc")); asc != x.asc || desc != x.desc {
				t.Errorf("by %s: %s, and down %s", x.key, asc, desc)
			}
		}
		q := by("taskPriority", "desc")
		q.Sorting.Levels = []engine.Level{{By: ptr("createTime"), Order: ptr("desc")}}
		if got := w.found(names, q); got != "cab" {
			t.Errorf("by two levels: %s", got)
		}
		q.First, q.Max = 1, 1
		list, err := w.Tasks(context.Background(), everybody, q)
		if err != nil || len(list) != 1 || names[list[0].ID] != "a" {
			t.Errorf("second page: %+v, %v", list, err)
		}
		_, err = w.CountTasks(context.Background(), everybody, engine.Query{Sorting: engine.Sorting{By: ptr("id")}})
		refused(t, err, fault.Invalid, fault.InvalidRequest, "Only a single sorting parameter specified. sortBy and sortOrder required")
	})
}

func TestTaskFiltersByVariables(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		names := map[db.ID]string{}
		for i, vs := range []map[string]variable.Input{
			{"s": of("", `"Apple pie"`), "n": of("", "5"), "at": of("Date", `"2020-01-01T00:00:00.000+0000"`)},
			{"s": of("", `"banana"`), "n": of("Long", "7"), "b": of("", "true")},
			{"S": of("", `"Apple pie"`), "n": of("", "6.5"), "z": of("", "null")},
		} {
			names[w.create(engine.NewTask{Variables: vs}).ID] = string(rune('a' + i))
		}
		raw := func(s string) json.RawMessage { return json.RawMessage(s) }
		for _, x := range []struct {
			name, op string
			value    any
			fold     string
			want     string
		}{
			{"s", "eq", "banana", "", "b"}, {"s", "neq", "banana", "", "a"}, {"s", "like", "%an%", "", "b"}, {"s", "like", "Apple", "", ""},
			{"s", "notLike", "%an%", "", "a"}, {"n", "eq", "5", "", ""}, {"s", "gt", "B", "", "b"}, {"x", "eq", "1", "", ""},
			{"s", "eq", "BANANA", "variableValuesIgnoreCase", "b"}, {"s", "like", "APPLE%", "variableValuesIgnoreCase", "a"},
			{"S", "eq", "Apple pie", "variableNamesIgnoreCase", "ac"}, {"s", "like", `Apple\`, "", ""}, {"s", "like", `Apple\_pie`, "", ""},
			{"n", "eq", raw("5"), "", "a"}, {"n", "eq", raw("5.0"), "", "a"}, {"n", "eq", 5.0, "", "a"}, {"s", "like", nil, "", ""}, {"s", "notLike", raw("null"), "", "ab"}, {"n", "like", raw("5"), "", ""}, {"s", "like", true, "", ""}, {"n", "gt", raw("5"), "", "bc"}, {"n", "gteq", raw("5"), "", "abc"}, {"n", "lt", raw("7"), "", "ac"},
			{"n", "lteq", raw("7"), "", "abc"}, {"n", "neq", raw("5"), "", "bc"}, {"n", "gt", raw("6.2"), "", "c"}, {"n", "eq", raw(`"5"`), "", ""},
			{"b", "eq", raw("true"), "", "b"}, {"b", "neq", raw("true"), "", ""}, {"b", "neq", raw("false"), "", "b"},
			{"z", "eq", nil, "", "c"}, {"z", "neq", nil, "", ""}, {"s", "eq", nil, "", ""}, {"n", "neq", raw(`"x"`), "", "abc"},
			{"at", "lt", raw(`"2020-01-02T00:00:00Z"`), "", "a"}, {"at", "eq", "2020-01-01T01:00:00.000+0100", "", "a"},
		} {
			q := ask("processVariables", []db.Comparison{{Name: &x.name, Operator: &x.op, Value: x.value}})
			if x.fold != "" {
				q.Values[x.fold] = true
			}
			if got := w.found(names, q); got != x.want {
				t.Errorf("%s %s %s %s: got %q, want %q", x.name, x.op, x.value, x.fold, got, x.want)
			}
		}
		both := []db.Comparison{{Name: ptr("s"), Operator: ptr("eq"), Value: "banana"}, {Name: ptr("n"), Operator: ptr("eq"), Value: raw("7")}}
		if got := w.found(names, ask("processVariables", both)); got != "b" {
			t.Errorf("two comparisons: %q", got)
		}
		if got := w.found(names, ask("processVariables", []db.Comparison{})); got != "abc" {
			t.Errorf("no comparison: %q", got)
		}
	})
}

// A comparison finds the local variables of a task for every task of its scope, as long as the task lives.
func TestTaskFiltersByLocalVariables(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a, b := w.create(engine.NewTask{ScopeID: ptr("p")}), w.create(engine.NewTask{ScopeID: ptr("p")})
		names := map[db.ID]string{a.ID: "a", b.ID: "b"}
		w.fail(a.ID, engine.Failure{Retries: 1, LocalVariables: map[string]variable.Input{"l": of("", "5")}})
		q := ask("processVariables", []db.Comparison{{Name: ptr("l"), Operator: ptr("eq"), Value: int64(5)}})
		if got := w.found(names, q); got != "ab" {
			t.Errorf("found %q", got)
		}
		w.complete(a.ID)
		if got := w.found(names, q); got != "" {
			t.Errorf("after the task: found %q", got)
		}
	})
}

func TestTaskFiltersByVariablesRefuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	for _, x := range []struct {
		c        db.Comparison
		typ, msg string
	}{
		{db.Comparison{Name: ptr("s"), Operator: ptr("equals")}, fault.InvalidRequest, "Invalid process variable comparator specified: equals"},
		{db.Comparison{Name: ptr("s")}, fault.InvalidRequest, "Invalid process variable comparator specified: null"},
		{db.Comparison{Operator: ptr("eq")}, fault.NullValue, "name is null"},
		{db.Comparison{Name: ptr("s"), Operator: ptr("gt")}, fault.ProcessEngine, "Booleans and null cannot be used in 'greater than' condition"},
		{db.Comparison{Name: ptr("s"), Operator: ptr("lteq"), Value: json.RawMessage("true")}, fault.ProcessEngine, "Booleans and null cannot be used in 'less than or equal' condition"},
		{db.Comparison{Name: ptr("s"), Operator: ptr("eq"), Value: json.RawMessage("{}")}, fault.InvalidRequest, "Variables cannot be compared with an object or a list."},
	} {
		_, err := w.Tasks(context.Background(), everybody, ask("processVariables", []db.Comparison{x.c}))
		refused(t, err, fault.Invalid, x.typ, x.msg)
	}
}

func TestTopicNames(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{TopicName: "n1", TenantID: ptr("ten")})
		w.create(engine.NewTask{TopicName: "n2", Retries: ptr(int32(0))})
		w.create(engine.NewTask{TopicName: "n3", Retries: ptr(int32(2))})
		w.create(engine.NewTask{TopicName: "n3"})
		w.fetch("w", 1, "n1")
		for _, x := range []struct {
			flags db.TopicFlags
			want  string
		}{{db.TopicFlags{}, "n1 n2 n3"}, {db.TopicFlags{Locked: true}, "n1"}, {db.TopicFlags{Unlocked: true}, "n2 n3"}, {db.TopicFlags{WithRetriesLeft: true}, "n1 n3"},
			{db.TopicFlags{Unlocked: true, WithRetriesLeft: true}, "n3"}, {db.TopicFlags{Locked: true, Unlocked: true}, ""}} {
			got, err := w.TopicNames(context.Background(), everybody, x.flags)
			if err != nil || got == nil || strings.Join(got, " ") != x.want {
				t.Errorf("%+v: %v, %v", x.flags, got, err)
			}
		}
		for free, want := range map[bool][]string{true: {"n2", "n3"}, false: {}} {
			got, err := w.TopicNames(context.Background(), db.Caller{Tenants: []string{"other"}, Untenanted: free}, db.TopicFlags{})
			if err != nil || !slices.Equal(got, want) {
				t.Errorf("of another tenant: %v, %v; want %v", got, err, want)
			}
		}
	})
}

func TestTaskThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	a := w.create(engine.NewTask{})
	if details, err := w.ErrorDetails(context.Background(), everybody, a.ID.String()); err != nil || details != nil {
		t.Errorf("details %v, %v", details, err)
	}
	for _, id := range []string{"nonexistent", dbtest.ID().String(), strings.ToUpper(a.ID.String())} {
		_, err := w.Task(context.Background(), everybody, id)
		refused(t, err, fault.NotFound, fault.Rest, fmt.Sprintf("External task with id %s does not exist", id))
		_, err = w.ErrorDetails(context.Background(), everybody, id)
		refused(t, err, fault.NotFound, fault.NullValue, fmt.Sprintf("No external task found with id %s: externalTask is null", id))
	}
}
