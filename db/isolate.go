package db

import (
	"cmp"
	"context"
	"slices"
)

// Isolate makes a range of one of a job, so that it may differ, and gives it. The batch must be locked; ErrNotFound if the job
// is not there. One that somebody else is running is waited for, and not there if it is done then.
func (t *Tx) Isolate(ctx context.Context, id ID) (*Range, error) {
	batch, kind, ordinal := id.Split()
	number := int32(ordinal) //nolint:gosec // one above 2^31 is negative, and then not found
	if kind < byte(ExecutionJob) || kind > byte(MonitorJob) || number < 0 {
		return nil, ErrNotFound
	}
	rows, err := t.IsolateSpan(ctx, Span{batch, JobKind(kind), number, number})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, ErrNotFound
	}
	return &rows[0], nil
}

// The condition of oneSpan, and its other half. Whoever runs a part of a range meanwhile takes it away from its front: under
// the lock, the database looks at such a row again.
const overlapping = "select " + rangeColumns + " from job j where " + oneSpan + " and j.first + j.n > ? {lock}"

// IsolateSpan makes ranges of their own of the jobs of a span, so that they may differ from all others, and gives those that
// are there, in order. The batch must be locked. Jobs that somebody else is running are waited for, as in Isolate.
func (t *Tx) IsolateSpan(ctx context.Context, s Span) ([]Range, error) {
	var rows []Range
	if err := t.sel(ctx, &rows, overlapping, s.Batch, s.Kind, s.Hi, s.Batch, s.Kind, s.Lo, s.Lo); err != nil {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b Range) int { return cmp.Compare(a.First, b.First) })
	var anew []Range
	for i := range rows {
		more, err := t.cut(ctx, &rows[i], s)
		if err != nil {
			return nil, err
		}
		anew = append(anew, more...)
	}
	return rows, t.InsertRanges(ctx, anew...)
}

// cut leaves of a range what is in a span. It gives the parts that become rows of their own: one part keeps the row.
func (t *Tx) cut(ctx context.Context, r *Range, s Span) (anew []Range, err error) {
	whole := *r
	end := whole.First + whole.N
	r.First = max(whole.First, s.Lo)
	r.N = min(end-1, s.Hi) - r.First + 1
	if r.N == whole.N {
		return nil, nil
	}
	keeps := r.N
	if r.First > whole.First {
		keeps, anew = r.First-whole.First, append(anew, *r)
	}
	if behind := r.First + r.N; behind < end {
		rest := whole
		rest.First, rest.N = behind, end-behind
		anew = append(anew, rest)
	}
	_, err = t.exec(ctx, "update job set n = ? where batch_id = ? and kind = ? and first = ?", keeps, whole.BatchID, whole.Kind, whole.First)
	return anew, err
}
