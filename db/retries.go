package db

import "context"

// Attempts is what a task is about to have changed: its retries before.
type Attempts struct {
	ID        ID     `db:"id"`
	Retries   *int32 `db:"retries"`
	TopicName string `db:"topic_name"`
}

const holdAttempts = "select s.id, s.retries, s.topic_name from external_task_state s where s.id {ids} order by s.id {lock}"

// HoldAttempts reads the retries of tasks and keeps everybody else from changing them. Tasks that are gone are left out.
func (t *Tx) HoldAttempts(ctx context.Context, ids []ID) ([]Attempts, error) {
	var list []Attempts
	return list, t.sel(ctx, &list, holdAttempts, t.ids(ids))
}

// SetAttempts sets the retries of tasks, outside of any batch.
func (t *Tx) SetAttempts(ctx context.Context, ids []ID, retries int32) error {
	_, err := t.exec(ctx, "update external_task_state set retries = ?, "+touch+" where id {ids}", retries, t.ids(ids))
	return err
}

// CountExisting counts those of some different ids that are tasks which the caller may see.
func (q Queries) CountExisting(ctx context.Context, caller Caller, ids []ID) (n int, err error) {
	from, args := q.existing(caller, ids)
	return n, q.get(ctx, &n, "select count(*) from "+from, args...)
}

// Existing gives those of some ids that are tasks which the caller may see, in order.
func (q Queries) Existing(ctx context.Context, caller Caller, ids []ID) ([]ID, error) {
	from, args := q.existing(caller, ids)
	return q.selectIDs(ctx, "select s.id from "+from+" order by s.id", args...)
}

// existing gives the tables and the condition of the tasks of some ids; of the scopes only if the caller's tenants matter.
func (q Queries) existing(caller Caller, ids []ID) (text string, args []any) {
	cond, args := "s.id {ids}", []any{q.ids(ids)}
	if seen, more := q.seen(caller, "c.tenant_id", ""); seen != "" {
		cond, args = cond+" and ("+seen+")", append(args, more...)
	}
	return tasksFor(cond) + " where " + cond, args
}
