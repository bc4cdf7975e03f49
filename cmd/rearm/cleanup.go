package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"time"

	"rearm/db"
	"rearm/impl/engine"
)

// cleanup removes the history whose removal time has come, as the nodes that run jobs do by themselves, or says how much it would
// remove. It works on the database, without a server; on PostgreSQL servers may go on meanwhile.
func cleanup(ctx context.Context, p program, args []string) (err error) {
	c, dry, limit := defaults(), false, 0
	flags := c.flags("cleanup", "database-url", "lock-time", "log-level", "log-format")
	flags.Var(toggle(&dry), "dry-run", "say how much would be removed, and remove nothing")
	flags.Lookup("dry-run").NoOptDefVal = "true"
	flags.Var(count(&limit, math.MaxInt), "limit", "stop when so many rows are removed")
	flags.Lookup("limit").DefValue = forever
	if err := c.parse(p, flags, args); err != nil {
		return err
	}
	store, err := openStore(ctx, &c, db.Options{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	log := newLogger(p.stderr, &c)
	if err := waitFor(ctx, store, log); err != nil {
		return err
	}
	if err := store.CheckSchema(ctx); err != nil {
		return err
	}
	clock := store.NewClock(time.Now)
	if err := clock.Measure(ctx); err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	e := engine.New(store, engine.Options{Now: clock.Now, NewID: newID, Log: log, Wake: func([]string) {}, Run: func() {}, Settings: c.Engine})
	if dry {
		due, err := e.CleanUp(ctx, engine.CleanUp{DryRun: true})
		if err != nil {
			return err
		}
		return sayCleaned(p.stdout, "would be removed", due)
	}
	cleaned, err := cleanAll(ctx, e, int64(limit))
	return errors.Join(err, sayCleaned(p.stdout, "removed", cleaned))
}

// The rows that one transaction removes, the least pause after it, and how many times as long as it took the pause is.
const (
	cleanupChunk = 100
	cleanupPause = 10 * time.Millisecond
	cleanupRests = 3
)

// cleanAll cleans up until nothing is due, limit rows are removed (0: however many), or ctx ends. It works a quarter of the time, so
// that whoever uses the database beside it hardly notices.
func cleanAll(ctx context.Context, e *engine.Engine, limit int64) (all db.Cleaned, err error) {
	if limit == 0 {
		limit = math.MaxInt64
	}
	for ctx.Err() == nil && all.Rows() < limit {
		start := time.Now()
		some, err := e.CleanUp(context.WithoutCancel(ctx), engine.CleanUp{Limit: min(cleanupChunk, limit-all.Rows())})
		if err != nil || some == (db.Cleaned{}) {
			return all, err
		}
		all.Add(some)
		pause(ctx, max(cleanupPause, cleanupRests*time.Since(start)))
	}
	return all, nil
}

// sayCleaned prints how many rows there are of each kind.
func sayCleaned(w io.Writer, done string, c db.Cleaned) error {
	for _, kind := range []struct {
		rows int64
		name string
	}{
		{c.Batches, "batches that have ended"}, {c.ItemRows, "rows of their items"}, {c.JobLog, "rows of their job log"}, {c.Scopes, "process instances that have ended"},
		{c.TaskLog, "entries of their task log"}, {c.Variables, "variables of theirs"}, {c.Incidents, "incidents of both"}, {c.Rows(), "rows in all " + done},
	} {
		if _, err := fmt.Fprintf(w, "%15s %s\n", number(int(kind.rows)), kind.name); err != nil {
			return err
		}
	}
	return nil
}
