package db

import (
	"context"
	"errors"
)

// Execution is a place of variables: a scope that has not ended, or one of its tasks.
type Execution struct {
	ScopeID  string  `db:"scope_id"`
	TaskID   ID      `db:"task_id"` // NilID: the scope itself
	TenantID *string `db:"tenant_id"`
}

const selectScopeExecution = "select c.id as scope_id, c.tenant_id from scope c where c.id = ? and c.end_time is null"

const selectTaskExecution = `select t.scope_id, t.id as task_id, c.tenant_id from external_task t join scope c on c.id = t.scope_id
 where t.execution_id = ?`

// Execution finds the place that an id names: a processInstanceId its scope, an executionId its task. ErrNotFound: there is
// none, or it has ended, or the caller may not see it. A scope that the caller may not see hides no task, even if somebody has
// called it by the task's executionId.
func (q Queries) Execution(ctx context.Context, caller Caller, id string) (*Execution, error) {
	x, err := q.execution(ctx, caller, selectScopeExecution, id)
	execution, ok := ParseID(id)
	if !errors.Is(err, ErrNotFound) || !ok {
		return x, err
	}
	return q.execution(ctx, caller, selectTaskExecution, execution)
}

func (q Queries) execution(ctx context.Context, caller Caller, text string, id any) (*Execution, error) {
	var x Execution
	err := q.get(ctx, &x, text, id)
	if err == nil && !caller.Sees(x.TenantID) {
		return nil, ErrNotFound
	}
	return &x, err
}

// The variables that an execution sees under a name, its own before the scope's: the nil UUID is the smallest.
const variableOfExecution = " from variable v where v.scope_id = ? and v.name = ? and v.task_id in (?, ?) order by v.task_id desc limit 1"

// VariableOf reads a variable that an execution sees, or, if local, one of its own; the content of a file stays behind.
// ErrNotFound: there is none of that name.
func (q Queries) VariableOf(ctx context.Context, x *Execution, name string, local bool) (*Variable, error) {
	return q.variableOf(ctx, variableColumns, x, name, local)
}

// WholeVariableOf is VariableOf with the content of a file.
func (q Queries) WholeVariableOf(ctx context.Context, x *Execution, name string, local bool) (*Variable, error) {
	return q.variableOf(ctx, wholeVariableColumns, x, name, local)
}

func (q Queries) variableOf(ctx context.Context, columns string, x *Execution, name string, local bool) (*Variable, error) {
	further := NilID
	if local {
		further = x.TaskID
	}
	var v Variable
	return &v, q.get(ctx, &v, "select "+columns+variableOfExecution, x.ScopeID, name, x.TaskID, further)
}

// OwnNames tells under which of the names an execution has variables of its own.
func (q Queries) OwnNames(ctx context.Context, x *Execution, names []string) (map[string]bool, error) {
	own := map[string]bool{}
	return own, q.each(ctx, func(scan func(...any) error) error {
		var name string
		err := scan(&name)
		own[name] = true
		return err
	}, "select v.name from variable v where v.scope_id = ? and v.task_id = ? and v.name {texts}", x.ScopeID, x.TaskID, q.texts(names))
}

// DeleteVariables takes variables away from a scope, or from one of its tasks; names that it does not have do no harm.
func (t *Tx) DeleteVariables(ctx context.Context, scope string, task ID, names []string) error {
	if len(names) == 0 {
		return nil
	}
	_, err := t.exec(ctx, "delete from variable where scope_id = ? and task_id = ? and name {texts}", scope, task, t.texts(names))
	return err
}
