package db

import (
	"context"
	"slices"
	"strings"
)

// JobEvent is what a row of the job log tells of.
type JobEvent int16

// The events, in the order in which they happen to a job.
const (
	JobCreated   JobEvent = 1 // it was made
	JobFailed    JobEvent = 2 // it failed and lost a retry
	JobSucceeded JobEvent = 3 // it was carried out
	JobDeleted   JobEvent = 4 // it was removed without being carried out
)

// LogRange is a row of the job log: N entries of consecutive jobs that are alike. Of a success of execution jobs it has the
// outcomes of their items too.
type LogRange struct {
	BatchID    ID       `db:"batch_id"`
	Kind       JobKind  `db:"kind"`
	Event      JobEvent `db:"event"`
	First      int32    `db:"first"`
	Seq        int32    `db:"seq"` // of a failure: its number in the batch
	N          int32    `db:"n"`
	At         Time     `db:"at"`
	Retries    int32    `db:"retries"`
	Priority   int64    `db:"priority"`
	DueDate    *Time    `db:"due_date"`
	Host       *string  `db:"host"`
	Outcome    []byte   `db:"outcome"`
	Set        int32    `db:"n_set"`
	Same       int32    `db:"n_same"`
	Gone       int32    `db:"n_gone"`
	Message    *string  `db:"message"`
	Stacktrace *string  `db:"stacktrace"`
}

// LogOf gives the log row of an event that happens to a whole range.
func LogOf(r *Range, event JobEvent, at Time, host string) LogRange {
	return LogRange{BatchID: r.BatchID, Kind: r.Kind, Event: event, First: r.First, N: r.N, At: at, Retries: r.Retries,
		Priority: r.Priority, DueDate: r.DueDate, Host: &host}
}

const logColumns = "batch_id, kind, event, first, seq, n, at, retries, priority, due_date, host, outcome, n_set, n_same, n_gone, message, stacktrace"

const logValues = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"

// InsertLog writes rows of the job log.
func (t *Tx) InsertLog(ctx context.Context, rows ...LogRange) error {
	for part := range slices.Chunk(rows, rangesPerInsert) {
		s := insertLog(part)
		if _, err := t.exec(ctx, s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}

func insertLog(rows []LogRange) statement {
	args := make([]any, 0, 17*len(rows))
	for _, l := range rows {
		args = append(args, l.BatchID, l.Kind, l.Event, l.First, l.Seq, l.N, l.At, l.Retries, l.Priority, l.DueDate, l.Host, l.Outcome,
			l.Set, l.Same, l.Gone, l.Message, l.Stacktrace)
	}
	return statement{"insert into job_log (" + logColumns + ") values " + strings.Repeat(logValues+", ", len(rows)-1) + logValues, args}
}

// LogSuccess writes that execution jobs of a batch have succeeded, and resolves the incidents that they may have. left tells
// whether execution jobs are left in the table, those included that somebody else is running.
func (t *Tx) LogSuccess(ctx context.Context, rows []LogRange) (left bool, err error) {
	for len(rows) > few {
		if err := t.together(ctx, insertLog(rows[:few]), resolveJobs(rows[:few])); err != nil {
			return false, err
		}
		rows = rows[few:]
	}
	return left, t.togetherAsk(ctx, &left, statement{hasExecutionJobs, []any{rows[0].BatchID}}, insertLog(rows), resolveJobs(rows))
}

// resolveJobs resolves the incidents of execution jobs at the time of their entries.
func resolveJobs(rows []LogRange) statement {
	args := []any{rows[0].At}
	for i := range rows {
		first, last := rows[i].First, rows[i].First+rows[i].N-1
		args = append(args, rows[i].BatchID.Sub(SubJob, uint32(first)), rows[i].BatchID.Sub(SubJob, uint32(last))) //nolint:gosec // numbers are never negative
	}
	const one = "configuration between ? and ?"
	return statement{"update incident set state = 1, end_time = ? where (" + one + strings.Repeat(" or "+one, len(rows)-1) + ") and " + stillOpen, args}
}

// Outcomes counts the items of a batch by what became of them. Pending and Failed follow from the jobs that are still there.
type Outcomes struct {
	Set       int64 `db:"n_set"`  // the retries changed
	Unchanged int64 `db:"n_same"` // they had that value already
	Gone      int64 `db:"n_gone"` // the task did not exist any more
	Skipped   int64 `db:"-"`      // the job was deleted
	Failed    int64 `db:"-"`      // the job has no retries left
	Pending   int64 `db:"-"`      // none of these yet
}

const outcomes = `select coalesce(sum(l.n_set), 0) as n_set, coalesce(sum(l.n_same), 0) as n_same, coalesce(sum(l.n_gone), 0) as n_gone
 from job_log l where l.batch_id = ? and l.kind = 1 and l.event = 3`

// CountOutcomes counts the items of a batch, running or ended, by outcome; ErrNotFound if there is no such batch.
func (q Queries) CountOutcomes(ctx context.Context, batch ID) (Outcomes, error) {
	h, err := q.HistoricBatch(ctx, batch)
	if err != nil {
		return Outcomes{}, err
	}
	var o Outcomes
	if err := q.get(ctx, &o, outcomes, batch); err != nil {
		return o, err
	}
	if o.Skipped, err = q.itemsOf(ctx, h, "job_log", "l.event = 4"); err != nil {
		return o, err
	}
	if o.Failed, err = q.itemsOf(ctx, h, "job", "l.retries = 0"); err != nil {
		return o, err
	}
	o.Pending = int64(h.Items) - o.Set - o.Unchanged - o.Gone - o.Skipped - o.Failed
	return o, nil
}

// itemsOf counts the items of the execution jobs in a table of ranges. The last job of a batch may have fewer items than the
// others.
func (q Queries) itemsOf(ctx context.Context, h *HistoricBatch, table, cond string) (n int64, err error) {
	var jobs, last int64
	text := "select coalesce(sum(l.n), 0), coalesce(max(l.first + l.n), 0) from " + table + " l where l.batch_id = ? and l.kind = 1 and " + cond
	err = q.each(ctx, func(scan func(...any) error) error { return scan(&jobs, &last) }, text, h.ID)
	n = jobs * int64(h.ItemsPerJob)
	if last == int64(h.TotalJobs) {
		n -= last*int64(h.ItemsPerJob) - int64(h.Items)
	}
	return n, err
}
