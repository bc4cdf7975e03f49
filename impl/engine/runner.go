package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"rearm/db"
)

// What one transaction of the executor should take: long enough to be worth its commit, short enough that a worker who waits
// for a row of it, and a small batch that waits for its turn, do not notice (limits.md G).
const (
	slowTurn = 50 * time.Millisecond
	fastTurn = 20 * time.Millisecond
)

// Runner runs batches for one executor. Any number of runners, in any number of processes, may share a database; one Runner
// is for one goroutine.
type Runner struct {
	engine *Engine
	limits map[db.ID]int32 // items per turn, where it is not db.ChunkItems
}

// NewRunner makes a runner.
func (e *Engine) NewRunner() *Runner { return &Runner{engine: e, limits: map[db.ID]int32{}} }

// Step gives every batch that needs the executor a turn, again and again, until none does or the budget is used up. more says
// that there is work left; next is when a job will be due, the zero time if none will. The error is the database's: the jobs
// lose nothing by it.
func (r *Runner) Step(ctx context.Context, budget time.Duration) (next time.Time, more bool, err error) {
	end := r.engine.Now().Add(budget)
	for {
		worked, err := r.round(ctx)
		if err != nil {
			return time.Time{}, false, err
		}
		if !worked {
			break
		}
		if !r.engine.Now().Before(end) || ctx.Err() != nil {
			return time.Time{}, true, nil
		}
	}
	due, err := r.engine.store.NextDue(ctx)
	if err != nil || due == nil {
		return time.Time{}, false, err
	}
	return due.Time(), false, nil
}

// round gives each batch one turn, so that a small one never waits for a large one to end.
func (r *Runner) round(ctx context.Context) (worked bool, err error) {
	ids, err := r.engine.store.BatchesToRun(ctx, r.engine.clock())
	if err != nil {
		return false, err
	}
	r.forget(ids)
	r.engine.met.keep(ids)
	for _, id := range ids {
		if ctx.Err() != nil {
			return worked, nil
		}
		did, err := r.turn(ctx, id)
		if err != nil {
			return worked, err
		}
		worked = worked || did
	}
	return worked, nil
}

// turn advances one batch, and tells how it went. What is running is finished when ctx ends.
func (r *Runner) turn(ctx context.Context, id db.ID) (worked bool, err error) {
	ctx, span := r.engine.Tracer.Start(context.WithoutCancel(ctx), chunkSpan, trace.WithNewRoot())
	start := r.engine.Now()
	t, failure := r.engine.advance(ctx, id, r.limit(id))
	c := Chunk{Took: r.engine.Now().Sub(start), Err: failure}
	worked, c.Tally, err = r.learn(ctx, id, &t, &c)
	if t.batch != nil {
		c.Type = t.batch.Type
		c.TookOver = worked && failure == nil && t.batch.ExecutionStartTime != nil && r.engine.met.meet(id)
	}
	endChunk(span, id, &t, &c)
	if worked || failure != nil {
		r.engine.Ran(c)
	}
	return worked, err
}

// learn takes the consequences of a turn: how much the next one takes on, and what becomes of jobs that failed it.
func (r *Runner) learn(ctx context.Context, id db.ID, t *turn, c *Chunk) (worked bool, tally Tally, err error) {
	switch {
	case c.Err == nil:
		r.pace(id, c.Took)
		c.Jobs, c.Lag = t.jobs, t.lag
		return t.worked, t.tally, nil
	case len(t.running) == 0 || errors.Is(c.Err, db.ErrUnavailable) || errors.Is(c.Err, db.ErrAgain):
		return false, Tally{}, c.Err
	}
	tally, err = r.isolate(ctx, id, t.running, c.Err)
	return true, tally, err
}

// isolate deals with a turn that failed: half as many jobs are tried next, until the one at fault stands alone and loses a
// retry; the others go on.
func (r *Runner) isolate(ctx context.Context, id db.ID, running []db.Range, cause error) (Tally, error) {
	jobs := int32(0)
	for _, one := range running {
		jobs += one.N
	}
	if jobs > 1 {
		b, err := r.engine.store.Batch(ctx, id)
		if errors.Is(err, db.ErrNotFound) {
			return Tally{}, nil
		}
		if err != nil {
			return Tally{}, err
		}
		r.limits[id] = max(1, jobs/2) * b.ItemsPerJob
		return Tally{}, nil
	}
	job := running[0].ID(running[0].First)
	r.engine.Log.WarnContext(ctx, "a job failed", slog.String("job_id", job.String()), slog.String("batch_id", id.String()), slog.Any("error", cause))
	return r.engine.failJob(ctx, job, cause)
}

func (r *Runner) limit(id db.ID) int32 {
	if n, ok := r.limits[id]; ok {
		return n
	}
	return db.ChunkItems
}

// pace halves what a turn takes on when it was slow, and doubles it again when it was fast.
func (r *Runner) pace(id db.ID, took time.Duration) {
	switch n := r.limit(id); {
	case took > slowTurn:
		r.limits[id] = max(1, n/2)
	case took < fastTurn && n < db.ChunkItems:
		r.limits[id] = min(2*n, db.ChunkItems)
	}
}

// forget drops what was learned of batches that are gone.
func (r *Runner) forget(there []db.ID) {
	if len(r.limits) <= len(there) {
		return
	}
	kept := make(map[db.ID]int32, len(there))
	for _, id := range there {
		if n, ok := r.limits[id]; ok {
			kept[id] = n
		}
	}
	r.limits = kept
}
