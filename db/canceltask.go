package db

import "context"

const holdTasksOf = "select " + taskColumns + ", t.error_details, t.failure_log_id from " + tasksWithScope + " where t.scope_id = ? order by s.id {locks}"

// HoldTasksOf reads all tasks of a scope and keeps everybody else from changing them.
func (t *Tx) HoldTasksOf(ctx context.Context, scope string) ([]HeldTask, error) {
	var list []HeldTask
	return list, t.sel(ctx, &list, holdTasksOf, scope)
}

// CancelTasks takes tasks away, with a deletion in the task log and their incidents deleted. logIDs are the entries' ids, in
// the order of the tasks. Their scope's number of tasks is left to CancelScope.
func (t *Tx) CancelTasks(ctx context.Context, list []HeldTask, logIDs []ID, at Time) error {
	if len(list) == 0 {
		return nil
	}
	ids := each(list, func(k *HeldTask) ID { return k.ID })
	for _, text := range []string{"delete from external_task_state where id {ids}", "delete from external_task where id {ids}"} {
		if _, err := t.exec(ctx, text, t.ids(ids)); err != nil {
			return err
		}
	}
	if err := t.DeleteTaskIncidents(ctx, ids, at); err != nil {
		return err
	}
	return t.logTasks(ctx, TaskDeleted, each(list, func(k *HeldTask) Task { return k.Task }), logIDs, at)
}
