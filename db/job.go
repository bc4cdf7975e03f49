package db

import (
	"context"
	"errors"
	"slices"
	"strings"
)

// Range is a row of the table job: N jobs of a batch that are alike, with consecutive numbers. A job that differs from its
// neighbours is a range of one. What is not in the table is done, deleted or not yet made.
type Range struct {
	BatchID          ID      `db:"batch_id"`
	Kind             JobKind `db:"kind"`
	First            int32   `db:"first"`
	N                int32   `db:"n"`
	Retries          int32   `db:"retries"`
	Priority         int64   `db:"priority"`
	Suspended        bool    `db:"suspended"`
	DueDate          *Time   `db:"due_date"`
	CreateTime       Time    `db:"create_time"`
	LockExpiration   *Time   `db:"lock_expiration"`
	ExceptionMessage *string `db:"exception_message"`
	FailedActivityID *string `db:"failed_activity_id"`
	Stacktrace       *string `db:"stacktrace"`
}

// ID gives the id of the range's job with a number.
func (r *Range) ID(number int32) ID {
	return r.BatchID.Sub(byte(r.Kind), uint32(number)) //nolint:gosec // numbers are never negative
}

const rangeColumns = `j.batch_id, j.kind, j.first, j.n, j.retries, j.priority, j.suspended, j.due_date, j.create_time, j.lock_expiration,
 j.exception_message, j.failed_activity_id, j.stacktrace`

const runnable = "j.retries > 0 and not j.suspended and (j.due_date is null or j.due_date <= ?)"

const insertRange = `insert into job (batch_id, kind, first, n, retries, priority, suspended, due_date, create_time, lock_expiration,
 exception_message, failed_activity_id, stacktrace) values `

const rangeValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

// rangesPerInsert keeps a statement below the databases' number of parameters.
const rangesPerInsert = 500

// InsertRanges writes new ranges. The batch must be locked.
func (t *Tx) InsertRanges(ctx context.Context, ranges ...Range) error {
	for part := range slices.Chunk(ranges, rangesPerInsert) {
		args := make([]any, 0, 13*len(part))
		for _, r := range part {
			args = append(args, r.BatchID, r.Kind, r.First, r.N, r.Retries, r.Priority, r.Suspended, r.DueDate, r.CreateTime, r.LockExpiration,
				r.ExceptionMessage, r.FailedActivityID, r.Stacktrace)
		}
		if _, err := t.exec(ctx, insertRange+strings.Repeat(rangeValues+", ", len(part)-1)+rangeValues, args...); err != nil {
			return err
		}
	}
	return nil
}

const firstRunnable = "select " + rangeColumns + " from job j where j.batch_id = ? and j.kind = ? and " + runnable + " order by j.first limit 1 {skip}"

const nextRunnable = "select " + rangeColumns + " from job j where j.batch_id = ? and j.kind = 1 and j.first > ? and " + runnable + " order by j.first limit 100 {skip}"

// ClaimJobs takes execution jobs out of the table that may run now, at most limit of them, and only those that nobody else
// has claimed. Their row locks are the claim: when the transaction ends without a commit, they are free again.
func (t *Tx) ClaimJobs(ctx context.Context, batch ID, now Time, limit int32) ([]Range, error) {
	var r Range
	switch err := t.get(ctx, &r, firstRunnable, batch, ExecutionJob, now); {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case r.N > limit:
		return t.takeFront(ctx, r, limit)
	case r.N > limit/2:
		return []Range{r}, t.DeleteRange(ctx, &r)
	}
	return t.takeMore(ctx, r, now, limit)
}

// takeFront claims the first jobs of a range; the others stay.
func (t *Tx) takeFront(ctx context.Context, r Range, n int32) ([]Range, error) {
	_, err := t.exec(ctx, "update job set first = first + ?, n = n - ? where batch_id = ? and kind = ? and first = ?", n, n, r.BatchID, r.Kind, r.First)
	r.N = n
	return []Range{r}, err
}

// takeMore claims the small ranges that follow r too, as long as all together are at most limit.
func (t *Tx) takeMore(ctx context.Context, r Range, now Time, limit int32) ([]Range, error) {
	var more []Range
	if err := t.sel(ctx, &more, nextRunnable, r.BatchID, r.First, now); err != nil {
		return nil, err
	}
	taken, n := []Range{r}, r.N
	for _, m := range more {
		if n+m.N > limit {
			break
		}
		taken, n = append(taken, m), n+m.N
	}
	return taken, t.deleteRanges(ctx, taken)
}

func (t *Tx) deleteRanges(ctx context.Context, ranges []Range) error {
	args := []any{ranges[0].BatchID, ranges[0].Kind}
	for _, r := range ranges {
		args = append(args, r.First)
	}
	_, err := t.exec(ctx, "delete from job where batch_id = ? and kind = ? and first in (?"+strings.Repeat(", ?", len(ranges)-1)+")", args...)
	return err
}

// DeleteRange takes a range out of the table; ErrNotFound when it is not there.
func (t *Tx) DeleteRange(ctx context.Context, r *Range) error {
	n, err := t.exec(ctx, "delete from job where batch_id = ? and kind = ? and first = ?", r.BatchID, r.Kind, r.First)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}

const rangeOf = "select " + rangeColumns + " from job j where j.batch_id = ? and j.kind = ? and j.first <= ? order by j.first desc limit 1"

// RangeOf reads the range that a job is in; ErrNotFound if there is no such job.
func (q Queries) RangeOf(ctx context.Context, id ID) (*Range, int32, error) {
	batch, kind, ordinal := id.Split()
	number := int32(ordinal) //nolint:gosec // one above 2^31 is negative, and then not found
	if kind < byte(ExecutionJob) || kind > byte(MonitorJob) || number < 0 {
		return nil, 0, ErrNotFound
	}
	var r Range
	if err := q.get(ctx, &r, rangeOf, batch, kind, number); err != nil {
		return nil, 0, err
	}
	if number >= r.First+r.N {
		return nil, 0, ErrNotFound
	}
	return &r, number, nil
}

// Isolate makes a range of one of a job, so that it may differ, and gives it. The batch must be locked; ErrNotFound if the
// job is not there, or is being run by somebody else at this moment.
func (t *Tx) Isolate(ctx context.Context, id ID) (*Range, error) {
	found, number, err := t.RangeOf(ctx, id)
	if err != nil {
		return nil, err
	}
	// Whoever runs a part of this range now may take it away: read it again under its lock.
	var r Range
	if err := t.get(ctx, &r, "select "+rangeColumns+" from job j where j.batch_id = ? and j.kind = ? and j.first = ? {lock}", found.BatchID, found.Kind, found.First); errors.Is(err, ErrNotFound) {
		return t.Isolate(ctx, id) // it changed meanwhile; each round finds fewer jobs
	} else if err != nil {
		return nil, err
	}
	if r.N == 1 {
		return &r, nil
	}
	if number >= r.First+r.N {
		return t.Isolate(ctx, id)
	}
	return t.split(ctx, r, number)
}

// split cuts a range into the jobs before one, the one, and the jobs behind it.
func (t *Tx) split(ctx context.Context, r Range, number int32) (*Range, error) {
	one, behind := r, r
	one.First, one.N = number, 1
	behind.First, behind.N = number+1, r.First+r.N-1-number
	front := number - r.First
	var rest []Range
	if front > 0 {
		if _, err := t.exec(ctx, "update job set n = ? where batch_id = ? and kind = ? and first = ?", front, r.BatchID, r.Kind, r.First); err != nil {
			return nil, err
		}
		rest = append(rest, one)
	} else if _, err := t.exec(ctx, "update job set n = 1 where batch_id = ? and kind = ? and first = ?", r.BatchID, r.Kind, r.First); err != nil {
		return nil, err
	}
	if behind.N > 0 {
		rest = append(rest, behind)
	}
	return &one, t.InsertRanges(ctx, rest...)
}

const updateRange = `update job set retries = ?, priority = ?, suspended = ?, due_date = ?, lock_expiration = ?, exception_message = ?, failed_activity_id = ?, stacktrace = ?
 where batch_id = ? and kind = ? and first = ?`

// UpdateRange writes all that can change of a range.
func (t *Tx) UpdateRange(ctx context.Context, r *Range) error {
	_, err := t.exec(ctx, updateRange, r.Retries, r.Priority, r.Suspended, r.DueDate, r.LockExpiration, r.ExceptionMessage, r.FailedActivityID, r.Stacktrace,
		r.BatchID, r.Kind, r.First)
	return err
}

// SuspendJobs suspends or activates all jobs of a batch; of one kind if kind is not 0.
func (t *Tx) SuspendJobs(ctx context.Context, batch ID, kind JobKind, suspended bool) error {
	_, err := t.exec(ctx, "update job set suspended = ? where batch_id = ? and kind between ? and ? and suspended <> ?", suspended, batch,
		max(kind, ExecutionJob), cmpKind(kind), suspended)
	return err
}

func cmpKind(kind JobKind) JobKind {
	if kind == 0 {
		return MonitorJob
	}
	return kind
}

// FirstJob reads the seed or the monitor job of a batch, in the state in which it may run now or not; ErrNotFound if it is
// not there.
func (q Queries) FirstJob(ctx context.Context, batch ID, kind JobKind) (*Range, error) {
	var r Range
	return &r, q.get(ctx, &r, "select "+rangeColumns+" from job j where j.batch_id = ? and j.kind = ? order by j.first limit 1", batch, kind)
}

// HasExecutionJobs tells whether an execution job of a batch is there. What somebody else is running counts as there.
func (q Queries) HasExecutionJobs(ctx context.Context, batch ID) (has bool, err error) {
	return has, q.get(ctx, &has, "select exists (select 1 from job where batch_id = ? and kind = 1)", batch)
}

// A batch needs the executor when a job of it may run, when its seed or monitor job was deleted by somebody, or when its last
// execution job is gone and the monitor does not know yet.
const batchesToRun = `select b.id from batch b where exists (select 1 from job j where j.batch_id = b.id and ` + runnable + `)
 or (b.jobs_created < b.total_jobs and not exists (select 1 from job j where j.batch_id = b.id and j.kind = 2))
 or (b.jobs_created >= b.total_jobs and not exists (select 1 from job j where j.batch_id = b.id and (j.kind = 3 and j.suspended or j.kind = 1))) order by b.id`

// BatchesToRun lists the batches that need the executor now.
func (q Queries) BatchesToRun(ctx context.Context, now Time) ([]ID, error) {
	var ids []ID
	return ids, q.sel(ctx, &ids, batchesToRun, now)
}

// NextDue gives the earliest due date of a job that will be able to run then; nil if there is none.
func (q Queries) NextDue(ctx context.Context) (*Time, error) {
	var due *Time
	return due, q.get(ctx, &due, "select min(due_date) from job where retries > 0 and not suspended and due_date is not null")
}
