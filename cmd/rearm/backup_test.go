package main

import (
	"context"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/oapi-codegen/nullable"

	"rearm/db/dbtest"
	"rearm/gen"
)

// backups are the ways that the README tells of: each copies the database that a URL names while a server works on it, restores the
// copy, and gives the URL of what is restored.
var backups = map[string]func(t *testing.T, databaseURL string) (restored string){
	"sqlite": func(t *testing.T, databaseURL string) string {
		t.Helper()
		file := filepath.Join(t.TempDir(), "copy.db")
		code, stdout, stderr := outcome(t, nil, "backup", "--database-url="+databaseURL, file)
		says(t, code, stdout, stderr, 0, databaseURL+` is copied to `+file+`: \d+ bytes, schema version \d+\n`, ``)
		return "sqlite:" + file
	},
	"postgres": func(t *testing.T, databaseURL string) string {
		t.Helper()
		dump, restored := filepath.Join(t.TempDir(), "rearm.dump"), dbtest.PostgresURL(t)
		postgresTool(t, "pg_dump", "--format=custom", "--no-owner", "--file="+dump, databaseURL)
		postgresTool(t, "pg_restore", "--no-owner", "--exit-on-error", "--single-transaction", "--dbname="+restored, dump)
		return restored
	},
}

// postgresTool runs one of PostgreSQL's programs, and skips the test where there is none.
func postgresTool(t *testing.T, name string, args ...string) {
	t.Helper()
	program, err := exec.LookPath(name)
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name); len(found) > 0 { // that of the tests' own server
		program, err = found[len(found)-1], nil
	}
	if err != nil {
		t.Skipf("backup of PostgreSQL skipped: %v", err)
	}
	if out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// A backup that was made in the middle of a batch, while clients went on working, is restored, and there the batch goes on to its end.
func TestBackupAndRestore(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		const tasks = 300
		s := startServer(t, databaseURL, "--job-executor=false", "--batch-jobs-per-seed=20")
		s.failed(t, tasks)
		made, err := s.client.SetExternalTaskRetriesAsyncOperationWithResponse(t.Context(), &gen.SetExternalTaskRetriesAsyncOperationParams{},
			gen.SetRetriesForExternalTasksDto{Retries: 3, ExternalTaskQuery: nullable.NewNullableWithValue(gen.ExternalTaskQueryDto{})})
		if err != nil || made.JSON200 == nil {
			t.Fatalf("%v, %s", err, made.Body)
		}
		batch := made.JSON200
		for _, definition := range []string{batch.SeedJobDefinitionID, batch.BatchJobDefinitionID, batch.BatchJobDefinitionID, batch.SeedJobDefinitionID} {
			s.execute(t, definition)
		}
		ctx, stop := context.WithCancel(t.Context())
		var others sync.WaitGroup
		others.Go(func() { s.bustle(ctx, t) })
		scheme, _, _ := strings.Cut(databaseURL, ":")
		restored := backups[scheme](t, databaseURL)
		stop()
		others.Wait()
		s.execute(t, batch.BatchJobDefinitionID) // after the backup: there it has not been
		r := startServer(t, restored)
		code, stdout, stderr := outcome(t, nil, "batch", "watch", batch.ID, r.at())
		says(t, code, stdout, stderr, 0, `.*ended    after .*: all 300 jobs are done\n`, ``)
		count, err := r.client.GetExternalTasksCountWithResponse(t.Context(), &gen.GetExternalTasksCountParams{TopicName: given(demoTopic), WithRetriesLeft: given(true)})
		if err != nil || count.JSON200 == nil || count.JSON200.Count != tasks || incidents(t, r) != 0 {
			t.Errorf("%s of %d tasks can be fetched again, %d incidents, %v", count.Body, tasks, incidents(t, r), err)
		}
		if left := incidents(t, s); left != tasks-3 {
			t.Errorf("where it came from there are %d incidents", left)
		}
	})
}

// The copy of a SQLite database takes the place of one whose server was killed, as the README says: by then there is a log beside the
// database, which must not be taken for the copy's.
func TestRestoreInPlace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, saved := filepath.Join(dir, "rearm.db"), filepath.Join(dir, "saved.db")
	c := startChild(t, "sqlite:"+file)
	c.failed(t, 50)
	code, stdout, stderr := outcome(t, nil, "backup", "--database-url=sqlite:"+file, saved)
	says(t, code, stdout, stderr, 0, `.*is copied.*`, ``)
	c.failed(t, 70)
	c.kill(t)
	if info, err := os.Stat(file + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("no log is left behind: %v", err)
	}
	for _, name := range []string{file, file + "-wal", file + "-shm"} {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Rename(saved, file); err != nil {
		t.Fatal(err)
	}
	s := startServer(t, "sqlite:"+file)
	if n := incidents(t, s); n != 50 {
		t.Errorf("%d incidents, and there were 50", n)
	}
	s.failed(t, 5)
	if n := incidents(t, s); n != 55 {
		t.Errorf("%d incidents, and there are 5 more", n)
	}
}

// bustle makes tasks until ctx ends.
func (s *server) bustle(ctx context.Context, t *testing.T) {
	for ctx.Err() == nil {
		res, err := s.client.CreateExternalTaskWithResponse(ctx, &gen.CreateExternalTaskParams{}, gen.CreateExternalTaskDto{TopicName: "bustle"})
		if err := refused("make a task", http.StatusOK, res, err); err != nil && ctx.Err() == nil {
			t.Error(err)
			return
		}
	}
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "new.db")
	for args, want := range map[string]string{
		"":             "the name of the new file is needed",
		"a b":          "the name of the new file is needed",
		"--listen=x y": "unknown flag: --listen",
		file + " --database-url=postgres://me@host/x": "cannot back up PostgreSQL: use pg_dump",
		file + " --database-url=sqlite::memory:":      "cannot back up a database in memory",
		file + " --database-url=mysql:x":              "unknown database URL",
		file + " --database-url=sqlite:" + file:       "cannot back up " + file,
	} {
		code, stdout, stderr := outcome(t, nil, append([]string{"backup"}, strings.Fields(args)...)...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%s: exit %d\n%s%s", args, code, stdout, stderr)
		}
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
}
