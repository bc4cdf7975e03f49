package engine

import (
	"context"
	"errors"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// Scope reads a scope (the reference's process instance) that has not ended; 404 when there is none of that id.
func (e *Engine) Scope(ctx context.Context, caller db.Caller, id string) (*db.Scope, error) {
	c, err := e.store.Scope(ctx, id)
	if errors.Is(err, db.ErrNotFound) || err == nil && (c.EndTime != nil || !caller.Sees(c.TenantID)) {
		return nil, fault.New(fault.NotFound, fault.InvalidRequest, "Process instance with id %s does not exist", id)
	}
	return c, storeFault(err)
}

// CancelScope ends a scope with all its tasks: they leave a deletion in the task log, their incidents are deleted, and an item
// of a running batch finds them gone. 404 when there is none of that id, or it has ended.
func (e *Engine) CancelScope(ctx context.Context, caller db.Caller, id string) error {
	none := fault.Coded(fault.NotFound, fault.InvalidRequest, "No process instance found for id '%s': processInstance is null", id)
	var gone []db.ID
	err := e.changeScope(ctx, caller, id, none, func(tx *db.Tx) error {
		tasks, err := tx.HoldTasksOf(ctx, id)
		if err != nil {
			return err
		}
		now := e.clock()
		gone = make([]db.ID, len(tasks))
		for i := range tasks {
			gone[i] = tasks[i].ID
		}
		for part := range slices.Chunk(tasks, incidentsAtOnce) {
			logIDs := make([]db.ID, len(part))
			for i := range logIDs {
				logIDs[i] = e.NewID()
			}
			if err := tx.CancelTasks(ctx, part, logIDs, now); err != nil {
				return err
			}
		}
		return tx.CancelScope(ctx, id, now, e.scopeRemoval(now))
	})
	if err == nil {
		e.did(ctx, TasksDeleted, gone...)
	}
	return err
}

// CancelScopeIfThere is CancelScope for those who do not mind when there is none of that id.
func (e *Engine) CancelScopeIfThere(ctx context.Context, caller db.Caller, id string) error {
	err := e.CancelScope(ctx, caller, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}

// SuspendScope suspends or activates all tasks of a scope, also those that are yet to come. 404 when there is none of that id, or
// it has ended (difference 5).
func (e *Engine) SuspendScope(ctx context.Context, caller db.Caller, id string, suspend bool) error {
	none := fault.New(fault.NotFound, fault.InvalidRequest, "Process instance with id %s does not exist", id)
	var topics []string
	err := e.changeScope(ctx, caller, id, none, func(tx *db.Tx) (err error) {
		topics, err = tx.SuspendScope(ctx, id, suspend)
		return err
	})
	if err == nil && !suspend && len(topics) > 0 {
		e.Wake(topics)
	}
	return err
}

// changeScope runs f in a transaction in which nobody else can change the scope or its tasks. The tasks are locked before the
// scope, as when a worker ends one of them, so that the two do not wait for each other. What is not the caller's is not locked,
// since workers pass over tasks that are.
func (e *Engine) changeScope(ctx context.Context, caller db.Caller, id string, none error, f func(*db.Tx) error) error {
	return storeFault(e.store.Tx(ctx, func(tx *db.Tx) error {
		if caller.Tenants != nil {
			if c, err := tx.Scope(ctx, id); err == nil && !caller.Sees(c.TenantID) {
				return none
			}
		}
		if _, err := tx.HoldTasksOf(ctx, id); err != nil {
			return err
		}
		c, err := tx.LockScope(ctx, id)
		switch {
		case errors.Is(err, db.ErrNotFound), err == nil && !caller.Sees(c.TenantID):
			return none
		case err != nil:
			return err
		}
		return f(tx)
	}))
}
