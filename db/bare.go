package db

import (
	"context"
	"fmt"
	"strings"
)

// Bare has the statements that `rearm bench` compares rearm with: the least that has to be done to the same rows for the same
// end, with no jobs, no log and no outcomes around it. It knows none of the rules, and nothing but the benchmark may use it, on
// a database that is its own.
type Bare struct{ store *Store }

// Bare gives the bare statements on this database.
func (s *Store) Bare() Bare { return Bare{s} }

const (
	bareSet     = "update external_task_state set retries = ?, rev = rev + 1 where id {ids}"
	bareResolve = "update incident set state = 1, end_time = ? where configuration {ids} and " + stillOpen
	bareOpen    = `insert into incident (id, type, state, configuration, scope_id, execution_id, activity_id, create_time, message, history_configuration)
 select p.id, 'failedExternalTask', 0, t.id, t.scope_id, t.execution_id, t.activity_id, cast(? as bigint), t.error_message, t.failure_log_id
 from {pairs} p join external_task t on t.id = p.task_id`
)

// Rearm gives tasks new retries and resolves their incidents, in one transaction.
func (b Bare) Rearm(ctx context.Context, ids []ID, retries int32, at Time) error {
	return b.store.Tx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, bareSet, retries, tx.ids(ids)); err != nil {
			return err
		}
		_, err := tx.exec(ctx, bareResolve, at, tx.ids(ids))
		return err
	})
}

// Zero takes the retries of tasks away and opens an incident for each, in one transaction. incidents are their ids.
func (b Bare) Zero(ctx context.Context, tasks, incidents []ID, at Time) error {
	return b.store.Tx(ctx, func(tx *Tx) error {
		if _, err := tx.exec(ctx, bareSet, 0, tx.ids(tasks)); err != nil {
			return err
		}
		_, err := tx.exec(ctx, bareOpen, tx.pair(at, tasks, incidents)...)
		return err
	})
}

// bareLooks is how many ids one statement looks for.
const bareLooks = 5000

// Create looks whether all ids, which must be sorted, are tasks, and keeps them as the items of a batch, in one transaction.
func (b Bare) Create(ctx context.Context, batch ID, ids []ID) error {
	return b.store.Tx(ctx, func(tx *Tx) error {
		for i := 0; i < len(ids); i += bareLooks {
			part := ids[i:min(i+bareLooks, len(ids))]
			if n, err := tx.CountExisting(ctx, Caller{}, part); err != nil || n != len(part) {
				return fmt.Errorf("%d of %d tasks are there: %w", n, len(part), err)
			}
		}
		return tx.InsertChunks(ctx, batch, ids, ChunkItems)
	})
}

// CreateOf keeps all tasks of a topic as the items of a batch, by one statement, and gives their number.
func (b Bare) CreateOf(ctx context.Context, batch ID, topic string) (n int64, err error) {
	return n, b.store.Tx(ctx, func(tx *Tx) (err error) {
		n, err = tx.SelectChunks(ctx, batch, ChunkItems, "select s.id from external_task_state s where s.topic_name = ?", []any{topic})
		return err
	})
}

// Forget removes what Create has kept.
func (b Bare) Forget(ctx context.Context, batch ID) error {
	return b.store.Tx(ctx, func(tx *Tx) error { return tx.DeleteBatchHistory(ctx, batch) })
}

const bareFetch = "update external_task_state set worker_id = ?, lock_expiration = ?, held = true, rev = rev + 1 where id {oneof} select s.id from " +
	justTasks + " where s.topic_name = ? and " + ready + " order by s.priority desc, s.create_time limit ? {skips} {end} returning id"

// Fetch locks up to n tasks of a topic and reads them: two statements in one transaction.
func (b Bare) Fetch(ctx context.Context, topic, worker string, n int, until Time) (list []Task, err error) {
	return list, b.store.Tx(ctx, func(tx *Tx) error {
		ids, err := tx.selectIDs(ctx, bareFetch, worker, until, topic, n)
		if err != nil {
			return err
		}
		return tx.sel(ctx, &list, "select "+taskColumns+" from "+tasksWithScope+" where s.id {ids}", tx.ids(ids))
	})
}

// Settle has the database tidy up after many writes, and says what it is: what it does by itself sooner or later, done at once
// so that it does not fall into a measurement.
func (b Bare) Settle(ctx context.Context) (version string, err error) {
	if _, err := b.store.write.ExecContext(ctx, b.store.d.words["settle"]); err != nil {
		return "", b.store.d.wrap(err)
	}
	err = b.store.get(ctx, &version, "select {version}")
	return strings.TrimSpace(version), err
}
