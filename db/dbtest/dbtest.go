// Package dbtest gives every test a database of its own: SQLite in a temporary folder, and PostgreSQL where it is there.
package dbtest

import (
	"context"
	"path/filepath"
	"testing"

	"rearm/db"
)

// Each runs f once on every database that is there, each time on a fresh and migrated one, in parallel.
func Each(t *testing.T, f func(t *testing.T, s *db.Store)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		f(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		f(t, Postgres(t))
	})
}

// SQLite gives a fresh, migrated database in a file of its own.
func SQLite(t testing.TB) *db.Store {
	t.Helper()
	return Open(t, "sqlite:"+filepath.Join(t.TempDir(), "rearm.db"))
}

// Postgres gives a fresh, migrated database on the tests' cluster; it skips the test where there is none.
func Postgres(t testing.TB) *db.Store {
	t.Helper()
	return Open(t, PostgresURL(t))
}

// Open opens and migrates the database that a URL names, and closes it when the test ends.
func Open(t testing.TB, url string) *db.Store {
	t.Helper()
	s, err := db.Open(context.Background(), url, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	urls.Store(s, url)
	t.Cleanup(func() {
		urls.Delete(s)
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := s.Migrate(context.Background()); err != nil {
		t.Fatal(err)
	}
	return s
}

// Another opens a store's database a second time, as another node does. SQLite serves one process, whose engines share its store.
func Another(t testing.TB, s *db.Store) *db.Store {
	t.Helper()
	if s.Dialect() == "sqlite" {
		return s
	}
	url, ok := urls.Load(s)
	if !ok {
		t.Fatal("the store was not opened by dbtest")
	}
	return Open(t, url.(string))
}
