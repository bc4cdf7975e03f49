package engine

import (
	"context"
	"errors"
	"time"

	"rearm/db"
)

// turn is one transaction's worth of work on a batch.
type turn struct {
	running []db.Range // what was tried last: if the turn fails, these jobs are at fault
	worked  bool       // something was done
	left    bool       // after what was done, execution jobs are left
	topics  []string   // on which tasks have become fetchable
	batch   *db.Batch  // as it was when the turn began; nil: it was not found
	jobs    int        // that were claimed
	lag     time.Duration
	tally   Tally
}

// advance takes one turn on a batch, in one transaction: the seed job makes all execution jobs, at most limit jobs of those
// that are free are carried out, and the batch ends if they were the last. A small batch on tasks needs one turn from seed to end. On
// an error nothing has happened, and running says what was being tried.
func (e *Engine) advance(ctx context.Context, id db.ID, limit int32) (turn, error) {
	var t turn
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		t = turn{}
		if err := e.step(ctx, tx, id, limit, &t); err != nil {
			return err
		}
		if t.batch.ExecutionStartTime == nil { // begun here, as other runners of this process have to know once they see it
			e.met.meet(id)
		}
		return nil
	})
	if errors.Is(err, db.ErrNotFound) && len(t.running) == 0 { // the batch has ended or was deleted meanwhile
		return t, nil
	}
	if err == nil && len(t.topics) > 0 {
		e.Wake(t.topics)
	}
	return t, err
}

func (e *Engine) step(ctx context.Context, tx *db.Tx, id db.ID, limit int32, t *turn) error {
	now := e.clock()
	b, due, err := tx.BatchAt(ctx, id, now)
	if err != nil {
		return err
	}
	t.batch = b
	if due {
		if t.worked, err = e.suspendIfDue(ctx, tx, id, now); t.worked || err != nil {
			return err
		}
	}
	b, err = e.prepare(ctx, tx, b, now, t)
	if err != nil || t.worked && carriers[b.Type].locksOthers {
		return err
	}
	now = e.clock() // another node may have begun the batch while this turn waited for it
	claimed, err := tx.ClaimJobs(ctx, id, now, max(1, limit/b.ItemsPerJob))
	if err != nil {
		return err
	}
	if len(claimed) > 0 {
		t.running, t.worked = claimed, true
		t.jobs, t.lag = lagOf(claimed, now)
		if claimed, err = e.failHopeless(ctx, tx, b, claimed, now, &t.tally); err != nil {
			return err
		}
	}
	if len(claimed) > 0 {
		t.running = claimed
		if t.topics, t.left, err = e.execute(ctx, tx, b, claimed, now, &t.tally); err != nil {
			return err
		}
	}
	return e.finishIfLast(ctx, tx, b, t)
}

// prepare seeds a batch that needs it and gives it anew, locked if this turn is going to write on its row: batch before job is the
// order of all locks.
func (e *Engine) prepare(ctx context.Context, tx *db.Tx, b *db.Batch, now db.Time, t *turn) (_ *db.Batch, err error) {
	if !b.Seeded() {
		t.running = []db.Range{newJob(b, db.SeedJob, b.SeedRuns, now)}
		before := b.JobsCreated
		err = e.seedIfDue(ctx, tx, b.ID, now)
		if errors.Is(err, db.ErrNotFound) { // another executor has ended the batch meanwhile: no job is at fault
			t.running = nil
		}
		if err != nil {
			return nil, err
		}
		if b, err = tx.Batch(ctx, b.ID); err != nil {
			return nil, err
		}
		t.running, t.worked = nil, b.JobsCreated > before
	}
	if b.ExecutionStartTime == nil || carriers[b.Type].locksOthers {
		return tx.LockBatch(ctx, b.ID)
	}
	return b, nil
}

// finishIfLast lets the monitor look when no execution job is left, or when its time has come. Jobs that others are running
// count as left; whoever commits last comes here again.
func (e *Engine) finishIfLast(ctx context.Context, tx *db.Tx, b *db.Batch, t *turn) error {
	if !b.Seeded() || t.left {
		return nil
	}
	left, err := tx.HasExecutionJobs(ctx, b.ID)
	if err != nil || left && t.worked {
		return err
	}
	// Others may hold the batch and wait for a range of this transaction: never wait for them here.
	locked, err := tx.TryLockBatch(ctx, b.ID)
	if errors.Is(err, db.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	before, now := t.running, e.clock() // jobs of others may have ended since the turn began; the batch ends after them
	t.running = []db.Range{newJob(locked, db.MonitorJob, locked.MonitorRuns, now)}
	if t.tally.Ended, err = e.finish(ctx, tx, locked, now); err != nil {
		return err
	}
	t.running, t.worked = before, t.worked || t.tally.Ended
	return nil
}
