package engine

import (
	"context"
	"fmt"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// negativeRetries is in the words of the reference, for one task and for many.
const negativeRetries = "The number of retries cannot be negative: retries is not greater than or equal to 0"

// SetTaskRetries sets the retries of one task (contract-facts 2.13).
func (e *Engine) SetTaskRetries(ctx context.Context, caller db.Caller, id string, retries int32) error {
	if retries < 0 {
		return fault.Coded(fault.Invalid, fault.BadUserRequest, negativeRetries)
	}
	var topics []string
	err := e.holdTask(ctx, caller, id, anyone, func(tx *db.Tx, k *db.HeldTask) (err error) {
		_, topics, err = e.setAttempts(ctx, tx, []db.ID{k.ID}, retries)
		return err
	})
	if err == nil && len(topics) > 0 {
		e.Wake(topics)
	}
	return err
}

// SetRetries is the setting of the retries of many tasks at once.
type SetRetries struct {
	Retries int32
	Selection
}

// SetRetries sets the retries of all selected tasks, or of none, in one transaction (contract-facts 2.16).
func (e *Engine) SetRetries(ctx context.Context, caller db.Caller, in SetRetries) error {
	if in.Retries < 0 {
		return fault.BadRequest(negativeRetries)
	}
	var topics []string
	var d Deed
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		topics = nil
		ids, _, err := e.selectTasks(ctx, tx.Queries, caller, in.Selection, firstMissing)
		if err != nil {
			return err
		}
		there, more, err := e.setAttempts(ctx, tx, ids, in.Retries)
		if err != nil {
			return err
		}
		topics, d = more, Deed{N: there, IDs: ids[:min(len(ids), fewIDs)]}
		return in.gone(ids, there)
	})
	if err == nil {
		e.Did(ctx, d)
	}
	if err == nil && len(topics) > 0 {
		e.Wake(topics)
	}
	return storeFault(err)
}

// gone refuses when a task that was selected by its id has ended meanwhile.
func (in *SetRetries) gone(ids []db.ID, there int) error {
	if there == len(ids) || in.SkipMissing || in.IDs.Len() == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d tasks ended while they were selected", db.ErrAgain, len(ids)-there, len(ids))
}

// setAttempts sets the retries of tasks, sorted, and keeps the rule of contract-facts 10.4: from 0 to more resolves the incident,
// from "left" to 0 opens one. It gives how many tasks were there, and the topics on which some can be fetched again. Chunks
// bound what one statement does.
func (e *Engine) setAttempts(ctx context.Context, tx *db.Tx, ids []db.ID, retries int32) (there int, topics []string, err error) {
	for part := range slices.Chunk(ids, incidentsAtOnce) {
		before, err := tx.HoldAttempts(ctx, part)
		if err != nil {
			return 0, nil, err
		}
		now := e.clock() // workers may have had some of the tasks until now, and opened incidents
		if err := tx.SetAttempts(ctx, part, retries); err != nil {
			return 0, nil, err
		}
		there += len(before)
		raised, lowered := changed(before, retries)
		if err := tx.ResolveTaskIncidents(ctx, idsOf(raised), now); err != nil {
			return 0, nil, err
		}
		incidents := make([]db.ID, len(lowered))
		for i := range incidents {
			incidents[i] = e.NewID()
		}
		if err := tx.OpenTaskIncidents(ctx, idsOf(lowered), incidents, now); err != nil {
			return 0, nil, err
		}
		for _, a := range raised {
			if !slices.Contains(topics, a.TopicName) {
				topics = append(topics, a.TopicName)
			}
		}
	}
	return there, topics, nil
}

// changed gives the tasks that can be tried again by new retries, and those that no longer can.
func changed(before []db.Attempts, retries int32) (raised, lowered []db.Attempts) {
	for _, a := range before {
		switch left := db.Left(a.Retries); {
		case !left && retries > 0:
			raised = append(raised, a)
		case left && retries == 0:
			lowered = append(lowered, a)
		}
	}
	return raised, lowered
}

func idsOf(list []db.Attempts) []db.ID {
	ids := make([]db.ID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	return ids
}
