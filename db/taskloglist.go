package db

import (
	"context"
	"fmt"
)

// TaskEntry is an entry of the task log, with what it has from its scope.
type TaskEntry struct {
	ID                 ID        `db:"id"`
	At                 Time      `db:"at"`
	Event              TaskEvent `db:"event"`
	TaskID             ID        `db:"task_id"`
	ScopeID            string    `db:"scope_id"`
	ExecutionID        ID        `db:"execution_id"`
	ActivityID         *string   `db:"activity_id"`
	ActivityInstanceID *string   `db:"activity_instance_id"`
	TopicName          string    `db:"topic_name"`
	WorkerID           *string   `db:"worker_id"`
	Priority           int64     `db:"priority"`
	Retries            *int32    `db:"retries"` // before a failure
	ErrorMessage       *string   `db:"error_message"`
	DefinitionID       *string   `db:"definition_id"`
	DefinitionKey      *string   `db:"definition_key"`
	TenantID           *string   `db:"tenant_id"`
	RemovalTime        *Time     `db:"removal_time"` // when the scope's history may go; nil while it runs, or never
}

const taskEntryColumns = `l.id, l.at, l.event, l.task_id, l.scope_id, l.execution_id, l.activity_id, l.activity_instance_id, l.topic_name, l.worker_id,
 l.priority, l.retries, l.error_message, l.definition_id, l.definition_key, l.tenant_id, c.removal_time`

// TaskLog is the history of tasks, with the filters and sort keys of /history/external-task-log (contract-facts 8.1): of several
// kinds of events the last one in the order creation, failure, success, deletion wins.
var TaskLog = &Resource{
	From: "task_log l left join scope c on c.id = l.scope_id", ID: "l.id", Tenant: "l.tenant_id",
	Fields: map[string]Field{
		"logId":                {Kind: OneID, Cond: "l.id = ?"},
		"externalTaskId":       {Kind: OneID, Cond: "l.task_id = ?"},
		"topicName":            {Kind: Text, Cond: "l.topic_name = ?"},
		"workerId":             {Kind: Text, Cond: "l.worker_id = ?"},
		"errorMessage":         {Kind: Text, Cond: "l.error_message = ?"},
		"activityIdIn":         {Kind: Texts, Cond: "l.activity_id {texts}", Empty: true},
		"activityInstanceIdIn": {Kind: Texts, Cond: "l.activity_instance_id {texts}", Empty: true},
		"executionIdIn":        {Kind: IDs, Cond: "l.execution_id {ids}", Empty: true},
		"processInstanceId":    {Kind: Text, Cond: "l.scope_id = ?"},
		"processDefinitionId":  {Kind: Text, Cond: "l.definition_id = ?"},
		"processDefinitionKey": {Kind: Text, Cond: "l.definition_key = ?"},
		"tenantIdIn":           {Kind: Texts, Cond: "l.tenant_id {texts}", Unless: "withoutTenantId", Empty: true},
		"withoutTenantId":      {Kind: Flag, Cond: "l.tenant_id is null"},
		"creationLog":          eventFilter(TaskCreated),
		"failureLog":           eventFilter(TaskFailed),
		"successLog":           eventFilter(TaskSucceeded),
		"deletionLog":          eventFilter(TaskDeleted),

		"priorityHigherThanOrEquals": {Kind: Long, Cond: "l.priority >= ?"},
		"priorityLowerThanOrEquals":  {Kind: Long, Cond: "l.priority <= ?"},
	},
	Sorts: map[string]string{
		"timestamp": "l.at", "externalTaskId": "l.task_id", "retries": "l.retries", "priority": "l.priority", "topicName": "l.topic_name",
		"workerId": "l.worker_id", "activityId": "l.activity_id", "activityInstanceId": "l.activity_instance_id", "executionId": "l.execution_id",
		"processInstanceId": "l.scope_id", "processDefinitionId": "l.definition_id", "processDefinitionKey": "l.definition_key", "tenantId": "l.tenant_id",
	},
	Always: []string{"timestamp", "externalTaskId", "priority", "topicName", "executionId", "processInstanceId"},
	Slim:   func(cond string) string { return "select l.id from task_log l where " + cond }, // the scope has nothing that it asks for
}

// eventFilter is a filter of a log l by the kind of event; a later kind that is asked for too wins.
func eventFilter[E TaskEvent | JobEvent](event E) Field {
	later := []string{"failureLog", "successLog", "deletionLog"}[event-1:]
	return Field{Kind: Special, Make: func(f *Filter, value any) (string, []any, error) {
		on, ok := value.(bool)
		if !ok {
			return "", nil, wrongValue(value)
		}
		for _, name := range later {
			on = on && !f.Acts(name)
		}
		if !on {
			return "", nil, nil
		}
		if event == 1 {
			return "l.event = 1", nil, nil
		}
		return fmt.Sprintf("l.event = %d and l.event > 1", event), nil, nil // as the index says it
	}}
}

// TaskLog reads a page of the entries of the task log that a filter selects.
func (q Queries) TaskLog(ctx context.Context, f *Filter) ([]TaskEntry, error) {
	return Collect(func(do func(*TaskEntry) error) error { return q.EachTaskEntry(ctx, f, do) })
}

// EachTaskEntry calls do for each of a page of the entries of the task log that a filter selects, as they are read.
func (q Queries) EachTaskEntry(ctx context.Context, f *Filter, do func(*TaskEntry) error) error {
	return eachOf(ctx, q, TaskLog, taskEntryColumns, f, do)
}

// CountTaskLog counts what TaskLog lists.
func (q Queries) CountTaskLog(ctx context.Context, f *Filter) (int64, error) {
	return q.count(ctx, TaskLog, f)
}

// TaskEntry reads one entry of the task log; ErrNotFound if there is none of that id.
func (q Queries) TaskEntry(ctx context.Context, id ID) (*TaskEntry, error) {
	var l TaskEntry
	return &l, q.get(ctx, &l, "select "+taskEntryColumns+" from "+TaskLog.From+" where l.id = ?", id)
}

// TaskEntryDetails reads the error details of an entry; nil: it has none. ErrNotFound: there is no such entry.
func (q Queries) TaskEntryDetails(ctx context.Context, id ID) (details *string, err error) {
	return details, q.get(ctx, &details, "select l.error_details from task_log l where l.id = ?", id)
}
