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

// CountExisting counts those of some different ids that are tasks.
func (q Queries) CountExisting(ctx context.Context, ids []ID) (n int, err error) {
	return n, q.get(ctx, &n, "select count(*) from external_task_state s where s.id {ids}", q.ids(ids))
}

// Existing gives those of some ids that are tasks, in order.
func (q Queries) Existing(ctx context.Context, ids []ID) ([]ID, error) {
	return q.selectIDs(ctx, "select s.id from external_task_state s where s.id {ids} order by s.id", q.ids(ids))
}
