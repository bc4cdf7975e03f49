package db

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// statement is one of several that are sent together.
type statement struct {
	text string
	args []any
}

// together runs statements that write, none of which may touch a row that another one of them writes. On PostgreSQL they are
// one statement, hence one round trip, and all of them see what was there before the first.
func (t *Tx) together(ctx context.Context, list ...statement) error {
	if !t.d.fused {
		for _, s := range list {
			if _, err := t.exec(ctx, s.text, s.args...); err != nil {
				return err
			}
		}
		return nil
	}
	text, args := fuse(list)
	_, err := t.exec(ctx, text+" select 1", args...)
	return err
}

// togetherAsk is together, and asks for one value as well, in the same round trip: what the statements write must not matter
// to it.
func (t *Tx) togetherAsk(ctx context.Context, dest any, ask statement, list ...statement) error {
	if !t.d.fused {
		if err := t.together(ctx, list...); err != nil {
			return err
		}
		return t.get(ctx, dest, ask.text, ask.args...)
	}
	text, args := fuse(list)
	return t.get(ctx, dest, text+" "+ask.text, append(args, ask.args...)...)
}

// fuse makes common table expressions of statements that write.
func fuse(list []statement) (text string, args []any) {
	var b strings.Builder
	for i, s := range list {
		b.WriteString(", w" + strconv.Itoa(i) + " as (" + s.text + ")")
		args = append(args, s.args...)
	}
	return "with " + b.String()[2:], args
}

// column is one column of rows that are inserted together.
type column struct {
	name  string
	kind  string          // PostgreSQL's type
	array any             // all values, as PostgreSQL takes them
	at    func(i int) any // one value, as SQLite takes it
}

// of makes a column of values that both drivers know.
func of[T any](name, kind string, values []T) column {
	return column{name, kind, values, func(i int) any { return values[i] }}
}

// ofIDs makes a column of ids.
func ofIDs(name string, ids []ID) column {
	raw := make([][16]byte, len(ids))
	for i := range ids {
		raw[i] = ids[i]
	}
	return column{name, "uuid", raw, func(i int) any { return ids[i] }}
}

// rowsPerInsert keeps a statement of SQLite short enough to be kept (maxCached), and below its number of parameters.
const rowsPerInsert = 100

// insert writes n rows. then is what follows the rows: "on conflict ..." or nothing.
func (t *Tx) insert(ctx context.Context, table string, n int, then string, columns ...column) error {
	for _, s := range t.inserts(table, n, then, columns...) {
		if _, err := t.exec(ctx, s.text, s.args...); err != nil {
			return err
		}
	}
	return nil
}

// inserts gives the statements that write n rows: one on PostgreSQL, where each column travels as an array (long lists of
// values are slower, since each is a parameter of its own), and some of rowsPerInsert rows on SQLite.
func (t *Tx) inserts(table string, n int, then string, columns ...column) []statement {
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	head := "insert into " + table + " (" + strings.Join(names, ", ") + ") "
	if t.d.bulk {
		return []statement{arrays(head, then, columns)}
	}
	var list []statement
	for first := 0; first < n; first += rowsPerInsert {
		list = append(list, values(head, then, columns, first, min(n, first+rowsPerInsert)))
	}
	return list
}

// arrays is an insert of whole columns. "where true" keeps "on conflict" apart from a join.
func arrays(head, then string, columns []column) statement {
	casts, args := make([]string, len(columns)), make([]any, len(columns))
	for i, c := range columns {
		casts[i], args[i] = fmt.Sprintf("cast(? as %s[])", c.kind), c.array
	}
	return statement{head + "select * from unnest(" + strings.Join(casts, ", ") + ") where true " + then, args}
}

// values is an insert of the rows from first to before end.
func values(head, then string, columns []column, first, end int) statement {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ") + ")"
	args := make([]any, 0, (end-first)*len(columns))
	for i := first; i < end; i++ {
		for _, c := range columns {
			args = append(args, c.at(i))
		}
	}
	return statement{head + "values " + strings.Join(slices.Repeat([]string{row}, end-first), ", ") + " " + then, args}
}

// repeat gives a column's values where all rows have the same one.
func repeat[T any](value T, n int) []T { return slices.Repeat([]T{value}, n) }

// each gives one column's values out of all rows.
func each[R, T any](rows []R, value func(*R) T) []T {
	list := make([]T, len(rows))
	for i := range rows {
		list[i] = value(&rows[i])
	}
	return list
}
