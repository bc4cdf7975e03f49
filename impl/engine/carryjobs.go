package engine

import (
	"context"
	"errors"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// heldJobs are the jobs of a span, alone in their ranges, their batch locked.
type heldJobs struct {
	batch *db.Batch
	span  db.Span
	rows  []db.Range // those that are there
}

// holdJobs locks the jobs that items name, and their batches from the youngest to the oldest (carrier.locksOthers). there says of
// each item whether its job is there.
func holdJobs(ctx context.Context, tx *db.Tx, ids []db.ID) (held []heldJobs, there []bool, err error) {
	there = make([]bool, len(ids))
	var b *db.Batch
	for _, s := range slices.Backward(db.SpansOf(slices.Clone(ids))) {
		if b == nil || b.ID != s.Batch {
			if b, err = tx.LockBatch(ctx, s.Batch); errors.Is(err, db.ErrNotFound) {
				b = nil
				continue
			} else if err != nil {
				return nil, nil, err
			}
		}
		rows, err := tx.IsolateSpan(ctx, s)
		if err != nil {
			return nil, nil, err
		}
		for i := range rows {
			place, _ := slices.BinarySearchFunc(ids, rows[i].ID(rows[i].First), db.ID.Compare)
			for n := range int(rows[i].N) {
				there[place+n] = true
			}
		}
		held = append(held, heldJobs{b, s, rows})
	}
	return held, there, nil
}

// carryJobRetries carries out set-job-retries: jobs of other batches get this one's retries, and its due date if it has one to
// set. Jobs whose numbers follow each other are set together, as ranges. A job that does not exist is a failure, in the
// reference's words (contract-facts 6.6).
func (e *Engine) carryJobRetries(ctx context.Context, tx *db.Tx, b *db.Batch, all *items, now db.Time) (outcomes []db.Outcome, topics []string, err error) {
	held, there, err := holdJobs(ctx, tx, all.ids)
	if err != nil {
		return nil, nil, err
	}
	if i := slices.Index(there, false); i >= 0 {
		return nil, nil, noSuchItem(ctx, tx, b, all, i)
	}
	outcomes = make([]db.Outcome, len(all.ids))
	set := JobRetries{Retries: *b.Retries, DueDate: b.DueDate, SetDueDate: b.SetsDueDate}
	for _, h := range held {
		if err := setSpanRetries(ctx, tx, h, set, now); err != nil {
			return nil, nil, err
		}
		place, _ := slices.BinarySearchFunc(all.ids, h.span.ID(h.span.Lo), db.ID.Compare)
		for i := range h.rows {
			for range h.rows[i].N {
				outcomes[place].Previous = &h.rows[i].Retries
				place++
			}
		}
	}
	return outcomes, nil, nil
}

// missingJobs says of the items whose job does not exist what that failure is called; nil for all others.
func (e *Engine) missingJobs(ctx context.Context, tx *db.Tx, b *db.Batch, all *items) ([]error, error) {
	_, there, err := holdJobs(ctx, tx, all.ids)
	if err != nil {
		return nil, err
	}
	causes := make([]error, len(there))
	for i := range there {
		if !there[i] {
			causes[i] = noSuchItem(ctx, tx, b, all, i)
		}
	}
	return causes, nil
}

// setSpanRetries sets the retries of jobs that are held, with what follows for their incidents.
func setSpanRetries(ctx context.Context, tx *db.Tx, h heldJobs, set JobRetries, now db.Time) error {
	for i := range h.rows {
		if err := settleJobIncidents(ctx, tx, h.batch, &h.rows[i], set.Retries, now); err != nil {
			return err
		}
	}
	return tx.SetSpanRetries(ctx, h.span, set)
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
	if err := tx.OpenJobIncidents(ctx, b, r, now); err != nil {
		return err
	}
	b.Failures += r.N
	return tx.UpdateFailures(ctx, b)
}

// noSuchItem is the failure of an item that names no job.
func noSuchItem(ctx context.Context, tx *db.Tx, b *db.Batch, all *items, i int) error {
	name := all.ids[i].String()
	if all.ids[i] == db.NilID {
		text, err := tx.ItemText(ctx, b.ID, all.numbers[i])
		if err != nil && !errors.Is(err, db.ErrNotFound) {
			return err
		}
		if err == nil {
			name = text
		}
	}
	return noJob(name)
}

// noJob is the reference's error for setting the retries of a job that does not exist, with its stray quote.
func noJob(id string) error {
	return fault.New(fault.NotFound, fault.InvalidRequest, "ENGINE-13053 No job found with id '%s'.'", id)
}
