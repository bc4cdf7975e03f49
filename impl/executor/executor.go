package executor

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// Source has the work. Step does some of it, for about as long as budget: more says that there is work left, next is when some
// will be due (zero: not known). The executor calls it from one goroutine.
type Source interface {
	Step(ctx context.Context, budget time.Duration) (next time.Time, more bool, err error)
}

// The pauses of the loop, and how long a step may take before the loop looks at ctx again.
const (
	Budget     = 500 * time.Millisecond // of a step
	Poll       = 5 * time.Second        // the longest pause; a random one of at least half of it is taken
	MinBackoff = 100 * time.Millisecond // after the first error
	MaxBackoff = 5 * time.Second        // after many errors: whatever was wrong, all goes on as soon when it is mended
)

// Executor runs one source. Wake makes it look for work at once.
type Executor struct {
	source Source
	log    *slog.Logger
	now    func() time.Time
	jitter func() float64 // 0 to 1: so that nodes do not poll in step
	wake   chan struct{}
}

// New makes an executor. now must be the clock by which the source says when work is due.
func New(source Source, log *slog.Logger, now func() time.Time, jitter func() float64) *Executor {
	return &Executor{source: source, log: log, now: now, jitter: jitter, wake: make(chan struct{}, 1)}
}

// Wake says that there may be work now. It never blocks; many wake-ups before the next step are one.
func (x *Executor) Wake() {
	select {
	case x.wake <- struct{}{}:
	default:
	}
}

// Run works until ctx ends; the step that is running then is finished first. It returns nil.
func (x *Executor) Run(ctx context.Context) error {
	failures := 0
	for ctx.Err() == nil {
		next, more, err := x.step(ctx)
		if err != nil && ctx.Err() == nil {
			failures++
			x.rest(ctx, failures, err)
			continue
		}
		if failures > 0 && err == nil {
			x.log.Info("the executor goes on", slog.Int("failures", failures))
			failures = 0
		}
		if !more {
			x.wait(ctx, next)
		}
	}
	return nil
}

// rest waits after failures in a row, twice as long after each, and says so aloud after the first.
func (x *Executor) rest(ctx context.Context, failures int, err error) {
	level, backoff := slog.LevelDebug, MaxBackoff
	if failures == 1 {
		level = slog.LevelError
	}
	if doubled := failures - 1; doubled < 16 {
		backoff = min(MinBackoff<<doubled, MaxBackoff)
	}
	x.log.Log(ctx, level, "the executor could not go on", slog.Any("error", err), slog.Duration("again_in", backoff))
	x.sleep(ctx, backoff)
}

// step asks the source once. A panic is an error of the source, with its stack in the log.
func (x *Executor) step(ctx context.Context) (next time.Time, more bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return x.source.Step(ctx, Budget)
}

// wait returns at a wake-up, when work is due, or after the poll interval, whichever comes first.
func (x *Executor) wait(ctx context.Context, next time.Time) {
	pause := Poll/2 + time.Duration(x.jitter()*float64(Poll/2))
	if !next.IsZero() {
		pause = max(0, min(pause, next.Sub(x.now())))
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-x.wake:
	case <-t.C:
	}
}

// sleep waits d, whatever wakes up meanwhile.
func (x *Executor) sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}
