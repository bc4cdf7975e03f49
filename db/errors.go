package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// What a query can say to its caller. Everything else is a fault of ours or of the database.
var (
	// ErrNotFound: no row.
	ErrNotFound = errors.New("not found")
	// ErrConflict: a unique key is taken.
	ErrConflict = errors.New("conflict")
	// ErrAgain: the transaction met another one (deadlock, serialization, busy); doing it again may work.
	ErrAgain = errors.New("try again")
	// ErrUnavailable: the database cannot be reached now.
	ErrUnavailable = errors.New("database unavailable")
	// ErrText: a text that cannot be kept or looked for: PostgreSQL takes neither the character NUL nor broken UTF-8.
	ErrText = errors.New("a text holds a character that cannot be kept")
)

// wrap gives a driver's error the sentinel it deserves. The driver's own error stays in the chain.
func (d *dialect) wrap(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, sql.ErrNoRows) {
		return ErrNotFound
	}
	if kind := d.fault(err); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	var network net.Error
	if errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || errors.As(err, &network) {
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}

func sqliteFault(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return nil
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return ErrConflict
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrAgain
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN:
		return ErrUnavailable
	}
	return nil
}

// postgresFault goes by SQLSTATE (PostgreSQL, appendix A).
func postgresFault(err error) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		var connect *pgconn.ConnectError
		if errors.As(err, &connect) || pgconn.SafeToRetry(err) {
			return ErrUnavailable
		}
		return nil
	}
	switch {
	case e.Code == "23505":
		return ErrConflict
	case e.Code == "40001", e.Code == "40P01", e.Code == "55P03":
		return ErrAgain
	case e.Code == "22021":
		return ErrText
	case strings.HasPrefix(e.Code, "08"), strings.HasPrefix(e.Code, "53"), strings.HasPrefix(e.Code, "57P"), e.Code == "25P03":
		return ErrUnavailable
	}
	return nil
}

// jsonList writes a list of texts as a JSON array.
func jsonList(list []string) any {
	b, err := json.Marshal(list)
	if err != nil { // a list of strings always can
		panic(err)
	}
	return string(b)
}
