package engine_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
)

// heldUp does something while another transaction holds rows that it needs, lets a second pass while it waits, and gives the
// rows free.
func (w *world) heldUp(rows string, do func() error) {
	w.t.Helper()
	conn := dbtest.Raw(w.t, w.store)
	tx, err := conn.BeginTxx(context.Background(), nil)
	w.must(err)
	_, err = tx.ExecContext(context.Background(), rows)
	w.must(err)
	done := make(chan error, 1)
	go func() { done <- do() }()
	w.waitForLock(conn)
	w.pass(time.Second)
	w.must(tx.Rollback())
	w.must(<-done)
}

// waitForLock waits until some transaction waits for a lock.
func (w *world) waitForLock(conn *sqlx.DB) {
	w.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-tick.C {
		var n int
		w.must(conn.GetContext(context.Background(), &n, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"))
		if n > 0 {
			return
		}
	}
	w.t.Fatal("nobody waits for a lock")
}

// What waited for a lock happens when it has the lock: what another node did meanwhile comes before it in every history.
func TestTimesAreThoseOfTheLock(t *testing.T) {
	t.Parallel()
	const batchRow, taskRows, jobRows = "select from batch for update", "select from external_task_state for update", "select from job for update"
	for name, c := range map[string]struct {
		rows    string
		do      func(w *world, b *db.Batch, task db.ID) error
		started time.Duration // when the batch began, from when it was made; -1: it did not
		solved  time.Duration // when the incident ended
	}{
		"the batch":           {batchRow, (*world).carryOut, time.Second, time.Second},
		"a task of the batch": {taskRows, (*world).carryOut, 0, time.Second},
		"one of some tasks": {taskRows, func(w *world, b *db.Batch, task db.ID) error {
			err := w.SetRetries(context.Background(), everybody, engine.SetRetries{Retries: 3, Selection: byID(task)})
			return errors.Join(err, w.carryOut(b, task))
		}, time.Second, time.Second},
		"a job of a batch that is deleted": {jobRows, func(w *world, b *db.Batch, task db.ID) error {
			return w.DeleteBatch(context.Background(), everybody, b.ID.String(), false)
		}, -1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, dbtest.Postgres(t))
			task := w.create(engine.NewTask{Retries: ptr(int32(0))}).ID
			b := w.retryAsync(5, task)
			w.heldUp(c.rows, func() error { return c.do(w, b, task) })
			h, err := w.HistoricBatch(context.Background(), everybody, b.ID.String())
			w.must(err)
			for what, times := range map[string]struct {
				got  *db.Time
				want time.Duration
			}{"beginning": {h.ExecutionStartTime, c.started}, "end": {h.EndTime, time.Second}, "end of the incident": {w.history(task)[0].EndTime, c.solved}} {
				got := time.Duration(-1)
				if times.got != nil {
					got = times.got.Time().Sub(b.StartTime.Time())
				}
				if got != times.want {
					t.Errorf("%s after %v, want %v", what, got, times.want)
				}
			}
		})
	}
}

// carryOut lets an executor work until it finds nothing to do.
func (w *world) carryOut(*db.Batch, db.ID) error {
	_, _, err := w.NewRunner().Step(context.Background(), time.Minute)
	return err
}

// A batch ends after the last of its jobs, at whatever moment another node carries that one out and commits.
func TestEndComesAfterJobsOfOthers(t *testing.T) {
	t.Parallel()
	ended := 0
	for n := range 8 {
		w := newWorld(t, dbtest.Postgres(t))
		b, _ := w.seeded(1)
		tx, err := dbtest.Raw(t, w.store).BeginTxx(context.Background(), nil)
		w.must(err)
		_, err = tx.ExecContext(context.Background(), "delete from job where kind = 1")
		w.must(err)
		calls, last := 0, db.Time(0)
		w.Now = func() time.Time {
			now := w.clock()
			if calls++; calls == n+1 {
				w.pass(time.Second)
				last = db.TimeOf(w.clock())
				w.must(tx.Commit())
			}
			return now
		}
		w.must(w.carryOut(b, db.NilID))
		_ = tx.Rollback() // where the clock was not read so often
		h, err := w.HistoricBatch(context.Background(), everybody, b.ID.String())
		w.must(err)
		if h.EndTime == nil {
			continue
		}
		if ended++; *h.EndTime < last {
			t.Errorf("committed at call %d of the clock: the batch ended at %v, its last job at %v", n+1, *h.EndTime, last)
		}
	}
	if ended == 0 {
		t.Error("no batch has ended")
	}
}
