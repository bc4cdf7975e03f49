package engine_test

import (
	"context"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
)

// Each rule tells what it has done, and to how many; who was refused has done nothing.
func TestDeeds(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		scope := "p"
		ids := w.tasks(12, "many")
		one := w.create(engine.NewTask{TopicName: "one", ScopeID: &scope})
		other := w.create(engine.NewTask{TopicName: "one", ScopeID: &scope})
		w.told()
		const none = engine.What(-1)
		for _, c := range []struct {
			name   string
			do     func() error
			what   engine.What
			n, ids int
		}{
			{"create", func() error { w.create(engine.NewTask{}); return nil }, engine.TasksCreated, 1, 1},
			{"create many", func() error { w.tasks(11, "others"); return nil }, engine.TasksCreated, 11, 10},
			{"fetch many", func() error { w.fetch("w", 11, "many"); return nil }, engine.TasksLocked, 11, 10},
			{"fetch nothing", func() error { w.fetch("w", 11, "empty"); return nil }, engine.TasksLocked, 0, 0},
			{"lock", func() error { return w.Lock(ctx, everybody, one.ID.String(), "w", 1000) }, engine.TasksLocked, 1, 1},
			{"fail", func() error {
				return w.Fail(ctx, everybody, one.ID.String(), engine.Failure{WorkerID: "w", Retries: 1})
			}, engine.TasksFailed, 1, 1},
			{"complete another's", func() error {
				_ = w.Complete(ctx, everybody, one.ID.String(), engine.Result{WorkerID: "v"})
				return nil
			}, none, 0, 0},
			{"complete", func() error { return w.Complete(ctx, everybody, one.ID.String(), engine.Result{WorkerID: "w"}) }, engine.TasksCompleted, 1, 1},
			{"cancel", func() error { return w.CancelScope(ctx, everybody, scope) }, engine.TasksDeleted, 1, 1},
			{"set retries", func() error {
				return w.SetRetries(ctx, everybody, engine.SetRetries{Retries: 2, Selection: byID(ids...)})
			}, engine.Changed, 12, 10},
		} {
			if err := c.do(); err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			deeds, _ := w.told()
			if c.what == none {
				if len(deeds) > 0 {
					t.Errorf("%s: told %+v", c.name, deeds)
				}
				continue
			}
			if len(deeds) != 1 || deeds[0].What != c.what || deeds[0].N != c.n || len(deeds[0].IDs) != c.ids {
				t.Errorf("%s: told %+v", c.name, deeds)
			}
		}
		if _, err := w.Task(ctx, everybody, other.ID.String()); err == nil {
			t.Error("the other task was not cancelled")
		}
	})
}

// A request whose key has its answer already has done nothing.
func TestDeedsOfARepeatedRequest(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		topic := "t"
		for i, want := range []struct{ tasks, batches int }{{1, 1}, {0, 0}} {
			if _, err := w.CreateTasks(ctx, everybody, []engine.NewTask{{TopicName: topic}}, "a key"); err != nil {
				t.Fatal(err)
			}
			q := ask("topicName", topic)
			if _, err := w.SetRetriesAsync(ctx, everybody, engine.SetRetriesAsync{Retries: 1, Selection: engine.Selection{Query: &q}, IdempotencyKey: "another"}); err != nil {
				t.Fatal(err)
			}
			deeds, _ := w.told()
			batches := 0
			if deeds[1].What == engine.BatchCreated {
				batches = deeds[1].N
			}
			if len(deeds) != 2 || deeds[0].N != want.tasks || batches != want.batches {
				t.Errorf("request %d: told %+v", i, deeds)
			}
		}
	})
}

// A chunk tells what became of its items, how long they had been due, and whether the batch was another process's before.
func TestChunks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, other := newWorld(t, s), newWorld(t, s)
		ids := w.tasks(2500, "t")
		b := w.retryAsync(3, ids...)
		w.complete(ids[0])
		w.told()
		w.pass(time.Minute)
		first := w.NewRunner()
		worked := false
		for !worked {
			_, more, err := first.Step(context.Background(), 0) // one round
			w.must(err)
			_, chunks := w.told()
			worked = len(chunks) > 0 && chunks[len(chunks)-1].Jobs > 0
			if !worked && !more {
				t.Fatal("nothing was done")
			}
			if worked {
				check := chunks[len(chunks)-1]
				if check.Type != engine.SetExternalTaskRetries || check.TookOver || check.Ended || check.Err != nil || check.Set+check.Gone != check.Jobs || check.Lag < 0 {
					t.Errorf("the first chunk: %+v", check)
				}
			}
		}
		other.pass(time.Hour)
		runner, sum, tookOver := other.NewRunner(), engine.Tally{}, 0
		for more := true; more; {
			var err error
			_, more, err = runner.Step(context.Background(), time.Minute)
			other.must(err)
			_, chunks := other.told()
			for _, c := range chunks {
				sum.Set, sum.Gone, sum.Ended = sum.Set+c.Set, sum.Gone+c.Gone, sum.Ended || c.Ended
				if c.TookOver {
					tookOver++
				}
				if c.Jobs > 0 && c.Lag < 59*time.Minute {
					t.Errorf("a lag of %v", c.Lag)
				}
			}
		}
		if sum.Set+sum.Gone != 1500 || !sum.Ended || tookOver != 1 {
			t.Errorf("the other process: %+v, took over %d times, of batch %s", sum, tookOver, b.ID)
		}
	})
}

// A batch that ends in a turn that has no jobs to carry out is told of, too: another executor was slower with the last ones, or somebody
// has taken them away.
func TestEndAloneIsTold(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		b, jobs := w.seeded(1)
		w.must(w.DeleteJob(context.Background(), everybody, jobs[0]))
		w.told()
		_, _, err := w.NewRunner().Step(context.Background(), time.Minute)
		w.must(err)
		if _, chunks := w.told(); len(chunks) != 1 || !chunks[0].Ended || chunks[0].Jobs != 0 || chunks[0].TookOver {
			t.Errorf("the end of %s: %+v", b.ID, chunks)
		}
	})
}

// What fails is told: each attempt, and the items when the job has no more.
func TestChunksThatFail(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		x := w.retryAsync(3, w.tasks(1, "t")...)
		w.told()
		_, err := w.SetJobRetriesAsync(context.Background(), everybody, engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: 2}, IDs: []string{dbtest.ID().String()}})
		w.must(err)
		var sum engine.Tally
		w.runAll()
		_, chunks := w.told()
		for _, c := range chunks {
			if c.Type == engine.SetJobRetries {
				sum.Failures, sum.Failed, sum.Set = sum.Failures+c.Failures, sum.Failed+c.Failed, sum.Set+c.Set
			}
		}
		if sum.Failures != 3 || sum.Failed != 1 || sum.Set != 0 {
			t.Errorf("of %+v: %+v", x.ID, sum)
		}
	})
}
