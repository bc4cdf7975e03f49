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
	for _, text := range append(statements, "create index audit_mark on audit (mark)") {
		if _, err := conn.ExecContext(context.Background(), text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
	}
}

// witnessed is one row of the audit.
type witnessed struct {
	TaskID db.ID  `db:"task_id"`
	Before *int32 `db:"before"`
}

// appliedOnce checks by the audit that every item of every batch was set exactly once, over the retries that its outcome tells
// of, and that no batch set anything else. It gives how many items were set.
func appliedOnce(t *testing.T, conn *sqlx.DB, batches []ended) (set int) {
	t.Helper()
	for i := range batches {
		set += setOnce(t, conn, &batches[i])
	}
	if all := counted(t, conn, "select count(*) from audit"); all != set {
		t.Errorf("%d tasks were set by batches, %d of them as the outcomes say", all, set)
	}
	return set
}

// setOnce checks the items of one batch, and gives how many were set.
func setOnce(t *testing.T, conn *sqlx.DB, b *ended) (set int) {
	t.Helper()
	seen := map[db.ID][]*int32{}
	for _, w := range read[witnessed](t, conn, "select task_id, before from audit where mark = ?", b.ID.Mark()) {
		seen[w.TaskID] = append(seen[w.TaskID], w.Before)
	}
	wrong := 0
	for i, o := range b.outcomes(t) {
		times := seen[b.ids[i]]
		switch {
		case o.Gone && len(times) == 0:
			continue
		case !o.Gone && len(times) == 1 && alike(times[0], o.Previous):
			set++
			continue
		}
		if wrong++; wrong < 5 {
			t.Errorf("batch %s, item %d, task %s: outcome %+v, but it was set %d times", b.ID, i, b.ids[i], o, len(times))
		}
	}
	if wrong > 0 {
		t.Errorf("batch %s: %d items are not as their outcome says", b.ID, wrong)
	}
	return set
}

// alike tells whether two numbers that may be absent are the same.
func alike(a, b *int32) bool { return (a == nil) == (b == nil) && (a == nil || *a == *b) }
