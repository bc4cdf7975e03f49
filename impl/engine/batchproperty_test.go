package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// meddling is a batch with which somebody meddles at random, with a task in it whose jobs fail.
type meddling struct {
	*world
	raw    *sqlx.DB
	random *rand.Rand
	batch  *db.Batch
	alone  bool     // nobody else meddles with it
	trace  []string // what was done, for the one who has to find out
}

// pick gives the id of a job of a kind that is there; "" if there is none.
func (m *meddling) pick(kind db.JobKind) string {
	ids := m.jobs(m.batch.ID, kind)
	if len(ids) == 0 {
		return ""
	}
	return ids[m.random.IntN(len(ids))]
}

// step does one thing, at random. What somebody else may have taken away meanwhile, and the job that is executed by hand, may fail.
func (m *meddling) step() error {
	job := m.pick(db.ExecutionJob)
	what := m.random.IntN(12)
	m.trace = append(m.trace, fmt.Sprint(what, " ", job))
	err := m.act(what, job)
	if fault.KindOf(err) == fault.NotFound && (what >= 10 || !m.alone) {
		return nil
	}
	return err
}

// act does the thing of a number, perhaps to a job.
func (m *meddling) act(what int, job string) error {
	ctx, definition := context.Background(), db.ExecutionJob.Definition(m.batch.ID).String()
	retries := engine.JobRetries{Retries: m.random.Int32N(3)}
	switch {
	case what == 0:
		if seed := m.pick(db.SeedJob); seed != "" {
			return m.ExecuteJob(ctx, everybody, seed)
		}
		return nil
	case what == 1:
		return m.Turn(ctx, m.batch.ID, m.random.Int32N(4)+1)
	case job == "", what == 9 && !m.alone: // a batch whose jobs are gone would fail
		return nil
	case what <= 3:
		return m.SuspendJob(ctx, everybody, job, engine.JobSelection{}, what == 2)
	case what == 4:
		return m.SetDefinitionPriority(ctx, everybody, definition, new(m.random.Int64N(5)), false)
	case what == 5:
		return errors.Join(m.SetJobPriority(ctx, everybody, job, m.random.Int64N(5)), m.SetJobDueDate(ctx, everybody, job, new(db.TimeOf(m.clock()))))
	case what == 6:
		return m.DeleteJob(ctx, everybody, job)
	case what == 7:
		return errors.Join(m.SetJobRetries(ctx, everybody, job, retries), m.hasRetries(job, retries.Retries))
	case what == 8:
		return m.SetDefinitionRetries(ctx, everybody, definition, engine.JobRetries{Retries: 1})
	case what == 9:
		return m.retriesByBatch(job, retries)
	}
	return m.ExecuteJob(ctx, everybody, job)
}

// retriesByBatch sets the retries of two jobs by another batch, which is carried out by hand.
func (m *meddling) retriesByBatch(job string, retries engine.JobRetries) error {
	ctx := context.Background()
	other, err := m.SetJobRetriesAsync(ctx, everybody, engine.SetJobRetriesAsync{JobRetries: retries, IDs: []string{job, m.pick(db.ExecutionJob)}})
	if err != nil {
		return err
	}
	for _, kind := range []db.JobKind{db.SeedJob, db.ExecutionJob, db.MonitorJob} {
		for _, id := range m.jobs(other.ID, kind) {
			if err := m.ExecuteJob(ctx, everybody, id); err != nil {
				return err
			}
		}
	}
	return m.hasRetries(job, retries.Retries)
}

// hasRetries checks that a job has the retries that were set, as it must when nobody else meddles.
func (m *meddling) hasRetries(job string, want int32) error {
	if !m.alone {
		return nil
	}
	if got := m.job(job).Retries; got != want {
		return fmt.Errorf("job %s has %d retries, and %d were set", job, got, want)
	}
	return nil
}

// count gives a number that a query asks for, in which batch_id stands for the condition on the batch.
func (m *meddling) count(query string) int {
	m.t.Helper()
	id := "'" + m.batch.ID.String() + "'"
	if m.store.Dialect() == "sqlite" {
		id = fmt.Sprintf("x'%x'", m.batch.ID[:])
	}
	var n int
	m.must(m.raw.GetContext(context.Background(), &n, strings.ReplaceAll(query, "batch_id", "batch_id = "+id)))
	return n
}

// check holds all that is told of the batch against each other; false when it has ended.
func (m *meddling) check() bool {
	m.t.Helper()
	list, err := m.BatchStatistics(context.Background(), everybody, ask("batchId", m.batch.ID.String()))
	m.must(err)
	if len(list) == 0 {
		return false
	}
	b, o := list[0], m.outcomes(m.batch.ID)
	done := m.count("select coalesce(sum(n), 0) from job_log where batch_id and kind = 1 and event = 3")
	deleted := m.count("select coalesce(sum(n), 0) from job_log where batch_id and kind = 1 and event = 4")
	for what, sides := range map[string][2]int{
		"all jobs":        {int(b.TotalJobs), int(b.Remaining() + b.Completed())},
		"jobs created":    {int(b.JobsCreated), m.count("select coalesce(sum(n), 0) from job_log where batch_id and kind = 1 and event = 1")},
		"jobs that exist": {len(m.jobs(m.batch.ID, db.ExecutionJob)), int(b.JobsCreated) - done - deleted},
		"remaining":       {int(b.Remaining()), int(b.TotalJobs) - done - deleted},
		"failed":          {int(b.Failed), m.count("select coalesce(sum(n), 0) from job where batch_id and kind = 1 and retries = 0")},
		"all items":       {int(b.Items), int(o.Set + o.Unchanged + o.Gone + o.Skipped + o.Failed + o.Pending)},
		"negative items":  {0, int(min(o.Pending, o.Failed, o.Skipped, 0))},
		"done or deleted, and there": {0, m.count("select count(*) from (select * from job where batch_id and kind = 1) a " +
			"join (select * from job_log where batch_id and kind = 1 and event > 2) b on b.first < a.first + a.n and a.first < b.first + b.n")},
	} {
		if sides[0] != sides[1] {
			m.t.Fatalf("%s: %d and %d after %v", what, sides[0], sides[1], m.trace)
		}
	}
	m.checkIncidents()
	return true
}

// checkIncidents checks that every job without retries has an open incident, and that every open incident is of a job that is
// there.
func (m *meddling) checkIncidents() {
	m.t.Helper()
	ctx, definition := context.Background(), db.ExecutionJob.Definition(m.batch.ID).String()
	open, err := m.Incidents(ctx, everybody, ask("jobDefinitionIdIn", []string{definition}))
	m.must(err)
	jobs, err := m.Jobs(ctx, everybody, ask("jobDefinitionId", definition))
	m.must(err)
	there, failed := map[db.ID]bool{}, 0
	for i := range jobs {
		there[jobs[i].ID] = jobs[i].Retries == 0
		if jobs[i].Retries == 0 {
			failed++
		}
	}
	for i := range open {
		none, is := there[open[i].Configuration]
		if !is {
			m.t.Fatalf("an open incident of a job that is gone after %v", m.trace)
		}
		if none {
			failed--
		}
	}
	if failed != 0 {
		m.t.Fatalf("%d jobs without retries have no incident after %v", failed, m.trace)
	}
}

// Whatever is done to the jobs of a running batch, its numbers and the outcomes of its items add up after every step.
func TestNumbersAddUp(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		raw := dbtest.Raw(t, s)
		for seed := range uint64(6) {
			w := newWorld(t, s)
			w.JobsPerSeed.Default, w.ItemsPerJob.ByType = 9, map[string]int{engine.SetExternalTaskRetries: 1 + int(seed)%3}
			tasks := w.tasks(61, "t")
			m := &meddling{world: w, raw: raw, random: rand.New(rand.NewPCG(seed, 7)), batch: w.retryAsync(5, tasks...), alone: true}
			heal := dbtest.Poison(t, s, tasks[5])
			w.pass(time.Duration(seed) * time.Second)
			for there, n := true, 0; there && n < 60; n++ {
				if err := m.step(); err != nil {
					t.Fatalf("%v after %v", err, m.trace)
				}
				there = m.check()
			}
			heal()
			m.finish()
		}
	})
}

// finish lets an executor end the batch, all of whose items then have an outcome.
func (m *meddling) finish() {
	m.t.Helper()
	ctx := context.Background()
	m.must(m.SetDefinitionRetries(ctx, everybody, db.ExecutionJob.Definition(m.batch.ID).String(), engine.JobRetries{Retries: 1}))
	if m.statistics(m.batch.ID) != "ended" {
		m.must(m.SuspendBatch(ctx, everybody, m.batch.ID.String(), false))
	}
	m.runAll()
	expect(m.t, "in the end", m.statistics(m.batch.ID), "ended")
	o := m.outcomes(m.batch.ID)
	expect(m.t, "items without an end", o.Pending+o.Failed+o.Gone, 0)
	_, open := m.openIncidents()
	expect(m.t, "open incidents", open, 0)
}

// The same from two nodes at a time: after each round, in which both do something at the same moment, the numbers add up.
func TestNumbersAddUpFromTwoNodes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		raw := dbtest.Raw(t, s)
		for seed := range uint64(4) {
			one, two := newWorld(t, s), newWorld(t, dbtest.Another(t, s))
			for _, w := range []*world{one, two} {
				w.JobsPerSeed.Default, w.ItemsPerJob.ByType = 9, map[string]int{engine.SetExternalTaskRetries: 1 + int(seed)%3}
			}
			tasks := one.tasks(61, "t")
			batch := one.retryAsync(5, tasks...)
			nodes := []*meddling{
				{world: one, raw: raw, random: rand.New(rand.NewPCG(seed, 1)), batch: batch}, {world: two, raw: raw, random: rand.New(rand.NewPCG(seed, 2)), batch: batch},
			}
			heal := dbtest.Poison(t, s, tasks[5])
			for there, n := true, 0; there && n < 40; n++ {
				var both errgroup.Group
				for _, m := range nodes {
					both.Go(m.step)
				}
				if err := both.Wait(); err != nil {
					t.Fatalf("%v after %v and %v", err, nodes[0].trace, nodes[1].trace)
				}
				there = nodes[n%2].check()
			}
			heal()
			nodes[1].finish()
		}
	})
}
