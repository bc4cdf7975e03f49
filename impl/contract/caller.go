package contract

import (
	"context"

	"rearm/db"
)

// callerKey is where the caller stands in a request's context.
type callerKey struct{}

// WithCaller gives a context in which a request is made on somebody's behalf.
func WithCaller(ctx context.Context, c db.Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf gives the one on whose behalf a request is made; the zero value, who may see everything, where nobody logs in.
func CallerOf(ctx context.Context) db.Caller {
	c, _ := ctx.Value(callerKey{}).(db.Caller)
	return c
}
