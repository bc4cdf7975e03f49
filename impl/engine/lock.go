package engine

import (
	"context"
	"fmt"

	"rearm/db"
	"rearm/impl/fault"
)

// The words in which a worker is told that another one has the task, with the task, the worker and the owner
// (contract-facts 2.15; the doubled quote of the last one is the reference's).
const (
	cannotComplete = "External Task %s cannot be completed by worker '%s'. It is locked by worker '%s'."
	cannotFail     = "Failure of External Task %s cannot be reported by worker '%s'. It is locked by worker '%s'."
	cannotThrow    = "Bpmn error of External Task %s cannot be reported by worker '%s'. It is locked by worker '%s'."
	cannotLock     = "External Task %s cannot be locked by worker '%s'. It is locked by worker '%s'."
	cannotExtend   = "The lock of the External Task %s cannot be extended by worker '%s''. It is locked by worker '%s'."
)

// owns makes the check that a worker was the last to lock the task; whether the lock still runs does not matter.
func owns(worker, words string) func(*db.HeldTask) error {
	return func(k *db.HeldTask) error {
		if k.WorkerID != nil && *k.WorkerID == worker {
			return nil
		}
		owner := "null"
		if k.WorkerID != nil {
			owner = *k.WorkerID
		}
		return fault.Coded(fault.Invalid, fault.Rest, "%s", fmt.Sprintf(words, k.ID, worker, owner))
	}
}

// active refuses a suspended task.
func active(k *db.HeldTask) error {
	if k.Suspended {
		return fault.Coded(fault.Invalid, fault.Rest, "ENGINE-03043 ExternalTask with id '%s' is suspended.", k.ID)
	}
	return nil
}

// Lock locks a task for a worker for a time in milliseconds. It may be locked, but not by another worker whose lock still
// runs; suspension and retries do not matter (contract-facts 2.10).
func (e *Engine) Lock(ctx context.Context, caller db.Caller, id, worker string, duration int64) error {
	if duration <= 0 {
		return fault.Coded(fault.Invalid, fault.Rest, "lockDuration is not greater than 0")
	}
	now := e.clock()
	check := func(k *db.HeldTask) error {
		if k.LockExpiration == nil || *k.LockExpiration < now {
			return nil
		}
		return owns(worker, cannotLock)(k)
	}
	var topic string
	until := now.AddMillis(duration)
	err := e.holdTask(ctx, caller, id, check, func(tx *db.Tx, k *db.HeldTask) error {
		topic = k.TopicName
		return tx.SetLock(ctx, k.ID, &worker, &until)
	})
	if err == nil {
		e.Hold(topic, until)
		e.didOne(ctx, TasksLocked, id)
	}
	return err
}

// ExtendLock lets a worker's lock, which must still run, end a time in milliseconds from now (contract-facts 2.12).
func (e *Engine) ExtendLock(ctx context.Context, caller db.Caller, id, worker string, duration int64) error {
	if duration <= 0 {
		return fault.Coded(fault.Invalid, fault.Rest, "lockTime is not greater than 0")
	}
	var topic string
	var until db.Time
	err := e.holdTask(ctx, caller, id, owns(worker, cannotExtend), func(tx *db.Tx, k *db.HeldTask) error {
		if err := active(k); err != nil {
			return err
		}
		now := e.clock()
		if k.LockExpiration == nil || *k.LockExpiration < now {
			return fault.Coded(fault.Invalid, fault.Rest, "Cannot extend a lock that expired: lockExpirationTime is not greater than or equal to %d", now)
		}
		topic, until = k.TopicName, now.AddMillis(duration)
		return tx.SetLock(ctx, k.ID, &worker, &until)
	})
	if err == nil {
		e.Hold(topic, until)
	}
	return err
}

// Unlock takes a task away from whoever has it (contract-facts 2.11).
func (e *Engine) Unlock(ctx context.Context, caller db.Caller, id string) error {
	var topic string
	err := e.holdTask(ctx, caller, id, anyone, func(tx *db.Tx, k *db.HeldTask) error {
		topic = k.TopicName
		return tx.SetLock(ctx, k.ID, nil, nil)
	})
	if err == nil {
		e.Wake([]string{topic})
	}
	return err
}

// SetPriority sets the priority of a task (contract-facts 2.14).
func (e *Engine) SetPriority(ctx context.Context, caller db.Caller, id string, priority int64) error {
	return e.holdTask(ctx, caller, id, anyone, func(tx *db.Tx, k *db.HeldTask) error {
		return tx.SetPriority(ctx, k.ID, priority)
	})
}
