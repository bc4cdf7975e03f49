package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// jobs gives the ids of the jobs of a kind that a batch has now.
func (w *world) jobs(b db.ID, kind db.JobKind) []string {
	w.t.Helper()
	list, err := w.Jobs(context.Background(), everybody, engine.Query{Values: map[string]any{"jobDefinitionId": kind.Definition(b).String()}, Max: 10000})
	w.must(err)
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID.String()
	}
	return ids
}

func (w *world) execute(id string) {
	w.t.Helper()
	w.must(w.ExecuteJob(context.Background(), everybody, id))
}

// With the executor off, every job runs by hand, and everything that can be seen is true after each.
func TestBatchStepByStep(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.JobsPerSeed.Default, w.ItemsPerJob.Default = 3, 2
		b := w.retryAsync(5, w.tasks(13, "t")...)
		expect(t, "jobs", b.TotalJobs, 7)
		w.execute(w.jobs(b.ID, db.SeedJob)[0])
		expect(t, "after a seed run", w.statistics(b.ID), "created 3 remaining 7 completed 0 failed 0")
		w.execute(w.jobs(b.ID, db.ExecutionJob)[1])
		expect(t, "after a job", w.statistics(b.ID), "created 3 remaining 6 completed 1 failed 0")
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 2, Pending: 11})
		w.execute(w.jobs(b.ID, db.SeedJob)[0])
		expect(t, "monitor jobs before the last seed run", len(w.jobs(b.ID, db.MonitorJob)), 0)
		w.execute(w.jobs(b.ID, db.SeedJob)[0])
		expect(t, "after the last seed run", w.statistics(b.ID), "created 7 remaining 6 completed 1 failed 0")
		expect(t, "seed jobs", len(w.jobs(b.ID, db.SeedJob)), 0)
		first := w.jobs(b.ID, db.MonitorJob)[0]
		w.execute(first)
		second := w.jobs(b.ID, db.MonitorJob)[0]
		if first == second {
			t.Error("the monitor job was not made anew")
		}
		for _, id := range w.jobs(b.ID, db.ExecutionJob) {
			w.execute(id)
		}
		expect(t, "after the last job", w.statistics(b.ID), "created 7 remaining 0 completed 7 failed 0")
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 13})
		w.execute(second)
		expect(t, "after the monitor", w.statistics(b.ID), "ended")
		expect(t, "done twice", fault.KindOf(w.ExecuteJob(context.Background(), everybody, second)), fault.NotFound)
		expect(t, "entries of jobs", dbtest.Count(t, s, "select sum(n) from job_log where kind = 1"), 14)
		expect(t, "entries of seed jobs", dbtest.Count(t, s, "select sum(n) from job_log where kind = 2"), 6)
		expect(t, "entries of monitor jobs", dbtest.Count(t, s, "select sum(n) from job_log where kind = 3"), 4)
	})
}

// A job that fails is found by halving; it alone loses its retries, and the batch waits for an operator.
func TestBatchWithAFailingJob(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		ids := w.tasks(1700, "t")
		heal := dbtest.Poison(t, s, ids[1234])
		b := w.retryAsync(5, ids...)
		w.runAll()
		expect(t, "the batch", w.statistics(b.ID), "created 1700 remaining 1 completed 1699 failed 1")
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 1699, Failed: 1})
		job := w.jobs(b.ID, db.ExecutionJob)[0]
		expect(t, "the job", job, b.ID.Sub(db.SubJob, 1234).String())
		found, err := w.Job(ctx, everybody, job)
		w.must(err)
		if found.Retries != 0 || found.ExceptionMessage == nil || !strings.Contains(*found.ExceptionMessage, "poisoned") {
			t.Errorf("the job is %+v", found.Range)
		}
		expect(t, "failures in the log", dbtest.Count(t, s, "select count(*) from job_log where event = 2"), 3)
		_, open := w.openIncidents()
		expect(t, "open incidents", open, 1)
		err = w.ExecuteJob(ctx, everybody, job)
		if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "poisoned") {
			t.Errorf("executed by hand: %v", err)
		}
		expect(t, "failures in the log", dbtest.Count(t, s, "select count(*) from job_log where event = 2"), 4)
		heal()
		w.must(w.SetJobRetries(ctx, everybody, job, engine.JobRetries{Retries: 2}))
		_, open = w.openIncidents()
		expect(t, "open incidents with retries again", open, 0)
		w.runAll()
		expect(t, "healed", w.statistics(b.ID), "ended")
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 1700})
		expect(t, "set twice", dbtest.Count(t, s, "select count(*) from external_task_state where rev > 2"), 0)
	})
}

func TestSetJobRetries(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		b := w.retryAsync(5, w.tasks(3, "t")...)
		seed := w.jobs(b.ID, db.SeedJob)[0]
		due := db.TimeOf(w.clock().Add(time.Hour))
		w.must(w.SetJobRetries(ctx, everybody, seed, engine.JobRetries{Retries: 0, DueDate: &due, SetDueDate: true}))
		_, open := w.openIncidents()
		expect(t, "open incidents", open, 1)
		w.must(w.SetJobRetries(ctx, everybody, seed, engine.JobRetries{Retries: 0}))
		_, open = w.openIncidents()
		expect(t, "open incidents after 0 again", open, 1)
		w.must(w.SetJobRetries(ctx, everybody, seed, engine.JobRetries{Retries: 1}))
		w.runAll()
		expect(t, "before it is due", w.statistics(b.ID), "created 0 remaining 3 completed 0 failed 0")
		next, _, err := w.NewRunner().Step(ctx, time.Second)
		if err != nil || db.TimeOf(next) != due {
			t.Errorf("the next job is due at %v, %v; want %v", next, err, due.Time())
		}
		w.must(w.SetJobRetries(ctx, everybody, seed, engine.JobRetries{Retries: 1, SetDueDate: true}))
		w.runAll()
		expect(t, "no longer due", w.statistics(b.ID), "ended")
		for id, kind := range map[string]fault.Kind{seed: fault.NotFound, "x": fault.NotFound, dbtest.ID().String(): fault.NotFound} {
			expect(t, "retries of "+id, fault.KindOf(w.SetJobRetries(ctx, everybody, id, engine.JobRetries{Retries: 1})), kind)
		}
		expect(t, "negative", fault.KindOf(w.SetJobRetries(ctx, everybody, seed, engine.JobRetries{Retries: -1})), fault.Invalid)
	})
}

func TestBatchSuspended(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		b := w.retryAsync(5, w.tasks(3, "t")...)
		for range 2 {
			w.must(w.SuspendBatch(ctx, everybody, b.ID.String(), true))
		}
		w.runAll()
		expect(t, "suspended", w.statistics(b.ID), "created 0 remaining 3 completed 0 failed 0")
		w.execute(w.jobs(b.ID, db.SeedJob)[0])
		w.runAll()
		expect(t, "seeded by hand", w.statistics(b.ID), "created 3 remaining 3 completed 0 failed 0")
		w.execute(w.jobs(b.ID, db.ExecutionJob)[2])
		expect(t, "a job by hand", w.statistics(b.ID), "created 3 remaining 2 completed 1 failed 0")
		w.must(w.SuspendBatch(ctx, everybody, b.ID.String(), false))
		w.runAll()
		expect(t, "activated", w.statistics(b.ID), "ended")
		expect(t, "suspend an ended batch", fault.KindOf(w.SuspendBatch(ctx, everybody, b.ID.String(), true)), fault.NotFound)
		expect(t, "suspend nonsense", fault.KindOf(w.SuspendBatch(ctx, everybody, "x", true)), fault.NotFound)
	})
}

func TestDeleteBatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		for _, cascade := range []bool{false, true} {
			b := w.retryAsync(5, w.tasks(4, "t")...)
			w.execute(w.jobs(b.ID, db.SeedJob)[0])
			w.execute(w.jobs(b.ID, db.ExecutionJob)[0])
			w.must(w.SetJobRetries(ctx, everybody, w.jobs(b.ID, db.ExecutionJob)[0], engine.JobRetries{Retries: 0}))
			w.must(w.DeleteBatch(ctx, everybody, b.ID.String(), cascade))
			expect(t, "the batch", w.statistics(b.ID), "ended")
			expect(t, "jobs", dbtest.Count(t, s, "select count(*) from job"), 0)
			_, open := w.openIncidents()
			expect(t, "open incidents", open, 0)
			if cascade {
				_, err := w.HistoricBatch(ctx, everybody, b.ID.String())
				expect(t, "its history", fault.KindOf(err), fault.NotFound)
				continue
			}
			expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 1, Skipped: 3})
			expect(t, "deleted incidents", dbtest.Count(t, s, "select count(*) from incident where state = 2"), 1)
		}
		expect(t, "history left", dbtest.Count(t, s, "select count(*) from historic_batch"), 1)
		expect(t, "incidents left", dbtest.Count(t, s, "select count(*) from incident"), 1)
		expect(t, "unknown", fault.KindOf(w.DeleteBatch(ctx, everybody, dbtest.ID().String(), true)), fault.NotFound)
	})
}

// A seed or monitor job that somebody deletes is made anew, with another id, so that the batch still ends.
func TestBatchEndsWithoutItsJobs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		b := w.retryAsync(5, w.tasks(3, "t")...)
		remove := func(kind db.JobKind) {
			t.Helper()
			w.must(s.Tx(context.Background(), func(tx *db.Tx) error {
				return tx.DeleteRange(context.Background(), &db.Range{BatchID: b.ID, Kind: kind})
			}))
		}
		remove(db.SeedJob)
		w.must(w.SuspendBatch(context.Background(), everybody, b.ID.String(), true))
		w.runAll()
		anew := w.jobs(b.ID, db.SeedJob)
		if len(anew) != 1 || anew[0] != b.ID.Sub(db.SubSeed, 1).String() {
			t.Fatalf("the seed jobs are %v", anew)
		}
		w.execute(anew[0])
		remove(db.MonitorJob)
		w.must(w.SuspendBatch(context.Background(), everybody, b.ID.String(), false))
		w.runAll()
		expect(t, "the batch", w.statistics(b.ID), "ended")
	})
}

// Executors, operators and workers at once: every item is set once, every task without retries has its incident, no other has
// one, and the batch ends. The operator who suspends it lets one chunk run at least before he does so again.
func TestBatchInTheMiddleOfEverything(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		ids := w.tasks(6000, "t")
		w.must(w.SetRetries(ctx, everybody, engine.SetRetries{Retries: 0, Selection: byID(ids[:3000]...)}))
		b := w.retryAsync(5, ids...)
		stop, ran := make(chan struct{}), make(chan struct{}, 1)
		var all sync.WaitGroup
		background := func(f func(*rand.Rand) error) {
			all.Go(func() {
				random := rand.New(rand.NewPCG(1, 2))
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := f(random); err != nil && fault.KindOf(err) == fault.Internal {
						t.Error(err)
						return
					}
				}
			})
		}
		job := func(r *rand.Rand) string { return b.ID.Sub(db.SubJob, r.Uint32N(6000)).String() }
		for range 2 {
			runner := w.NewRunner()
			background(func(*rand.Rand) error {
				_, _, err := runner.Step(ctx, time.Millisecond)
				if _, chunks := w.told(); len(chunks) > 0 {
					select {
					case ran <- struct{}{}:
					default:
					}
				}
				return err
			})
		}
		background(func(r *rand.Rand) error { return w.ExecuteJob(ctx, everybody, job(r)) })
		background(func(r *rand.Rand) error {
			return w.SetJobRetries(ctx, everybody, job(r), engine.JobRetries{Retries: 4})
		})
		background(func(*rand.Rand) error {
			select {
			case <-ran:
			case <-stop:
			}
			err := w.SuspendBatch(ctx, everybody, b.ID.String(), true)
			return errors.Join(err, w.SuspendBatch(ctx, everybody, b.ID.String(), false))
		})
		background(func(r *rand.Rand) error {
			return w.Fail(ctx, everybody, ids[r.IntN(len(ids))].String(), engine.Failure{WorkerID: "w"})
		})
		background(func(*rand.Rand) error {
			_, err := w.FetchAndLock(ctx, everybody, engine.Fetch{WorkerID: "w", MaxTasks: 20, Topics: []engine.FetchTopic{{TopicName: "t", LockDuration: 60000}}})
			return err
		})
		for deadline := time.Now().Add(time.Minute); w.statistics(b.ID) != "ended"; {
			if time.Now().After(deadline) {
				t.Fatalf("the batch does not end: %s", w.statistics(b.ID))
			}
		}
		close(stop)
		all.Wait()
		o := w.outcomes(b.ID)
		expect(t, "items", o.Set+o.Unchanged, 6000)
		expect(t, "jobs in the log", dbtest.Count(t, s, "select sum(n) from job_log where kind = 1 and event = 3"), 6000)
		const none = "(select id from external_task_state where retries = 0)"
		const open = "(select configuration from incident where state = 0 and type = 'failedExternalTask')"
		expect(t, "incidents without their state", dbtest.Count(t, s, fmt.Sprintf("select count(*) from incident where state = 0 and type = 'failedExternalTask' and configuration not in %s", none)), 0)
		expect(t, "states without their incident", dbtest.Count(t, s, fmt.Sprintf("select count(*) from external_task_state where retries = 0 and id not in %s", open)), 0)
	})
}
