package db

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"
)

// Span is a run of job numbers, Lo to Hi, of one batch and kind.
type Span struct {
	Batch  ID
	Kind   JobKind
	Lo, Hi int32
}

// ID gives the id of the span's job with a number.
func (s Span) ID(number int32) ID {
	return s.Batch.Sub(byte(s.Kind), uint32(number)) //nolint:gosec // numbers are never negative
}

// SpansOf sorts ids and gives the shortest sorted list of spans that has all ids. Ids that are not of jobs are left out.
func SpansOf(ids []ID) []Span {
	slices.SortFunc(ids, ID.Compare)
	spans := []Span{}
	for _, id := range slices.Compact(ids) {
		batch, kind, ordinal := id.Split()
		number := int32(ordinal) //nolint:gosec // one above 2^31 is negative, and no job's
		if kind < byte(ExecutionJob) || kind > byte(MonitorJob) || number < 0 {
			continue
		}
		if last := len(spans) - 1; last >= 0 && spans[last].Batch == batch && spans[last].Kind == JobKind(kind) && spans[last].Hi == number-1 {
			spans[last].Hi = number
			continue
		}
		spans = append(spans, Span{batch, JobKind(kind), number, number})
	}
	return spans
}

// few is how many spans are looked up one by one; of more, the ranges of their batches are read.
const few = 50

// someBatches is how many batches a condition names at most.
const someBatches = 1000

// oneSpan is the condition for the ranges that have a part of a span: from the last that does not begin behind its start, to
// the last that does not begin behind its end.
const oneSpan = `j.batch_id = ? and j.kind = ? and j.first <= ? and
 j.first >= coalesce((select max(x.first) from job x where x.batch_id = ? and x.kind = ? and x.first <= ?), 0)`

// inSpans gives a condition that holds for all ranges that have a part of a span, and maybe for others.
func (q Queries) inSpans(spans []Span) (string, []any) {
	switch {
	case len(spans) == 0:
		return "false", nil
	case len(spans) <= few:
		args := make([]any, 0, 6*len(spans))
		for _, s := range spans {
			args = append(args, s.Batch, s.Kind, s.Hi, s.Batch, s.Kind, s.Lo)
		}
		return "(" + oneSpan + strings.Repeat(" or "+oneSpan, len(spans)-1) + ")", args
	}
	batches := make([]ID, len(spans))
	for i := range spans {
		batches[i] = spans[i].Batch
	}
	if batches = slices.Compact(batches); len(batches) > someBatches {
		return "true", nil
	}
	return "j.batch_id {ids}", []any{q.ids(batches)}
}

// cutRows leaves of ranges what is in spans, and counts anew what comes before each part.
func cutRows(rows []rangeRow, spans []Span, backwards bool) []rangeRow {
	var parts []rangeRow
	skip := int64(0)
	for _, r := range rows {
		cut := cutRow(r, spans)
		if backwards {
			slices.Reverse(cut)
		}
		for i := range cut {
			cut[i].Skip = skip
			skip += int64(cut[i].N)
		}
		parts = append(parts, cut...)
	}
	return parts
}

// cutRow gives the parts of a range that are in spans.
func cutRow(r rangeRow, spans []Span) []rangeRow {
	i, _ := slices.BinarySearchFunc(spans, r, func(s Span, r rangeRow) int {
		return cmp.Or(s.Batch.Compare(r.BatchID), cmp.Compare(s.Kind, r.Kind), cmp.Compare(s.Hi, r.First))
	})
	var parts []rangeRow
	for last := r.First + r.N - 1; i < len(spans) && spans[i].Batch == r.BatchID && spans[i].Kind == r.Kind && spans[i].Lo <= last; i++ {
		part := r
		part.First = max(r.First, spans[i].Lo)
		part.N = min(last, spans[i].Hi) - part.First + 1
		parts = append(parts, part)
	}
	return parts
}

// selectJobs gives the condition of a filter on jobs, and its arguments. spans is nil when the filter names no jobs by their
// ids; else only what is in spans is asked of the ranges that the condition finds.
func (q Queries) selectJobs(f *Filter) (cond string, args []any, spans []Span, err error) {
	others := *f
	others.Values = maps.Clone(f.Values)
	delete(others.Values, "jobId")
	delete(others.Values, "jobIds")
	cond, args, err = q.where(Jobs, &others)
	ids, asked, invalid := namedJobs(f)
	if err := errors.Join(err, invalid); err != nil || !asked {
		return cond, args, nil, err
	}
	spans = SpansOf(ids)
	near, more := q.inSpans(spans)
	return cond + " and " + near, append(args, more...), spans, nil
}

// namedJobs gives the ids that a filter names: those of jobIds, only jobId's of them if it is given too. asked is false when
// it names none.
func namedJobs(f *Filter) (ids []ID, asked bool, err error) {
	one, hasOne := f.Values["jobId"]
	many, hasMany := f.Values["jobIds"]
	id, isText := one.(string)
	list, isList := many.([]string)
	switch {
	case hasOne && !isText:
		return nil, true, wrongValue(one)
	case hasMany && !isList:
		return nil, true, wrongValue(many)
	case hasOne && (!hasMany || slices.Contains(list, id)):
		list = []string{id}
	case hasOne:
		list = nil
	}
	for _, s := range list {
		if id, ok := ParseID(s); ok {
			ids = append(ids, id)
		}
	}
	return ids, hasOne || hasMany, nil
}
