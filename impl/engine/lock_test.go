package engine_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

func TestLock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{})
		id := a.ID.String()
		lock := func(worker string, d time.Duration) error {
			return w.Lock(context.Background(), everybody, id, worker, d.Milliseconds())
		}
		refused(t, lock("w", 0), fault.Invalid, fault.Rest, "lockDuration is not greater than 0")
		w.must(lock("w", time.Minute))
		w.must(lock("w", time.Hour))
		if k := w.read(a.ID); *k.WorkerID != "w" || *k.LockExpiration != a.CreateTime.Add(time.Hour) {
			t.Errorf("read %+v", k)
		}
		w.pass(time.Hour)
		refused(t, lock("x", time.Minute), fault.Invalid, fault.Rest, "External Task "+id+" cannot be locked by worker 'x'. It is locked by worker 'w'.")
		w.pass(time.Millisecond)
		w.must(w.SetTaskRetries(context.Background(), everybody, id, 0))
		w.must(lock("x", time.Minute))
		if k := w.read(a.ID); *k.WorkerID != "x" {
			t.Errorf("read %+v", k)
		}
		refused(t, w.Lock(context.Background(), everybody, "nonexistent", "w", 1), fault.NotFound, fault.Rest, "External task with id nonexistent does not exist")
	})
}

// A lock for ever ends with time, instead of having been over long ago.
func TestLockForEver(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{})
		w.must(w.Lock(context.Background(), everybody, a.ID.String(), "w", 1<<63-1))
		if k := w.read(a.ID); k.LockExpiration.Time().Year() != 9999 {
			t.Errorf("locked until %v", k.LockExpiration.Time())
		}
	})
}

func TestExtendLock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{})
		id := a.ID.String()
		extend := func(worker string, d time.Duration) error {
			return w.ExtendLock(context.Background(), everybody, id, worker, d.Milliseconds())
		}
		refused(t, w.ExtendLock(context.Background(), everybody, "nonexistent", "w", 0), fault.Invalid, fault.Rest, "lockTime is not greater than 0")
		refused(t, extend("w", time.Second), fault.Invalid, fault.Rest, "The lock of the External Task "+id+" cannot be extended by worker 'w''. It is locked by worker 'null'.")
		w.fetch("w", 1, "t")
		w.pass(time.Second)
		w.must(extend("w", 2*time.Second))
		if k := w.read(a.ID); *k.LockExpiration != a.CreateTime.Add(3*time.Second) {
			t.Errorf("locked until %v", k.LockExpiration.Time())
		}
		w.pass(2 * time.Second)
		w.must(extend("w", time.Second))
		w.pass(time.Second + time.Millisecond)
		refused(t, extend("w", time.Second), fault.Invalid, fault.Rest,
			fmt.Sprintf("Cannot extend a lock that expired: lockExpirationTime is not greater than or equal to %d", w.now.UnixMilli()))
	})
}

func TestUnlock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{})
		w.fetch("w", 1, "t")
		w.woken()
		w.must(w.Unlock(context.Background(), everybody, a.ID.String()))
		if k := w.read(a.ID); k.WorkerID != nil || k.LockExpiration != nil || len(w.woken()) != 1 {
			t.Errorf("read %+v", k)
		}
		refused(t, w.Unlock(context.Background(), everybody, "a b"), fault.NotFound, fault.Rest, "External task with id a b does not exist")
	})
}
