package db_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// A backup is the database of one moment, although somebody writes all the time: what a transaction has written together is all
// there, or not at all.
func TestBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from & #1.db"), filepath.Join(dir, "to.db")
	s := dbtest.Open(t, "sqlite:"+from)
	ctx, stop := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	written := make(chan struct{}, 1000)
	writing.Go(func() {
		for ctx.Err() == nil {
			in(t, s, func(tx *db.Tx) error {
				for range 2 {
					if err := tx.OpenJobIncident(context.Background(), db.JobIncident{ID: dbtest.ID(), Job: dbtest.ID(), Definition: dbtest.ID()}); err != nil {
						return err
					}
				}
				return nil
			})
			select {
			case written <- struct{}{}:
			default:
			}
		}
	})
	<-written
	version, err := db.Backup(context.Background(), "sqlite:"+from, to)
	stop()
	writing.Wait()
	if err != nil || version < 5 {
		t.Fatalf("version %d, %v", version, err)
	}
	n, err := dbtest.Open(t, "sqlite:"+to).CountIncidents(context.Background(), &db.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	if now, err := s.CountIncidents(context.Background(), &db.Filter{}); err != nil || n < 2 || n%2 != 0 || n > now {
		t.Errorf("%d incidents in the backup, %d now", n, now)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.part*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestBackupRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ours := filepath.Join(dir, "ours.db")
	if err := dbtest.Open(t, "sqlite:"+ours).Ping(context.Background()); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "foreign.db")
	if _, err := dbtest.Connect(t, "sqlite:"+foreign).ExecContext(context.Background(), "create table somebody_elses (id int)"); err != nil {
		t.Fatal(err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte(strings.Repeat("no database at all\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		url, file string
		is        error
		says      string
	}{
		{"mysql://x", "new.db", db.ErrURL, ""},
		{"sqlite:", "new.db", db.ErrURL, ""},
		{"postgres://me@host/x", "new.db", db.ErrBackup, "use pg_dump"},
		{"sqlite::memory:", "new.db", db.ErrBackup, "in memory"},
		{"sqlite:" + filepath.Join(dir, "none.db"), "new.db", db.ErrBackup, "none.db"},
		{"sqlite:" + text, "new.db", db.ErrBackup, "text"},
		{"sqlite:" + foreign, "new.db", db.ErrNotOurs, ""},
		{"sqlite:" + ours, "text", db.ErrBackup, "it is there already"},
		{"sqlite:" + ours, "no/folder.db", db.ErrBackup, "folder.db"},
	} {
		_, err := db.Backup(context.Background(), c.url, filepath.Join(dir, c.file))
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s to %s: %v", c.url, c.file, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none.db")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a database was made: %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "new.db*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}
