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
	d := Deed{What: JobExecuted, N: 1, IDs: []db.ID{parsed}}
	err := e.changeJob(ctx, caller, parsed, none, func(tx *db.Tx, b *db.Batch, job *db.Range) error {
		d.Batch, d.Tally = b, &Tally{}
		topics, failed = e.runByHand(ctx, tx, b, job, d.Tally)
		return failed
	})
	if failed != nil && ctx.Err() == nil && !errors.Is(failed, db.ErrUnavailable) && !errors.Is(failed, db.ErrAgain) {
		tally, err := e.failJob(ctx, parsed, failed)
		if err != nil {
			return storeFault(err)
		}
		d.Tally = &tally
		e.Did(ctx, d)
		return fault.New(fault.NotFound, fault.InvalidRequest, "%s", visibleMessage(failed))
	}
	if err == nil {
		e.Wake(topics)
		e.Run()
		e.Did(ctx, d)
	}
	return err
}

func (e *Engine) runByHand(ctx context.Context, tx *db.Tx, b *db.Batch, job *db.Range, t *Tally) (topics []string, err error) {
	now := e.clock()
	switch job.Kind {
	case db.SeedJob:
		return nil, e.seed(ctx, tx, b, job, 1, now)
	case db.MonitorJob:
		t.Ended, err = e.monitor(ctx, tx, b, job, now)
		return nil, err
	}
	if err := tx.DeleteRange(ctx, job); err != nil {
		return nil, err
	}
	topics, _, err = e.execute(ctx, tx, b, []db.Range{*job}, now, t)
	return topics, err
}
