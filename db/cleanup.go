package db

import (
	"context"
	"errors"
)

// Cleaned counts the rows of history that a clean-up has removed, or would remove.
type Cleaned struct {
	Batches   int64 `db:"batches"`
	ItemRows  int64 `db:"item_rows"` // of the batches: chunks of items, and items that are no ids
	JobLog    int64 `db:"job_log"`   // of the batches: ranges of entries
	Scopes    int64 `db:"scopes"`
	TaskLog   int64 `db:"task_log"`
	Variables int64 `db:"variables"`
	Incidents int64 `db:"incidents"` // of tasks and of jobs
}

// Add adds what another clean-up has removed.
func (c *Cleaned) Add(more Cleaned) {
	c.Batches += more.Batches
	c.ItemRows += more.ItemRows
	c.JobLog += more.JobLog
	c.Scopes += more.Scopes
	c.TaskLog += more.TaskLog
	c.Variables += more.Variables
	c.Incidents += more.Incidents
}

// Rows gives how many rows of all kinds.
func (c Cleaned) Rows() int64 {
	return c.Batches + c.ItemRows + c.JobLog + c.Scopes + c.TaskLog + c.Variables + c.Incidents
}

// What may go: ended, and its removal time has come. What still runs stays, whatever its removal time.
const (
	dueBatches = "from historic_batch b where b.removal_time <= ? and b.end_time is not null"
	dueScopes  = "from scope c where c.removal_time <= ? and c.end_time is not null"
)

const countDue = `select (select count(*) ` + dueBatches + `) as batches,
 (select count(*) from batch_chunk x where x.batch_id in (select b.id ` + dueBatches + `)) +
 (select count(*) from batch_text x where x.batch_id in (select b.id ` + dueBatches + `)) as item_rows,
 (select count(*) from job_log x where x.batch_id in (select b.id ` + dueBatches + `)) as job_log,
 (select count(*) ` + dueScopes + `) as scopes,
 (select count(*) from task_log x where x.scope_id in (select c.id ` + dueScopes + `)) as task_log,
 (select count(*) from variable x where x.scope_id in (select c.id ` + dueScopes + `)) as variables,
 (select count(*) from incident x where x.scope_id in (select c.id ` + dueScopes + `)) +
 (select count(*) from incident x where x.job_definition_id is not null and x.state <> 0 and x.removal_time <= ?) as incidents`

// CountDue counts what a clean-up that begins now would remove in the end.
func (q Queries) CountDue(ctx context.Context, now Time) (Cleaned, error) {
	var c Cleaned
	return c, q.get(ctx, &c, countDue, now, now, now, now, now, now, now, now, now)
}

// part is some of the rows of a table that a clean-up removes: those that hold for cond, by their key.
type part struct {
	table, key, cond string
	args             []any
	removed          *int64
}

// removeParts removes limit rows at most, of one part after the other. done tells that no row is left.
func (t *Tx) removeParts(ctx context.Context, limit int64, parts ...part) (done bool, err error) {
	for _, p := range parts {
		text := "delete from " + p.table + " where (" + p.key + ") in (select " + p.key + " from " + p.table + " where " + p.cond + " limit ?)"
		n, err := t.exec(ctx, text, append(p.args, limit)...)
		if err != nil {
			return false, err
		}
		*p.removed += n
		if limit -= n; limit <= 0 {
			return false, nil
		}
	}
	return true, nil
}

const dueBatch = "select b.id " + dueBatches + " order by b.removal_time limit 1 {skip}"

// CleanBatch removes limit rows at most of what is kept of one ended batch whose removal time has come; the batch goes last.
// Batches that another node cleans up at this moment are left to it. It removes nothing when there is none.
func (t *Tx) CleanBatch(ctx context.Context, now Time, limit int64) (c Cleaned, err error) {
	var id ID
	if err := t.get(ctx, &id, dueBatch, now); errors.Is(err, ErrNotFound) {
		return c, nil
	} else if err != nil {
		return c, err
	}
	of := []any{id}
	done, err := t.removeParts(ctx, limit,
		part{"job_log", "batch_id, kind, event, first, seq", "batch_id = ?", of, &c.JobLog},
		part{"batch_chunk", "batch_id, no", "batch_id = ?", of, &c.ItemRows},
		part{"batch_text", "batch_id, item", "batch_id = ?", of, &c.ItemRows},
		part{"incident", "id", "configuration between ? and ?", []any{id.Sub(SubJob, 0), id.Sub(SubMonitor, 1<<32-1)}, &c.Incidents},
	)
	if err != nil || !done {
		return c, err
	}
	c.Batches, err = t.exec(ctx, "delete from historic_batch where id = ?", id)
	return c, err
}

// scopesShare is how many rows of a clean-up there are to one scope at most: a scope that held one task has four or five.
const scopesShare = 5

const someDueScopes = "select c.id " + dueScopes + " order by c.removal_time limit ? {skip}"

// CleanScopes removes limit rows at most of what is kept of ended scopes whose removal time has come; the scopes go last. Scopes
// that another node cleans up at this moment are left to it. It removes nothing when there is none.
func (t *Tx) CleanScopes(ctx context.Context, now Time, limit int64) (c Cleaned, err error) {
	var ids []string
	if err := t.sel(ctx, &ids, someDueScopes, now, max(1, limit/scopesShare)); err != nil || len(ids) == 0 {
		return c, err
	}
	of := []any{t.texts(ids)}
	done, err := t.removeParts(ctx, limit,
		part{"task_log", "id", "scope_id {texts}", of, &c.TaskLog},
		part{"incident", "id", "scope_id {texts}", of, &c.Incidents},
		part{"variable", "scope_id, task_id, name", "scope_id {texts}", of, &c.Variables},
	)
	if err != nil || !done {
		return c, err
	}
	c.Scopes, err = t.exec(ctx, "delete from scope where id {texts}", of...)
	return c, err
}
