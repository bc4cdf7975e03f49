package engine

import (
	"context"
	"errors"

	"rearm/db"
	"rearm/impl/fault"
)

// Tasks lists the tasks that a query selects (contract-facts 2.2).
func (e *Engine) Tasks(ctx context.Context, caller db.Caller, q Query) ([]db.Task, error) {
	return db.Collect(func(do func(*db.Task) error) error { return e.EachTask(ctx, caller, q, do) })
}

// EachTask calls do for each of what Tasks lists, as it is read. An error of do ends it, and is given as it is.
func (e *Engine) EachTask(ctx context.Context, caller db.Caller, q Query, do func(*db.Task) error) error {
	f, err := e.comparing(caller, db.Tasks, q)
	if err != nil {
		return err
	}
	return storeFault(e.store.EachTask(ctx, f, do))
}

// CountTasks counts the tasks that a query selects.
func (e *Engine) CountTasks(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.comparing(caller, db.Tasks, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountTasks(ctx, f)
	return n, storeFault(err)
}

// TopicNames lists the topics that tasks have, each once (contract-facts 2.4).
func (e *Engine) TopicNames(ctx context.Context, caller db.Caller, flags db.TopicFlags) ([]string, error) {
	names, err := e.store.TopicNames(ctx, caller, e.clock(), flags)
	return names, storeFault(err)
}

// Task reads a task; 404 when there is none of that id (contract-facts 2.5).
func (e *Engine) Task(ctx context.Context, caller db.Caller, id string) (*db.Task, error) {
	none := fault.New(fault.NotFound, fault.Rest, "External task with id %s does not exist", id)
	parsed, ok := db.ParseID(id)
	if !ok {
		return nil, none
	}
	t, err := e.store.Task(ctx, parsed)
	if errors.Is(err, db.ErrNotFound) || err == nil && !caller.Sees(t.TenantID) {
		return nil, none
	}
	return t, storeFault(err)
}

// ErrorDetails reads the details of the last failure of a task that came with any; nil: there was none. 404 when there is no
// such task (contract-facts 2.6, difference 5).
func (e *Engine) ErrorDetails(ctx context.Context, caller db.Caller, id string) (*string, error) {
	none := fault.Coded(fault.NotFound, fault.NullValue, "No external task found with id %s: externalTask is null", id)
	t, err := e.Task(ctx, caller, id)
	if fault.KindOf(err) == fault.NotFound {
		return nil, none
	}
	if err != nil {
		return nil, err
	}
	details, err := e.store.ErrorDetails(ctx, t.ID)
	if errors.Is(err, db.ErrNotFound) {
		return nil, none
	}
	return details, storeFault(err)
}

// noTask is what every operation on one task answers when there is none of that id (contract-facts 2.15), or it is another
// tenant's. The reference says there that it is (contract-facts 1.10).
func noTask(id string) error {
	return fault.Coded(fault.NotFound, fault.Rest, "External task with id %s does not exist", id)
}

// holdTask runs f in a transaction in which nobody else can change the task. check comes first (contract-facts 2.15).
func (e *Engine) holdTask(ctx context.Context, caller db.Caller, id string, check func(*db.HeldTask) error, f func(*db.Tx, *db.HeldTask) error) error {
	parsed, ok := db.ParseID(id)
	if !ok {
		return noTask(id)
	}
	return storeFault(e.store.Tx(ctx, func(tx *db.Tx) error {
		k, err := tx.HoldTask(ctx, parsed)
		if errors.Is(err, db.ErrNotFound) || err == nil && !caller.Sees(k.TenantID) {
			return noTask(id)
		}
		if err != nil {
			return err
		}
		if err := check(k); err != nil {
			return err
		}
		return f(tx, k)
	}))
}

// anyone lets everybody change a task.
func anyone(*db.HeldTask) error { return nil }
