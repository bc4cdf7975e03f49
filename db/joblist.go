package db

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
)

// Job is one job. What it has in common with its neighbours is their range; the range's First and N may be those of a part
// of it.
type Job struct {
	ID       ID
	TenantID *string // of the batch
	Owner    *string // of the batch; lists leave it out
	*Range
}

const jobOrder = "j.batch_id, j.kind, j.first" // the order of the jobs' ids

// noKey sorts by something that no job of a batch has.
const noKey = "cast(null as text)"

// Jobs are the jobs that exist, with the filters and sort keys of /job (contract-facts 6.2). Its rows are ranges; jobId and
// jobIds cut single jobs out of them, so only Queries.Jobs and CountJobs can judge these two.
var Jobs = &Resource{
	From: "job j join batch b on b.id = j.batch_id", ID: jobOrder, Tenant: "b.tenant_id", Owner: "b.owner",
	Fields: map[string]Field{
		"jobId":                {Kind: Special, Make: cutElsewhere},
		"jobIds":               {Kind: Special, List: true, Empty: true, Make: cutElsewhere},
		"jobDefinitionId":      {Kind: Special, Make: ofDefinition("j")},
		"processInstanceId":    nothing,
		"processInstanceIds":   nothing,
		"executionId":          nothing,
		"processDefinitionId":  nothing,
		"processDefinitionKey": nothing,
		"activityId":           nothing,
		"withRetriesLeft":      {Kind: Flag, Cond: "j.retries > 0"},
		"noRetriesLeft":        {Kind: Flag, Cond: "j.retries = 0"},
		"executable":           {Kind: FlagNow, Cond: "j.retries > 0 and (j.due_date is null or j.due_date <= ?)"},
		"timers":               {Kind: Flag, Cond: "false"},
		"messages":             {Kind: Flag, Cond: "true"},
		"dueDates":             {Kind: Special, Comparisons: true, Make: compareDates("j.due_date", "<")},
		"createTimes":          {Kind: Special, Comparisons: true, Make: compareDates("j.create_time", "<=")},
		"withException":        {Kind: Flag, Cond: "j.exception_message is not null or j.stacktrace is not null"},
		"exceptionMessage":     {Kind: Text, Cond: "j.exception_message = ?"},
		"failedActivityId":     nothing,
		"active":               {Kind: Flag, Cond: "not j.suspended", Unless: "suspended"},
		"suspended":            {Kind: Flag, Cond: "j.suspended"},
		"acquired":             {Kind: Flag, Cond: "false"}, // a claim is a row lock, which nobody sees

		"priorityLowerThanOrEquals":  {Kind: Long, Cond: "j.priority <= ?"},
		"priorityHigherThanOrEquals": {Kind: Long, Cond: "j.priority >= ?"},
		"tenantIdIn":                 {Kind: Texts, Cond: "b.tenant_id {texts}", Unless: "withoutTenantId", Plus: "includeJobsWithoutTenantId", PlusCond: "b.tenant_id is null"},
		"withoutTenantId":            {Kind: Flag, Cond: "b.tenant_id is null"},
		"includeJobsWithoutTenantId": {Kind: Option},
	},
	Sorts: map[string]string{
		"jobId": jobOrder, "jobRetries": "j.retries", "jobDueDate": "j.due_date", "jobPriority": "j.priority", "tenantId": "b.tenant_id",
		"executionId": noKey, "processInstanceId": noKey, "processDefinitionId": noKey, "processDefinitionKey": noKey,
	},
}

func cutElsewhere(*Filter, any) (string, []any, error) {
	return "", nil, fmt.Errorf("%w: single jobs are cut out by Queries.Jobs only", ErrFilter)
}

// ofDefinition makes a filter by the id of a job definition, on a table with batch_id and kind.
func ofDefinition(table string) func(*Filter, any) (string, []any, error) {
	return func(_ *Filter, value any) (string, []any, error) {
		s, ok := value.(string)
		if !ok {
			return "", nil, wrongValue(value)
		}
		id, isID := ParseID(s)
		batch, sub, _ := id.Split()
		kind, ok := JobKindOf(sub)
		if !ok || !isID || kind.Definition(batch) != id {
			return "false", nil, nil
		}
		return table + ".batch_id = ? and " + table + ".kind = ?", []any{batch, kind}, nil
	}
}

// compareDates makes a filter by comparisons of a column with times; less is what the operator lt means there.
func compareDates(column, less string) func(*Filter, any) (string, []any, error) {
	operators := map[string]string{"gt": ">", "lt": less}
	return func(_ *Filter, value any) (string, []any, error) {
		list, err := comparisons(value)
		if err != nil {
			return "", nil, err
		}
		conds, args := make([]string, len(list)), make([]any, len(list))
		for i, c := range list {
			at, isTime := c.Value.(Time)
			if !isTime || c.Operator == nil || operators[*c.Operator] == "" {
				return "", nil, fmt.Errorf("%w: a comparison needs gt or lt, and a date", ErrFilter)
			}
			conds[i], args[i] = column+" "+operators[*c.Operator]+" ?", at
		}
		return strings.Join(conds, " and "), args, nil
	}
}

// rangeRow is a range with its place in a list: how many jobs come before its first.
type rangeRow struct {
	Range
	TenantID *string `db:"tenant_id"`
	Skip     int64   `db:"skip"`
}

// Jobs reads a page of the jobs that a filter selects. The page is cut from the running sum of the ranges' lengths, so that
// its cost is that of the ranges, not of the jobs (jobs.md 6f).
func (q Queries) Jobs(ctx context.Context, f *Filter) ([]Job, error) {
	return Collect(func(do func(*Job) error) error { return q.EachJob(ctx, f, do) })
}

// EachJob calls do for each job of what Jobs lists, as their ranges are read.
func (q Queries) EachJob(ctx context.Context, f *Filter, do func(*Job) error) error {
	order, backwards, err := orderJobs(f)
	if err != nil {
		return err
	}
	return q.eachJobRow(ctx, f, order, backwards, func(r *rangeRow) error { return r.eachJob(f, backwards, do) })
}

// SelectJobIDs gives the ids of all jobs that a filter selects, whatever its page.
func (q Queries) SelectJobIDs(ctx context.Context, f *Filter) ([]ID, error) {
	all := *f
	all.First, all.Max = 0, math.MaxInt32
	order, backwards, err := orderJobs(&all)
	if err != nil {
		return nil, err
	}
	var ids []ID
	err = q.eachJobRow(ctx, &all, order, backwards, func(r *rangeRow) error {
		for number := range r.N {
			ids = append(ids, r.ID(r.First+number))
		}
		return nil
	})
	return ids, err
}

// eachJobRow calls do for each of the ranges that a page is cut from, and possibly for more.
func (q Queries) eachJobRow(ctx context.Context, f *Filter, order string, backwards bool, do func(*rangeRow) error) error {
	cond, args, spans, err := q.selectJobs(f)
	if err != nil {
		return err
	}
	if spans == nil {
		text, args := pageOfRanges("j", rangeColumns+", b.tenant_id", Jobs.From, cond, order, args, f)
		return eachRow(ctx, q, do, text, args...)
	}
	var rows []rangeRow
	if err := q.sel(ctx, &rows, "select "+rangeColumns+", b.tenant_id, 0 as skip from "+Jobs.From+" where "+cond+order, args...); err != nil {
		return err
	}
	rows = cutRows(rows, spans, backwards)
	for i := range rows {
		if err := do(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// eachJob calls do for each of those jobs of a range that are on the page of a filter; backwards starts with the last.
func (r *rangeRow) eachJob(f *Filter, backwards bool, do func(*Job) error) error {
	from, to := onPage(f, r.Skip, int64(r.N))
	for i := from; i < to; i++ {
		number := r.First + int32(i) //nolint:gosec // below N
		if backwards {
			number = r.First + r.N - 1 - int32(i) //nolint:gosec // below N
		}
		if err := do(&Job{ID: r.ID(number), TenantID: r.TenantID, Range: &r.Range}); err != nil {
			return err
		}
	}
	return nil
}

// CountJobs counts what Jobs lists; it checks the sort keys as Jobs does.
func (q Queries) CountJobs(ctx context.Context, f *Filter) (n int64, err error) {
	if _, _, err := orderJobs(f); err != nil {
		return 0, err
	}
	cond, args, spans, err := q.selectJobs(f)
	if err != nil {
		return 0, err
	}
	if spans == nil {
		return n, q.get(ctx, &n, "select coalesce(sum(j.n), 0) from "+Jobs.From+" where "+cond, args...)
	}
	var rows []rangeRow
	err = q.sel(ctx, &rows, "select "+rangeColumns+", b.tenant_id, 0 as skip from "+Jobs.From+" where "+cond, args...)
	for _, r := range cutRows(rows, spans, false) {
		n += int64(r.N)
	}
	return n, err
}

// Job reads one job; ErrNotFound if there is none of that id.
func (q Queries) Job(ctx context.Context, id ID) (*Job, error) {
	r, _, err := q.RangeOf(ctx, id)
	if err != nil {
		return nil, err
	}
	var of struct {
		TenantID *string `db:"tenant_id"`
		Owner    *string `db:"owner"`
	}
	err = q.get(ctx, &of, "select b.tenant_id, b.owner from batch b where b.id = ?", r.BatchID)
	return &Job{ID: id, TenantID: of.TenantID, Owner: of.Owner, Range: r}, err
}

// orderJobs gives the ORDER BY of ranges, and whether the last job of each comes first. All keys but the id are alike within
// a range.
func orderJobs(f *Filter) (order string, backwards bool, err error) {
	r, f, backwards := endAtID(Jobs, f, "jobId")
	order, err = r.orderBy(f)
	return order, backwards, err
}

// endAtID prepares a sort by an id of several columns, which has the sort key key. Ids differ, so nothing counts behind it; it
// is left to r.ID, whose columns all turn when it goes backwards.
func endAtID(r *Resource, f *Filter, key string) (*Resource, *Filter, bool) {
	i := slices.IndexFunc(f.Sort, func(o Order) bool { return o.By == key })
	if i < 0 {
		return r, f, false
	}
	resource, cut := *r, *f
	cut.Sort = f.Sort[:i]
	if f.Sort[i].Desc {
		resource.ID = strings.ReplaceAll(r.ID, ",", " desc,") + " desc"
	}
	return &resource, &cut, f.Sort[i].Desc
}
