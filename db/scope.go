package db

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Scope is what tasks with the same processInstanceId share. It ends when the last of them does, or when it is cancelled.
type Scope struct {
	ID            string  `db:"id"` // the processInstanceId
	BusinessKey   *string `db:"business_key"`
	DefinitionID  *string `db:"definition_id"`
	DefinitionKey *string `db:"definition_key"`
	VersionTag    *string `db:"version_tag"`
	TenantID      *string `db:"tenant_id"`
	Suspended     bool    `db:"suspended"`
	Tasks         int32   `db:"tasks"` // how many live
	StartTime     Time    `db:"start_time"`
	EndTime       *Time   `db:"end_time"`
	RemovalTime   *Time   `db:"removal_time"`
	Cancelled     bool    `db:"cancelled"`
}

const scopeColumns = `c.id, c.business_key, c.definition_id, c.definition_key, c.version_tag, c.tenant_id, c.suspended, c.tasks,
 c.start_time, c.end_time, c.removal_time, c.cancelled`

// Scope reads a scope, ended or not; ErrNotFound if there is none of that id.
func (q Queries) Scope(ctx context.Context, id string) (*Scope, error) {
	var c Scope
	return &c, q.get(ctx, &c, "select "+scopeColumns+" from scope c where c.id = ?", id)
}

// OpenScopes makes the scopes that are not there yet, with their numbers of tasks, and adds those numbers to the ones that are.
// Ids must differ; StartTime is that of the scopes made. It gives the scopes that were there already, in order of their ids;
// an ended one among them has not changed, and nothing can be added to it.
func (t *Tx) OpenScopes(ctx context.Context, list []Scope) ([]Scope, error) {
	made, err := t.insertScopes(ctx, list)
	if err != nil || len(made) == len(list) {
		return nil, err
	}
	more := map[string]int32{}
	for i := range list {
		if !made[list[i].ID] {
			more[list[i].ID] = list[i].Tasks
		}
	}
	var old []Scope
	if err := t.sel(ctx, &old, "select "+scopeColumns+" from scope c where c.id {texts} order by c.id {lock}", t.texts(slices.Collect(maps.Keys(more)))); err != nil {
		return nil, err
	}
	if len(old) < len(more) {
		return nil, fmt.Errorf("%w: the history of a scope was cleaned up meanwhile, and its id is free", ErrAgain)
	}
	return old, t.addTasks(ctx, old, more)
}

// addTasks adds tasks to those scopes that have not ended, as many as more says; scopes that get equally many share a statement.
func (t *Tx) addTasks(ctx context.Context, list []Scope, more map[string]int32) error {
	byNumber := map[int32][]string{}
	for i := range list {
		if n := more[list[i].ID]; list[i].EndTime == nil {
			list[i].Tasks += n
			byNumber[n] = append(byNumber[n], list[i].ID)
		}
	}
	for n, ids := range byNumber {
		if _, err := t.exec(ctx, "update scope set tasks = tasks + ? where id {texts}", n, t.texts(ids)); err != nil {
			return err
		}
	}
	return nil
}

// insertScopes makes the scopes that are not there, and tells which it has made. PostgreSQL waits for another transaction that
// makes one of them at the same moment; all go by the order of the ids, so that nobody waits in a circle.
func (t *Tx) insertScopes(ctx context.Context, list []Scope) (map[string]bool, error) {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Scope) int { return strings.Compare(a.ID, b.ID) })
	made := make(map[string]bool, len(list))
	for _, s := range t.inserts("scope", len(list), "on conflict (id) do nothing returning id",
		of("id", "text", each(list, func(c *Scope) string { return c.ID })),
		of("business_key", "text", each(list, func(c *Scope) *string { return c.BusinessKey })),
		of("definition_id", "text", each(list, func(c *Scope) *string { return c.DefinitionID })),
		of("definition_key", "text", each(list, func(c *Scope) *string { return c.DefinitionKey })),
		of("version_tag", "text", each(list, func(c *Scope) *string { return c.VersionTag })),
		of("tenant_id", "text", each(list, func(c *Scope) *string { return c.TenantID })),
		of("tasks", "integer", each(list, func(c *Scope) int32 { return c.Tasks })),
		of("start_time", "bigint", each(list, func(c *Scope) int64 { return int64(c.StartTime) })),
	) {
		var ids []string
		if err := t.sel(ctx, &ids, s.text, s.args...); err != nil {
			return nil, err
		}
		for _, id := range ids {
			made[id] = true
		}
	}
	return made, nil
}

// endScope takes n tasks away from a scope, which ends with its last one. removal is when the history may go then; nil: never.
func endScope(id string, n int, at Time, removal *Time) statement {
	return statement{`update scope set tasks = tasks - ?, end_time = case when tasks = ? then cast(? as bigint) end,
 removal_time = case when tasks = ? then cast(? as bigint) end where id = ?`, []any{n, n, at, n, removal, id}}
}

// LockScope reads a scope that has not ended, and keeps everybody else from ending it or adding to it until the transaction
// ends. Who locks tasks too locks the tasks first. ErrNotFound: there is none, or it has ended.
func (t *Tx) LockScope(ctx context.Context, id string) (*Scope, error) {
	var c Scope
	return &c, t.get(ctx, &c, "select "+scopeColumns+" from scope c where c.id = ? and c.end_time is null {lock}", id)
}

const suspendTasks = `update external_task_state set suspended = ?, rev = rev + 1, set_by = null, was = null
 where id {oneof} select t.id from external_task t where t.scope_id = ? {end} returning topic_name`

// SuspendScope suspends or activates a scope and all its tasks, and gives the topics of these.
func (t *Tx) SuspendScope(ctx context.Context, id string, suspended bool) (topics []string, err error) {
	if err := t.sel(ctx, &topics, suspendTasks, suspended, id); err != nil {
		return nil, err
	}
	_, err = t.exec(ctx, "update scope set suspended = ? where id = ?", suspended, id)
	slices.Sort(topics)
	return slices.Compact(topics), err
}

// CancelScope marks a scope as ended by somebody, without tasks. removal is as in endScope.
func (t *Tx) CancelScope(ctx context.Context, id string, at Time, removal *Time) error {
	_, err := t.exec(ctx, "update scope set tasks = 0, cancelled = true, end_time = ?, removal_time = ? where id = ?", at, removal, id)
	return err
}
