package engine

import (
	"context"
	"errors"

	"rearm/db"
)

// jobRetries is how many retries a new job has (contract-facts 10.3).
const jobRetries = 3

// newJob gives a job of a batch, as its definition says, with a number.
func newJob(b *db.Batch, kind db.JobKind, number int32, now db.Time) db.Range {
	return db.Range{BatchID: b.ID, Kind: kind, First: number, N: 1, Retries: jobRetries, Priority: b.Priority(kind),
		Suspended: b.JobsSuspended(kind), CreateTime: now}
}

// makeJob writes a seed or monitor job and its creation entry.
func (e *Engine) makeJob(ctx context.Context, tx *db.Tx, job db.Range) error {
	if err := tx.InsertRanges(ctx, job); err != nil {
		return err
	}
	return tx.InsertLog(ctx, db.LogOf(&job, db.JobCreated, job.CreateTime, e.NodeName))
}

// seed runs the seed job of a locked batch, at most runs times: each run makes JobsPerSeed execution jobs. The last one makes
// the monitor job, every other one the next seed job. job is the seed job that is there.
func (e *Engine) seed(ctx context.Context, tx *db.Tx, b *db.Batch, job *db.Range, runs int32, now db.Time) error {
	left := b.TotalJobs - b.JobsCreated
	runs = min(runs, (left+b.JobsPerSeed-1)/b.JobsPerSeed)
	upTo := min(b.TotalJobs, b.JobsCreated+runs*b.JobsPerSeed)
	made := e.ranges(b, upTo, now)
	if err := tx.DeleteRange(ctx, job); err != nil {
		return err
	}
	if err := resolve(ctx, tx, job, now); err != nil {
		return err
	}
	if err := tx.InsertRanges(ctx, made...); err != nil {
		return err
	}
	if err := tx.InsertLog(ctx, e.seedLog(b, job, runs, upTo, now)...); err != nil {
		return err
	}
	b.JobsCreated, b.SeedRuns = upTo, job.First+runs
	if err := tx.UpdateSeeded(ctx, b); err != nil {
		return err
	}
	if b.Seeded() {
		return e.makeJob(ctx, tx, newJob(b, db.MonitorJob, b.MonitorRuns, now))
	}
	return tx.InsertRanges(ctx, newJob(b, db.SeedJob, b.SeedRuns, now))
}

// ranges gives the execution jobs from JobsCreated up to a number; a range never crosses a chunk.
func (e *Engine) ranges(b *db.Batch, upTo int32, now db.Time) []db.Range {
	var list []db.Range
	for first := b.JobsCreated; first < upTo; {
		end := min(upTo, (first/b.JobsPerChunk+1)*b.JobsPerChunk)
		r := newJob(b, db.ExecutionJob, first, now)
		r.N = end - first
		list, first = append(list, r), end
	}
	return list
}

// seedLog gives what the job log says of runs of the seed job: the jobs made, the runs' success, and the creation of the seed
// jobs behind the first one, of which the last one may still be there.
func (e *Engine) seedLog(b *db.Batch, job *db.Range, runs, upTo int32, now db.Time) []db.LogRange {
	all := newJob(b, db.ExecutionJob, b.JobsCreated, now)
	all.N = upTo - b.JobsCreated
	done, next := *job, newJob(b, db.SeedJob, job.First+1, now)
	done.N, next.N = runs, runs
	if upTo == b.TotalJobs {
		next.N--
	}
	log := []db.LogRange{db.LogOf(&all, db.JobCreated, now, e.NodeName), db.LogOf(&done, db.JobSucceeded, now, e.NodeName)}
	if next.N > 0 {
		log = append(log, db.LogOf(&next, db.JobCreated, now, e.NodeName))
	}
	return log
}

// seedIfDue lets the executor run all runs of the seed job that may run now. A seed job that somebody deleted is made anew.
func (e *Engine) seedIfDue(ctx context.Context, tx *db.Tx, id db.ID, now db.Time) error {
	b, err := tx.LockBatch(ctx, id)
	if err != nil || b.Seeded() {
		return err
	}
	job, err := tx.FirstJob(ctx, id, db.SeedJob)
	if errors.Is(err, db.ErrNotFound) {
		b.SeedRuns++
		anew := newJob(b, db.SeedJob, b.SeedRuns, now)
		job = &anew
		err = errors.Join(tx.UpdateSeeded(ctx, b), e.makeJob(ctx, tx, anew))
	}
	if err != nil || !runs(job, now) {
		return err
	}
	return e.seed(ctx, tx, b, job, b.TotalJobs, now)
}

// runs tells whether the executor may run a job now (contract-facts 10.3).
func runs(job *db.Range, now db.Time) bool {
	return job.Retries > 0 && !job.Suspended && (job.DueDate == nil || *job.DueDate <= now)
}

// monitor makes one check of a locked batch: with no execution job left the batch ends, else the next monitor job looks again
// after the poll time. job is the monitor job that is there.
func (e *Engine) monitor(ctx context.Context, tx *db.Tx, b *db.Batch, job *db.Range, now db.Time) (ended bool, err error) {
	left, err := tx.HasExecutionJobs(ctx, b.ID)
	if err != nil {
		return false, err
	}
	now = max(now, e.clock()) // jobs of others may have begun and ended since now; the batch ends after them
	if err := tx.DeleteRange(ctx, job); err != nil {
		return false, err
	}
	if err := resolve(ctx, tx, job, now); err != nil {
		return false, err
	}
	if err := tx.InsertLog(ctx, db.LogOf(job, db.JobSucceeded, now, e.NodeName)); err != nil {
		return false, err
	}
	if !left {
		return true, e.end(ctx, tx, b, now)
	}
	b.MonitorRuns++
	if err := tx.UpdateMonitorRuns(ctx, b); err != nil {
		return false, err
	}
	next, due := newJob(b, db.MonitorJob, b.MonitorRuns, now), now.Add(e.PollTime)
	next.DueDate = &due
	return false, e.makeJob(ctx, tx, next)
}

// resolve resolves the open incident of a seed or monitor job that has succeeded, if it has one.
func resolve(ctx context.Context, tx *db.Tx, job *db.Range, now db.Time) error {
	id := job.ID(job.First)
	return tx.CloseJobIncidents(ctx, id, id, db.IncidentResolved, now)
}

// end ends a batch of which no execution job is left.
func (e *Engine) end(ctx context.Context, tx *db.Tx, b *db.Batch, now db.Time) error {
	return tx.EndBatch(ctx, b.ID, now, e.batchRemoval(b.Type, now))
}

// finish lets the executor end a batch as soon as its last execution job is gone, before the monitor job would look
// (difference 7), or run the monitor job when it is due. A monitor job that somebody deleted is made anew.
func (e *Engine) finish(ctx context.Context, tx *db.Tx, b *db.Batch, now db.Time) (ended bool, err error) {
	job, err := tx.FirstJob(ctx, b.ID, db.MonitorJob)
	if errors.Is(err, db.ErrNotFound) {
		b.MonitorRuns++
		anew := newJob(b, db.MonitorJob, b.MonitorRuns, now)
		job = &anew
		err = errors.Join(tx.UpdateMonitorRuns(ctx, b), e.makeJob(ctx, tx, anew))
	}
	if err != nil || job.Suspended || job.Retries == 0 {
		return false, err
	}
	left, err := tx.HasExecutionJobs(ctx, b.ID)
	if err != nil || left && !runs(job, now) {
		return false, err
	}
	return e.monitor(ctx, tx, b, job, now)
}
