// Package db keeps rearm's data, in SQLite or in PostgreSQL. Every query is written once, with `?` for parameters; what
// differs between the two databases is a field of the dialect. Row structs are the domain types. It imports nothing of ours.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Caller says on whose behalf something is done; the zero value may see everything.
type Caller struct {
	Name       string   // "" when nobody is logged in
	Tenants    []string // nil: every tenant
	Untenanted bool     // with Tenants: also what belongs to no tenant
}

// Queries has all that can be asked of a database, in a transaction (Tx) or outside of one (Store, for reading only).
type Queries struct {
	q sqlx.ExtContext
	d *dialect
	w *watch
}

// Store is an open database.
type Store struct {
	Queries
	write *sqlx.DB
	read  *sqlx.DB
	url   string
	turns *turns    // of SQLite
	lock  *lockFile // of a SQLite file; nil for every other database
}

// Tx is a transaction; its methods see what it has written.
type Tx struct {
	Queries
	tx *sqlx.Tx
}

// attempts is how often a transaction is done before ErrAgain is given to the caller.
const attempts = 10

// Tx runs f in a transaction: commits when f returns nil, else rolls back and returns f's error. When the database says
// that it met another transaction, f runs again, so f must not keep anything from an earlier run. On SQLite the write
// lock is taken at the start, by whoever came first.
func (s *Store) Tx(ctx context.Context, f func(*Tx) error) error {
	return s.again(ctx, func() error { return s.once(ctx, f) })
}

// again does what is a transaction by itself, and once more when it met another.
func (s *Store) again(ctx context.Context, do func() error) error {
	for i := 1; ; i++ {
		err := do()
		if !errors.Is(err, ErrAgain) || i == attempts || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Store) once(ctx context.Context, f func(*Tx) error) error {
	tx, err := s.begin(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer s.turns.pass()
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back, and else f's error is what counts
	if err := f(&Tx{Queries{tx, s.d, s.w}, tx}); err != nil {
		return err
	}
	_, end := s.w.span(ctx, "commit")
	if err := s.wrap(tx.Commit()); err != nil {
		end(err)
		return fmt.Errorf("commit: %w", err)
	}
	end(nil)
	return nil
}

// begin begins a transaction, when it is its turn and a connection is free. Without an error the turn is to be passed on.
func (s *Store) begin(ctx context.Context) (tx *sqlx.Tx, err error) {
	_, end := s.w.span(ctx, "begin")
	defer func() { end(err) }()
	if err := s.turns.take(ctx); err != nil {
		return nil, err
	}
	if tx, err = s.write.BeginTxx(ctx, nil); err != nil {
		s.turns.pass()
	}
	return tx, s.wrap(err)
}

// Pools gives the pools of connections by what they are for. SQLite writes by another one than it reads by, unless it is in memory.
func (s *Store) Pools() map[string]*sql.DB {
	if s.read == s.write {
		return map[string]*sql.DB{"all": s.write.DB}
	}
	return map[string]*sql.DB{"read": s.read.DB, "write": s.write.DB}
}

// Close closes the database; what is running ends with an error.
func (s *Store) Close() error {
	if s.read != s.write {
		return errors.Join(s.read.Close(), s.write.Close(), s.lock.Close())
	}
	return s.write.Close()
}

// Ping asks the database whether it is there. Who asks says so himself if it is not.
func (s *Store) Ping(ctx context.Context) error {
	err := s.d.wrap(s.read.PingContext(ctx))
	if err == nil {
		s.w.saw(nil)
	}
	return err
}

// Dialect names the database: sqlite or postgres. It is for messages only.
func (s *Store) Dialect() string { return s.d.name }

// Writers tells how many executors of one process gain by writing at the same time.
func (s *Store) Writers() int { return s.d.writers }

// Remote tells whether the database is another process, so that ids which it selects for itself had better not travel.
func (q Queries) Remote() bool { return q.d.remote }

// questionsAtOnce is how many questions a pool gains by: one has the database work while the other travels.
const questionsAtOnce = 2

// AtOnce tells how many questions gain by being asked at the same time. A transaction has one connection.
func (q Queries) AtOnce() int {
	if _, pool := q.q.(*sqlx.DB); pool {
		return questionsAtOnce
	}
	return 1
}

// get reads exactly one row into dest (a struct or a scalar); ErrNotFound when there is none.
func (q Queries) get(ctx context.Context, dest any, text string, args ...any) error {
	ctx, end := q.w.span(ctx, "")
	err := q.wrap(sqlx.GetContext(ctx, q.q, dest, q.d.sql(text), args...))
	end(err)
	return err
}

// sel reads all rows into dest, a pointer to a slice.
func (q Queries) sel(ctx context.Context, dest any, text string, args ...any) error {
	ctx, end := q.w.span(ctx, "")
	err := q.wrap(sqlx.SelectContext(ctx, q.q, dest, q.d.sql(text), args...))
	end(err)
	return err
}

// exec runs a statement and gives the number of rows that it changed.
func (q Queries) exec(ctx context.Context, text string, args ...any) (n int64, err error) {
	ctx, end := q.w.span(ctx, "")
	res, err := q.q.ExecContext(ctx, q.d.sql(text), args...)
	if err == nil {
		n, err = res.RowsAffected()
	}
	err = q.wrap(err)
	end(err)
	return n, err
}

// each runs a query and calls f for every row.
func (q Queries) each(ctx context.Context, f func(scan func(...any) error) error, text string, args ...any) error {
	ctx, end := q.w.span(ctx, "")
	err := q.scan(ctx, f, text, args...)
	end(err)
	return err
}

func (q Queries) scan(ctx context.Context, f func(scan func(...any) error) error, text string, args ...any) error {
	rows, err := q.q.QueryxContext(ctx, q.d.sql(text), args...)
	if err != nil {
		return q.wrap(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what counts
	for rows.Next() {
		if err := f(rows.Scan); err != nil {
			return err
		}
	}
	return q.wrap(rows.Err())
}

// wrap is the dialect's, and lets the watch see what came of a statement.
func (q Queries) wrap(err error) error {
	err = q.d.wrap(err)
	q.w.saw(err)
	return err
}

// ids gives a list of ids in the form that {ids} takes.
func (q Queries) ids(list []ID) any { return q.d.idList(list) }

// texts gives a list of texts in the form that {texts} takes.
func (q Queries) texts(list []string) any { return q.d.texts(list) }
