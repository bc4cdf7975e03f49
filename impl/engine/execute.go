package engine

import (
	"context"
	"fmt"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// The types of batches (contract-facts 3.6).
const (
	SetExternalTaskRetries = "set-external-task-retries"
)

// execute carries out execution jobs of a batch that this transaction has claimed, all in one: the items, their incidents and
// what the log says of them. It gives the topics on which tasks have become fetchable.
func (e *Engine) execute(ctx context.Context, tx *db.Tx, b *db.Batch, claimed []db.Range, now db.Time) (topics []string, err error) {
	if b.Type != SetExternalTaskRetries || b.Retries == nil {
		return nil, fault.Coded(fault.Internal, fault.ProcessEngine, "Nothing carries out batches of the type '%s'", b.Type)
	}
	items, err := itemsOf(ctx, tx, b, claimed)
	if err != nil {
		return nil, err
	}
	done, topics, err := tx.SetRetries(ctx, items.ids, db.SetBy{Retries: *b.Retries, Mark: b.Mark})
	if err != nil {
		return nil, fmt.Errorf("set the retries of %d tasks: %w", len(items.ids), err)
	}
	if err := e.settleIncidents(ctx, tx, b, items, done, now); err != nil {
		return nil, err
	}
	if err := tx.InsertLog(ctx, e.successLog(b, claimed, items, done, now)...); err != nil {
		return nil, err
	}
	if b.ExecutionStartTime == nil {
		err = tx.StartExecution(ctx, b.ID, now)
	}
	if *b.Retries == 0 {
		topics = nil
	}
	return topics, err
}

// items are the items of claimed jobs, in order.
type items struct {
	ids     []db.ID
	numbers []int32 // their places in the batch
	lengths []int   // how many belong to each of the claimed ranges
}

// itemsOf reads the items of claimed ranges. A range never crosses a chunk; neighbours often share one.
func itemsOf(ctx context.Context, tx *db.Tx, b *db.Batch, claimed []db.Range) (*items, error) {
	all := &items{}
	var chunk []db.ID
	read := int32(-1)
	for _, r := range claimed {
		no := r.First / b.JobsPerChunk
		if no != read {
			var err error
			if chunk, err = tx.Chunk(ctx, b.ID, no); err != nil {
				return nil, err
			}
			read = no
		}
		start := (r.First - no*b.JobsPerChunk) * b.ItemsPerJob
		end := min(start+r.N*b.ItemsPerJob, int32(len(chunk))) //nolint:gosec // a chunk has at most a few thousand items
		all.ids = append(all.ids, chunk[start:end]...)
		for i := start; i < end; i++ {
			all.numbers = append(all.numbers, no*b.JobsPerChunk*b.ItemsPerJob+i)
		}
		all.lengths = append(all.lengths, int(end-start))
	}
	return all, nil
}

// settleIncidents keeps the rule of contract-facts 10.4: from 0 retries to more resolves the task's incident; from "left" (null
// or more than 0) to 0 opens one. It is a statement of its own, behind the one that set the retries: in one statement a
// worker that fails a task meanwhile would leave an orphan.
func (e *Engine) settleIncidents(ctx context.Context, tx *db.Tx, b *db.Batch, all *items, done []db.WasSet, now db.Time) error {
	var tasks, incidents []db.ID
	for _, d := range done {
		none := d.Previous != nil && *d.Previous == 0
		switch {
		case *b.Retries > 0 && none:
			tasks = append(tasks, all.ids[d.Place])
		case *b.Retries == 0 && !none:
			tasks = append(tasks, all.ids[d.Place])
			incidents = append(incidents, b.ID.Sub(db.SubTaskIncident, uint32(all.numbers[d.Place]))) //nolint:gosec // not negative
		}
	}
	switch {
	case len(tasks) == 0:
		return nil
	case *b.Retries == 0:
		return tx.OpenTaskIncidents(ctx, tasks, incidents, now)
	}
	slices.SortFunc(tasks, db.ID.Compare)
	return tx.ResolveTaskIncidents(ctx, tasks, now)
}

// successLog gives the log row of each claimed range, with the outcomes of its items.
func (e *Engine) successLog(b *db.Batch, claimed []db.Range, all *items, done []db.WasSet, now db.Time) []db.LogRange {
	outcomes := make([]db.Outcome, len(all.ids))
	for i := range outcomes {
		outcomes[i].Gone = true
	}
	for _, d := range done {
		outcomes[d.Place] = db.Outcome{Previous: d.Previous}
	}
	rows := make([]db.LogRange, len(claimed))
	for i := range claimed {
		rows[i] = db.LogOf(&claimed[i], db.JobSucceeded, now, e.NodeName)
		part := outcomes[:all.lengths[i]]
		outcomes = outcomes[all.lengths[i]:]
		rows[i].Outcome = db.EncodeOutcomes(part)
		for _, o := range part {
			switch {
			case o.Gone:
				rows[i].Gone++
			case o.Previous != nil && *o.Previous == *b.Retries:
				rows[i].Same++
			default:
				rows[i].Set++
			}
		}
	}
	return rows
}
