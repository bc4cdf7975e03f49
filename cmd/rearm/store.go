package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"rearm/db"
)

// errUnusable: somebody has to change the database, or the setting that names it.
var errUnusable = errors.New("the database cannot be used")

// openStore opens the database of the settings, watched as o says. On PostgreSQL it does not connect yet.
func openStore(ctx context.Context, c *Config, o db.Options) (*db.Store, error) {
	o.LockTime = c.LockTime
	store, err := db.Open(ctx, c.DatabaseURL, o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnusable, err)
	}
	return store, nil
}

// The pauses between attempts to reach a database that is away.
const (
	firstPause = 250 * time.Millisecond
	lastPause  = 5 * time.Second
)

// pinger is a database that can be asked whether it is there.
type pinger interface {
	Ping(ctx context.Context) error
}

// waitFor returns when the database answers, and says each time that it does not. A database that is there but lets nobody in
// (a wrong password, an unknown name) is an error at once.
func waitFor(ctx context.Context, database pinger, log *slog.Logger) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := database.Ping(ctx)
		switch {
		case err == nil, ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, db.ErrUnavailable):
			return fmt.Errorf("%w: %w", errUnusable, err)
		}
		log.Warn("waiting for the database", slog.String("error", oneLine(err)), slog.Duration("again_in", pause))
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-t.C:
		}
	}
}
