package db

import "context"

// TaskEvent is what an entry of the task log tells of.
type TaskEvent int16

// The events, in the order in which they happen to a task.
const (
	TaskCreated   TaskEvent = 1 // it was made
	TaskFailed    TaskEvent = 2 // a worker reported a failure
	TaskSucceeded TaskEvent = 3 // a worker completed it
	TaskDeleted   TaskEvent = 4 // it was removed otherwise
)

// logTask writes an entry of the task log about a task as it is before the event: retries are those before a failure
// (contract-facts 8.1). message and details are given for failures only.
func logTask(id ID, event TaskEvent, at Time, k *HeldTask, message, details *string) statement {
	return statement{`insert into task_log (id, at, event, task_id, scope_id, execution_id, activity_id, activity_instance_id, topic_name, worker_id,
 priority, retries, error_message, error_details, definition_id, definition_key, tenant_id) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		[]any{id, at, event, k.ID, k.ScopeID, k.ExecutionID, k.ActivityID, k.ActivityInstanceID, k.TopicName, k.WorkerID,
			k.Priority, k.Retries, message, details, k.DefinitionID, k.DefinitionKey, k.TenantID}}
}

// logTasks writes the same event about many tasks; logIDs are the entries' ids.
func (t *Tx) logTasks(ctx context.Context, event TaskEvent, list []Task, logIDs []ID, at Time) error {
	n := len(list)
	return t.insert(ctx, "task_log", n, "",
		ofIDs("id", logIDs),
		of("at", "bigint", repeat(int64(at), n)),
		of("event", "smallint", repeat(int16(event), n)),
		ofIDs("task_id", each(list, func(k *Task) ID { return k.ID })),
		of("scope_id", "text", each(list, func(k *Task) string { return k.ScopeID })),
		ofIDs("execution_id", each(list, func(k *Task) ID { return k.ExecutionID })),
		of("activity_id", "text", each(list, func(k *Task) *string { return k.ActivityID })),
		of("activity_instance_id", "text", each(list, func(k *Task) *string { return k.ActivityInstanceID })),
		of("topic_name", "text", each(list, func(k *Task) string { return k.TopicName })),
		of("worker_id", "text", each(list, func(k *Task) *string { return k.WorkerID })),
		of("priority", "bigint", each(list, func(k *Task) int64 { return k.Priority })),
		of("retries", "integer", each(list, func(k *Task) *int32 { return k.Retries })),
		of("definition_id", "text", each(list, func(k *Task) *string { return k.DefinitionID })),
		of("definition_key", "text", each(list, func(k *Task) *string { return k.DefinitionKey })),
		of("tenant_id", "text", each(list, func(k *Task) *string { return k.TenantID })),
	)
}
