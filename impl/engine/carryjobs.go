package engine

import (
	"context"
	"errors"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// carryJobRetries carries out set-job-retries: jobs of other batches get this one's retries, and its due date if it has one to
// set. Jobs whose numbers follow each other are set together, as ranges. A job that does not exist is a failure, in the
// reference's words (contract-facts 6.6).
func (e *Engine) carryJobRetries(ctx context.Context, tx *db.Tx, b *db.Batch, all *items, now db.Time) (outcomes []db.Outcome, topics []string, err error) {
	outcomes = allGone(len(all.ids))
	set := JobRetries{Retries: *b.Retries, DueDate: b.DueDate, SetDueDate: b.SetsDueDate}
	var target *db.Batch
	for _, s := range slices.Backward(db.SpansOf(slices.Clone(all.ids))) { // the youngest batch first: see carrier.locksOthers
		if target == nil || target.ID != s.Batch {
			if target, err = tx.LockBatch(ctx, s.Batch); errors.Is(err, db.ErrNotFound) {
				target = nil
				continue
			} else if err != nil {
				return nil, nil, err
			}
		}
		rows, err := e.setSpanRetries(ctx, tx, target, s, set, now)
		if err != nil {
			return nil, nil, err
		}
		for i := range rows {
			place, _ := slices.BinarySearchFunc(all.ids, rows[i].ID(rows[i].First), db.ID.Compare)
			for n := range int(rows[i].N) {
				outcomes[place+n] = db.Outcome{Previous: &rows[i].Retries}
			}
		}
	}
	if i := slices.IndexFunc(outcomes, func(o db.Outcome) bool { return o.Gone }); i >= 0 {
		return nil, nil, noSuchItem(ctx, tx, b, all.numbers[i], all.ids[i])
	}
	return outcomes, nil, nil
}

// setSpanRetries sets the retries of all jobs of a span, whose batch is locked, with what follows for their incidents. It gives
// the ranges that were there, as they were before.
func (e *Engine) setSpanRetries(ctx context.Context, tx *db.Tx, b *db.Batch, s db.Span, set JobRetries, now db.Time) ([]db.Range, error) {
	rows, err := tx.IsolateSpan(ctx, s)
	if err != nil {
		return nil, err
	}
	for i := range rows {
		if err := settleJobIncidents(ctx, tx, b, &rows[i], set.Retries, now); err != nil {
			return nil, err
		}
	}
	return rows, tx.SetSpanRetries(ctx, s, set)
}

// settleJobIncidents keeps the rule of contract-facts 10.3 for a range of jobs whose retries are about to be set: from 0 to more
// resolves their failedJob incidents, from more to 0 opens one for each. The batch is locked.
func settleJobIncidents(ctx context.Context, tx *db.Tx, b *db.Batch, r *db.Range, retries int32, now db.Time) error {
	switch {
	case r.Retries == 0 && retries > 0:
		return tx.CloseJobIncidents(ctx, r.ID(r.First), r.ID(r.First+r.N-1), db.IncidentResolved, now)
	case r.Retries == 0 || retries > 0:
		return nil
	}
	if err := tx.OpenJobIncidents(ctx, r, b.TenantID, b.Failures, now); err != nil {
		return err
	}
	b.Failures += r.N
	return tx.UpdateFailures(ctx, b)
}

// noSuchItem is the failure of an item that names no job.
func noSuchItem(ctx context.Context, tx *db.Tx, b *db.Batch, number int32, id db.ID) error {
	name, err := tx.ItemText(ctx, b.ID, number)
	if errors.Is(err, db.ErrNotFound) {
		name, err = id.String(), nil
	}
	if err != nil {
		return err
	}
	return noJob(name)
}

// noJob is the reference's error for setting the retries of a job that does not exist, with its stray quote.
func noJob(id string) error {
	return fault.New(fault.NotFound, fault.InvalidRequest, "ENGINE-13053 No job found with id '%s'.'", id)
}
