package db

import "context"

const openTaskIncidents = `insert into incident (id, type, state, configuration, scope_id, execution_id, activity_id, tenant_id, create_time, message, history_configuration)
 select p.id, 'failedExternalTask', 0, t.id, t.scope_id, t.execution_id, t.activity_id, c.tenant_id, cast(? as bigint), t.error_message, t.failure_log_id
 from {pairs} p join external_task t on t.id = p.task_id join scope c on c.id = t.scope_id where true on conflict do nothing`

// OpenTaskIncidents opens incidents of tasks, each with the message and the log entry of its task's last failure, if it had one
// (contract-facts 10.4). incidents are their ids, in the order of tasks. A task that is gone or has an open incident already
// is passed over.
func (t *Tx) OpenTaskIncidents(ctx context.Context, tasks, incidents []ID, at Time) error {
	if len(tasks) == 0 {
		return nil
	}
	_, err := t.exec(ctx, openTaskIncidents, t.pair(at, tasks, incidents)...)
	return err
}

func (t *Tx) pair(at Time, a, b []ID) []any { return []any{at, t.ids(a), t.ids(b)} }

// stillOpen is state = 0 for those who look by configuration: it is the condition of the index incident_open alone, so that no database
// thinks of reading an index of all that is open (migration 0010).
const stillOpen = "end_time is null"

const closeTaskIncidents = "update incident set state = ?, end_time = ? where configuration {ids} and " + stillOpen

// ResolveTaskIncidents ends the open incidents of tasks as resolved.
func (t *Tx) ResolveTaskIncidents(ctx context.Context, tasks []ID, at Time) error {
	return t.closeTaskIncidents(ctx, tasks, IncidentResolved, at)
}

// DeleteTaskIncidents ends the open incidents of tasks as deleted.
func (t *Tx) DeleteTaskIncidents(ctx context.Context, tasks []ID, at Time) error {
	return t.closeTaskIncidents(ctx, tasks, IncidentDeleted, at)
}

func (t *Tx) closeTaskIncidents(ctx context.Context, tasks []ID, state int, at Time) error {
	if len(tasks) == 0 {
		return nil
	}
	_, err := t.exec(ctx, closeTaskIncidents, state, at, t.ids(tasks))
	return err
}

// openIncident opens the incident of one task.
func openIncident(id ID, k *HeldTask, at Time, message *string, entry *ID) statement {
	return statement{`insert into incident (id, type, state, configuration, scope_id, execution_id, activity_id, tenant_id, create_time, message, history_configuration)
 values (?, 'failedExternalTask', 0, ?, ?, ?, ?, ?, ?, ?, ?) on conflict do nothing`,
		[]any{id, k.ID, k.ScopeID, k.ExecutionID, k.ActivityID, k.TenantID, at, message, entry}}
}

// closeIncident ends the open incident of one task.
func closeIncident(task ID, state int, at Time) statement {
	return statement{"update incident set state = ?, end_time = ? where configuration = ? and " + stillOpen, []any{state, at, task}}
}
