package engine

import (
	"context"
	"errors"

	"rearm/db"
	"rearm/impl/fault"
)

// JobDefinitions lists the job definitions that a query selects.
func (e *Engine) JobDefinitions(ctx context.Context, caller db.Caller, q Query) ([]db.JobDefinition, error) {
	f, err := e.filter(caller, db.JobDefinitions, q)
	if err != nil {
		return nil, err
	}
	list, err := e.store.JobDefinitions(ctx, f)
	return list, storeFault(err)
}

// CountJobDefinitions counts the job definitions that a query selects.
func (e *Engine) CountJobDefinitions(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.filter(caller, db.JobDefinitions, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountJobDefinitions(ctx, f)
	return n, storeFault(err)
}

// JobDefinition reads one job definition; 404 when no running batch has it (contract-facts 7).
func (e *Engine) JobDefinition(ctx context.Context, caller db.Caller, id string) (*db.JobDefinition, error) {
	none := fault.New(fault.NotFound, fault.InvalidRequest, "Job Definition with id %s does not exist", id)
	parsed, ok := db.ParseID(id)
	if !ok {
		return nil, none
	}
	d, err := e.store.JobDefinition(ctx, parsed)
	switch {
	case errors.Is(err, db.ErrNotFound), err == nil && !caller.SeesBatch(d.TenantID, d.Owner):
		return nil, none
	case err != nil:
		return nil, storeFault(err)
	}
	return d, nil
}
