package engine

import (
	"context"
	"errors"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// JobLog lists the entries of the job log that a query selects. The errors are checkJobLog's, and those of the sorting.
func (e *Engine) JobLog(ctx context.Context, caller db.Caller, q Query) ([]db.LogEntry, error) {
	return db.Collect(func(do func(*db.LogEntry) error) error { return e.EachLogEntry(ctx, caller, q, do) })
}

// EachLogEntry calls do for each of what JobLog lists, as it is read. An error of do ends it, and is given as it is.
func (e *Engine) EachLogEntry(ctx context.Context, caller db.Caller, q Query, do func(*db.LogEntry) error) error {
	f, err := e.jobLogFilter(caller, q)
	if err != nil {
		return err
	}
	return storeFault(e.store.EachLogEntry(ctx, f, do))
}

// CountJobLog counts the entries that a query selects.
func (e *Engine) CountJobLog(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.jobLogFilter(caller, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountJobLog(ctx, f)
	return n, storeFault(err)
}

func (e *Engine) jobLogFilter(caller db.Caller, q Query) (*db.Filter, error) {
	f, err := e.filter(caller, db.JobLog, q)
	if err != nil {
		return nil, err
	}
	return f, checkJobLog(f)
}

// checkJobLog refuses an empty text in a list of ids, with the reference's words (contract-facts 8.2).
func checkJobLog(f *db.Filter) error {
	for _, field := range [...]struct{ name, words string }{
		{"activityIdIn", "activityIds"}, {"failedActivityIdIn", "activityIds"}, {"executionIdIn", "executionIds"},
	} {
		if list, _ := f.Values[field.name].([]string); slices.Contains(list, "") {
			return fault.Coded(fault.Invalid, fault.NotValid, "%s contains empty string", field.words)
		}
	}
	return nil
}

// JobLogEntry reads one entry; 404 when there is none of that id.
func (e *Engine) JobLogEntry(ctx context.Context, caller db.Caller, id string) (*db.LogEntry, error) {
	return e.logEntry(ctx, caller, id, fault.New(fault.NotFound, fault.InvalidRequest, "Historic job log with id %s does not exist", id))
}

// JobLogStacktrace gives the stack trace of the failure that an entry tells of, nil if it tells of none; 404 when there is no
// such entry.
func (e *Engine) JobLogStacktrace(ctx context.Context, caller db.Caller, id string) (*string, error) {
	l, err := e.logEntry(ctx, caller, id, fault.New(fault.NotFound, fault.InvalidRequest, "No historic job log found with id %s: historicJobLog is null", id))
	if err != nil {
		return nil, err
	}
	return l.Stacktrace, nil
}

// logEntry reads one entry; none when it does not exist or is not the caller's.
func (e *Engine) logEntry(ctx context.Context, caller db.Caller, id string, none error) (*db.LogEntry, error) {
	parsed, ok := db.ParseID(id)
	if !ok {
		return nil, none
	}
	l, err := e.store.LogEntry(ctx, parsed)
	switch {
	case errors.Is(err, db.ErrNotFound), err == nil && !caller.SeesBatch(l.TenantID, l.Owner):
		return nil, none
	case err != nil:
		return nil, storeFault(err)
	}
	return l, nil
}
