package executor

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// script is a source that gives prepared answers and notes when it was asked; after the last one it has no work.
type script struct {
	answers []answer
	asked   []time.Duration
	start   time.Time
}

type answer struct {
	due   time.Duration // from the start; 0: none
	more  bool
	err   error
	panic bool
}

func (s *script) Step(context.Context, time.Duration) (time.Time, bool, error) {
	s.asked = append(s.asked, time.Since(s.start))
	if len(s.answers) == 0 {
		return time.Time{}, false, nil
	}
	a := s.answers[0]
	s.answers = s.answers[1:]
	if a.panic {
		panic("a source that breaks")
	}
	var next time.Time
	if a.due > 0 {
		next = s.start.Add(a.due)
	}
	return next, a.more, a.err
}

// run lets an executor work on a script for d of a bubble's time and gives when the source was asked.
func run(t *testing.T, d time.Duration, answers []answer, meanwhile func(*Executor)) []time.Duration {
	t.Helper()
	s := &script{answers: answers, start: time.Now()}
	x := New(s, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now, func() float64 { return 1 })
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	if meanwhile != nil {
		go meanwhile(x)
	}
	if err := x.Run(ctx); err != nil {
		t.Errorf("Run: %v", err)
	}
	return s.asked
}

func TestRun(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	wakeAfter := func(d time.Duration) func(*Executor) {
		return func(x *Executor) { time.Sleep(d); x.Wake() }
	}
	for name, c := range map[string]struct {
		answers   []answer
		meanwhile func(*Executor)
		want      []time.Duration
	}{
		"polls":                     {nil, nil, []time.Duration{0, 5 * time.Second}},
		"more at once":              {[]answer{{more: true}, {more: true}}, nil, []time.Duration{0, 0, 0, 5 * time.Second}},
		"when due":                  {[]answer{{due: 2 * time.Second}}, nil, []time.Duration{0, 2 * time.Second, 7 * time.Second}},
		"overdue at once":           {[]answer{{due: 1}}, nil, []time.Duration{0, 0 + 1, 5*time.Second + 1}},
		"a wake-up":                 {nil, wakeAfter(time.Second), []time.Duration{0, time.Second, 6 * time.Second}},
		"errors back off":           {[]answer{{err: boom}, {err: boom}, {err: boom}}, nil, []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, 5700 * time.Millisecond}},
		"a panic is an error":       {[]answer{{panic: true}}, nil, []time.Duration{0, 100 * time.Millisecond, 5100 * time.Millisecond}},
		"success resets":            {[]answer{{err: boom}, {err: boom}, {more: true}, {err: boom}}, nil, []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 300 * time.Millisecond, 400 * time.Millisecond, 5400 * time.Millisecond}},
		"a wake-up ends no backoff": {[]answer{{err: boom}, {err: boom}, {err: boom}}, wakeAfter(350 * time.Millisecond), []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond, 700 * time.Millisecond, 5700 * time.Millisecond}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				got := run(t, 7500*time.Millisecond, c.answers, c.meanwhile)
				if len(got) < len(c.want) {
					t.Fatalf("asked at %v, want %v", got, c.want)
				}
				for i, w := range c.want {
					if got[i] != w {
						t.Fatalf("asked at %v, want %v", got, c.want)
					}
				}
			})
		})
	}
}

// A source that works hears many wake-ups as one.
func TestWakeNeverBlocks(t *testing.T) {
	t.Parallel()
	x := New(&script{}, slog.New(slog.NewTextHandler(io.Discard, nil)), time.Now, func() float64 { return 0 })
	for range 100 {
		x.Wake()
	}
	if len(x.wake) != 1 {
		t.Errorf("%d wake-ups are waiting", len(x.wake))
	}
}

// After a long outage the executor goes on soon, and has said only once that it could not.
func TestLongOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const outage = time.Hour
		var log strings.Builder
		start := time.Now()
		var asked []time.Time
		x := New(step(func() error {
			asked = append(asked, time.Now())
			if time.Since(start) < outage {
				return errors.New("away")
			}
			return nil
		}), slog.New(slog.NewTextHandler(&log, nil)), time.Now, func() float64 { return 1 })
		ctx, cancel := context.WithTimeout(t.Context(), outage+MaxBackoff+time.Millisecond)
		defer cancel()
		if err := x.Run(ctx); err != nil {
			t.Error(err)
		}
		for i := range asked[1:] {
			if pause := asked[i+1].Sub(asked[i]); pause > MaxBackoff {
				t.Errorf("a pause of %v", pause)
			}
		}
		if last := asked[len(asked)-1].Sub(start); last < outage {
			t.Errorf("%v after the beginning it had not gone on", last)
		}
		if text := log.String(); strings.Count(text, "level=ERROR") != 1 || strings.Count(text, `msg="the executor goes on"`) != 1 || strings.Count(text, "\n") != 2 {
			t.Errorf("the log:\n%s", text)
		}
	})
}

// step is a source that never has work.
type step func() error

func (f step) Step(context.Context, time.Duration) (time.Time, bool, error) {
	return time.Time{}, false, f()
}
