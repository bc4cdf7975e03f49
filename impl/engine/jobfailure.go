package engine

import (
	"context"
	"errors"
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
// meanwhile is left alone.
func (e *Engine) failJob(ctx context.Context, id db.ID, cause error) error {
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		base, _, _ := id.Split()
		b, err := tx.LockBatch(ctx, base)
		if err != nil {
			return err
		}
		job, err := tx.Isolate(ctx, id)
		if err != nil {
			return err
		}
		return e.bookFailure(ctx, tx, b, job, cause)
	})
	if errors.Is(err, db.ErrNotFound) {
		return nil
	}
	return err
}

func (e *Engine) bookFailure(ctx context.Context, tx *db.Tx, b *db.Batch, job *db.Range, cause error) error {
	now, message, trace := e.clock(), shorten(visibleMessage(cause)), cause.Error()
	log := db.LogOf(job, db.JobFailed, now, e.NodeName)
	log.Seq, log.Message, log.Stacktrace = b.Failures, &message, &trace
	if err := tx.InsertLog(ctx, log); err != nil {
		return err
	}
	entry := b.ID.Sub(db.SubFailureLog, uint32(b.Failures)) //nolint:gosec // not negative
	job.ExceptionMessage, job.Stacktrace = &message, &trace
	if job.Retries > 0 {
		job.Retries--
		if job.Retries == 0 {
			if err := e.openJobIncident(ctx, tx, b, job, now, &entry); err != nil {
				return err
			}
		}
	}
	b.Failures++
	if err := tx.UpdateFailures(ctx, b); err != nil {
		return err
	}
	return tx.UpdateRange(ctx, job)
}

// openJobIncident opens the failedJob incident of a job that has no retries left. entry is the log entry of the failure that
// caused it; nil when its retries were set to 0.
func (e *Engine) openJobIncident(ctx context.Context, tx *db.Tx, b *db.Batch, job *db.Range, now db.Time, entry *db.ID) error {
	return tx.OpenJobIncident(ctx, db.JobIncident{
		ID: b.ID.Sub(db.SubJobIncident, uint32(b.Failures)), Job: job.ID(job.First), Definition: job.Kind.Definition(b.ID), //nolint:gosec // not negative
		At: now, Message: job.ExceptionMessage, FailureLog: entry, TenantID: b.TenantID,
	})
}

// visibleMessage gives the words of an error that were meant to be read; its own text if there are none.
func visibleMessage(err error) string {
	var known *fault.Error
	if errors.As(err, &known) {
		return known.Message
	}
	return err.Error()
}
