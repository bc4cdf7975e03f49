package db

import "context"

const updateRange = `update job set retries = ?, priority = ?, suspended = ?, due_date = ?, exception_message = ?, stacktrace = ?
 where batch_id = ? and kind = ? and first = ?`

// UpdateRange writes all that can change of a range.
func (t *Tx) UpdateRange(ctx context.Context, r *Range) error {
	_, err := t.exec(ctx, updateRange, r.Retries, r.Priority, r.Suspended, r.DueDate, r.ExceptionMessage, r.Stacktrace, r.BatchID, r.Kind, r.First)
	return err
}

// RetriesAndDue is what is set on jobs; the due date only if SetDueDate, nil then clears it.
type RetriesAndDue struct {
	Retries    int32
	DueDate    *Time
	SetDueDate bool
}

const setJobRetries = `update job set retries = ?, due_date = case when cast(? as boolean) then cast(? as bigint) else due_date end where batch_id = ? and kind = ?`

// SetSpanRetries sets the retries of all jobs of a span, which must have ranges of their own (IsolateSpan).
func (t *Tx) SetSpanRetries(ctx context.Context, s Span, set RetriesAndDue) error {
	_, err := t.exec(ctx, setJobRetries+" and first between ? and ?", set.Retries, set.SetDueDate, set.DueDate, s.Batch, s.Kind, s.Lo, s.Hi)
	return err
}

// SetFailedRetries sets the retries of those jobs of a kind that have none left. The batch must be locked.
func (t *Tx) SetFailedRetries(ctx context.Context, batch ID, kind JobKind, set RetriesAndDue) error {
	_, err := t.exec(ctx, setJobRetries+" and retries = 0", set.Retries, set.SetDueDate, set.DueDate, batch, kind)
	return err
}

// SuspendJobs suspends or activates all jobs of a batch; of one kind if kind is not 0. The batch must be locked.
func (t *Tx) SuspendJobs(ctx context.Context, batch ID, kind JobKind, suspended bool) error {
	from, to := kind, kind
	if kind == 0 {
		from, to = ExecutionJob, MonitorJob
	}
	_, err := t.exec(ctx, "update job set suspended = ? where batch_id = ? and kind between ? and ? and suspended <> ?", suspended, batch, from, to, suspended)
	return err
}

// PrioritizeJobs sets the priority of all jobs of a kind. The batch must be locked.
func (t *Tx) PrioritizeJobs(ctx context.Context, batch ID, kind JobKind, priority int64) error {
	_, err := t.exec(ctx, "update job set priority = ? where batch_id = ? and kind = ? and priority <> ?", priority, batch, kind, priority)
	return err
}
