package db_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

func TestMigrateTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		first, err := s.Migrate(context.Background())
		if err != nil || first < 1 {
			t.Fatalf("again: version %d, %v", first, err)
		}
	})
}

// Ten nodes may start at once on an empty PostgreSQL.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	var wait sync.WaitGroup
	for range 10 {
		wait.Go(func() {
			s, err := db.Open(context.Background(), url, db.Options{})
			if err != nil {
				t.Error(err)
				return
			}
			defer s.Close() //nolint:errcheck // the end of a test
			if _, err := s.Migrate(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "sqlite:", "mysql://x", "rearm.db", "postgres://%zz"} {
		if s, err := db.Open(context.Background(), url, db.Options{}); !errors.Is(err, db.ErrURL) {
			t.Errorf("Open(%q) = %v, %v; want ErrURL", url, s, err)
		}
	}
	if _, err := db.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "no", "such", "folder"), db.Options{}); err == nil {
		t.Error("a folder that is not there was opened")
	}
}

// What an extension brings along makes a database nobody's; a table that somebody made there does.
func TestMigrateBesideExtensions(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	raw := dbtest.Connect(t, url)
	if _, err := raw.Exec("create extension pg_stat_statements"); err != nil {
		t.Skipf("the extension that should be there cannot be: %v", err)
	}
	migrate := func() error {
		s, err := db.Open(context.Background(), url, db.Options{})
		if err != nil {
			return err
		}
		defer s.Close() //nolint:errcheck // the end of a test
		_, err = s.Migrate(context.Background())
		return err
	}
	raw.MustExec("create view somebodys as select 1 as one")
	if err := migrate(); !errors.Is(err, db.ErrNotOurs) {
		t.Errorf("beside somebody's view: %v", err)
	}
	raw.MustExec("drop view somebodys")
	if err := migrate(); err != nil {
		t.Errorf("beside an extension: %v", err)
	}
}
