package engine

import (
	"context"
	"fmt"
	"slices"

	"rearm/db"
)

// carryTaskRetries carries out set-external-task-retries: tasks get the batch's retries. A task that is not there any more is
// gone, and no failure (difference 3).
func (e *Engine) carryTaskRetries(ctx context.Context, tx *db.Tx, b *db.Batch, all *items, _ db.Time) (outcomes []db.Outcome, topics []string, err error) {
	done, topics, err := tx.SetRetries(ctx, all.ids, db.SetBy{Retries: *b.Retries, Mark: b.Mark})
	if err != nil {
		return nil, nil, fmt.Errorf("set the retries of %d tasks: %w", len(all.ids), err)
	}
	now := e.clock() // workers may have had some of the tasks until now, and opened incidents
	if err := e.settleIncidents(ctx, tx, b, all, done, now); err != nil {
		return nil, nil, err
	}
	outcomes = allGone(len(all.ids))
	for _, d := range done {
		outcomes[d.Place] = db.Outcome{Previous: d.Previous}
	}
	if *b.Retries == 0 {
		topics = nil
	}
	return outcomes, topics, nil
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
