package main

import (
	"bytes"
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite" // to make databases that are not ours
)

// asProgram makes the test binary run main: tests start it so to kill it.
const asProgram = "REARM_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	if what := os.Getenv(asHolder); what != "" {
		if err := runHolder(what); err != nil {
			panic(err)
		}
		return
	}
	os.Exit(m.Run())
}

// outcome runs a command to its end.
func outcome(t *testing.T, e env, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, e.get, &out, &err)
	return code, out.String(), err.String()
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database at all\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := func(name string) string { // one each: a command holds its file while it looks
		return sqliteWith(t, filepath.Join(dir, name), "create table somebody_elses (id int)")
	}
	newer := sqliteWith(t, filepath.Join(dir, "newer.db"), "create table goose_db_version (id integer primary key, version_id int, is_applied int, tstamp timestamp default current_timestamp)",
		"insert into goose_db_version (version_id, is_applied) values (0, 1), (9999, 1)")
	for _, c := range []struct {
		name   string
		args   []string
		code   int
		stdout string
		stderr string
	}{
		{"nothing", nil, 2, "", "Usage: rearm COMMAND"},
		{"help", []string{"help"}, 0, "serve     serve the REST contract", ""},
		{"--help", []string{"--help"}, 0, "Usage: rearm COMMAND", ""},
		{"unknown command", []string{"fly"}, 2, "", `no command "fly"`},
		{"serve help", []string{"serve", "--help"}, 0, "REARM_DATABASE_URL", ""},
		{"demo help", []string{"demo", "-h"}, 0, "--once", ""},
		{"config", []string{"config"}, 0, "database-url", ""},
		{"config with a word", []string{"config", "all"}, 2, "", `"all" is no flag`},
		{"version", []string{"version"}, 0, "contract 7.24.0", ""},
		{"version with a flag", []string{"version", "--loud"}, 2, "", "unknown flag: --loud"},
		{"unknown flag", []string{"serve", "--nope"}, 2, "", "unknown flag: --nope"},
		{"user help", []string{"user", "--help"}, 0, "rearm user add NAME", ""},
		{"user without a word", []string{"user"}, 2, "", "rearm user add NAME, or rearm user remove NAME"},
		{"wrong setting", []string{"serve", "--max-body=x"}, 2, "", "not a size"},
		{"unknown URL", []string{"serve", "--database-url=mysql://me:hush@x/y"}, 2, "", "unknown database URL"},
		{"broken URL", []string{"serve", "--database-url=postgres://me:hush%zz@x/y"}, 2, "", "the database cannot be used"},
		{"no folder", []string{"serve", "--database-url=sqlite:" + filepath.Join(dir, "no", "x.db")}, 2, "", "the database cannot be used"},
		{"no database", []string{"serve", "--database-url=sqlite:" + text}, 2, "", "the database cannot be used"},
		{"not ours", []string{"serve", "--listen=127.0.0.1:0", "--database-url=" + foreign("served.db")}, 2, "", "belongs to another program"},
		{"newer", []string{"serve", "--listen=127.0.0.1:0", "--database-url=" + newer}, 2, "", "newer rearm"},
		{"migrate not ours", []string{"migrate", "--database-url=" + foreign("migrated.db")}, 2, "", "belongs to another program"},
		{"cleanup not ours", []string{"cleanup", "--database-url=" + foreign("cleaned.db")}, 2, "", "belongs to another program"},
		{"cleanup of nothing", []string{"cleanup", "--database-url=sqlite::memory:"}, 2, "", "not up to date"},
		{"cleanup of less than nothing", []string{"cleanup", "--limit=0", "--database-url=sqlite::memory:"}, 2, "", "not a number from 1"},
		{"migrate", []string{"migrate", "--database-url=sqlite:" + filepath.Join(dir, "new.db")}, 0, "has schema version", ""},
		{"address of another host", []string{"serve", "--listen=203.0.113.1:1", "--insecure", "--database-url=sqlite::memory:"}, 1, "", "listen tcp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, stdout, stderr := outcome(t, nil, c.args...)
			if code != c.code || !strings.Contains(stdout, c.stdout) || !strings.Contains(stderr, c.stderr) {
				t.Errorf("exit %d, want %d\nstdout: %s\nstderr: %s", code, c.code, stdout, stderr)
			}
			if strings.Contains(stdout+stderr, "hush") {
				t.Errorf("the password is shown:\n%s", stderr)
			}
			if lines := strings.Split(strings.TrimSpace(stderr), "\n"); code != 0 && len(c.args) > 1 && !strings.HasPrefix(lines[len(lines)-1], "rearm "+c.args[0]+": ") {
				t.Errorf("the reason is not one line:\n%s", stderr)
			}
		})
	}
}

// sqliteWith makes a SQLite file by statements and gives its URL.
func sqliteWith(t *testing.T, file string, statements ...string) string {
	t.Helper()
	conn, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := conn.ExecContext(context.Background(), s); err != nil {
			t.Fatal(err)
		}
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + file
}
