package db

import "context"

// eachRow runs a query and calls do for every row as it is read, so that a long list is never in memory as a whole. An error of do
// ends it, and is given as it is.
func eachRow[T any](ctx context.Context, q Queries, do func(*T) error, text string, args ...any) error {
	rows, err := q.q.QueryxContext(ctx, q.d.sql(text), args...)
	if err != nil {
		return q.d.wrap(err)
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what counts
	for rows.Next() {
		var row T
		if err := rows.StructScan(&row); err != nil {
			return q.d.wrap(err)
		}
		if err := do(&row); err != nil {
			return err
		}
	}
	return q.d.wrap(rows.Err())
}

// eachOf calls do for every row of a page of a resource, as list reads it.
func eachOf[T any](ctx context.Context, q Queries, r *Resource, columns string, f *Filter, do func(*T) error) error {
	text, args, err := q.page(r, columns, f)
	if err != nil {
		return err
	}
	return eachRow(ctx, q, do, text, args...)
}

// Collect gives what comes one by one as a list, which is empty rather than nil.
func Collect[T any](each func(do func(*T) error) error) ([]T, error) {
	list := []T{}
	err := each(func(one *T) error { list = append(list, *one); return nil })
	return list, err
}
