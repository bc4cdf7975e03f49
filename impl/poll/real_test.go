package poll

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
)

// desk is a room with an engine on a real database. Its safety net is far away, so that only wake-ups wake.
type desk struct {
	*Room
	*engine.Engine
	t   *testing.T
	run chan struct{} // a token when there are jobs to run
}

func newDesk(t *testing.T, s *db.Store) *desk {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	d := &desk{t: t, run: make(chan struct{}, 1)}
	d.Engine = engine.New(s, engine.Options{
		Now: time.Now, NewID: dbtest.ID, Log: log, Settings: engine.DefaultSettings(),
		Wake: func(topics []string) { d.Wake(topics) }, Hold: func(topic string, until db.Time) { d.Hold(topic, until) }, Run: d.work,
	})
	d.Room = New(d.Engine, DefaultSettings(), log, time.Now)
	d.safety = time.Hour
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{}, 2)
	room := d.Room
	go func() { _ = room.Run(ctx); ended <- struct{}{} }()
	go func() { d.execute(ctx); ended <- struct{}{} }()
	t.Cleanup(func() { cancel(); <-ended; <-ended })
	return d
}

func (d *desk) work() {
	select {
	case d.run <- struct{}{}:
	default:
	}
}

// execute runs jobs when there are some.
func (d *desk) execute(ctx context.Context) {
	runner := d.NewRunner()
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.run:
		}
		for more := true; more && ctx.Err() == nil; {
			_, more, _ = runner.Step(ctx, time.Second)
		}
	}
}

func (d *desk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// everybody may see everything.
var everybody = db.Caller{}

// create makes a task of the topic a in a scope of its own, and gives its id.
func (d *desk) create() (id string) {
	d.t.Helper()
	scope := "scope"
	task, err := d.CreateTask(context.Background(), everybody, engine.NewTask{TopicName: "a", ScopeID: &scope}, "")
	d.must(err)
	return task.ID.String()
}

// lock lets another worker have a task.
func (d *desk) lock(id string, duration time.Duration) {
	d.t.Helper()
	d.must(d.Lock(context.Background(), everybody, id, "other", duration.Milliseconds()))
}

// failed makes a task that has no retries left.
func (d *desk) failed() (id string) {
	d.t.Helper()
	id = d.create()
	d.lock(id, time.Hour)
	d.must(d.Fail(context.Background(), everybody, id, engine.Failure{WorkerID: "other"}))
	return id
}

// causes are all that may happen to a task so that it can be fetched: what is prepared before a worker waits, and what then
// happens. nil: time passes.
var causes = map[string]func(d *desk) (happens func()){
	"created": func(d *desk) func() { return func() { d.create() } },
	"unlocked": func(d *desk) func() {
		id := d.create()
		d.lock(id, time.Hour)
		return func() { d.must(d.Unlock(context.Background(), everybody, id)) }
	},
	"retries raised": func(d *desk) func() {
		id := d.failed()
		d.must(d.Unlock(context.Background(), everybody, id))
		return func() { d.must(d.SetTaskRetries(context.Background(), everybody, id, 2)) }
	},
	"retries raised by a batch": func(d *desk) func() {
		id := d.failed()
		d.must(d.Unlock(context.Background(), everybody, id))
		return func() {
			_, err := d.SetRetriesAsync(context.Background(), everybody, engine.SetRetriesAsync{Retries: 2, Selection: engine.Selection{IDs: engine.IDsOf(id)}})
			d.must(err)
		}
	},
	"lock runs out": func(d *desk) func() { d.lock(d.create(), 300*time.Millisecond); return nil },
	"lock taken and run out": func(d *desk) func() {
		id := d.create()
		d.lock(id, time.Hour)
		return func() { d.must(d.ExtendLock(context.Background(), everybody, id, "other", 300)) }
	},
	"failure": func(d *desk) func() {
		id := d.create()
		d.lock(id, time.Hour)
		return func() {
			d.must(d.Fail(context.Background(), everybody, id, engine.Failure{WorkerID: "other", Retries: 1}))
		}
	},
	"retry timeout runs out": func(d *desk) func() {
		id := d.create()
		d.lock(id, time.Hour)
		return func() {
			d.must(d.Fail(context.Background(), everybody, id, engine.Failure{WorkerID: "other", Retries: 1, RetryTimeout: 300}))
		}
	},
	"scope activated": func(d *desk) func() {
		d.create()
		d.must(d.SuspendScope(context.Background(), everybody, "scope", true))
		return func() { d.must(d.SuspendScope(context.Background(), everybody, "scope", false)) }
	},
}

// Whatever makes a task fetchable wakes a worker who waits for it.
func TestCauses(t *testing.T) {
	t.Parallel()
	for name, cause := range causes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, s *db.Store) {
				d := newDesk(t, s)
				happens := cause(d)
				got := make(chan int, 1)
				go func() {
					_, ticket, err := d.Ask(context.Background(), everybody, fetch("w", "b", "a"), time.Minute)
					if err != nil {
						got <- -1
						return
					}
					list, _ := ticket.Wait()
					got <- len(list)
				}()
				if happens != nil {
					d.untilParked()
					happens()
				}
				if n := <-got; n != 1 {
					t.Errorf("got %d tasks", n)
				}
			})
		})
	}
}

// A worker that waits is answered by a task of its own tenant, not by another tenant's, which stays there.
func TestWaitingOfATenant(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		d := newDesk(t, s)
		anna := db.Caller{Name: "anna", Tenants: []string{"a"}}
		in := fetch("w", "a")
		in.MaxTasks = 9
		got := make(chan []db.LockedTask, 1)
		go func() {
			defer close(got)
			if _, ticket, err := d.Ask(context.Background(), anna, in, time.Minute); err == nil {
				list, _ := ticket.Wait()
				got <- list
			}
		}()
		d.untilParked()
		var ids []db.ID
		for _, tenant := range []string{"b", "a"} {
			task, err := d.CreateTask(context.Background(), everybody, engine.NewTask{TopicName: "a", TenantID: &tenant}, "")
			d.must(err)
			ids = append(ids, task.ID)
		}
		if list := <-got; len(list) != 1 || list[0].ID != ids[1] {
			t.Errorf("fetched %+v, want %s", list, ids[1])
		}
		if task, err := s.Task(context.Background(), ids[0]); err != nil || task.WorkerID != nil {
			t.Errorf("another tenant's task: %+v, %v", task, err)
		}
	})
}

// untilParked waits until the one request has found nothing and waits.
func (d *desk) untilParked() {
	for parked := false; !parked; time.Sleep(time.Millisecond) {
		d.mu.Lock()
		parked = d.topics["a"] != nil && d.topics["a"].known && len(d.doubt) == 0
		d.mu.Unlock()
	}
}

// Many workers who wait get every task once.
func TestEveryTaskOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		d := newDesk(t, s)
		const workers, each = 20, 5
		got := make(chan db.ID, workers*each)
		for range workers {
			go func() {
				for {
					_, ticket, _ := d.Ask(context.Background(), everybody, fetch("w", "a"), time.Minute)
					list, err := ticket.Wait()
					if err != nil || len(list) == 0 {
						return
					}
					got <- list[0].ID
				}
			}()
		}
		for range each {
			tasks := make([]engine.NewTask, workers)
			for i := range tasks {
				tasks[i].TopicName = "a"
			}
			_, err := d.CreateTasks(context.Background(), everybody, tasks, "")
			d.must(err)
		}
		seen := map[db.ID]bool{}
		for range workers * each {
			id := <-got
			if seen[id] {
				t.Fatalf("task %s was given twice", id)
			}
			seen[id] = true
		}
		d.Close()
	})
}
