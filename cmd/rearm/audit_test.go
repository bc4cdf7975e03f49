package main

import (
	"context"
	"fmt"
	"testing"

	"github.com/jmoiron/sqlx"

	"rearm/db"
)

// The audit is the tests' own witness inside the database: a trigger that writes down each time that a batch sets a task, in the
// transaction that does it.
const (
	auditTable = "create table audit (task_id %s not null, mark bigint not null, before integer)"

	auditSQLite = `create trigger audit after update on external_task_state when new.set_by is not null and new.rev <> old.rev
 begin insert into audit values (new.id, new.set_by, old.retries); end`

	auditFunction = `create function audit() returns trigger language plpgsql as $$ begin insert into audit values (new.id, new.set_by, old.retries); return null; end $$`

	auditPostgres = `create trigger audit after update on external_task_state for each row when (new.set_by is not null and new.rev <> old.rev) execute function audit()`
)

// startAudit lets the audit begin.
func startAudit(t *testing.T, conn *sqlx.DB) {
	t.Helper()
	statements := []string{fmt.Sprintf(auditTable, "blob"), auditSQLite}
	if conn.DriverName() == "pgx" {
		statements = []string{fmt.Sprintf(auditTable, "uuid"), auditFunction, auditPostgres}
	}
	for _, text := range statements {
		if _, err := conn.ExecContext(context.Background(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// witnessed is one row of the audit.
type witnessed struct {
	TaskID db.ID  `db:"task_id"`
	Mark   int64  `db:"mark"`
	Before *int32 `db:"before"`
}

// appliedOnce checks by the audit that every item of every batch was set exactly once, over the retries that its outcome tells
// of, and that no batch set anything else. It gives how many items were set.
func appliedOnce(t *testing.T, conn *sqlx.DB, batches []ended) (set int) {
	t.Helper()
	type one struct {
		mark int64
		task db.ID
	}
	seen := map[one][]*int32{}
	for _, w := range read[witnessed](t, conn, "select task_id, mark, before from audit") {
		key := one{w.Mark, w.TaskID}
		seen[key] = append(seen[key], w.Before)
	}
	wrong := 0
	for _, b := range batches {
		for i, o := range b.outcomes {
			key := one{b.ID.Mark(), b.ids[i]}
			times := seen[key]
			delete(seen, key)
			switch {
			case o.Gone && len(times) == 0:
				continue
			case !o.Gone && len(times) == 1 && alike(times[0], o.Previous):
				set++
				continue
			}
			if wrong++; wrong < 10 {
				t.Errorf("batch %s, item %d, task %s: outcome %+v, but it was set %d times", b.ID, i, b.ids[i], o, len(times))
			}
		}
	}
	if len(seen) > 0 || wrong > 0 {
		t.Errorf("%d items are not as their outcome says; %d tasks were set by a batch that they do not belong to", wrong, len(seen))
	}
	return set
}

// alike tells whether two numbers that may be absent are the same.
func alike(a, b *int32) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
