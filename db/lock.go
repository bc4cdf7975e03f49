package db

import "context"

// HeldTask is a task whose row nobody else can change until the transaction ends.
type HeldTask struct {
	Task
	ErrorDetails *string `db:"error_details"`
	FailureLogID *ID     `db:"failure_log_id"` // the log entry of the last failure
}

const selectHeldTask = "select " + taskColumns + ", t.error_details, t.failure_log_id from " + tasksWithScope + " where s.id = ? {locks}"

// HoldTask reads a task and keeps everybody else from changing it. ErrNotFound: there is none of that id.
func (t *Tx) HoldTask(ctx context.Context, id ID) (*HeldTask, error) {
	var k HeldTask
	return &k, t.get(ctx, &k, selectHeldTask, id)
}

// touch is what every write to a task's state does that is not a batch's.
const touch = "rev = rev + 1, set_by = null, was = null"

const setLock = "update external_task_state set worker_id = ?, lock_expiration = ?, held = ?, " + touch + " where id = ?"

// SetLock locks a task for a worker until a time, whoever held it; nil and nil unlock it.
func (t *Tx) SetLock(ctx context.Context, id ID, worker *string, until *Time) error {
	_, err := t.exec(ctx, setLock, worker, until, until != nil, id)
	return err
}

// SetPriority sets the priority of a task.
func (t *Tx) SetPriority(ctx context.Context, id ID, priority int64) error {
	_, err := t.exec(ctx, "update external_task_state set priority = ?, "+touch+" where id = ?", priority, id)
	return err
}

// Failure is a failed attempt at a task.
type Failure struct {
	At         Time
	Message    *string // replaces the one that the task has, also when nil
	Details    *string // nil keeps those that it has
	Retries    int32
	Until      Time // nobody fetches the task before; At: at once
	LogID      ID
	IncidentID ID // of the incident that is opened when no retries are left
}

const failState = "update external_task_state set retries = ?, lock_expiration = ?, held = ?, " + touch + " where id = ?"

const failTask = "update external_task set error_message = ?, error_details = ?, failure_log_id = ? where id = ?"

// FailTask books a failure of a task: its state, its message, the log entry with the retries before it, and its incident
// (contract-facts 2.8 and 10.4).
func (t *Tx) FailTask(ctx context.Context, k *HeldTask, f Failure) error {
	details := f.Details
	if details == nil {
		details = k.ErrorDetails
	}
	list := []statement{
		{failState, []any{f.Retries, f.Until, f.Until > f.At, k.ID}},
		{failTask, []any{f.Message, details, f.LogID, k.ID}},
		logTask(f.LogID, TaskFailed, f.At, k, f.Message, details),
	}
	switch {
	case f.Retries == 0 && Left(k.Retries):
		list = append(list, openIncident(f.IncidentID, k, f.At, f.Message, &f.LogID))
	case f.Retries > 0 && !Left(k.Retries):
		list = append(list, closeIncident(k.ID, IncidentResolved, f.At))
	}
	return t.together(ctx, list...)
}

// End is the end of a task.
type End struct {
	At      Time
	Event   TaskEvent // TaskSucceeded resolves the task's incident, TaskDeleted marks it as deleted
	LogID   ID
	Removal *Time // when the scope's history may go, if this is its last task; nil: never
}

// EndTask takes a task away, which ends its scope if it was the last one there. Its own variables stay as history.
func (t *Tx) EndTask(ctx context.Context, k *HeldTask, e End) error {
	list := []statement{
		{"delete from external_task_state where id = ?", []any{k.ID}},
		{"delete from external_task where id = ?", []any{k.ID}},
		logTask(e.LogID, e.Event, e.At, k, nil, nil),
		endScope(k.ScopeID, 1, e.At, e.Removal),
	}
	if !Left(k.Retries) {
		state := IncidentDeleted
		if e.Event == TaskSucceeded {
			state = IncidentResolved
		}
		list = append(list, closeIncident(k.ID, state, e.At))
	}
	return t.together(ctx, list...)
}
