package engine

import (
	"context"
	"errors"

	"rearm/db"
	"rearm/impl/fault"
)

// Jobs lists the jobs that a query selects. The errors are checkJobs's, and those of the sorting.
func (e *Engine) Jobs(ctx context.Context, caller db.Caller, q Query) ([]db.Job, error) {
	return db.Collect(func(do func(*db.Job) error) error { return e.EachJob(ctx, caller, q, do) })
}

// EachJob calls do for each of what Jobs lists, as it is read. An error of do ends it, and is given as it is.
func (e *Engine) EachJob(ctx context.Context, caller db.Caller, q Query, do func(*db.Job) error) error {
	f, err := e.jobFilter(caller, q)
	if err != nil {
		return err
	}
	return storeFault(e.store.EachJob(ctx, f, do))
}

// CountJobs counts the jobs that a query selects.
func (e *Engine) CountJobs(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.jobFilter(caller, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountJobs(ctx, f)
	return n, storeFault(err)
}

func (e *Engine) jobFilter(caller db.Caller, q Query) (*db.Filter, error) {
	f, err := e.filter(caller, db.Jobs, q)
	if err != nil {
		return nil, err
	}
	return f, checkJobs(f)
}

// checkJobs refuses what a query of jobs cannot mean, with the reference's words (contract-facts 6.2): timers together with
// messages, a comparison that is neither gt nor lt, or one without a date.
func checkJobs(f *db.Filter) error {
	if f.Acts("timers") && f.Acts("messages") {
		return fault.BadRequest("Parameter timers cannot be used together with parameter messages.")
	}
	for _, field := range [...]struct{ name, words string }{{"dueDates", "due date"}, {"createTimes", "create time"}} {
		list, _ := f.Values[field.name].([]db.Comparison)
		for _, c := range list {
			if err := checkDate(field.words, c); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkDate(words string, c db.Comparison) error {
	operator := "null"
	if c.Operator != nil {
		operator = *c.Operator
	}
	if operator != "gt" && operator != "lt" {
		return fault.BadRequest("Invalid %s comparator specified: %s", words, operator)
	}
	if _, ok := c.Value.(db.Time); !ok {
		return fault.BadRequest("Invalid %s format: a comparison needs a date", words)
	}
	return nil
}

// Job reads one job; 404 when there is none of that id (contract-facts 6.3).
func (e *Engine) Job(ctx context.Context, caller db.Caller, id string) (*db.Job, error) {
	return e.job(ctx, caller, id, fault.New(fault.NotFound, fault.InvalidRequest, "Job with id %s does not exist", id))
}

// JobStacktrace gives the stack trace of a job's last failure, nil if it has none; 404 when there is no such job.
func (e *Engine) JobStacktrace(ctx context.Context, caller db.Caller, id string) (*string, error) {
	j, err := e.job(ctx, caller, id, fault.New(fault.NotFound, fault.InvalidRequest, "No job found with id %s: job is null", id))
	if err != nil {
		return nil, err
	}
	return j.Stacktrace, nil
}

// job reads one job; none when it does not exist or is not the caller's.
func (e *Engine) job(ctx context.Context, caller db.Caller, id string, none error) (*db.Job, error) {
	parsed, ok := db.ParseID(id)
	if !ok {
		return nil, none
	}
	j, err := e.store.Job(ctx, parsed)
	switch {
	case errors.Is(err, db.ErrNotFound), err == nil && !caller.SeesBatch(j.TenantID, j.Owner):
		return nil, none
	case err != nil:
		return nil, storeFault(err)
	}
	return j, nil
}
