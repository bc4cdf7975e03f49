package engine

import (
	"context"
	"errors"
	"fmt"

	"rearm/db"
	"rearm/impl/fault"
)

// ExecuteJob runs one job now, whatever its suspension, due date and retries (contract-facts 6.5): one run of a seed job, one
// execution job, or one check of a monitor job. 404 when it does not exist, and, as the reference has it, 404 with the job's
// message when it fails.
func (e *Engine) ExecuteJob(ctx context.Context, caller db.Caller, id string) error {
	none := fault.New(fault.NotFound, fault.InvalidRequest, "ENGINE-14026 No job found with id '%s'", id)
	parsed, ok := db.ParseID(id)
	if !ok {
		return none
	}
	var topics []string
	var failed error
	err := e.changeJob(ctx, caller, parsed, none, func(tx *db.Tx, b *db.Batch, job *db.Range) error {
		topics, failed = e.runByHand(ctx, tx, b, job)
		return failed
	})
	if failed != nil && ctx.Err() == nil && !errors.Is(failed, db.ErrUnavailable) && !errors.Is(failed, db.ErrAgain) {
		if err := e.failJob(ctx, parsed, failed); err != nil {
			return storeFault(err)
		}
		return fault.New(fault.NotFound, fault.InvalidRequest, "%s", visibleMessage(failed))
	}
	if err == nil {
		e.Wake(topics)
		e.Run()
	}
	return err
}

func (e *Engine) runByHand(ctx context.Context, tx *db.Tx, b *db.Batch, job *db.Range) ([]string, error) {
	now := e.clock()
	switch job.Kind {
	case db.SeedJob:
		return nil, e.seed(ctx, tx, b, job, 1, now)
	case db.MonitorJob:
		return nil, e.monitor(ctx, tx, b, job, now)
	}
	if err := tx.DeleteRange(ctx, job); err != nil {
		return nil, err
	}
	topics, err := e.execute(ctx, tx, b, []db.Range{*job}, now)
	if err != nil || job.Retries > 0 {
		return topics, err
	}
	id := job.ID(job.First)
	return topics, tx.CloseJobIncidents(ctx, id, id, db.IncidentResolved, now)
}

// changeJob runs f on one job that stands alone, its batch locked; none when it does not exist or is not the caller's.
func (e *Engine) changeJob(ctx context.Context, caller db.Caller, id db.ID, none error, f func(*db.Tx, *db.Batch, *db.Range) error) error {
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		base, _, _ := id.Split()
		b, err := tx.LockBatch(ctx, base)
		if errors.Is(err, db.ErrNotFound) || err == nil && !visible(caller, b.TenantID) {
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

// JobRetries is what SetJobRetries sets; the due date only if SetDueDate, nil then clears it.
type JobRetries struct {
	Retries    int32
	DueDate    *db.Time
	SetDueDate bool
}

// SetJobRetries sets the retries of one job (contract-facts 6.4): from 0 to more resolves its failedJob incident, from more to 0
// opens one. Negative retries are a 400, an unknown job a 404 (difference 5), with the reference's words.
func (e *Engine) SetJobRetries(ctx context.Context, caller db.Caller, id string, in JobRetries) error {
	if in.Retries < 0 {
		return fault.BadRequest("ENGINE-13054 The number of job retries must be a non-negative Integer, but '%d' has been provided.", in.Retries)
	}
	none := fault.New(fault.NotFound, fault.InvalidRequest, "ENGINE-13053 No job found with id '%s'.'", id)
	parsed, ok := db.ParseID(id)
	if !ok {
		return none
	}
	err := e.changeJob(ctx, caller, parsed, none, func(tx *db.Tx, b *db.Batch, job *db.Range) error {
		return e.setJobRetries(ctx, tx, b, job, in)
	})
	if err == nil {
		e.Run()
	}
	return err
}

func (e *Engine) setJobRetries(ctx context.Context, tx *db.Tx, b *db.Batch, job *db.Range, in JobRetries) error {
	before, now := job.Retries, e.clock()
	job.Retries = in.Retries
	if in.SetDueDate {
		job.DueDate = in.DueDate
	}
	id := job.ID(job.First)
	switch {
	case before == 0 && in.Retries > 0:
		if err := tx.CloseJobIncidents(ctx, id, id, db.IncidentResolved, now); err != nil {
			return err
		}
	case before > 0 && in.Retries == 0:
		if err := e.openJobIncident(ctx, tx, b, job, now, nil); err != nil {
			return fmt.Errorf("open the incident of job %s: %w", id, err)
		}
		b.Failures++
		if err := tx.UpdateFailures(ctx, b); err != nil {
			return err
		}
	}
	return tx.UpdateRange(ctx, job)
}
