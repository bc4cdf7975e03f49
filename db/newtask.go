package db

import "context"

// NewTask is a task to be inserted. Its scope must be open (OpenScopes), and count it; the log keeps what the task says of the
// scope's definition and tenant.
type NewTask struct {
	Task
	ExtensionProperties *string // a JSON object; nil: none
	LogID               ID      // of the entry of its creation
}

// InsertTasks writes tasks, unlocked and all of the same time, and their creation entries in the task log.
func (t *Tx) InsertTasks(ctx context.Context, list []NewTask) error {
	if err := t.insertTaskStates(ctx, list); err != nil {
		return err
	}
	if err := t.insertTasks(ctx, list); err != nil {
		return err
	}
	if len(list) == 0 {
		return nil
	}
	tasks, logIDs := each(list, func(x *NewTask) Task { return x.Task }), each(list, func(x *NewTask) ID { return x.LogID })
	return t.logTasks(ctx, TaskCreated, tasks, logIDs, list[0].CreateTime)
}

func (t *Tx) insertTaskStates(ctx context.Context, list []NewTask) error {
	n := len(list)
	return t.insert(ctx, "external_task_state", n, "",
		ofIDs("id", each(list, func(x *NewTask) ID { return x.ID })),
		of("rev", "integer", repeat(int32(1), n)),
		of("create_time", "bigint", each(list, func(x *NewTask) int64 { return int64(x.CreateTime) })),
		of("priority", "bigint", each(list, func(x *NewTask) int64 { return x.Priority })),
		of("retries", "integer", each(list, func(x *NewTask) *int32 { return x.Retries })),
		of("suspended", "boolean", each(list, func(x *NewTask) bool { return x.Suspended })),
		of("topic_name", "text", each(list, func(x *NewTask) string { return x.TopicName })),
	)
}

func (t *Tx) insertTasks(ctx context.Context, list []NewTask) error {
	return t.insert(ctx, "external_task", len(list), "",
		ofIDs("id", each(list, func(x *NewTask) ID { return x.ID })),
		of("scope_id", "text", each(list, func(x *NewTask) string { return x.ScopeID })),
		ofIDs("execution_id", each(list, func(x *NewTask) ID { return x.ExecutionID })),
		of("activity_id", "text", each(list, func(x *NewTask) *string { return x.ActivityID })),
		of("activity_instance_id", "text", each(list, func(x *NewTask) *string { return x.ActivityInstanceID })),
		of("extension_properties", "text", each(list, func(x *NewTask) *string { return x.ExtensionProperties })),
	)
}
