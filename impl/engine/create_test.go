package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

func TestCreateTask(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{TopicName: "t", Priority: 3, BusinessKey: ptr("bk"), DefinitionKey: ptr("order"), VersionTag: ptr("v1"),
			TenantID: ptr("ten"), ActivityID: ptr("charge"), ExtensionProperties: map[string]string{"colour": "green"}})
		if got := w.read(a.ID); got.ID != a.ID || got.Priority != 3 || *got.BusinessKey != "bk" || *got.DefinitionKey != "order" ||
			*got.DefinitionID != "order:1:rearm" || *got.VersionTag != "v1" || *got.TenantID != "ten" || *got.ActivityID != "charge" || got.Retries != nil ||
			got.WorkerID != nil || got.LockExpiration != nil || got.Suspended || got.CreateTime != db.TimeOf(w.now) {
			t.Errorf("read %+v", got)
		}
		if a.ExecutionID == a.ID || a.ScopeID == a.ID.String() || a.ScopeID == a.ExecutionID.String() || *a.ActivityInstanceID == a.ScopeID {
			t.Errorf("ids are shared: %+v", a)
		}
		if got := w.woken(); !slices.Equal(got, []string{"t"}) {
			t.Errorf("woke %v", got)
		}
		entries, err := s.TaskLog(context.Background(), &db.Filter{Values: map[string]any{"externalTaskId": a.ID.String()}, Max: 9})
		w.must(err)
		if len(entries) != 1 || entries[0].Event != db.TaskCreated || entries[0].At != a.CreateTime || entries[0].Priority != 3 {
			t.Errorf("log %+v", entries)
		}
	})
}

// A scope is made by its first task and joined by later ones, until its last task ends.
func TestCreateTaskScopes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ScopeID: ptr("order-1"), BusinessKey: ptr("first"), DefinitionID: ptr("d:7:x"), Variables: map[string]variable.Input{"x": of("", "1")}})
		b := w.create(engine.NewTask{ScopeID: ptr("order-1"), BusinessKey: ptr("second"), DefinitionID: ptr("other")})
		if a.ScopeID != "order-1" || b.ScopeID != "order-1" || *b.BusinessKey != "first" || *b.DefinitionID != "d:7:x" || a.ExecutionID == b.ExecutionID {
			t.Fatalf("the second task does not join the scope of the first: %+v", b)
		}
		for _, id := range []db.ID{a.ID, b.ID} {
			c, err := w.Scope(context.Background(), everybody, "order-1")
			if err != nil || c.EndTime != nil {
				t.Fatalf("the scope ended before its tasks: %+v, %v", c, err)
			}
			w.complete(id)
		}
		c, err := s.Scope(context.Background(), "order-1")
		w.must(err)
		if c.EndTime == nil || c.RemovalTime == nil || *c.RemovalTime != c.EndTime.Add(w.HistoryTTL) || c.Cancelled || c.Tasks != 0 {
			t.Errorf("the scope did not end with its last task: %+v", c)
		}
		_, err = w.CreateTask(context.Background(), everybody, engine.NewTask{TopicName: "t", ScopeID: ptr("order-1")}, "")
		refused(t, err, fault.NotFound, fault.InvalidRequest, "Process instance with id order-1 has ended")
	})
}

func TestCreateTasksAllOrNothing(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.complete(w.create(engine.NewTask{ScopeID: ptr("ended")}).ID)
		list := []engine.NewTask{{TopicName: "bulk"}, {TopicName: "bulk", ScopeID: ptr("shared"), BusinessKey: ptr("k")}, {TopicName: "bulk", ScopeID: ptr("shared")},
			{TopicName: "bulk", ScopeID: ptr("ended")}}
		if _, err := w.CreateTasks(context.Background(), everybody, list, ""); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("got %v, want 404", err)
		}
		if n, err := w.CountTasks(context.Background(), everybody, ask("topicName", "bulk")); err != nil || n != 0 {
			t.Fatalf("%d tasks of a refused request are there, %v", n, err)
		}
		ids, err := w.CreateTasks(context.Background(), everybody, list[:3], "")
		w.must(err)
		if b, c := w.read(ids[1]), w.read(ids[2]); len(ids) != 3 || b.ScopeID != "shared" || *c.BusinessKey != "k" {
			t.Errorf("got %+v and %+v", b, c)
		}
		for _, id := range ids[1:] {
			w.complete(id)
		}
		if c, err := s.Scope(context.Background(), "shared"); err != nil || c.EndTime == nil {
			t.Errorf("the scope of two tasks of one request did not end: %+v, %v", c, err)
		}
	})
}

// A task that starts without retries starts with an incident, and in a suspended scope it is suspended.
func TestCreateTaskBlocked(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ScopeID: ptr("p"), Retries: ptr(int32(0))})
		if w.open(a.ID) != 1 || len(w.fetch("w", 5, "t")) != 0 {
			t.Error("a task without retries has no incident, or can be fetched")
		}
		w.must(w.SuspendScope(context.Background(), everybody, "p", true))
		if b := w.create(engine.NewTask{ScopeID: ptr("p")}); !w.read(b.ID).Suspended || len(w.fetch("w", 5, "t")) != 0 {
			t.Error("a task that joins a suspended scope is not suspended")
		}
	})
}

func TestCreateTaskRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	long := strings.Repeat("x", 256)
	for name, task := range map[string]engine.NewTask{
		"no topic": {}, "long topic": {TopicName: long}, "long scope": {TopicName: "t", ScopeID: &long}, "long tenant": {TopicName: "t", TenantID: &long},
		"empty scope": {TopicName: "t", ScopeID: ptr("")}, "negative retries": {TopicName: "t", Retries: ptr(int32(-1))},
		"bad variable": {TopicName: "t", Variables: map[string]variable.Input{"x": of("Integer", `"five"`)}},
	} {
		if _, err := w.CreateTask(context.Background(), everybody, task, ""); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: got %v, want 400", name, err)
		}
	}
	_, err := w.CreateTasks(context.Background(), everybody, make([]engine.NewTask, engine.MaxNewTasks+1), "")
	refused(t, err, fault.Invalid, fault.InvalidRequest, "At most 10000 tasks can be created at once, not 10001.")
}

// PostgreSQL cannot keep a NUL in a text: that is the client's mistake, not ours. As a value it is kept.
func TestCreateTaskWithNUL(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.Postgres(t))
	if _, err := w.CreateTask(context.Background(), everybody, engine.NewTask{TopicName: "a\x00b"}, ""); fault.KindOf(err) != fault.Invalid {
		t.Errorf("got %v, want 400", err)
	}
	w.create(engine.NewTask{TopicName: "n", Variables: map[string]variable.Input{"x": of("", `"a\u0000b"`)}})
	v := w.fetch("w", 1, "n")[0].Variables["x"]
	if got := string(v.JSON()); got != `"a\u0000b"` {
		t.Errorf("got %s", got)
	}
}

func TestCreateTaskOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		create := func(topic, key string, caller db.Caller) (*db.Task, error) {
			return w.CreateTask(context.Background(), caller, engine.NewTask{TopicName: topic, Variables: map[string]variable.Input{"x": of("", "1")}}, key)
		}
		a, err := create("t", "k", everybody)
		w.must(err)
		w.complete(a.ID)
		w.woken()
		again, err := create("t", "k", everybody)
		if err != nil || again.ID != a.ID || again.CreateTime != a.CreateTime || again.WorkerID != nil || len(w.woken()) != 0 {
			t.Errorf("the same request gave %+v, %v; first %+v", again, err, a)
		}
		_, err = create("other", "k", everybody)
		refused(t, err, fault.Invalid, fault.InvalidRequest, "The Idempotency-Key 'k' was used for another request within the last 24 hours")
		if b, err := create("other", "k", db.Caller{Name: "mary"}); err != nil || b.ID == a.ID {
			t.Errorf("another caller's key: %+v, %v", b, err)
		}
		w.pass(24 * 3600 * 1e9)
		if b, err := create("other", "k", everybody); err != nil || b.ID == a.ID {
			t.Errorf("after a day: %+v, %v", b, err)
		}
	})
}

// A request that was refused leaves its key free.
func TestCreateTaskOnceAfterARefusal(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.complete(w.create(engine.NewTask{ScopeID: ptr("p")}).ID)
		if _, err := w.CreateTask(context.Background(), everybody, engine.NewTask{TopicName: "t", ScopeID: ptr("p")}, "k"); fault.KindOf(err) != fault.NotFound {
			t.Fatalf("got %v, want 404", err)
		}
		if _, err := w.CreateTask(context.Background(), everybody, engine.NewTask{TopicName: "t"}, "k"); err != nil {
			t.Error(err)
		}
	})
}

// Equal requests at the same moment: one is done, all have its answer.
func TestCreateTasksOnceAtTheSameMoment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		answers, errs := make([][]db.ID, 8), make([]error, 8)
		var all sync.WaitGroup
		for i := range answers {
			all.Go(func() {
				answers[i], errs[i] = w.CreateTasks(context.Background(), everybody, []engine.NewTask{{TopicName: "t"}, {TopicName: "t"}}, "k")
			})
		}
		all.Wait()
		w.must(errors.Join(errs...))
		for _, ids := range answers {
			if !slices.Equal(ids, answers[0]) {
				t.Errorf("answers differ: %v and %v", ids, answers[0])
			}
		}
		if n, err := w.CountTasks(context.Background(), everybody, ask()); err != nil || n != 2 {
			t.Errorf("%d tasks are there, %v", n, err)
		}
	})
}
