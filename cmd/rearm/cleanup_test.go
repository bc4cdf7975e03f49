package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"rearm/db/dbtest"
	"rearm/impl/engine"
)

// historyTables are those from which a clean-up removes.
var historyTables = []string{"historic_batch", "batch_chunk", "job_log", "scope", "task_log", "variable", "incident"}

// historyRows counts what there is of history.
func historyRows(t *testing.T, conn *sqlx.DB) (n int) {
	t.Helper()
	for _, table := range historyTables {
		n += counted(t, conn, "select count(*) from "+table)
	}
	return n
}

// makeHistory leaves a database with history whose time has come: a batch of so many tasks, whose scopes are over. The server is
// stopped then.
func makeHistory(t *testing.T, databaseURL string, tasks int) {
	t.Helper()
	s := startServer(t, databaseURL)
	bulkRetry(t, s, tasks)
	conn := dbtest.Connect(t, databaseURL)
	for _, scope := range read[string](t, conn, "select id from scope") {
		res, err := s.client.DeleteProcessInstanceWithResponse(t.Context(), scope, nil)
		if err := refused("cancel", 204, res, err); err != nil {
			t.Fatal(err)
		}
	}
	if databaseURL[:6] == "sqlite" {
		if code, stdout, stderr := outcome(t, nil, "cleanup", "--dry-run", "--database-url="+databaseURL); code != exitRefused || stdout != "" ||
			strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "in use by another rearm") {
			t.Errorf("beside a server: exit %d, %s%s", code, stdout, stderr)
		}
	}
	if code := s.stop(); code != 0 {
		t.Fatalf("the server ended with %d", code)
	}
	for _, table := range []string{"scope", "historic_batch"} {
		if _, err := conn.ExecContext(context.Background(), "update "+table+" set removal_time = 1 where end_time is not null"); err != nil {
			t.Fatal(err)
		}
	}
}

var cleanedRows = regexp.MustCompile(`(?m)^ *([\d,]+) rows in all (.*)$`)

// A dry run says what would go and removes nothing; a limit ends the clean-up early; without one all goes that may, and nothing
// else does.
func TestCleanup(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		makeHistory(t, databaseURL, 12)
		conn := dbtest.Connect(t, databaseURL)
		kept := "insert into scope (id, tasks, start_time, end_time, removal_time) values ('kept', 0, 1, 2, 4070908800000), ('runs', 1, 1, null, 1)"
		if _, err := conn.ExecContext(context.Background(), kept); err != nil {
			t.Fatal(err)
		}
		run := func(says string, args ...string) string {
			t.Helper()
			code, stdout, stderr := outcome(t, nil, append([]string{"cleanup", "--database-url=" + databaseURL}, args...)...)
			rows := cleanedRows.FindStringSubmatch(stdout)
			if code != exitOK || stderr != "" || rows == nil || rows[2] != says {
				t.Fatalf("%v: exit %d\n%s%s", args, code, stdout, stderr)
			}
			return rows[1]
		}
		before := historyRows(t, conn)
		if due := run("would be removed", "--dry-run"); due != fmt.Sprint(before-2) || historyRows(t, conn) != before {
			t.Errorf("%s rows are said to be due, of %d; %d are left", due, before-2, historyRows(t, conn))
		}
		some := run("removed", "--limit=10")
		left := historyRows(t, conn)
		if some != fmt.Sprint(before-left) || before-left < 10 || before-left > 25 {
			t.Errorf("%s rows are said to be removed, %d were; the limit is 10", some, before-left)
		}
		if rest := run("removed"); rest != fmt.Sprint(left-2) || historyRows(t, conn) != 2 {
			t.Errorf("%s rows are said to be removed, of %d; %d are left", rest, left, historyRows(t, conn))
		}
		if none := run("would be removed", "--dry-run"); none != "0" {
			t.Errorf("then %s rows are due", none)
		}
	})
}

// A clean-up beside servers removes everything once, and one that is told to stop says what it has done so far.
func TestCleanupBesideServers(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.PostgresURL(t)
	makeHistory(t, databaseURL, 60)
	n := startNode(t, databaseURL, func(c *Config) { c.JobExecutor = false })
	due, err := n.engine.CleanUp(t.Context(), engine.CleanUp{DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if none, err := cleanAll(ctx, n.engine, 0); err != nil || none.Rows() != 0 {
		t.Errorf("stopped at once: %+v, %v", none, err)
	}
	other := later(func() string {
		_, stdout, stderr := outcome(t, nil, "cleanup", "--database-url="+databaseURL)
		return stdout + stderr
	})
	mine, err := cleanAll(t.Context(), n.engine, 0)
	if err != nil {
		t.Fatal(err)
	}
	rows := cleanedRows.FindStringSubmatch(<-other)
	if rows == nil {
		t.Fatal("the other one has said nothing")
	}
	var theirs int64
	if _, err := fmt.Sscan(strings.ReplaceAll(rows[1], ",", ""), &theirs); err != nil || mine.Rows()+theirs != due.Rows() {
		t.Errorf("%d and %d rows were removed, of %d; %v", mine.Rows(), theirs, due.Rows(), err)
	}
	if left := historyRows(t, dbtest.Connect(t, databaseURL)); left != 0 {
		t.Errorf("%d rows are left", left)
	}
}
