package rest

import (
	"github.com/oapi-codegen/nullable"

	"rearm/db"
	"rearm/openapi/wire"
)

// orNull gives a value that may be missing as the contract writes it: always there, null when nil.
func orNull[T any](p *T) nullable.Nullable[T] {
	if p == nil {
		return nullable.NewNullNullable[T]()
	}
	return nullable.NewNullableWithValue(*p)
}

// idOrNull is orNull for an id.
func idOrNull(id *db.ID) nullable.Nullable[string] {
	if id == nil {
		return nullable.NewNullNullable[string]()
	}
	return nullable.NewNullableWithValue(id.String())
}

// date gives a time as the contract writes it.
func date(t db.Time) wire.DateTime { return wire.NewDateTime(t.Time()) }

// dateOrNull is orNull for a time.
func dateOrNull(t *db.Time) nullable.Nullable[wire.DateTime] {
	if t == nil {
		return nullable.NewNullNullable[wire.DateTime]()
	}
	return nullable.NewNullableWithValue(date(*t))
}

// given gives the value of an optional, nullable field; nil when it is absent or null.
func given[T any](n nullable.Nullable[T]) *T {
	if v, err := n.Get(); err == nil {
		return &v
	}
	return nil
}

// orZero gives the value of an optional, nullable field; its type's zero when it is absent or null.
func orZero[T any](n nullable.Nullable[T]) T {
	v, _ := n.Get()
	return v
}

// valueOf gives what p points to; its type's zero when p is nil.
func valueOf[T any](p *T) T {
	var zero T
	if p == nil {
		return zero
	}
	return *p
}

// each maps a list; the result is never nil, since a nil list would be written as null.
func each[A, B any](list []A, f func(*A) B) []B {
	out := make([]B, len(list))
	for i := range list {
		out[i] = f(&list[i])
	}
	return out
}
