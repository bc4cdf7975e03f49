package contract

import (
	"context"
	"slices"

	"rearm/db"
)

// callerKey is where the caller stands in a request's context.
type callerKey struct{}

// WithCaller gives a context in which a request is made on somebody's behalf, with each of its tenants once, in order, and notes
// it in the request's record.
func WithCaller(ctx context.Context, c db.Caller) context.Context {
	c.Tenants = slices.Clone(c.Tenants) // an empty list stays one, and nil stays nil, which is every tenant
	slices.Sort(c.Tenants)
	c.Tenants = slices.Compact(c.Tenants)
	if r := RecordOf(ctx); r != nil {
		r.caller = &c
	}
	return context.WithValue(ctx, callerKey{}, &c)
}

// CallerOf gives the one on whose behalf a request is made; the zero value, who may see everything, where nobody logs in.
func CallerOf(ctx context.Context) db.Caller {
	if c, ok := ctx.Value(callerKey{}).(*db.Caller); ok {
		return *c
	}
	return db.Caller{}
}
