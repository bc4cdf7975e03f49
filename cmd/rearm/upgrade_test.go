package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// versionOf gives the schema version that a file's name begins with.
func versionOf(t *testing.T, file string) int64 {
	t.Helper()
	version, err := strconv.ParseInt(filepath.Base(file)[:4], 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// versions are all schema versions that there have been.
func versions(t *testing.T) (list []int64) {
	t.Helper()
	files, err := filepath.Glob("../../db/migrations/*.sql")
	if err != nil || len(files) < 4 {
		t.Fatalf("the migrations are %v, %v", files, err)
	}
	for _, file := range files {
		list = append(list, versionOf(t, file))
	}
	return list
}

var literal = regexp.MustCompile(`(?:id|bytes)\(([0-9a-f-]*)\)`)

// literals writes ids and bytes as a database wants them.
func literals(driver, statement string) string {
	return literal.ReplaceAllStringFunc(statement, func(word string) string {
		value := literal.FindStringSubmatch(word)[1]
		switch {
		case driver != "pgx":
			return "x'" + strings.ReplaceAll(value, "-", "") + "'"
		case strings.HasPrefix(word, "id"):
			return "cast('" + value + "' as uuid)"
		}
		return `'\x` + value + "'"
	})
}

// leaveBehind makes a database as a program of a schema version left it: with that schema, and all rows of testdata/upgrade up to
// that version.
func leaveBehind(t *testing.T, databaseURL string, version int64) {
	t.Helper()
	ctx := context.Background()
	store, err := db.Open(ctx, databaseURL, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := store.MigrateTo(ctx, version); err != nil || got != version {
		t.Fatalf("version %d, %v; want %d", got, err, version)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	conn := dbtest.Connect(t, databaseURL)
	files, _ := filepath.Glob("testdata/upgrade/*.sql")
	for _, file := range files {
		if versionOf(t, file) > version {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for statement := range strings.SplitSeq(string(text), ";\n") {
			if _, err := conn.ExecContext(ctx, literals(conn.DriverName(), statement)); err != nil {
				t.Fatalf("%s: %v\n%s", file, err, statement)
			}
		}
	}
}

// What is in testdata/upgrade.
const (
	oldTask    = "01a20faa-f95d-7c9c-b5a7-e7fa78b00129" // of the topic mail
	failedTask = "01a20faa-f960-7b37-b7b1-f4040128c7e1" // of the batch that has begun
	begun      = "01a20faa-f97b-76eb-95c5-db6000000000"
	suspended  = "01a20faa-f98c-79d5-8ae6-590000000000"
	hopeless   = "01a20faa-f992-74bd-83ec-62d000000000" // on two jobs that there are not
	hasJobs    = 3                                      // the version that brought batches on jobs
	hasLog     = 5                                      // the version that brought the log its definition
)

// A database of every schema that there has been is brought up to date by the server that opens it, and all that is in it goes on:
// batches that had begun end, tasks are fetched, failed, completed and retried, history is listed and cleaned up.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	for _, version := range versions(t) {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			t.Parallel()
			eachDatabase(t, func(t *testing.T, databaseURL string) {
				leaveBehind(t, databaseURL, version)
				if code, _, stderr := outcome(t, nil, "cleanup", "--database-url="+databaseURL); (code == exitOK) != (version == versions(t)[len(versions(t))-1]) {
					t.Errorf("clean-up before the upgrade: exit %d, %s", code, stderr)
				}
				s := startServer(t, databaseURL)
				u := upgraded{newProbe(t, s, databaseURL), version}
				u.goesOn()
				u.works()
				u.lists()
				u.cleansUp(s, databaseURL)
			})
		})
	}
}

// upgraded is a server on a database that was of an older version.
type upgraded struct {
	*probe
	version int64
}

// get reads a number of things, or a thing.
func (u upgraded) get(path string, into any) { u.t.Helper(); u.must("GET", path, "", into) }

// count gives how many rows a list has.
func (u upgraded) count(path string) int {
	u.t.Helper()
	var n struct{ Count int }
	u.get(path, &n)
	return n.Count
}

// wants compares.
func (u upgraded) wants(what string, got, want any) {
	u.t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		u.t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// since is n from a version on, else 0.
func (u upgraded) since(version int64, n int) int {
	if u.version < version {
		return 0
	}
	return n
}

// retries gives the retries of a task; -1: never set.
func (u upgraded) retries(task string) int {
	u.t.Helper()
	var got struct{ Retries *int }
	u.get("/external-task/"+task, &got)
	if got.Retries == nil {
		return -1
	}
	return *got.Retries
}

// goesOn expects that what was left is carried on.
func (u upgraded) goesOn() {
	u.t.Helper()
	until(u.t, "the batches have ended that can", func() bool { return u.count("/batch/count") == 1+u.since(hasJobs, 1) })
	u.wants("retries by the batch that had begun", u.retries(failedTask), 3)
	u.wants("retries by the one that had not", u.count("/external-task/count?topicName=report&noRetriesLeft=true"), 0)
	until(u.t, "what cannot be done has failed", func() bool { return u.count("/incident/count") == u.since(hasJobs, 2) })
	var history struct{ StartTime, ExecutionStartTime, EndTime *string }
	u.get("/history/batch/"+begun, &history)
	if history.EndTime == nil || history.ExecutionStartTime == nil || *history.ExecutionStartTime != "2026-11-24T22:26:32.960+0000" {
		u.t.Errorf("the batch that had begun: %+v", history)
	}
	u.put("/batch/"+suspended+"/suspended", `{"suspended": false}`)
	until(u.t, "the batch that was suspended has ended", func() bool { return u.count("/batch/count") == u.since(hasJobs, 1) })
	if u.version >= hasJobs {
		u.must("DELETE", "/batch/"+hopeless+"?cascade=true", "", nil)
	}
	until(u.t, "the history whose time had come is gone", func() bool { return u.count("/history/external-task-log/count?processInstanceId=old") == 0 })
}

// works expects that work goes on as in any database.
func (u upgraded) works() {
	u.t.Helper()
	var tasks []struct{ ID string }
	u.post("/external-task/fetchAndLock", `{"workerId": "new", "maxTasks": 10, "topics": [{"topicName": "mail", "lockDuration": 60000}, {"topicName": "lock", "lockDuration": 60000}]}`, &tasks)
	u.wants("fetched", len(tasks), 4+u.since(hasLog, 1))
	u.post("/external-task/"+oldTask+"/complete", `{"workerId": "new", "variables": {"total": {"value": 13, "type": "Integer"}}}`, nil)
	u.post("/external-task/"+failedTask+"/failure", `{"workerId": "new", "errorMessage": "again", "retries": 0}`, nil)
	u.wants("incidents", u.count("/incident/count?configuration="+failedTask), 1)
	u.post("/external-task/retries-async", `{"retries": 9, "externalTaskQuery": {"processInstanceIdIn": ["orders", "reports"]}}`, nil)
	until(u.t, "a new batch has ended", func() bool { return u.count("/batch/count") == 0 })
	u.wants("retries by a new batch", u.retries(failedTask), 9)
	u.wants("incidents after it", u.count("/incident/count"), 0)
	var variable struct{ Value any }
	u.get("/process-instance/orders/variables/total", &variable)
	u.wants("a variable", variable.Value, 13)
	u.post("/external-task/create", `{"topicName": "mail", "processInstanceId": "orders"}`, nil)
}

// lists expects that every list can be read, and that history knows what it knew.
func (u upgraded) lists() {
	u.t.Helper()
	for _, o := range u.operations {
		if o.Method == "GET" && !strings.Contains(o.Path, "{") {
			var answer json.RawMessage
			u.get(o.Path, &answer)
		}
	}
	u.wants("entries by definition", u.count("/history/external-task-log/count?processInstanceId=done&processDefinitionKey=order&tenantIdIn=north"), 3)
	u.wants("incidents of old", u.count("/history/incident/count?configuration="+failedTask), 2)
	u.wants("jobs that succeeded", u.count("/history/job-log/count?jobDefinitionConfiguration="+begun+"&successLog=true&jobDefinitionType=set-external-task-retries"), 4)
}

// cleansUp expects that the history of batches goes when it may.
func (u upgraded) cleansUp(s *server, databaseURL string) {
	u.t.Helper()
	batches := u.count("/history/batch/count")
	if code := s.stop(); code != 0 {
		u.t.Fatalf("the server ended with %d", code)
	}
	if _, err := u.conn.Exec("update historic_batch set removal_time = 1 where end_time is not null"); err != nil {
		u.t.Fatal(err)
	}
	code, stdout, stderr := outcome(u.t, nil, "cleanup", "--database-url="+databaseURL)
	if code != 0 || !strings.Contains(stdout, fmt.Sprintf(" %d batches that have ended\n", batches)) {
		u.t.Errorf("exit %d, %d batches may go\n%s%s", code, batches, stdout, stderr)
	}
	u.wants("rows that are left of batches", counted(u.t, u.conn, "select (select count(*) from historic_batch) + (select count(*) from batch_chunk) + (select count(*) from job_log)"), 0)
}

// A database of a newer program, or of another one, is left alone by every command that would open it.
func TestStrangeDatabases(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		store, err := db.Open(t.Context(), databaseURL, db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		conn := dbtest.Connect(t, databaseURL)
		refused := func(says string) {
			t.Helper()
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			for _, args := range [][]string{{"serve", "--listen=127.0.0.1:0"}, {"migrate"}, {"cleanup"}, {"cleanup", "--dry-run"}} {
				code, stdout, stderr := outcome(t, nil, append(args, "--database-url="+databaseURL, "--log-level=error")...)
				if code != exitRefused || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, says) {
					t.Errorf("%v: exit %d, %s%s", args, code, stdout, stderr)
				}
			}
		}
		if _, err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Exec("insert into goose_db_version (version_id, is_applied) values (9999, true)"); err != nil {
			t.Fatal(err)
		}
		refused("newer rearm")
		if _, err := conn.Exec("alter table goose_db_version rename to somebody_elses"); err != nil {
			t.Fatal(err)
		}
		if store, err = db.Open(t.Context(), databaseURL, db.Options{}); err != nil {
			t.Fatal(err)
		}
		refused("belongs to another program")
	})
}
