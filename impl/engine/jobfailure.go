package engine

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"unicode/utf16"

	"rearm/db"
	"rearm/impl/fault"
)

// messageUnits is how much of an error message is kept, in UTF-16 units (contract-facts 2.8 and 10.3).
const messageUnits = 666

// shorten cuts a message to its first 666 UTF-16 units, never inside a character.
func shorten(s string) string {
	units := 0
	for i, r := range s {
		if units += max(1, utf16.RuneLen(r)); units > messageUnits {
			return s[:i]
		}
	}
	return s
}

// failJob books the failure of one job, in a transaction of its own: it loses a retry, keeps message and stack trace, the
// failure stands in the job log, and at 0 retries there is a failedJob incident (contract-facts 10.3). A job that is gone
// meanwhile is left alone, and not counted.
func (e *Engine) failJob(ctx context.Context, id db.ID, cause error) (t Tally, err error) {
	err = e.store.Tx(ctx, func(tx *db.Tx) error {
		t = Tally{}
		base, _, _ := id.Split()
		b, err := tx.LockBatch(ctx, base)
		if err != nil {
			return err
		}
		job, err := tx.Isolate(ctx, id)
		if err != nil {
			return err
		}
		return e.bookFailure(ctx, tx, b, job, cause, &t)
	})
	if errors.Is(err, db.ErrNotFound) {
		return Tally{}, nil
	}
	return t, err
}

func (e *Engine) bookFailure(ctx context.Context, tx *db.Tx, b *db.Batch, job *db.Range, cause error, t *Tally) error {
	if err := e.writeFailures(ctx, tx, b, []*db.Range{job}, []error{cause}, e.clock(), t); err != nil {
		return err
	}
	return tx.UpdateRange(ctx, job)
}

// writeFailures gives each of some jobs a failure, writes all that follows from it but the jobs themselves, and counts it.
func (e *Engine) writeFailures(ctx context.Context, tx *db.Tx, b *db.Batch, jobs []*db.Range, causes []error, now db.Time, t *Tally) error {
	logs := make([]db.LogRange, len(jobs))
	for i, job := range jobs {
		var incident *db.JobIncident
		logs[i], incident = e.fail(b, job, causes[i], now)
		t.fail(b, job, incident != nil)
		if incident != nil {
			if err := tx.OpenJobIncident(ctx, *incident); err != nil {
				return err
			}
		}
	}
	if err := tx.InsertLog(ctx, logs...); err != nil {
		return err
	}
	return tx.UpdateFailures(ctx, b)
}

// fail gives a job a failure: it loses a retry and keeps the message, and the batch counts it. It gives the entry in the log, and
// the incident that the failure causes, if any.
func (e *Engine) fail(b *db.Batch, job *db.Range, cause error, now db.Time) (log db.LogRange, incident *db.JobIncident) {
	message, trace, number := shorten(visibleMessage(cause)), cause.Error(), b.Failures
	log = db.LogOf(job, db.JobFailed, now, e.NodeName)
	log.Seq, log.Message, log.Stacktrace = number, &message, &trace
	job.ExceptionMessage, job.Stacktrace = &message, &trace
	b.Failures++
	if job.Retries == 0 {
		return log, nil
	}
	if job.Retries--; job.Retries > 0 {
		return log, nil
	}
	entry := b.ID.Sub(db.SubFailureLog, uint32(number)) //nolint:gosec // not negative
	return log, &db.JobIncident{
		ID: b.ID.Sub(db.SubJobIncident, uint32(number)), Job: job.ID(job.First), Definition: job.Kind.Definition(b.ID), //nolint:gosec // not negative
		At: now, Message: &message, FailureLog: &entry, TenantID: b.TenantID, Owner: b.Owner,
	}
}

// failHopeless fails those of some claimed jobs that cannot be done, all together, and gives the others.
func (e *Engine) failHopeless(ctx context.Context, tx *db.Tx, b *db.Batch, claimed []db.Range, now db.Time, t *Tally) (others []db.Range, err error) {
	hopeless := carriers[b.Type].hopeless
	if hopeless == nil {
		return claimed, nil
	}
	all, err := itemsOf(ctx, tx, b, claimed)
	if err != nil {
		return nil, err
	}
	causes, err := hopeless(e, ctx, tx, b, all)
	if err != nil {
		return nil, err
	}
	others, failed, why := partJobs(claimed, all.lengths, int(b.ItemsPerJob), causes)
	if len(failed) == 0 {
		return claimed, nil
	}
	jobs := make([]*db.Range, len(failed))
	for i := range failed {
		jobs[i] = &failed[i]
	}
	if err := e.writeFailures(ctx, tx, b, jobs, why, now, t); err != nil {
		return nil, err
	}
	e.Log.Warn("jobs failed", slog.String("batch_id", b.ID.String()), slog.Int("jobs", len(failed)), slog.Any("error", why[0]))
	return others, tx.InsertRanges(ctx, failed...)
}

// partJobs parts claimed ranges into jobs that one of their items makes fail, each a range of one, with the reason, and the rest.
// lengths says how many items each range has, causes has a reason for each item that fails.
func partJobs(claimed []db.Range, lengths []int, itemsPerJob int, causes []error) (others, failed []db.Range, why []error) {
	for i, r := range claimed {
		items := causes[:lengths[i]]
		causes = causes[lengths[i]:]
		joins := false // whether the job before this one is among the others
		for n := range int(r.N) {
			one := r
			one.First, one.N = r.First+int32(n), 1
			own := items[n*itemsPerJob : min((n+1)*itemsPerJob, len(items))]
			bad := slices.IndexFunc(own, func(err error) bool { return err != nil })
			switch {
			case bad >= 0:
				failed, why = append(failed, one), append(why, own[bad])
			case joins:
				others[len(others)-1].N++
			default:
				others = append(others, one)
			}
			joins = bad < 0
		}
	}
	return others, failed, why
}

// visibleMessage gives the words of an error that were meant to be read; its own text if there are none.
func visibleMessage(err error) string {
	var known *fault.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return err.Error()
}
