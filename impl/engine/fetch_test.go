package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

func TestFetchLocks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{})
		got := w.fetch("w", 5, "t")
		until := a.CreateTime.Add(time.Minute)
		if len(got) != 1 || *got[0].WorkerID != "w" || *got[0].LockExpiration != until || *w.read(a.ID).LockExpiration != until {
			t.Fatalf("fetched %+v", got)
		}
		if len(w.fetch("other", 5, "t")) != 0 {
			t.Error("a locked task was fetched")
		}
		w.pass(time.Minute)
		if got := w.fetch("other", 5, "t"); len(got) != 1 || *got[0].WorkerID != "other" {
			t.Errorf("at the moment when the lock runs out: fetched %+v", got)
		}
	})
}

// What blocks a task, and what makes it ready again.
func TestFetchPassesOver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ScopeID: ptr("p")})
		id := a.ID.String()
		for _, c := range []struct {
			name        string
			block, free func() error
		}{
			{"retries", func() error { return w.SetTaskRetries(context.Background(), everybody, id, 0) },
				func() error { return w.SetTaskRetries(context.Background(), everybody, id, 2) }},
			{"suspension", func() error { return w.SuspendScope(context.Background(), everybody, "p", true) },
				func() error { return w.SuspendScope(context.Background(), everybody, "p", false) }},
			{"lock", func() error { return w.Lock(context.Background(), everybody, id, "x", 1000) },
				func() error { return w.Unlock(context.Background(), everybody, id) }},
			{"retry timeout", func() error {
				return errors.Join(w.Lock(context.Background(), everybody, id, "x", 1000),
					w.Fail(context.Background(), everybody, id, engine.Failure{WorkerID: "x", Retries: 1, RetryTimeout: 5000}))
			}, func() error { w.pass(5 * time.Second); return nil }},
		} {
			w.must(c.block())
			if len(w.fetch("w", 5, "t")) != 0 {
				t.Errorf("%s: fetched", c.name)
			}
			w.must(c.free())
			if len(w.fetch("w", 5, "t")) != 1 {
				t.Errorf("%s: not fetched again", c.name)
			}
			w.must(w.Unlock(context.Background(), everybody, id))
		}
	})
}

func TestFetchOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		names := map[db.ID]string{}
		for i, p := range []int64{1, 2, 1, 2} {
			names[w.create(engine.NewTask{TopicName: fmt.Sprintf("t%d", i%2), Priority: p}).ID] = string(rune('a' + i))
			w.pass(time.Second)
		}
		topics := []engine.FetchTopic{{TopicName: "t0", LockDuration: 1000}, {TopicName: "t1", LockDuration: 1000}, {TopicName: "none", LockDuration: 1000}}
		for _, c := range []struct {
			priority bool
			created  int
			want     string
		}{{true, 0, "bdac"}, {true, 1, "bdac"}, {true, -1, "dbca"}, {false, 1, "abcd"}, {false, -1, "dcba"}} {
			for n := 1; n <= 4; n++ {
				got := ""
				for _, k := range w.fetchAll(engine.Fetch{WorkerID: "w", MaxTasks: n, UsePriority: c.priority, Created: c.created, Topics: topics}) {
					got += names[k.ID]
				}
				if got != c.want[:n] {
					t.Errorf("priority %t, created %d, %d tasks: got %s, want %s", c.priority, c.created, n, got, c.want[:n])
				}
				w.pass(time.Second)
			}
		}
	})
}

func TestFetchTopics(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a, b := w.create(engine.NewTask{TopicName: "one"}), w.create(engine.NewTask{TopicName: "two"})
		got := w.fetchAll(engine.Fetch{WorkerID: "w", MaxTasks: 9, Topics: []engine.FetchTopic{{TopicName: "two", LockDuration: 1, BusinessKey: ptr("never")},
			{TopicName: "one", LockDuration: 1000}, {TopicName: "two", LockDuration: 5000}}})
		if len(got) != 2 || *w.read(a.ID).LockExpiration != a.CreateTime.Add(time.Second) || *w.read(b.ID).LockExpiration != b.CreateTime.Add(5*time.Second) {
			t.Errorf("each topic has its own lock, and the later of two counts: %+v", got)
		}
		if got := w.fetchAll(engine.Fetch{WorkerID: "w", MaxTasks: 9}); got == nil || len(got) != 0 {
			t.Errorf("no topics gave %v, want an empty list", got)
		}
	})
}

func TestFetchFilters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		names := map[db.ID]string{}
		for name, task := range map[string]engine.NewTask{
			"a": {BusinessKey: ptr("k-1"), DefinitionKey: ptr("one"), Variables: map[string]variable.Input{"n": of("", "5"), "region": of("", `"eu"`)}},
			"b": {BusinessKey: ptr("k-2"), DefinitionKey: ptr("two"), VersionTag: ptr("v1.2"), TenantID: ptr("ten"),
				Variables: map[string]variable.Input{"n": of("Long", "5"), "ok": of("", "true")}},
			"c": {DefinitionID: ptr("d:3"), VersionTag: ptr("v1.3"), Variables: map[string]variable.Input{"n": of("", "5.0"), "z": of("", "null")}},
		} {
			names[w.create(task).ID] = name
		}
		raw := func(pairs ...string) map[string]json.RawMessage {
			m := map[string]json.RawMessage{}
			for i := 0; i < len(pairs); i += 2 {
				m[pairs[i]] = json.RawMessage(pairs[i+1])
			}
			return m
		}
		for i, c := range []struct {
			topic engine.FetchTopic
			want  string
		}{
			{engine.FetchTopic{}, "abc"},
			{engine.FetchTopic{BusinessKey: ptr("k-1")}, "a"},
			{engine.FetchTopic{BusinessKey: ptr("K-1")}, ""},
			{engine.FetchTopic{BusinessKey: ptr("")}, ""},
			{engine.FetchTopic{DefinitionKey: ptr("two")}, "b"},
			{engine.FetchTopic{DefinitionKeyIn: []string{"two", "one", "nope"}}, "ab"},
			{engine.FetchTopic{DefinitionKeyIn: []string{}}, "abc"},
			{engine.FetchTopic{DefinitionID: ptr("d:3")}, "c"},
			{engine.FetchTopic{DefinitionIDIn: []string{"d:3", "two:1:rearm"}}, "bc"},
			{engine.FetchTopic{DefinitionKey: ptr("two"), DefinitionID: ptr("d:3")}, ""},
			{engine.FetchTopic{VersionTag: ptr("v1.3")}, "c"},
			{engine.FetchTopic{VersionTag: ptr("v1%")}, "bc"},
			{engine.FetchTopic{VersionTag: ptr("V1%")}, ""},
			{engine.FetchTopic{VersionTag: ptr(`v1\`)}, ""},
			{engine.FetchTopic{WithoutTenantID: true}, "ac"},
			{engine.FetchTopic{WithoutTenantID: true, TenantIDIn: []string{"ten", "x"}}, "b"},
			{engine.FetchTopic{ProcessVariables: raw("n", "5")}, "a"},
			{engine.FetchTopic{ProcessVariables: raw("n", "5.0")}, "c"},
			{engine.FetchTopic{ProcessVariables: raw("n", `"5"`)}, ""},
			{engine.FetchTopic{ProcessVariables: raw("z", `null`)}, "c"},
			{engine.FetchTopic{ProcessVariables: raw("ok", `true`, "region", `"eu"`, "nope", "1")}, "ab"},
			{engine.FetchTopic{ProcessVariables: raw("region", `"EU"`)}, ""},
			{engine.FetchTopic{ProcessVariables: raw()}, "abc"},
		} {
			c.topic.TopicName, c.topic.LockDuration = "t", 1000
			got := []string{}
			for _, k := range w.fetchAll(engine.Fetch{WorkerID: "w", MaxTasks: 9, Topics: []engine.FetchTopic{c.topic}}) {
				got = append(got, names[k.ID])
			}
			slices.Sort(got)
			if text := strings.Join(got, ""); text != c.want {
				t.Errorf("%d: %+v: got %s, want %s", i, c.topic, text, c.want)
			}
			w.pass(time.Second)
		}
	})
}

func TestFetchOfATenant(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		own, _, free := w.create(engine.NewTask{TenantID: ptr("a")}), w.create(engine.NewTask{TenantID: ptr("b")}), w.create(engine.NewTask{})
		for _, c := range []struct {
			caller db.Caller
			topics []string
			want   []db.ID
		}{
			{db.Caller{Tenants: []string{}}, []string{"t"}, nil},
			{db.Caller{Tenants: []string{"a"}}, []string{"t"}, []db.ID{own.ID}},
			{db.Caller{Tenants: []string{"a"}}, []string{"t"}, nil},
			{db.Caller{Tenants: []string{"a", "c"}, Untenanted: true}, []string{"t", "u"}, []db.ID{free.ID}},
		} {
			in := engine.Fetch{WorkerID: "w", MaxTasks: 9}
			for _, topic := range c.topics {
				in.Topics = append(in.Topics, engine.FetchTopic{TopicName: topic, LockDuration: 1000})
			}
			got, err := w.FetchAndLock(context.Background(), c.caller, in)
			w.must(err)
			var ids []db.ID
			for i := range got {
				ids = append(ids, got[i].ID)
			}
			if !slices.Equal(ids, c.want) {
				t.Errorf("%+v fetched %v, want %v", c.caller, ids, c.want)
			}
		}
	})
}

func TestFetchSendsAlong(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{TopicName: "a", ScopeID: ptr("p"), ExtensionProperties: map[string]string{"k": "v"},
			Variables: map[string]variable.Input{"x": of("", "1"), "o": {Type: ptr("Object"), Value: json.RawMessage(`"{\"b\":1}"`),
				Info: variable.Info{"serializationDataFormat": "application/json"}}}})
		b := w.create(engine.NewTask{TopicName: "b", ScopeID: ptr("p")})
		w.fail(a.ID, engine.Failure{Message: ptr("m"), Details: ptr("d"), Retries: 3,
			LocalVariables: map[string]variable.Input{"l": of("", `"mine"`), "x": of("", `"shadow"`)}})
		for i, c := range []struct {
			topic engine.FetchTopic
			want  string
		}{
			{engine.FetchTopic{TopicName: "a"}, `map[l:"mine" o:"{\"b\":1}" x:"shadow"] -`},
			{engine.FetchTopic{TopicName: "b"}, `map[o:"{\"b\":1}" x:1] -`},
			{engine.FetchTopic{TopicName: "a", LocalVariables: true, IncludeExtensionProperties: true}, `map[l:"mine" x:"shadow"] {"k":"v"}`},
			{engine.FetchTopic{TopicName: "b", LocalVariables: true, IncludeExtensionProperties: true}, `map[] -`},
			{engine.FetchTopic{TopicName: "a", Variables: []string{}}, `map[] -`},
			{engine.FetchTopic{TopicName: "a", Variables: []string{"x", "x", "X", "none"}}, `map[x:"shadow"] -`},
			{engine.FetchTopic{TopicName: "b", Variables: []string{"o"}, DeserializeValues: true}, `map[o:{"b":1}] -`},
		} {
			c.topic.LockDuration = 1000
			got := w.fetchAll(engine.Fetch{WorkerID: "w", MaxTasks: 9, Topics: []engine.FetchTopic{c.topic}})
			if len(got) != 1 {
				t.Fatalf("%d: fetched %d tasks", i, len(got))
			}
			values, properties := map[string]string{}, "-"
			for name, v := range got[0].Variables {
				values[name] = string(v.JSON())
			}
			if got[0].ExtensionProperties != nil {
				properties = *got[0].ExtensionProperties
			}
			if text := fmt.Sprint(values, " ", properties); text != c.want {
				t.Errorf("%d: got %s, want %s", i, text, c.want)
			}
			if c.topic.TopicName == "a" && (*got[0].ErrorDetails != "d" || *got[0].ErrorMessage != "m") {
				t.Errorf("%d: the failure is not sent along: %+v", i, got[0])
			}
			w.pass(time.Second)
		}
		if b.ScopeID != a.ScopeID {
			t.Error("not one scope")
		}
	})
}

func TestFetchRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	topic := engine.FetchTopic{TopicName: "t", LockDuration: 1}
	_, err := w.FetchAndLock(context.Background(), everybody, engine.Fetch{MaxTasks: -1, Topics: []engine.FetchTopic{topic}})
	refused(t, err, fault.Invalid, fault.ProcessEngine, "maxResults is not greater than or equal to 0")
	topic.LockDuration = 0
	_, err = w.FetchAndLock(context.Background(), everybody, engine.Fetch{MaxTasks: 1, Topics: []engine.FetchTopic{topic}})
	refused(t, err, fault.Invalid, fault.ProcessEngine, "lockTime is not greater than 0")
	topic.LockDuration, topic.ProcessVariables = 1, map[string]json.RawMessage{"x": json.RawMessage("[1]")}
	_, err = w.FetchAndLock(context.Background(), everybody, engine.Fetch{MaxTasks: 1, Topics: []engine.FetchTopic{topic}})
	refused(t, err, fault.Invalid, fault.InvalidRequest, "The variable 'x' cannot be compared with an object or a list.")
}

// What databases do not plan is refused; as much as may be is fetched.
func TestFetchHasBounds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, pattern := newWorld(t, s), strings.Repeat("%", db.MaxPattern-1)
		w.tasks(1, "t7")
		topics := make([]engine.FetchTopic, 101)
		for i := range topics {
			topics[i] = engine.FetchTopic{TopicName: fmt.Sprint("t", i), LockDuration: 1}
		}
		variables := map[string]json.RawMessage{}
		for i := range 101 {
			variables[fmt.Sprint("x", i)] = json.RawMessage("1")
		}
		fetch := func(topics ...engine.FetchTopic) error {
			_, err := w.FetchAndLock(context.Background(), everybody, engine.Fetch{WorkerID: "w", MaxTasks: 10, Topics: topics})
			return err
		}
		refused(t, fetch(topics...), fault.Invalid, fault.InvalidRequest, "A request fetches from at most 100 topics, not 101.")
		refused(t, fetch(engine.FetchTopic{TopicName: "t7", LockDuration: 1, ProcessVariables: variables}), fault.Invalid, fault.InvalidRequest,
			"A request compares with at most 100 process variables, not 101.")
		longer := pattern + "x"
		refused(t, fetch(engine.FetchTopic{TopicName: "t7", LockDuration: 1, VersionTag: &longer}), fault.Invalid, fault.InvalidRequest, "A pattern has at most 50000 bytes.")
		delete(variables, "x0")
		w.must(fetch(engine.FetchTopic{TopicName: "t7", LockDuration: 1, ProcessVariables: variables, VersionTag: &pattern}))
		few := map[string]json.RawMessage{"x": json.RawMessage(`"y"`)}
		for i := range topics {
			topics[i].VersionTag, topics[i].BusinessKey, topics[i].TenantIDIn = &pattern, &longer, []string{"north", "south"}
			if i < 100 {
				topics[i].ProcessVariables = few
			}
		}
		w.must(fetch(topics[:100]...))
	})
}

// Workers that fetch at the same moment, tasks that are new and tasks whose lock has run out, one topic and several: all get as
// many as there are, none gets what another has (difference 13).
func TestFetchAtTheSameMoment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.tasks(60, "one")
		w.fetch("dead", 30, "one")
		w.pass(time.Hour)
		w.tasks(60, "two")
		for _, c := range []struct{ workers, each int }{{6, 10}, {6, 25}, {12, 10}} {
			got := make([][]db.LockedTask, c.workers)
			errs := make([]error, c.workers)
			var all sync.WaitGroup
			for i := range got {
				all.Go(func() {
					got[i], errs[i] = w.FetchAndLock(context.Background(), everybody, engine.Fetch{WorkerID: fmt.Sprint(i), MaxTasks: c.each, UsePriority: true,
						Topics: []engine.FetchTopic{{TopicName: "one", LockDuration: 1000}, {TopicName: "two", LockDuration: 1000}}})
				})
			}
			all.Wait()
			w.must(errors.Join(errs...))
			seen := map[db.ID]bool{}
			for i, list := range got {
				for _, k := range list {
					if seen[k.ID] || *k.WorkerID != fmt.Sprint(i) {
						t.Fatalf("task %s went to two workers", k.ID)
					}
					seen[k.ID] = true
				}
			}
			if want := min(120, c.workers*c.each); len(seen) != want {
				t.Errorf("%d workers got %d tasks, want %d", c.workers, len(seen), want)
			}
			w.pass(time.Second)
		}
	})
}

// A poller whose client is gone locks nothing.
func TestFetchCancelled(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{})
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := w.FetchAndLock(ctx, everybody, engine.Fetch{WorkerID: "w", MaxTasks: 1, Topics: []engine.FetchTopic{{TopicName: "t", LockDuration: 1000}}}); err == nil {
			t.Error("no error")
		}
		if len(w.fetch("w", 1, "t")) != 1 {
			t.Error("the task was locked")
		}
	})
}
