package db

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
)

// LogEntry is one entry of the job log: of its range, First is the job's number, and N and the outcomes mean nothing. Lists
// leave the stack trace out.
type LogEntry struct {
	LogRange
	JobType     string  `db:"job_type"`     // of the job's definition
	RemovalTime *Time   `db:"removal_time"` // of the batch; nil while it runs, or never
	TenantID    *string `db:"tenant_id"`    // of the batch
	Owner       *string `db:"owner"`        // of the batch
}

// ID gives the id of the entry.
func (l *LogEntry) ID() ID {
	switch l.Event {
	case JobFailed:
		return l.BatchID.Sub(SubFailureLog, uint32(l.Seq)) //nolint:gosec // not negative
	case JobCreated:
		return l.BatchID.Sub(SubCreationLog+byte(l.Kind)-1, uint32(l.First)) //nolint:gosec // not negative
	}
	return l.BatchID.Sub(SubEndLog+byte(l.Kind)-1, uint32(l.First)) //nolint:gosec // not negative
}

// JobID gives the id of the job that the entry tells of.
func (l *LogEntry) JobID() ID { return l.BatchID.Sub(byte(l.Kind), uint32(l.First)) } //nolint:gosec // not negative

const (
	logJobType   = "case l.kind when 2 then 'batch-seed-job' when 3 then 'batch-monitor-job' else h.type end"
	entryColumns = `l.batch_id, l.kind, l.event, l.first, l.seq, l.n, l.at, l.retries, l.priority, l.due_date, l.host, l.message,
 ` + logJobType + ` as job_type, h.removal_time, h.tenant_id, h.owner`
	logOfBatches = " l join historic_batch h on h.id = l.batch_id"
	logJobOrder  = "l.batch_id, l.kind, l.first" // the order of the jobs' ids
	occurrence   = "case l.event when 1 then -1 when 2 then l.seq else 2147483647 end"
)

// noneOf is a filter by a list of what no job of a batch has.
var noneOf = Field{Kind: Special, List: true, Empty: true, Make: nothing.Make}

// JobLog is the log of jobs, with the filters and sort keys of /history/job-log (contract-facts 8.2). Its rows are ranges; logId
// and jobId cut single entries out of them, and a sort by jobId takes them apart, so only Queries.JobLog and CountJobLog can
// judge these three.
var JobLog = &Resource{
	From: "job_log" + logOfBatches, ID: "l.at, l.batch_id, l.kind, l.event, l.seq, l.first", Tenant: "h.tenant_id", Owner: "h.owner",
	Fields: map[string]Field{
		"logId":                      {Kind: Special, Make: cutElsewhere},
		"jobId":                      {Kind: Special, Make: cutElsewhere},
		"jobExceptionMessage":        {Kind: Text, Cond: "l.message = ?"},
		"jobDefinitionId":            {Kind: Special, Make: ofDefinition("l")},
		"jobDefinitionType":          {Kind: Text, Cond: logJobType + " = ?"},
		"jobDefinitionConfiguration": {Kind: OneID, Cond: "l.batch_id = ?"},
		"activityIdIn":               noneOf,
		"failedActivityIdIn":         noneOf,
		"executionIdIn":              noneOf,
		"processInstanceId":          nothing,
		"processDefinitionId":        nothing,
		"processDefinitionKey":       nothing,
		"deploymentId":               nothing,
		"tenantIdIn":                 {Kind: Texts, Cond: "h.tenant_id {texts}", Unless: "withoutTenantId", Empty: true},
		"withoutTenantId":            {Kind: Flag, Cond: "h.tenant_id is null"},
		"hostname":                   {Kind: Text, Cond: "l.host = ?"},
		"creationLog":                eventFilter(JobCreated),
		"failureLog":                 eventFilter(JobFailed),
		"successLog":                 eventFilter(JobSucceeded),
		"deletionLog":                eventFilter(JobDeleted),

		"jobPriorityLowerThanOrEquals":  {Kind: Long, Cond: "l.priority <= ?"},
		"jobPriorityHigherThanOrEquals": {Kind: Long, Cond: "l.priority >= ?"},
	},
	Sorts: map[string]string{
		"timestamp": "l.at", "jobId": logJobOrder, "jobDefinitionId": "l.batch_id, l.kind", "jobDueDate": "l.due_date", "jobRetries": "l.retries",
		"jobPriority": "l.priority", "occurrence": occurrence, "tenantId": "h.tenant_id", "hostname": "l.host", "activityId": noKey,
		"executionId": noKey, "processInstanceId": noKey, "processDefinitionId": noKey, "processDefinitionKey": noKey, "deploymentId": noKey,
	},
}

// logRow is a range of the log with its place in a list.
type logRow struct {
	LogEntry
	Skip  int64 `db:"skip"`  // how many entries come before it
	Level int64 `db:"level"` // sorted by jobId: equal where all sort keys before it are equal
	Place int64 `db:"place"` // sorted by jobId: the order of the entries of one job
}

// JobLog reads a page of the entries that a filter selects.
func (q Queries) JobLog(ctx context.Context, f *Filter) ([]LogEntry, error) {
	return Collect(func(do func(*LogEntry) error) error { return q.EachLogEntry(ctx, f, do) })
}

// EachLogEntry calls do for each entry of what JobLog lists, as their ranges are read; sorted by jobId, when all ranges have
// been read.
func (q Queries) EachLogEntry(ctx context.Context, f *Filter, do func(*LogEntry) error) error {
	if i := slices.IndexFunc(f.Sort, func(o Order) bool { return o.By == "jobId" }); i >= 0 {
		return q.logByJob(ctx, f, i, do)
	}
	order, err := JobLog.orderBy(f)
	if err != nil {
		return err
	}
	from, cond, args, err := q.selectLog(f)
	if err != nil {
		return err
	}
	text, args := pageOfRanges("l", entryColumns, from, cond, order, args, f)
	return eachRow(ctx, q, func(r *logRow) error { return r.eachEntry(f, do) }, text, args...)
}

// eachEntry calls do for each of those entries of a range that are on the page of a filter.
func (r *logRow) eachEntry(f *Filter, do func(*LogEntry) error) error {
	first, end := onPage(f, r.Skip, int64(r.N))
	for i := first; i < end; i++ {
		e := r.entry(r.First + int32(i)) //nolint:gosec // below N
		if err := do(&e); err != nil {
			return err
		}
	}
	return nil
}

// entry gives the range's entry about the job of a number.
func (r *logRow) entry(number int32) LogEntry {
	e := r.LogEntry
	e.First, e.N = number, 1
	return e
}

// CountJobLog counts what JobLog lists; it checks the sort keys as JobLog does.
func (q Queries) CountJobLog(ctx context.Context, f *Filter) (n int64, err error) {
	if _, err := JobLog.orderBy(f); err != nil {
		return 0, err
	}
	from, cond, args, err := q.selectLog(f)
	if err != nil {
		return 0, err
	}
	return n, q.get(ctx, &n, "select coalesce(sum(l.n), 0) from "+from+" where "+cond, args...)
}

// LogEntry reads one entry with its stack trace; ErrNotFound if there is none of that id.
func (q Queries) LogEntry(ctx context.Context, id ID) (*LogEntry, error) {
	from, cond, args, err := q.selectLog(&Filter{Values: map[string]any{"logId": id.String()}})
	if err != nil {
		return nil, err
	}
	var l LogEntry
	return &l, q.get(ctx, &l, "select "+entryColumns+", l.stacktrace from "+from+" where "+cond, args...)
}

// entriesOfJob is the log of one job: its part of each range.
const entriesOfJob = `(select batch_id, kind, event, cast(? as integer) as first, seq, 1 as n, at, retries, priority, due_date, host, message, stacktrace
 from job_log where batch_id = ? and kind = ? and first <= ? and first + n > ?)`

// selectLog gives the FROM and the condition of a filter on the log, and the arguments of both.
func (q Queries) selectLog(f *Filter) (from, cond string, args []any, err error) {
	others := *f
	others.Values = maps.Clone(f.Values)
	delete(others.Values, "logId")
	delete(others.Values, "jobId")
	cond, args, err = q.where(JobLog, &others)
	if err != nil {
		return "", "", nil, err
	}
	named, err := namedLog(f)
	if err != nil {
		return "", "", nil, err
	}
	from, cond, args = JobLog.From, cond+named.cond, append(args, named.args...)
	if job := named.job; job != nil {
		batch, kind, number := job.Split()
		first := int32(number) //nolint:gosec // one above 2^31 is negative, and no job's
		from, args = entriesOfJob+logOfBatches, append([]any{first, batch, kind, first, first}, args...)
	}
	return from, cond, args, nil
}

// logNames is what a filter on the log asks by logId and jobId.
type logNames struct {
	job  *ID    // of whose job all entries are
	cond string // more conditions, each behind an "and"
	args []any
}

var noEntry = logNames{cond: " and false"}

// namedLog reads logId and jobId. The id of a creation or an end tells the job, that of a failure only its number.
func namedLog(f *Filter) (names logNames, err error) {
	for _, name := range []string{"logId", "jobId"} {
		value, asked := f.Values[name]
		if !asked {
			continue
		}
		text, ok := value.(string)
		if !ok {
			return noEntry, fmt.Errorf("%s: %w", name, wrongValue(value))
		}
		id, ok := ParseID(text)
		if ok && name == "logId" {
			names, id, ok = entryNames(id)
		}
		batch, sub, number := id.Split()
		switch isJob := sub >= byte(ExecutionJob) && sub <= byte(MonitorJob); {
		case !ok, !isJob && name == "jobId", number > 1<<31-1, names.job != nil && *names.job != id:
			return noEntry, nil
		case isJob:
			job := batch.Sub(sub, number)
			names.job = &job
		}
	}
	return names, nil
}

// entryNames gives what the id of an entry asks for, and the id of the job if it tells which; ok is false for other ids.
func entryNames(id ID) (names logNames, job ID, ok bool) {
	batch, sub, number := id.Split()
	switch {
	case number > math.MaxInt32:
		return noEntry, NilID, false
	case sub == SubFailureLog:
		return logNames{cond: " and l.batch_id = ? and l.event = 2 and l.seq = ?", args: []any{batch, int64(number)}}, batch, true
	case sub >= SubCreationLog && sub < SubCreationLog+3:
		return logNames{cond: " and l.event = 1"}, batch.Sub(sub-SubCreationLog+byte(ExecutionJob), number), true
	case sub >= SubEndLog:
		return logNames{cond: " and l.event in (3, 4)"}, batch.Sub(sub-SubEndLog+byte(ExecutionJob), number), true
	}
	return noEntry, NilID, false
}
