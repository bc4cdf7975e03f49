package engine

import (
	"context"
	"errors"

	"rearm/db"
	"rearm/impl/fault"
)

// changeJob runs f on one job that stands alone, its batch locked; none when it does not exist or is not the caller's.
func (e *Engine) changeJob(ctx context.Context, caller db.Caller, id db.ID, none error, f func(*db.Tx, *db.Batch, *db.Range) error) error {
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		base, _, _ := id.Split()
		b, err := tx.LockBatch(ctx, base)
		if errors.Is(err, db.ErrNotFound) || err == nil && !caller.SeesBatch(b.TenantID, b.Owner) {
			return none
		}
		if err != nil {
			return err
		}
		job, err := tx.Isolate(ctx, id)
		if errors.Is(err, db.ErrNotFound) {
			return none
		}
		if err != nil {
			return err
		}
		return f(tx, b, job)
	})
	return storeFault(err)
}

// writeJob runs f on the job that a text names, alone in its range, and wakes the executor after it. none when it does not exist
// or is not the caller's.
func (e *Engine) writeJob(ctx context.Context, caller db.Caller, id string, none error, f func(*db.Tx, *db.Batch, *db.Range) error) error {
	parsed, ok := db.ParseID(id)
	if !ok {
		return none
	}
	err := e.changeJob(ctx, caller, parsed, none, f)
	if err == nil {
		e.Run()
	}
	return err
}

// jobIsNull is the error that most writes on one job have when it does not exist.
func jobIsNull(id string) error {
	return fault.New(fault.NotFound, fault.InvalidRequest, "No job found with id '%s': job is null", id)
}

// JobRetries is what SetJobRetries sets; the due date only if SetDueDate, nil then clears it.
type JobRetries = db.RetriesAndDue

// negativeJobRetries is the error for negative retries of jobs.
func negativeJobRetries(retries int32) error {
	return fault.BadRequest("ENGINE-13054 The number of job retries must be a non-negative Integer, but '%d' has been provided.", retries)
}

// SetJobRetries sets the retries of one job (contract-facts 6.4): from 0 to more resolves its failedJob incident, from more to 0
// opens one. Negative retries are a 400, an unknown job a 404 (difference 5), with the reference's words.
func (e *Engine) SetJobRetries(ctx context.Context, caller db.Caller, id string, in JobRetries) error {
	if in.Retries < 0 {
		return negativeJobRetries(in.Retries)
	}
	return e.writeJob(ctx, caller, id, noJob(id), func(tx *db.Tx, b *db.Batch, job *db.Range) error {
		span := db.Span{Batch: b.ID, Kind: job.Kind, Lo: job.First, Hi: job.First}
		return setSpanRetries(ctx, tx, heldJobs{b, span, []db.Range{*job}}, in, e.clock())
	})
}

// SetJobDueDate sets when a job may run at the earliest; nil: at once. 404 when there is no such job (difference 5).
func (e *Engine) SetJobDueDate(ctx context.Context, caller db.Caller, id string, due *db.Time) error {
	none := fault.New(fault.NotFound, fault.InvalidRequest, "No job found with id '%s'.", id)
	return e.writeJob(ctx, caller, id, none, func(tx *db.Tx, _ *db.Batch, job *db.Range) error {
		job.DueDate = due
		return tx.UpdateRange(ctx, job)
	})
}

// RecalculateDueDate always fails, since only timers can be recalculated and no job is one: 404 when there is no such job, else
// 400 (contract-facts 6.5).
func (e *Engine) RecalculateDueDate(ctx context.Context, caller db.Caller, id string) error {
	none := fault.Coded(fault.NotFound, fault.InvalidRequest, "No job found with id '%s': job is null", id)
	j, err := e.job(ctx, caller, id, none)
	if err != nil {
		return err
	}
	d, err := e.store.JobDefinition(ctx, j.Kind.Definition(j.BatchID))
	switch {
	case errors.Is(err, db.ErrNotFound):
		return none
	case err != nil:
		return storeFault(err)
	}
	return fault.BadRequest("Only timer jobs can be recalculated, but the job with id '%s' is of type '%s'.", id, d.Type)
}

// SetJobPriority sets the priority of a job. 404 when there is no such job.
func (e *Engine) SetJobPriority(ctx context.Context, caller db.Caller, id string, priority int64) error {
	return e.writeJob(ctx, caller, id, jobIsNull(id), func(tx *db.Tx, _ *db.Batch, job *db.Range) error {
		job.Priority = priority
		return tx.UpdateRange(ctx, job)
	})
}

// DeleteJob takes a job away: it counts as completed, its items are skipped, its open incident is deleted. A seed or monitor
// job is made anew by the executor (product.md 4). 404 when there is no such job.
func (e *Engine) DeleteJob(ctx context.Context, caller db.Caller, id string) error {
	return e.writeJob(ctx, caller, id, jobIsNull(id), func(tx *db.Tx, _ *db.Batch, job *db.Range) error {
		now, id := e.clock(), job.ID(job.First)
		if err := tx.DeleteRange(ctx, job); err != nil {
			return err
		}
		if err := tx.CloseJobIncidents(ctx, id, id, db.IncidentDeleted, now); err != nil {
			return err
		}
		return tx.InsertLog(ctx, db.LogOf(job, db.JobDeleted, now, e.NodeName))
	})
}
