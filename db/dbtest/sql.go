package dbtest

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"rearm/db"
)

// urls has the URL of every store that this package opened.
var urls sync.Map

// Raw connects a test to a store's database past the store, to look at what is there or to break it.
func Raw(t testing.TB, s *db.Store) *sqlx.DB {
	t.Helper()
	url, ok := urls.Load(s)
	if !ok {
		t.Fatal("the store was not opened by dbtest")
	}
	return Connect(t, url.(string))
}

// Connect connects a test to the database that a URL names, past every store, also while a server has it.
func Connect(t testing.TB, url string) *sqlx.DB {
	t.Helper()
	driver, name := "pgx", url
	if file, ok := strings.CutPrefix(name, "sqlite:"); ok {
		driver, name = "sqlite", "file:"+file+"?_pragma=busy_timeout(10000)&_pragma=synchronous(full)&_pragma=cache_size(-65536)&_pragma=temp_store(memory)&_txlock=immediate"
	}
	conn, err := sqlx.Open(driver, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// Count gives the one number that a query asks for.
func Count(t testing.TB, s *db.Store, query string) (n int) {
	t.Helper()
	if err := Raw(t, s).GetContext(context.Background(), &n, query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// Poison makes every write to the state of one task fail with the message "poisoned", until the returned function is called.
func Poison(t testing.TB, s *db.Store, task db.ID) (heal func()) {
	t.Helper()
	conn := Raw(t, s)
	hex := strings.ReplaceAll(task.String(), "-", "")
	run := func(statements ...string) {
		t.Helper()
		for _, text := range statements {
			if _, err := conn.ExecContext(context.Background(), text); err != nil {
				t.Fatal(err)
			}
		}
	}
	if s.Dialect() == "sqlite" {
		run("create trigger poison_" + hex + " before update on external_task_state when old.id = x'" + hex + "' begin select raise(abort, 'poisoned'); end")
		return func() { run("drop trigger poison_" + hex) }
	}
	run("create or replace function poison() returns trigger language plpgsql as $$ begin raise exception 'poisoned'; end $$",
		"create trigger poison_"+hex+" before update on external_task_state for each row when (old.id = '"+task.String()+"') execute function poison()")
	return func() { run("drop trigger poison_" + hex + " on external_task_state") }
}
