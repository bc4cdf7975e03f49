package db

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// How the offset of a node's clock to the database's is measured: the quickest of a few questions, every minute.
const (
	clockEvery     = time.Minute
	clockQuestions = 5
)

// Clock is the node's clock, corrected by its offset to the database's, so that nodes whose clocks differ agree on when a
// lock ends (product.md 5). On SQLite, whose clock is the node's, there is nothing to correct.
type Clock struct {
	store  *Store
	now    func() time.Time
	offset atomic.Int64 // nanoseconds to add
}

// NewClock makes a clock over the node's own, now. Until Measure has succeeded once it goes uncorrected.
func (s *Store) NewClock(now func() time.Time) *Clock { return &Clock{store: s, now: now} }

// Now gives the corrected time.
func (c *Clock) Now() time.Time { return c.now().Add(c.Offset()) }

// Offset gives how far the database's clock is ahead of the node's; negative when it is behind.
func (c *Clock) Offset() time.Duration { return time.Duration(c.offset.Load()) }

// Measure asks the database for its time and corrects the clock. A new offset that differs from the old one by no more than
// the measurement may be wrong is not taken, so that time does not jitter. The error is the database's.
func (c *Clock) Measure(ctx context.Context) error {
	if c.store.d.words["clock"] == "" {
		return nil
	}
	best, doubt := time.Duration(0), time.Duration(-1)
	for range clockQuestions {
		offset, half, err := c.ask(ctx)
		if err != nil {
			return err
		}
		if doubt < 0 || half < doubt {
			best, doubt = offset, half
		}
	}
	if (best - c.Offset()).Abs() > doubt {
		c.offset.Store(int64(best))
	}
	return nil
}

// ask measures once. The database read its clock between question and answer: half of what lay between is the doubt. It is taken by
// the clock on the wall too, which somebody may have set meanwhile: such an answer says nothing, and nobody may believe it.
func (c *Clock) ask(ctx context.Context) (offset, doubt time.Duration, err error) {
	var micros int64
	start := c.now()
	if err := c.store.get(ctx, &micros, c.store.d.words["clock"]); err != nil {
		return 0, 0, err
	}
	end := c.now()
	doubt = max(end.Sub(start), end.Round(0).Sub(start.Round(0)).Abs()) / 2
	return time.UnixMicro(micros).Sub(start.Add(doubt).Round(0)), doubt, nil
}

// Run measures every minute until ctx ends; while the database is away the last offset stays. It returns nil.
func (c *Clock) Run(ctx context.Context, log *slog.Logger) error {
	for pause(ctx, clockEvery) {
		if err := c.Measure(ctx); err != nil && ctx.Err() == nil {
			log.Warn("the database's clock was not read", slog.Any("error", err))
		}
	}
	return nil
}
