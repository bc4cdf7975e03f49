package engine_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

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

// step does one thing, at random. Nothing of it may fail, but the job that is executed.
func (m *meddling) step() {
	ctx, job := context.Background(), m.pick(db.ExecutionJob)
	definition := db.ExecutionJob.Definition(m.batch.ID).String()
	what := m.random.IntN(12)
	m.trace = append(m.trace, fmt.Sprint(what, " ", job))
	retries := engine.JobRetries{Retries: m.random.Int32N(3)}
	switch {
	case what == 0:
		if seed := m.pick(db.SeedJob); seed != "" {
			m.execute(seed)
		}
	case what == 1:
		m.must(m.Turn(ctx, m.batch.ID, m.random.Int32N(4)+1))
	case job == "":
	case what <= 3:
		m.must(m.SuspendJob(ctx, everybody, job, engine.JobSelection{}, what == 2))
	case what == 4:
		m.must(m.SetDefinitionPriority(ctx, everybody, definition, new(m.random.Int64N(5)), false))
	case what == 5:
		m.must(m.SetJobPriority(ctx, everybody, job, m.random.Int64N(5)))
		m.must(m.SetJobDueDate(ctx, everybody, job, new(db.TimeOf(m.clock()))))
	case what == 6:
		m.must(m.DeleteJob(ctx, everybody, job))
	case what == 7:
		m.must(m.SetJobRetries(ctx, everybody, job, retries))
		expect(m.t, "retries", m.job(job).Retries, retries.Retries)
	case what == 8:
		m.must(m.SetDefinitionRetries(ctx, everybody, definition, engine.JobRetries{Retries: 1}))
	case what == 9:
		other := m.jobRetriesAsync(engine.SetJobRetriesAsync{JobRetries: retries, IDs: []string{job, m.pick(db.ExecutionJob)}})
		m.execute(m.jobs(other.ID, db.SeedJob)[0])
		for _, id := range append(m.jobs(other.ID, db.ExecutionJob), m.jobs(other.ID, db.MonitorJob)...) {
			m.execute(id)
		}
		expect(m.t, "retries by batch", m.job(job).Retries, retries.Retries)
	default:
		if err := m.ExecuteJob(ctx, everybody, job); err != nil && fault.KindOf(err) != fault.NotFound {
			m.t.Fatal(err)
		}
	}
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
			m := &meddling{world: w, raw: raw, random: rand.New(rand.NewPCG(seed, 7)), batch: w.retryAsync(5, tasks...)}
			heal := dbtest.Poison(t, s, tasks[5])
			w.pass(time.Duration(seed) * time.Second)
			for there, n := true, 0; there && n < 60; n++ {
				m.step()
				there = m.check()
			}
			heal()
			w.must(w.SetDefinitionRetries(context.Background(), everybody, db.ExecutionJob.Definition(m.batch.ID).String(), engine.JobRetries{Retries: 1}))
			if w.statistics(m.batch.ID) != "ended" {
				w.must(w.SuspendBatch(context.Background(), everybody, m.batch.ID.String(), false))
			}
			w.runAll()
			expect(t, "in the end", w.statistics(m.batch.ID), "ended")
			o := w.outcomes(m.batch.ID)
			expect(t, "items without an end", o.Pending+o.Failed+o.Gone, 0)
			_, open := w.openIncidents()
			expect(t, "open incidents", open, 0)
		}
	})
}
