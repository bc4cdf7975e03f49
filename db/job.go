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
	ExceptionMessage *string `db:"exception_message"`
	Stacktrace       *string `db:"stacktrace"`
}

// ID gives the id of the range's job with a number.
func (r *Range) ID(number int32) ID {
	return r.BatchID.Sub(byte(r.Kind), uint32(number)) //nolint:gosec // numbers are never negative
}

const rangeColumns = `j.batch_id, j.kind, j.first, j.n, j.retries, j.priority, j.suspended, j.due_date, j.create_time,
 j.exception_message, j.stacktrace`

const runnable = "j.retries > 0 and not j.suspended and (j.due_date is null or j.due_date <= ?)"

const insertRange = `insert into job (batch_id, kind, first, n, retries, priority, suspended, due_date, create_time,
 exception_message, stacktrace) values `

const rangeValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

// rangesPerInsert keeps a statement below the databases' number of parameters.
const rangesPerInsert = 500

// InsertRanges writes new ranges. The batch must be locked.
func (t *Tx) InsertRanges(ctx context.Context, ranges ...Range) error {
	for part := range slices.Chunk(ranges, rangesPerInsert) {
		args := make([]any, 0, 11*len(part))
		for _, r := range part {
			args = append(args, r.BatchID, r.Kind, r.First, r.N, r.Retries, r.Priority, r.Suspended, r.DueDate, r.CreateTime,
				r.ExceptionMessage, r.Stacktrace)
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

// FirstJob reads the seed or the monitor job of a batch, in the state in which it may run now or not; ErrNotFound if it is
// not there.
func (q Queries) FirstJob(ctx context.Context, batch ID, kind JobKind) (*Range, error) {
	var r Range
	return &r, q.get(ctx, &r, "select "+rangeColumns+" from job j where j.batch_id = ? and j.kind = ? order by j.first limit 1", batch, kind)
}

const hasExecutionJobs = "select exists (select 1 from job where batch_id = ? and kind = 1)"

// HasExecutionJobs tells whether an execution job of a batch is there. What somebody else is running counts as there.
func (q Queries) HasExecutionJobs(ctx context.Context, batch ID) (has bool, err error) {
	return has, q.get(ctx, &has, hasExecutionJobs, batch)
}

// A batch needs the executor when a job of it may run, when its seed or monitor job was deleted by somebody, or when its last
// execution job is gone and the monitor does not know yet; and when the time of a delayed suspension has come.
const batchesToRun = `select b.id from batch b where exists (select 1 from job j where j.batch_id = b.id and ` + runnable + `)
 or exists (select 1 from definition_suspension d where d.batch_id = b.id and d.at <= ?)
 or (b.jobs_created < b.total_jobs and not exists (select 1 from job j where j.batch_id = b.id and j.kind = 2))
 or (b.jobs_created >= b.total_jobs and not exists (select 1 from job j where j.batch_id = b.id and (j.kind = 3 and j.suspended or j.kind = 1))) order by b.id`

// BatchesToRun lists the batches that need the executor now.
func (q Queries) BatchesToRun(ctx context.Context, now Time) ([]ID, error) {
	var ids []ID
	return ids, q.sel(ctx, &ids, batchesToRun, now, now)
}

const nextDue = `select min(x.at) from (select due_date as at from job where retries > 0 and not suspended and due_date is not null
 union all select at from definition_suspension) x`

// NextDue gives the earliest time at which a job will be able to run that now has to wait, or at which a delayed suspension is
// to be carried out; nil if there is none.
func (q Queries) NextDue(ctx context.Context) (*Time, error) {
	var due *Time
	return due, q.get(ctx, &due, nextDue)
}
