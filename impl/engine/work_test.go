package engine_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// entries gives the task log of a task as "event retries message worker", oldest first.
func (w *world) entries(id db.ID) string {
	w.t.Helper()
	list, err := w.store.TaskLog(context.Background(), &db.Filter{Values: map[string]any{"externalTaskId": id.String()}, Sort: []db.Order{{By: "timestamp"}}, Max: 99})
	w.must(err)
	var b strings.Builder
	for _, l := range list {
		fmt.Fprintf(&b, "%d %s %s %s; ", l.Event, show(l.Retries), show(l.ErrorMessage), show(l.WorkerID))
	}
	return b.String()
}

func show[T any](p *T) string {
	if p == nil {
		return "-"
	}
	return fmt.Sprint(*p)
}

func TestComplete(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a, b := w.create(engine.NewTask{TopicName: "a", ScopeID: ptr("p")}), w.create(engine.NewTask{TopicName: "b", ScopeID: ptr("p")})
		id := a.ID.String()
		complete := func(worker string, r engine.Result) error {
			r.WorkerID = worker
			return w.Complete(context.Background(), everybody, id, r)
		}
		refused(t, complete("w", engine.Result{}), fault.Invalid, fault.Rest, "External Task "+id+" cannot be completed by worker 'w'. It is locked by worker 'null'.")
		w.fetch("w", 1, "a")
		refused(t, complete("W", engine.Result{}), fault.Invalid, fault.Rest, "External Task "+id+" cannot be completed by worker 'W'. It is locked by worker 'w'.")
		bad := map[string]variable.Input{"x": of("Nope", "1")}
		refused(t, complete("w", engine.Result{LocalVariables: bad}), fault.Invalid, fault.Rest, "Unsupported value type 'Nope'")
		refused(t, complete("w", engine.Result{Variables: bad}), fault.Invalid, fault.Rest, "Unsupported value type 'Nope'")
		w.pass(time.Hour)
		w.must(complete("w", engine.Result{Variables: map[string]variable.Input{"x": of("", "1.25"), "gone": {Value: []byte("1"), Info: variable.Info{"transient": true}}},
			LocalVariables: map[string]variable.Input{"l": of("", "1")}}))
		refused(t, complete("w", engine.Result{}), fault.NotFound, fault.Rest, "External task with id "+id+" does not exist")
		if got := w.entries(a.ID); got != "1 - - -; 3 - - w; " {
			t.Errorf("log %s", got)
		}
		got := w.fetch("w", 1, "b")[0]
		if x := got.Variables["x"]; got.ID != b.ID || len(got.Variables) != 1 || string(x.JSON()) != "1.25" {
			t.Errorf("the variables of the scope are %+v", got.Variables)
		}
	})
}

func TestBpmnError(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{})
		id := a.ID.String()
		throw := func(worker, code string) error {
			return w.ThrowBpmnError(context.Background(), everybody, id, engine.BpmnError{WorkerID: worker, ErrorCode: code})
		}
		refused(t, throw("w", ""), fault.Invalid, fault.ProcessEngine, "Error Code is empty")
		w.must(w.Lock(context.Background(), everybody, id, "w", 1000))
		refused(t, throw("x", "E"), fault.Invalid, fault.Rest, "Bpmn error of External Task "+id+" cannot be reported by worker 'x'. It is locked by worker 'w'.")
		w.must(w.SetTaskRetries(context.Background(), everybody, id, 0))
		w.must(throw("w", "E"))
		if got := w.entries(a.ID); got != "1 - - -; 4 0 - w; " {
			t.Errorf("log %s", got)
		}
		if h := w.history(a.ID); len(h) != 1 || h[0].State != db.IncidentDeleted || h[0].EndTime == nil {
			t.Errorf("incidents %+v", h)
		}
	})
}

func TestFail(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ActivityID: ptr("charge"), TenantID: ptr("ten")})
		id := a.ID.String()
		fail := func(f engine.Failure) error {
			w.pass(time.Second)
			return w.Fail(context.Background(), everybody, id, f)
		}
		w.fetch("w", 1, "t")
		w.woken()
		refused(t, fail(engine.Failure{WorkerID: "x"}), fault.Invalid, fault.Rest, "Failure of External Task "+id+" cannot be reported by worker 'x'. It is locked by worker 'w'.")
		refused(t, fail(engine.Failure{WorkerID: "w", Retries: -1}), fault.Invalid, fault.ProcessEngine, "retries is not greater than or equal to 0")
		refused(t, fail(engine.Failure{WorkerID: "w", RetryTimeout: -1}), fault.Invalid, fault.ProcessEngine, "retryDuration is not greater than or equal to 0")

		w.must(fail(engine.Failure{WorkerID: "w", Message: ptr("first"), Details: ptr("trace"), Retries: 2}))
		if k := w.read(a.ID); *k.Retries != 2 || *k.ErrorMessage != "first" || *k.WorkerID != "w" || *k.LockExpiration != db.TimeOf(w.now) || w.open(a.ID) != 0 {
			t.Errorf("after a failure: %+v", k)
		}
		if got := w.woken(); len(got) != 1 {
			t.Errorf("a task that can be fetched at once woke %v", got)
		}
		w.must(fail(engine.Failure{WorkerID: "w", Retries: 1, RetryTimeout: 60000}))
		details, err := w.ErrorDetails(context.Background(), everybody, id)
		if k := w.read(a.ID); k.ErrorMessage != nil || *k.LockExpiration != db.TimeOf(w.now.Add(time.Minute)) || err != nil || *details != "trace" || len(w.woken()) != 0 {
			t.Errorf("after a failure without words: %+v, details %v, %v", k, details, err)
		}
		w.must(fail(engine.Failure{WorkerID: "w", Message: ptr(strings.Repeat("ü", 700))}))
		if k := w.read(a.ID); *k.Retries != 0 || *k.ErrorMessage != strings.Repeat("ü", 666) {
			t.Errorf("after the last failure: %+v", k)
		}
		w.must(fail(engine.Failure{WorkerID: "w", Message: ptr("after the last")}))
		h := w.history(a.ID)
		if len(h) != 1 || *h[0].Message != strings.Repeat("ü", 666) || h[0].State != db.IncidentOpen || *h[0].ActivityID != "charge" || *h[0].TenantID != "ten" ||
			*h[0].ExecutionID != a.ExecutionID || *h[0].ScopeID != a.ScopeID || h[0].Type != db.FailedExternalTask {
			t.Fatalf("incidents %+v", h)
		}
		if l, err := s.TaskEntry(context.Background(), *h[0].HistoryConfiguration); err != nil || *l.Retries != 1 || *l.ErrorMessage != *h[0].Message {
			t.Errorf("the incident points to %+v, %v", l, err)
		}
		w.must(fail(engine.Failure{WorkerID: "w", Retries: 5}))
		if h := w.history(a.ID); w.open(a.ID) != 0 || h[0].State != db.IncidentResolved || *h[0].EndTime != db.TimeOf(w.now) {
			t.Errorf("incidents %+v", h)
		}
		want := "1 - - -; 2 - first w; 2 2 - w; 2 1 " + strings.Repeat("ü", 666) + " w; 2 0 after the last w; 2 0 - w; "
		if got := w.entries(a.ID); got != want {
			t.Errorf("log %s\nwant %s", got, want)
		}
	})
}

// No worker but the owner gets anything done, and no task is done twice, whoever tries at the same moment.
func TestCompleteAtTheSameMoment(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		for range 5 {
			a, b := w.create(engine.NewTask{ScopeID: ptr(dbtest.ID().String())}), (*db.Task)(nil)
			b = w.create(engine.NewTask{ScopeID: &a.ScopeID})
			w.fetch("w", 2, "t")
			var done atomic.Int32
			var all sync.WaitGroup
			for _, id := range []db.ID{a.ID, b.ID, a.ID, b.ID, a.ID, b.ID} {
				all.Go(func() {
					err := w.Complete(context.Background(), everybody, id.String(), engine.Result{WorkerID: "w"})
					if err == nil {
						done.Add(1)
					} else if fault.KindOf(err) != fault.NotFound {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if c, err := s.Scope(context.Background(), a.ScopeID); err != nil || c.EndTime == nil || done.Load() != 2 {
				t.Errorf("%d completions, scope %+v, %v", done.Load(), c, err)
			}
		}
	})
}

func TestSuspendedTasks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ScopeID: ptr("p")})
		id := a.ID.String()
		w.must(w.Lock(context.Background(), everybody, id, "w", 60000))
		w.must(w.SuspendScope(context.Background(), everybody, "p", true))
		suspended := "ENGINE-03043 ExternalTask with id '" + id + "' is suspended."
		for _, err := range []error{
			w.Complete(context.Background(), everybody, id, engine.Result{WorkerID: "w"}),
			w.Fail(context.Background(), everybody, id, engine.Failure{WorkerID: "w"}),
			w.ThrowBpmnError(context.Background(), everybody, id, engine.BpmnError{WorkerID: "w", ErrorCode: "E"}),
			w.ExtendLock(context.Background(), everybody, id, "w", 1000),
		} {
			refused(t, err, fault.Invalid, fault.Rest, suspended)
		}
		w.must(w.Lock(context.Background(), everybody, id, "w", 60000))
		w.must(w.SetPriority(context.Background(), everybody, id, 7))
		w.must(w.SetTaskRetries(context.Background(), everybody, id, 7))
		w.must(w.Unlock(context.Background(), everybody, id))
		if k := w.read(a.ID); !k.Suspended || *k.Retries != 7 || k.Priority != 7 || k.WorkerID != nil {
			t.Errorf("read %+v", k)
		}
	})
}

// What belongs to another tenant cannot be changed, and reads as if it were not there.
func TestForeignTasks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ScopeID: ptr("p"), TenantID: ptr("a")})
		mary := db.Caller{Name: "mary", Tenants: []string{"b"}}
		refused(t, w.Unlock(context.Background(), mary, a.ID.String()), fault.NotFound, fault.Rest, "External task with id "+a.ID.String()+" does not exist")
		if _, err := w.Task(context.Background(), mary, a.ID.String()); fault.KindOf(err) != fault.NotFound {
			t.Errorf("got %v, want 404", err)
		}
		if n, err := w.CountTasks(context.Background(), mary, ask()); err != nil || n != 0 {
			t.Errorf("counted %d, %v", n, err)
		}
	})
}
