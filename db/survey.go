package db

import "context"

// TopicWork tells what a topic has for those who wait for tasks on it.
type TopicWork struct {
	Topic string `db:"topic_name"`
	Ready bool   `db:"ready"`      // a task is there that nobody holds
	Free  *Time  `db:"expiration"` // when the first of its locks runs out or ran out; nil: nobody holds a task
}

const survey = "select x.name as topic_name, exists (select 1 from external_task_state s where s.topic_name = x.name and " + ready + ") as ready, " +
	"(select s.lock_expiration from external_task_state s where s.topic_name = x.name and s.held and " + fetchable +
	" order by s.lock_expiration limit 1) as expiration from {names} x"

// Survey tells for each of some topics, in no certain order, whether there may be something to fetch now, or when. It costs two
// looks into an index a topic, and locks nothing. Tasks that are suspended or have no retries left do not count.
func (q Queries) Survey(ctx context.Context, topics []string) ([]TopicWork, error) {
	var list []TopicWork
	return list, q.sel(ctx, &list, survey, q.texts(topics))
}

const giveBack = "update external_task_state set worker_id = null, lock_expiration = null, held = false, " + touch +
	" where id {ids} and worker_id = ? and lock_expiration = ?"

// GiveBack unlocks those of some tasks that a worker still holds by the lock that it got with them.
func (t *Tx) GiveBack(ctx context.Context, worker string, tasks []LockedTask) error {
	byEnd := map[Time][]ID{}
	for i := range tasks {
		if end := tasks[i].LockExpiration; end != nil {
			byEnd[*end] = append(byEnd[*end], tasks[i].ID)
		}
	}
	for end, ids := range byEnd {
		if _, err := t.exec(ctx, giveBack, t.ids(ids), worker, end); err != nil {
			return err
		}
	}
	return nil
}
