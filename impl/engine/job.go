package engine

import (
	"context"
	"errors"

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
	topics, _, err := e.execute(ctx, tx, b, []db.Range{*job}, now)
	return topics, err
}
