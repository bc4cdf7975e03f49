package db

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"
)

// ErrBackup: a backup cannot be made of this database, or not there.
var ErrBackup = errors.New("cannot back up")

// Backup copies the SQLite database that a URL names into a new file, as it was at one moment, and gives the version of its
// schema. It may be open in another process, which goes on writing meanwhile: the copy is one long read. The file has its name
// only when it is complete and on the disk. ErrBackup: the URL names no SQLite file that is there, or the new file is there
// already; ErrNotOurs: the database is none of ours.
func Backup(ctx context.Context, databaseURL, file string) (version int64, err error) {
	scheme, from, _ := strings.Cut(databaseURL, ":")
	switch {
	case scheme == "postgres" || scheme == "postgresql":
		return 0, fmt.Errorf("%w PostgreSQL: use pg_dump", ErrBackup)
	case scheme != "sqlite" || from == "":
		return 0, ErrURL
	case from == ":memory:":
		return 0, fmt.Errorf("%w a database in memory", ErrBackup)
	}
	if _, err := os.Lstat(file); !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("%w to %s: it is there already", ErrBackup, file)
	}
	part := file + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, os.ErrNotExist) {
		return 0, fmt.Errorf("%w to %s: %w", ErrBackup, file, err)
	}
	if version, err = copySQLite(ctx, from, part); err != nil {
		return 0, errors.Join(err, removeIfThere(part))
	}
	return version, errors.Join(syncFile(part), os.Rename(part, file))
}

// copySQLite writes a database into a new file by one statement.
func copySQLite(ctx context.Context, from, to string) (version int64, err error) {
	name := "file:" + (&url.URL{Path: from}).EscapedPath() + "?mode=rw&_pragma=busy_timeout(10000)"
	conns, err := sqliteConns(ctx, name, 1)
	if err != nil {
		return 0, fmt.Errorf("%w %s: %w", ErrBackup, from, err)
	}
	s := newStore(sqliteDialect, conns, conns, "sqlite:"+from, Options{})
	defer func() { err = errors.Join(err, s.Close()) }()
	var tables []string
	if err := s.sel(ctx, &tables, s.d.words["tables"]); err != nil {
		return 0, fmt.Errorf("%w %s: %w", ErrBackup, from, err)
	}
	if !slices.Contains(tables, goose.DefaultTablename) {
		return 0, ErrNotOurs
	}
	if _, err := conns.ExecContext(ctx, "vacuum into ?", to); err != nil {
		return 0, fmt.Errorf("%w to %s: %w", ErrBackup, to, s.d.wrap(err))
	}
	return version, s.get(ctx, &version, "select coalesce(max(version_id), 0) from "+goose.DefaultTablename)
}

// syncFile returns when a file is on the disk.
func syncFile(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func removeIfThere(name string) error {
	if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
