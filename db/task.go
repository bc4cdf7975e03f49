package db

import (
	"context"
	"strings"
)

// Task is an external task, with what it has from its scope.
type Task struct {
	ID                 ID      `db:"id"`
	TopicName          string  `db:"topic_name"`
	Priority           int64   `db:"priority"`
	Retries            *int32  `db:"retries"`   // nil: never set, counts as retries left
	WorkerID           *string `db:"worker_id"` // stays when the lock has run out
	LockExpiration     *Time   `db:"lock_expiration"`
	Suspended          bool    `db:"suspended"`
	CreateTime         Time    `db:"create_time"`
	ExecutionID        ID      `db:"execution_id"`
	ActivityID         *string `db:"activity_id"`
	ActivityInstanceID *string `db:"activity_instance_id"`
	ErrorMessage       *string `db:"error_message"` // of the last failure
	ScopeID            string  `db:"scope_id"`      // the processInstanceId
	BusinessKey        *string `db:"business_key"`
	DefinitionID       *string `db:"definition_id"`
	DefinitionKey      *string `db:"definition_key"`
	VersionTag         *string `db:"version_tag"`
	TenantID           *string `db:"tenant_id"`
}

// Left tells whether a task with such retries may be tried again (contract-facts 10.4).
func Left(retries *int32) bool { return retries == nil || *retries > 0 }

const taskColumns = `s.id, s.topic_name, s.priority, s.retries, s.worker_id, s.lock_expiration, s.suspended, s.create_time,
 t.execution_id, t.activity_id, t.activity_instance_id, t.error_message, t.scope_id,
 c.business_key, c.definition_id, c.definition_key, c.version_tag, c.tenant_id`

const (
	justTasks      = "external_task_state s"
	justWide       = "external_task t"
	scopeOfTask    = " join scope c on c.id = t.scope_id"
	tasksWide      = justTasks + " join " + justWide + " on t.id = s.id"
	tasksWithScope = tasksWide + scopeOfTask
)

// nothing is a filter by something that nothing here has, such as the name of a process definition: it finds nothing.
var nothing = Field{Kind: Special, Make: func(*Filter, any) (string, []any, error) { return "false", nil, nil }}

// Tasks are the external tasks, with the filters and sort keys of /external-task (contract-facts 2.2). A task whose lock ends
// at this very moment is neither locked nor notLocked.
var Tasks = &Resource{
	From: tasksWithScope, ID: "s.id", Tenant: "c.tenant_id",
	Fields: map[string]Field{
		"externalTaskId":            {Kind: OneID, Cond: "s.id = ?"},
		"externalTaskIdIn":          {Kind: IDs, Cond: "s.id {ids}", Empty: true},
		"topicName":                 {Kind: Text, Cond: "s.topic_name = ?"},
		"workerId":                  {Kind: Text, Cond: "s.worker_id = ?"},
		"executionId":               {Kind: OneID, Cond: "t.execution_id = ?"},
		"activityId":                {Kind: Text, Cond: "t.activity_id = ?"},
		"activityIdIn":              {Kind: Texts, Cond: "t.activity_id {texts}"},
		"processInstanceId":         {Kind: Text, Cond: "t.scope_id = ?"},
		"processInstanceIdIn":       {Kind: Texts, Cond: "t.scope_id {texts}"},
		"processDefinitionId":       {Kind: Text, Cond: "c.definition_id = ?"},
		"processDefinitionKey":      {Kind: Text, Cond: "c.definition_key = ?"},
		"processDefinitionKeyIn":    {Kind: Texts, Cond: "c.definition_key {texts}", Empty: true},
		"processDefinitionName":     nothing,
		"processDefinitionNameLike": nothing,
		"tenantIdIn":                {Kind: Texts, Cond: "c.tenant_id {texts}"},
		"locked":                    {Kind: FlagNow, Cond: "s.lock_expiration > ?"},
		"notLocked":                 {Kind: FlagNow, Cond: "s.lock_expiration is null or s.lock_expiration < ?"},
		"lockExpirationBefore":      {Kind: Date, Cond: "s.lock_expiration < ?"},
		"lockExpirationAfter":       {Kind: Date, Cond: "s.lock_expiration > ?"},
		"withRetriesLeft":           {Kind: Flag, Cond: "s.retries is null or s.retries > 0", Unless: "noRetriesLeft"},
		"noRetriesLeft":             {Kind: Flag, Cond: "s.retries = 0"},
		"active":                    {Kind: Flag, Cond: "not s.suspended", Unless: "suspended"},
		"suspended":                 {Kind: Flag, Cond: "s.suspended"},

		"priorityHigherThanOrEquals": {Kind: Long, Cond: "s.priority >= ?"},
		"priorityLowerThanOrEquals":  {Kind: Long, Cond: "s.priority <= ?"},
		"processVariables":           {Kind: Special, Comparisons: true, Make: compareVariables("t.scope_id", liveVariables)},
		"variableNamesIgnoreCase":    {Kind: Option},
		"variableValuesIgnoreCase":   {Kind: Option},
	},
	Sorts: map[string]string{
		"id": "s.id", "lockExpirationTime": "s.lock_expiration", "processInstanceId": "t.scope_id", "processDefinitionId": "c.definition_id",
		"processDefinitionKey": "c.definition_key", "tenantId": "c.tenant_id", "taskPriority": "s.priority", "createTime": "s.create_time",
	},
	Always: []string{"id", "processInstanceId", "taskPriority", "createTime"},
	Slim:   slimTasks,
}

// Task reads a task; ErrNotFound if there is none of that id.
func (q Queries) Task(ctx context.Context, id ID) (*Task, error) {
	var t Task
	return &t, q.get(ctx, &t, "select "+taskColumns+" from "+tasksWithScope+" where s.id = ?", id)
}

// ErrorDetails reads the details of the last failure that came with any; nil: none has. ErrNotFound: there is no such task.
func (q Queries) ErrorDetails(ctx context.Context, id ID) (details *string, err error) {
	return details, q.get(ctx, &details, "select t.error_details from external_task t where t.id = ?", id)
}

// Tasks reads a page of the tasks that a filter selects.
func (q Queries) Tasks(ctx context.Context, f *Filter) ([]Task, error) {
	return Collect(func(do func(*Task) error) error { return q.EachTask(ctx, f, do) })
}

// EachTask calls do for each of a page of the tasks that a filter selects, as they are read.
func (q Queries) EachTask(ctx context.Context, f *Filter, do func(*Task) error) error {
	return eachOf(ctx, q, Tasks, taskColumns, f, do)
}

// CountTasks counts the tasks that a filter selects.
func (q Queries) CountTasks(ctx context.Context, f *Filter) (n int64, err error) {
	text, args, err := q.TaskSelection(f)
	if err != nil {
		return 0, err
	}
	return n, q.get(ctx, &n, "select count(*) from ("+text+") s", args...)
}

// TaskSelection gives the query that selects the ids of a filter's tasks in its one column id, to be a part of another one. It
// reads only the tables that the filter asks for. The error is ErrFilter.
func (q Queries) TaskSelection(f *Filter) (text string, args []any, err error) {
	if _, err := Tasks.orderBy(f); err != nil {
		return "", nil, err
	}
	cond, args, err := q.where(Tasks, f)
	if err != nil {
		return "", nil, err
	}
	return slimTasks(cond), args, nil
}

// slimTasks gives the query of the ids that a condition selects: of the wide table alone if it asks nothing of the narrow one.
func slimTasks(cond string) string {
	narrow, from := strings.Contains(strings.ReplaceAll(cond, "s.id", ""), "s."), justWide
	switch wide, scope := strings.Contains(cond, "t."), strings.Contains(cond, "c."); {
	case narrow || !wide && !scope:
		return "select s.id from " + tasksFor(cond) + " where " + cond
	case scope:
		from = justWide + scopeOfTask
	}
	return "select t.id from " + from + " where " + strings.ReplaceAll(cond, "s.id", "t.id")
}

// tasksFor gives the tables that a condition on tasks, and an order, need.
func tasksFor(cond string) string {
	switch {
	case strings.Contains(cond, "c."):
		return tasksWithScope
	case strings.Contains(cond, "t."):
		return tasksWide
	}
	return justTasks
}

// SelectTaskIDs reads the ids of all tasks that a filter selects, in order; its page and its sorting do not count.
func (q Queries) SelectTaskIDs(ctx context.Context, f *Filter) ([]ID, error) {
	text, args, err := q.TaskSelection(f)
	if err != nil {
		return nil, err
	}
	return q.selectIDs(ctx, text+" order by 1", args...)
}

// selectIDs reads ids.
func (q Queries) selectIDs(ctx context.Context, text string, args ...any) (ids []ID, err error) {
	err = q.each(ctx, func(scan func(...any) error) error {
		var id ID
		if err := scan(&id); err != nil {
			return err
		}
		ids = append(ids, id)
		return nil
	}, text, args...)
	return ids, err
}

// TopicFlags narrow TopicNames; those that are set have to hold all.
type TopicFlags struct{ Locked, Unlocked, WithRetriesLeft bool }

// TopicNames reads the names of the topics of tasks, each once, in order (contract-facts 2.4).
func (q Queries) TopicNames(ctx context.Context, caller Caller, now Time, flags TopicFlags) ([]string, error) {
	f := &Filter{Caller: caller, Now: now, Values: map[string]any{
		"locked": flags.Locked, "notLocked": flags.Unlocked, "withRetriesLeft": flags.WithRetriesLeft,
	}}
	cond, args, err := q.where(Tasks, f)
	if err != nil {
		return nil, err
	}
	names := []string{}
	return names, q.sel(ctx, &names, "select distinct s.topic_name from "+tasksFor(cond)+" where "+cond+" order by s.topic_name", args...)
}
