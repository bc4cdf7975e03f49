package engine

import (
	"context"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// Result is what a worker says of a task that it has done.
type Result struct {
	WorkerID       string
	Variables      map[string]variable.Input // set in the scope
	LocalVariables map[string]variable.Input // checked only: they would go with the task
}

// Complete ends a task as done. Its incident is resolved, and its scope ends with it if it was the last task there
// (contract-facts 2.7).
func (e *Engine) Complete(ctx context.Context, caller db.Caller, id string, r Result) error {
	if _, err := parse(r.LocalVariables); err != nil {
		return err
	}
	err := e.finishTask(ctx, caller, id, r.WorkerID, cannotComplete, db.TaskSucceeded, r.Variables)
	if err == nil {
		e.didOne(ctx, TasksCompleted, id)
	}
	return err
}

// BpmnError is an error of the business that a worker met.
type BpmnError struct {
	WorkerID  string
	ErrorCode string
	Variables map[string]variable.Input // set in the scope
}

// ThrowBpmnError ends a task by an error of the business. There is no process that could catch it, so it counts as removed
// (contract-facts 2.9).
func (e *Engine) ThrowBpmnError(ctx context.Context, caller db.Caller, id string, b BpmnError) error {
	if b.ErrorCode == "" {
		return fault.Coded(fault.Invalid, fault.ProcessEngine, "Error Code is empty")
	}
	err := e.finishTask(ctx, caller, id, b.WorkerID, cannotThrow, db.TaskDeleted, b.Variables)
	if err == nil {
		e.didOne(ctx, TasksDeleted, id)
	}
	return err
}

// finishTask ends a task that its worker is done with, one way or the other. Variables are written last, since whoever writes
// several kinds of rows locks them in this order: tasks, scopes, variables.
func (e *Engine) finishTask(ctx context.Context, caller db.Caller, id, worker, words string, event db.TaskEvent, variables map[string]variable.Input) error {
	values, err := parse(variables)
	if err != nil {
		return err
	}
	return e.holdTask(ctx, caller, id, owns(worker, words), func(tx *db.Tx, k *db.HeldTask) error {
		if err := active(k); err != nil {
			return err
		}
		if err := tx.EndTask(ctx, k, e.endOf(event)); err != nil {
			return err
		}
		return tx.SetVariables(ctx, stored(values, k.ScopeID, db.NilID))
	})
}

// endOf describes an end of a task that happens now.
func (e *Engine) endOf(event db.TaskEvent) db.End {
	now := e.clock()
	return db.End{At: now, Event: event, LogID: e.NewID(), Removal: e.scopeRemoval(now)}
}

// scopeRemoval gives when the history of a scope that ends may be cleaned up; nil: never.
func (e *Engine) scopeRemoval(end db.Time) *db.Time {
	if e.HistoryTTL == 0 {
		return nil
	}
	t := end.Add(e.HistoryTTL)
	return &t
}

// Failure is what a worker says of an attempt that failed.
type Failure struct {
	WorkerID       string
	Message        *string // kept up to 666 UTF-16 units; nil clears the one before
	Details        *string // nil keeps the ones before
	Retries        int32   // that are left
	RetryTimeout   int64   // milliseconds until somebody may fetch the task again
	Variables      map[string]variable.Input
	LocalVariables map[string]variable.Input
}

// Fail books a failed attempt: at 0 retries the task has an incident, and is fetched no more (contract-facts 2.8 and 10.4).
func (e *Engine) Fail(ctx context.Context, caller db.Caller, id string, f Failure) error {
	if f.Retries < 0 {
		return fault.Coded(fault.Invalid, fault.ProcessEngine, "retries is not greater than or equal to 0")
	}
	if f.RetryTimeout < 0 {
		return fault.Coded(fault.Invalid, fault.ProcessEngine, "retryDuration is not greater than or equal to 0")
	}
	shared, local, err := parseBoth(f.Variables, f.LocalVariables)
	if err != nil {
		return err
	}
	var topic string
	var booked db.Failure
	err = e.holdTask(ctx, caller, id, owns(f.WorkerID, cannotFail), func(tx *db.Tx, k *db.HeldTask) error {
		if err := active(k); err != nil {
			return err
		}
		topic, booked = k.TopicName, e.failureOf(f)
		values := append(stored(shared, k.ScopeID, db.NilID), stored(local, k.ScopeID, k.ID)...)
		if err := tx.SetVariables(ctx, values); err != nil {
			return err
		}
		return tx.FailTask(ctx, k, booked)
	})
	if err == nil {
		e.didOne(ctx, TasksFailed, id)
	}
	switch {
	case err != nil || f.Retries == 0:
	case booked.Until > booked.At:
		e.Hold(topic, booked.Until)
	default:
		e.Wake([]string{topic})
	}
	return err
}

// failureOf gives a failure that happens now as it is written.
func (e *Engine) failureOf(f Failure) db.Failure {
	now := e.clock()
	if f.Message != nil {
		short := shorten(*f.Message)
		f.Message = &short
	}
	return db.Failure{At: now, Message: f.Message, Details: f.Details, Retries: f.Retries, Until: now.AddMillis(f.RetryTimeout),
		LogID: e.NewID(), IncidentID: e.NewID()}
}
