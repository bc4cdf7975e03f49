package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// world is an engine on a database of its own, with a clock that stands until it is moved.
type world struct {
	*engine.Engine
	t     testing.TB
	store *db.Store

	mu   sync.Mutex
	now  time.Time
	woke []string
	held map[string]db.Time // by topic, the end of a lock that was told last

	deeds  []engine.Deed
	chunks []engine.Chunk
}

// everybody is a caller who may see everything.
var everybody = db.Caller{}

func newWorld(t testing.TB, s *db.Store) *world {
	t.Helper()
	w := &world{t: t, store: s, now: time.Date(2025, 1, 31, 10, 0, 0, 0, time.UTC), held: map[string]db.Time{}}
	w.Engine = engine.New(s, engine.Options{Now: w.clock, NewID: dbtest.ID, Log: slog.New(slog.DiscardHandler), Wake: w.wake, Hold: w.hold, Run: func() {},
		Did: w.did, Ran: w.ran, Settings: engine.DefaultSettings()})
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) wake(topics []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.woke = append(w.woke, topics...)
}

func (w *world) hold(topic string, until db.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held[topic] = until
}

func (w *world) did(_ context.Context, d engine.Deed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deeds = append(w.deeds, d)
}

func (w *world) ran(c engine.Chunk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.chunks = append(w.chunks, c)
}

// told gives the deeds and the chunks that were told since it was asked last.
func (w *world) told() ([]engine.Deed, []engine.Chunk) {
	w.mu.Lock()
	defer w.mu.Unlock()
	deeds, chunks := w.deeds, w.chunks
	w.deeds, w.chunks = nil, nil
	return deeds, chunks
}

// woken gives the topics that were woken since it was asked last.
func (w *world) woken() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	topics := w.woke
	w.woke = nil
	return topics
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// create creates a task.
func (w *world) create(task engine.NewTask) *db.Task {
	w.t.Helper()
	if task.TopicName == "" {
		task.TopicName = "t"
	}
	made, err := w.CreateTask(context.Background(), everybody, task, "")
	w.must(err)
	return made
}

// tasks creates n tasks of a topic and gives their ids.
func (w *world) tasks(n int, topic string) []db.ID {
	w.t.Helper()
	ids, err := w.CreateTasks(context.Background(), everybody, slices.Repeat([]engine.NewTask{{TopicName: topic}}, n), "")
	w.must(err)
	return ids
}

// fetch locks tasks for a minute.
func (w *world) fetch(worker string, n int, topics ...string) []db.LockedTask {
	w.t.Helper()
	f := engine.Fetch{WorkerID: worker, MaxTasks: n, UsePriority: true}
	for _, topic := range topics {
		f.Topics = append(f.Topics, engine.FetchTopic{TopicName: topic, LockDuration: 60000})
	}
	return w.fetchAll(f)
}

func (w *world) fetchAll(f engine.Fetch) []db.LockedTask {
	w.t.Helper()
	got, err := w.FetchAndLock(context.Background(), everybody, f)
	w.must(err)
	return got
}

// read reads a task that is there.
func (w *world) read(id db.ID) *db.Task {
	w.t.Helper()
	task, err := w.Task(context.Background(), everybody, id.String())
	w.must(err)
	return task
}

// fail locks a task for w and reports a failure.
func (w *world) fail(id db.ID, f engine.Failure) {
	w.t.Helper()
	f.WorkerID = "w"
	w.must(w.Lock(context.Background(), everybody, id.String(), "w", 60000))
	w.must(w.Fail(context.Background(), everybody, id.String(), f))
}

// complete lets w complete a task, whoever has it.
func (w *world) complete(id db.ID) {
	w.t.Helper()
	w.must(w.Unlock(context.Background(), everybody, id.String()))
	w.must(w.Lock(context.Background(), everybody, id.String(), "w", 60000))
	w.must(w.Complete(context.Background(), everybody, id.String(), engine.Result{WorkerID: "w"}))
}

// open counts the open incidents of a task.
func (w *world) open(id db.ID) int64 {
	w.t.Helper()
	n, err := w.CountIncidents(context.Background(), everybody, ask("configuration", id.String()))
	w.must(err)
	return n
}

// history gives all incidents of a task.
func (w *world) history(id db.ID) []db.Incident {
	w.t.Helper()
	list, err := w.HistoricIncidents(context.Background(), everybody, ask("configuration", id.String()))
	w.must(err)
	return list
}

// ask makes a query of pairs of names and values, without end.
func ask(pairs ...any) engine.Query {
	q := engine.Query{Values: map[string]any{}, Max: 1 << 30}
	for i := 0; i < len(pairs); i += 2 {
		q.Values[pairs[i].(string)] = pairs[i+1]
	}
	return q
}

// refused checks that an error is a fault of a kind, with these words and, where coded, the code 0.
func refused(t testing.TB, err error, kind fault.Kind, typ, message string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("got %v, want a fault %q", err, message)
	}
	if f.Kind != kind || f.Type != typ || f.Message != message {
		t.Fatalf("got kind %d %s %q, want kind %d %s %q", f.Kind, f.Type, f.Message, kind, typ, message)
	}
}

// of makes a typed variable.
func of(typ, value string) variable.Input {
	in := variable.Input{Value: json.RawMessage(value)}
	if typ != "" {
		in.Type = &typ
	}
	return in
}

func ptr[T any](v T) *T { return &v }
