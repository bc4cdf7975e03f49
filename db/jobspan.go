package db

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// span is a run of job numbers, lo to hi, of one batch and kind.
type span struct {
	batch  ID
	kind   JobKind
	lo, hi int32
}

// MarshalJSON gives the form that {spans} takes.
func (s span) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `["%s",%d,%d,%d]`, hex.EncodeToString(s.batch[:]), s.kind, s.lo, s.hi), nil
}

// spansOf gives the shortest list of spans that has all ids. Ids that are not of jobs are left out.
func spansOf(ids []ID) []span {
	ids = slices.Clone(ids)
	slices.SortFunc(ids, ID.Compare)
	spans := []span{}
	for _, id := range slices.Compact(ids) {
		batch, kind, ordinal := id.Split()
		number := int32(ordinal) //nolint:gosec // one above 2^31 is negative, and no job's
		if kind < byte(ExecutionJob) || kind > byte(MonitorJob) || number < 0 {
			continue
		}
		if last := len(spans) - 1; last >= 0 && spans[last].batch == batch && spans[last].kind == JobKind(kind) && spans[last].hi == number-1 {
			spans[last].hi = number
			continue
		}
		spans = append(spans, span{batch, JobKind(kind), number, number})
	}
	return spans
}

// cutJobs stands for the ranges when a filter names single jobs: it has the parts of ranges that lie in spans. The range
// that a span begins in is the last one that does not begin behind it.
const cutJobs = `(select r.batch_id, r.kind, case when r.first > s.lo then r.first else s.lo end as first,
 case when r.first + r.n - 1 < s.hi then r.first + r.n - 1 else s.hi end - case when r.first > s.lo then r.first else s.lo end + 1 as n,
 r.retries, r.priority, r.suspended, r.due_date, r.create_time, r.lock_expiration, r.exception_message, r.failed_activity_id, r.stacktrace
 from {spans} s join job r on r.batch_id = s.batch and r.kind = s.kind and r.first <= s.hi and r.first + r.n > s.lo
 and r.first >= coalesce((select x.first from job x where x.batch_id = s.batch and x.kind = s.kind and x.first <= s.lo order by x.first desc limit 1), s.lo)
) j join batch b on b.id = j.batch_id`

// selectJobs gives the FROM and the condition of a filter on jobs, and the arguments of both.
func (q Queries) selectJobs(f *Filter) (from, cond string, args []any, err error) {
	others := *f
	others.Values = maps.Clone(f.Values)
	delete(others.Values, "jobId")
	delete(others.Values, "jobIds")
	cond, args, err = q.where(Jobs, &others)
	ids, asked, invalid := namedJobs(f)
	if err != nil || invalid != nil {
		return "", "", nil, errors.Join(err, invalid)
	}
	if !asked {
		return Jobs.From, cond, args, nil
	}
	list, err := json.Marshal(spansOf(ids))
	return cutJobs, cond, append([]any{string(list)}, args...), err
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
