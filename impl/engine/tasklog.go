package engine

import (
	"context"
	"errors"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// TaskLog lists the entries of the task log that a query selects (contract-facts 8.1). The errors are those of checkTaskLog, and
// those of the sorting.
func (e *Engine) TaskLog(ctx context.Context, caller db.Caller, q Query) ([]db.TaskEntry, error) {
	return db.Collect(func(do func(*db.TaskEntry) error) error { return e.EachTaskEntry(ctx, caller, q, do) })
}

// EachTaskEntry calls do for each of what TaskLog lists, as it is read. An error of do ends it, and is given as it is.
func (e *Engine) EachTaskEntry(ctx context.Context, caller db.Caller, q Query, do func(*db.TaskEntry) error) error {
	f, err := e.taskLogFilter(caller, q)
	if err != nil {
		return err
	}
	return storeFault(e.store.EachTaskEntry(ctx, f, do))
}

// CountTaskLog counts the entries of the task log that a query selects.
func (e *Engine) CountTaskLog(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.taskLogFilter(caller, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountTaskLog(ctx, f)
	return n, storeFault(err)
}

func (e *Engine) taskLogFilter(caller db.Caller, q Query) (*db.Filter, error) {
	f, err := e.filter(caller, db.TaskLog, q)
	if err != nil {
		return nil, err
	}
	return f, checkTaskLog(f)
}

// checkTaskLog refuses an empty text in those lists in which the reference does; tenants are no such list.
func checkTaskLog(f *db.Filter) error {
	for _, list := range [...]struct{ name, words string }{
		{"activityIdIn", "activityIds"}, {"activityInstanceIdIn", "activityInstanceIds"}, {"executionIdIn", "executionIds"},
	} {
		if texts, _ := f.Values[list.name].([]string); slices.Contains(texts, "") {
			return fault.Coded(fault.Invalid, fault.NotValid, "%s contains empty string", list.words)
		}
	}
	return nil
}

// TaskEntry reads an entry of the task log; 404 when there is none of that id.
func (e *Engine) TaskEntry(ctx context.Context, caller db.Caller, id string) (*db.TaskEntry, error) {
	return e.taskEntry(ctx, caller, id, fault.New(fault.NotFound, fault.InvalidRequest, "Historic external task log with id %s does not exist", id))
}

// TaskEntryDetails reads the error details of an entry of the task log; nil: it has none. 404 when there is no such entry.
func (e *Engine) TaskEntryDetails(ctx context.Context, caller db.Caller, id string) (*string, error) {
	none := fault.New(fault.NotFound, fault.InvalidRequest, "No historic external task log found with id %s: historicExternalTaskLog is null", id)
	l, err := e.taskEntry(ctx, caller, id, none)
	if err != nil {
		return nil, err
	}
	details, err := e.store.TaskEntryDetails(ctx, l.ID)
	if errors.Is(err, db.ErrNotFound) {
		return nil, none
	}
	return details, storeFault(err)
}

// taskEntry reads an entry that the caller may see; none when there is none of that id.
func (e *Engine) taskEntry(ctx context.Context, caller db.Caller, id string, none error) (*db.TaskEntry, error) {
	parsed, ok := db.ParseID(id)
	if !ok {
		return nil, none
	}
	l, err := e.store.TaskEntry(ctx, parsed)
	switch {
	case errors.Is(err, db.ErrNotFound), err == nil && !caller.Sees(l.TenantID):
		return nil, none
	case err != nil:
		return nil, storeFault(err)
	}
	return l, nil
}
