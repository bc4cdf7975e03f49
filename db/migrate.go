package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// What Migrate refuses.
var (
	// ErrNotOurs: the database has tables, and none of them is goose's: it belongs to another program.
	ErrNotOurs = errors.New("this database belongs to another program: it has tables, but no rearm schema")
	// ErrNewer: a newer rearm has migrated the database.
	ErrNewer = errors.New("this database was migrated by a newer rearm")
	// ErrOlder: the database is empty, or has the schema of an older rearm.
	ErrOlder = errors.New("this database's schema is not up to date: rearm migrate, or rearm serve, brings it there")
)

// Migrate brings the schema up to date and gives the version it has then. Any number of nodes may call it at once: on
// PostgreSQL they take turns. The error is ErrNotOurs or ErrNewer for a database that it will not touch.
func (s *Store) Migrate(ctx context.Context) (version int64, err error) {
	return s.MigrateTo(ctx, math.MaxInt64)
}

// MigrateTo is Migrate up to a version and no further, as an older rearm left the schema: tests of upgrades begin there.
func (s *Store) MigrateTo(ctx context.Context, version int64) (int64, error) {
	if _, err := s.ours(ctx); err != nil {
		return 0, err
	}
	p, err := s.provider()
	if err != nil {
		return 0, err
	}
	has, newest, err := s.versions(ctx, p)
	if err != nil {
		return has, err
	}
	if _, err := p.UpTo(ctx, version); err != nil {
		return 0, fmt.Errorf("migrate: %w", s.d.wrap(err))
	}
	return max(has, min(version, newest)), nil
}

// CheckSchema tells whether the schema is up to date, and changes nothing: the error is ErrNotOurs, ErrNewer or ErrOlder.
func (s *Store) CheckSchema(ctx context.Context) error {
	empty, err := s.ours(ctx)
	if err != nil {
		return err
	}
	if empty {
		return fmt.Errorf("%w (it is empty)", ErrOlder)
	}
	p, err := s.provider()
	if err != nil {
		return err
	}
	has, newest, err := s.versions(ctx, p)
	if err == nil && has < newest {
		err = fmt.Errorf("%w (it has version %d, this program knows %d)", ErrOlder, has, newest)
	}
	return err
}

// versions gives the version that the schema has, and the newest one that this program knows; ErrNewer if that is less.
func (s *Store) versions(ctx context.Context, p *goose.Provider) (has, newest int64, err error) {
	sources := p.ListSources()
	newest = sources[len(sources)-1].Version
	if has, err = p.GetDBVersion(ctx); err != nil {
		return 0, newest, s.d.wrap(err)
	}
	if has > newest {
		err = fmt.Errorf("%w: it has version %d, this program knows %d", ErrNewer, has, newest)
	}
	return has, newest, err
}

func (s *Store) provider() (*goose.Provider, error) {
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if s.d == postgresDialect {
		locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 120))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	sub, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(s.d.goose, s.write.DB, translated{sub, s.d}, options...)
}

// ours refuses a database in which somebody else's tables are. It tells whether there are no tables at all.
func (s *Store) ours(ctx context.Context) (empty bool, err error) {
	var tables []string
	if err := s.sel(ctx, &tables, s.d.words["tables"]); err != nil {
		return false, fmt.Errorf("look at the database: %w", err)
	}
	if len(tables) > 0 && !slices.Contains(tables, goose.DefaultTablename) {
		return false, ErrNotOurs
	}
	return len(tables) == 0, nil
}

// translated reads migrations with the dialect's words put in.
type translated struct {
	fs.FS
	d *dialect
}

// Open implements fs.FS.
func (t translated) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	if err != nil || !strings.HasSuffix(name, ".sql") {
		return f, err
	}
	b, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return &textFile{Reader: strings.NewReader(t.d.expand(string(b))), name: name}, nil
}

// Glob implements fs.GlobFS, so that goose finds the files.
func (t translated) Glob(pattern string) ([]string, error) { return fs.Glob(t.FS, pattern) }

// ReadFile implements fs.ReadFileFS.
func (t translated) ReadFile(name string) ([]byte, error) {
	b, err := fs.ReadFile(t.FS, name)
	return []byte(t.d.expand(string(b))), err
}

// textFile is a file whose text is in memory.
type textFile struct {
	*strings.Reader
	name string
}

// Stat implements fs.File.
func (f *textFile) Stat() (fs.FileInfo, error) { return f, nil }

// Close implements fs.File.
func (f *textFile) Close() error { return nil }

// Name implements fs.FileInfo; so do the methods below.
func (f *textFile) Name() string { return f.name }

// Mode is read-only.
func (f *textFile) Mode() fs.FileMode { return 0o444 }

// ModTime is not known.
func (f *textFile) ModTime() time.Time { return time.Time{} }

// IsDir is false.
func (f *textFile) IsDir() bool { return false }

// Sys is nil.
func (f *textFile) Sys() any { return nil }
