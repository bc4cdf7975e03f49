package engine

import (
	"context"
	"log/slog"
	"time"

	"rearm/db"
)

// What one transaction of a clean-up removes, so few rows that nobody who waits for one of them notices, and how long the
// cleaner rests when it has found nothing.
const (
	cleanedAtOnce = 100
	cleanerRest   = time.Minute
	cleanerPause  = 10 * time.Millisecond
	cleanerRests  = 3 // times as long as it has worked
)

// CleanUp says how history is cleaned up.
type CleanUp struct {
	DryRun bool  // only count what would be removed in the end
	Limit  int64 // of rows in one transaction, of which there are two at most; 0: a hundred
}

// CleanUp removes some of the history whose removal time has come, and says how much: ended batches with their items, job log and
// the incidents of their jobs, and ended scopes with their log, variables and incidents. The batch or scope goes when nothing
// else of it is left. A caller who wants all of it gone calls until nothing was removed. Any number of nodes may clean up at
// the same time. A dry run counts all that is due, and removes nothing.
func (e *Engine) CleanUp(ctx context.Context, in CleanUp) (db.Cleaned, error) {
	now := e.clock()
	if in.DryRun {
		due, err := e.store.CountDue(ctx, now)
		return due, storeFault(err)
	}
	limit := in.Limit
	if limit == 0 {
		limit = cleanedAtOnce
	}
	var all db.Cleaned
	for _, some := range []func(*db.Tx, context.Context, db.Time, int64) (db.Cleaned, error){(*db.Tx).CleanBatch, (*db.Tx).CleanScopes} {
		var cleaned db.Cleaned
		err := e.store.Tx(ctx, func(tx *db.Tx) (err error) {
			cleaned, err = some(tx, ctx, now, limit)
			return err
		})
		if err != nil {
			return all, storeFault(err)
		}
		all.Add(cleaned)
	}
	return all, nil
}

// Cleaner cleans up history for one executor, a little at a time: it rests three times as long as it has worked, so that it takes at
// most a quarter of a database's time, and for a minute when nothing was left.
type Cleaner struct {
	engine *Engine
	rest   time.Time  // nothing is done before
	total  db.Cleaned // since it rested for a minute
}

// NewCleaner makes a cleaner. It is for one goroutine.
func (e *Engine) NewCleaner() *Cleaner { return &Cleaner{engine: e} }

// Step removes some history and says when to come again. There is never more at once: the pause is what makes it gentle.
func (c *Cleaner) Step(ctx context.Context, _ time.Duration) (next time.Time, more bool, err error) {
	start := c.engine.Now()
	if start.Before(c.rest) {
		return c.rest, false, nil
	}
	cleaned, err := c.engine.CleanUp(context.WithoutCancel(ctx), CleanUp{})
	if err != nil {
		return time.Time{}, false, err
	}
	end := c.engine.Now()
	c.total.Add(cleaned)
	if (cleaned == db.Cleaned{}) {
		c.report()
		c.rest = end.Add(cleanerRest)
	} else {
		c.rest = end.Add(max(cleanerPause, cleanerRests*end.Sub(start)))
	}
	return c.rest, false, nil
}

// report says in the log what was removed since it did so last.
func (c *Cleaner) report() {
	if (c.total != db.Cleaned{}) {
		c.engine.Log.Info("history was cleaned up", slog.Int64("batches", c.total.Batches), slog.Int64("scopes", c.total.Scopes),
			slog.Int64("task_log", c.total.TaskLog), slog.Int64("job_log", c.total.JobLog), slog.Int64("incidents", c.total.Incidents),
			slog.Int64("variables", c.total.Variables))
	}
	c.total = db.Cleaned{}
}
