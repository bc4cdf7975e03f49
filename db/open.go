package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/jmoiron/sqlx"
	"go.opentelemetry.io/otel/trace"
	_ "modernc.org/sqlite" // the driver "sqlite"
)

// ErrURL: the database URL names no database that rearm knows.
var ErrURL = errors.New("unknown database URL: use sqlite:FILE, sqlite::memory: or postgres://...")

// Options are settings of a database; the zero value has sensible ones.
type Options struct {
	LockTime time.Duration // PostgreSQL ends a transaction that idles so long, so that a frozen node frees its rows; 0: 10 s
	Conns    int           // connections to PostgreSQL at most; 0: 20

	// Log hears when the database goes away and when it is back, each once, by the clock Now; nil: nobody watches.
	Log *slog.Logger
	Now func() time.Time
	// Tracer traces the statements of what is traced itself; nil: none are. It needs Log.
	Tracer trace.Tracer
}

// Open opens the database that a URL names (sqlite:FILE, sqlite::memory:, postgres://...). It does not migrate. The
// error is ErrURL for any other scheme, ErrLocked when another process has the SQLite file open.
func Open(ctx context.Context, databaseURL string, o Options) (*Store, error) {
	if err := CheckURL(databaseURL); err != nil {
		return nil, err
	}
	if file, ok := strings.CutPrefix(databaseURL, "sqlite:"); ok {
		return openSQLite(ctx, file, o)
	}
	return openPostgres(ctx, databaseURL, o)
}

// CheckURL tells whether Open knows what a URL means, and opens nothing. The error is ErrURL.
func CheckURL(databaseURL string) error {
	scheme, rest, _ := strings.Cut(databaseURL, ":")
	switch {
	case scheme == "sqlite" && rest != "":
		return nil
	case scheme == "postgres" || scheme == "postgresql":
		if _, err := pgx.ParseConfig(databaseURL); err != nil {
			return fmt.Errorf("%w (%w)", ErrURL, err)
		}
		return nil
	}
	return ErrURL
}

func init() { sqlx.BindDriver("sqlite", sqlx.QUESTION) } //nolint:gochecknoinits // sqlx knows drivers by a global table only

// sqlitePragmas: WAL lets readers go on while one writes; the cache is per connection (limits.md E and 9).
const sqlitePragmas = "_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(full)&_pragma=cache_size(-65536)" +
	"&_pragma=temp_store(memory)&_pragma=case_sensitive_like(1)&_pragma=wal_autocheckpoint(4000)"

// openSQLite opens one connection that writes and a few that read. A database in memory lives in the one that writes.
func openSQLite(ctx context.Context, file string, o Options) (*Store, error) {
	if file == ":memory:" {
		one, err := sqliteConns(ctx, "file::memory:?"+sqlitePragmas+"&_txlock=immediate", 1)
		return newStore(sqliteDialect, one, one, "sqlite:"+file, o), err
	}
	lock, err := lockSQLite(file)
	if err != nil {
		return nil, err
	}
	name := "file:" + (&url.URL{Path: file}).EscapedPath() + "?" + sqlitePragmas
	write, err := sqliteConns(ctx, name+"&_txlock=immediate", 1)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	read, err := sqliteConns(ctx, name+"&_pragma=query_only(1)", 4)
	if err != nil {
		return nil, errors.Join(err, write.Close(), lock.Close())
	}
	s := newStore(sqliteDialect, write, read, "sqlite:"+file, o)
	s.lock = lock
	return s, nil
}

func sqliteConns(ctx context.Context, name string, n int) (*sqlx.DB, error) {
	conns, err := sqlx.Open("sqlite", name)
	if err != nil {
		return nil, err
	}
	conns.SetMaxOpenConns(n)
	conns.SetMaxIdleConns(n)
	if err := conns.PingContext(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open SQLite: %w", err), conns.Close())
	}
	return conns, nil
}

// openPostgres makes a pool; it connects when it is first used.
func openPostgres(_ context.Context, databaseURL string, o Options) (*Store, error) {
	c, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return nil, fmt.Errorf("%w (%w)", ErrURL, err)
	}
	if o.LockTime == 0 {
		o.LockTime = 10 * time.Second
	}
	if o.Conns == 0 {
		o.Conns = 20
	}
	millis := fmt.Sprint(o.LockTime.Milliseconds())
	c.RuntimeParams["idle_in_transaction_session_timeout"] = millis
	c.RuntimeParams["tcp_user_timeout"] = millis
	c.RuntimeParams["application_name"] = "rearm"
	conns := sqlx.NewDb(sql.OpenDB(stdlib.GetConnector(*c)), "pgx")
	conns.SetMaxOpenConns(o.Conns)
	conns.SetMaxIdleConns(o.Conns)
	conns.SetConnMaxIdleTime(5 * time.Minute)
	return newStore(postgresDialect, conns, conns, databaseURL, o), nil
}

func newStore(d *dialect, write, read *sqlx.DB, databaseURL string, o Options) *Store {
	s := &Store{Queries: Queries{read, d, newWatch(o, d.name)}, write: write, read: read, url: databaseURL}
	if d.writers == 1 {
		s.turns = newTurns()
	}
	return s
}
