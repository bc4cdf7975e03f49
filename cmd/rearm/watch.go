package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/pflag"
)

// watcher shows how far a batch is until nothing happens to it any more.
type watcher struct {
	*remote
	out     io.Writer // for people
	timeout time.Duration
	seen    bool // the batch has been there
}

// flags adds the settings of watching.
func (w *watcher) flags(set *pflag.FlagSet) {
	set.Var(lifetime(&w.timeout), "timeout", "stop watching after so long; the batch goes on")
}

// errVanished: a batch that was there has left nothing behind.
var errVanished = errors.New("was deleted with its history, or ended and was cleaned up")

// The pauses between two looks at a batch.
const (
	firstLook = 50 * time.Millisecond
	lastLook  = time.Second
)

// watch watches a batch, and gives the last report of it. The error says how to go on watching, when ctx or the time has ended
// before the batch, or the server was away for long.
func (w *watcher) watch(ctx context.Context, id string) (last *report, err error) {
	if w.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, w.timeout)
		defer cancel()
	}
	shown, suspended := newBar(w.out, "jobs"), false
	defer shown.end()
	for rest := firstLook; ; rest = min(rest*3/2, lastLook) {
		if last, err = w.look(ctx, id, shown); err != nil {
			return last, w.unfinished(ctx, id, err)
		}
		if last.over() {
			return last, nil
		}
		if last.State == stateSuspended && !suspended {
			shown.end()
			fmt.Fprintf(w.out, "waiting  the batch is suspended; this lets it go on: rearm batch activate %s\n", id)
		}
		suspended = last.State == stateSuspended
		if !pause(ctx, rest) {
			return last, w.unfinished(ctx, id, ctx.Err())
		}
	}
}

// look looks at a batch once, and shows what it sees.
func (w *watcher) look(ctx context.Context, id string, shown *bar) (b *report, err error) {
	err = w.insist(ctx, func(err error) {
		shown.end()
		fmt.Fprintf(w.out, "waiting  %s\n", oneLine(err))
	}, func() error {
		b, err = w.report(ctx, id)
		return err
	})
	var told *answerError
	if w.seen && errors.As(err, &told) && told.status == 404 {
		return nil, fmt.Errorf("batch %s %w", id, errVanished)
	}
	if err == nil {
		w.seen = true
		shown.show(int32(b.Jobs.Done), int32(b.Jobs.Total)) //nolint:gosec // the contract's numbers have 32 bits
	}
	return b, err
}

// unfinished says why a batch is watched no more that may go on.
func (w *watcher) unfinished(ctx context.Context, id string, err error) error {
	again := fmt.Sprintf("this watches on: rearm batch watch %s --server %s", id, masked(w.server))
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Errorf("batch %s goes on after %s; %s", id, w.timeout, again)
	case ctx.Err() != nil:
		return fmt.Errorf("batch %s goes on, unwatched; %s", id, again)
	case w.seen && !errors.Is(err, errRefused) && !errors.Is(err, errVanished):
		return fmt.Errorf("%w; when the server is back %s", err, again)
	}
	return err
}

// finish prints the last report of a batch that was watched, and makes an error of work that was not done.
func (w *watcher) finish(out io.Writer, b *report, asJSON bool) error {
	if asJSON {
		return errors.Join(printJSON(out, b), b.shortfall())
	}
	switch short := b.shortfall(); {
	case b.State == stateFailed:
		return fmt.Errorf("%w; the batch stays until somebody gives these jobs new retries or deletes it", short)
	case short != nil:
		return short
	}
	_, err := fmt.Fprintf(out, "ended    after %s: all %d jobs are done\n", b.took(), b.Jobs.Total)
	return err
}
