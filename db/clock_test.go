package db_test

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
)

// A node whose clock is an hour slow goes by the database's on PostgreSQL, and by its own on SQLite.
func TestClockFollowsTheDatabase(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		slow := func() time.Time { return time.Now().Add(-time.Hour) }
		clock := s.NewClock(slow)
		if clock.Offset() != 0 {
			t.Fatalf("unmeasured offset %v", clock.Offset())
		}
		if err := clock.Measure(context.Background()); err != nil {
			t.Fatal(err)
		}
		want := map[string]time.Duration{"sqlite": 0, "postgres": time.Hour}[s.Dialect()]
		if off := (clock.Offset() - want).Abs(); off > 5*time.Second {
			t.Errorf("offset %v, want %v", clock.Offset(), want)
		}
		if off := clock.Now().Sub(slow().Add(want)).Abs(); off > 5*time.Second {
			t.Errorf("now is wrong by %v", off)
		}
	})
}

// What a measurement cannot tell apart does not move the clock; what it can does.
func TestClockDoesNotJitter(t *testing.T) {
	t.Parallel()
	s, calls, ahead := dbtest.Postgres(t), 0, time.Duration(0)
	coarse := func() time.Time { // a second goes by between question and answer, so half of one is in doubt
		calls++
		return time.Now().Add(ahead + time.Duration((calls+1)%2)*time.Second)
	}
	clock := s.NewClock(coarse)
	measure := func(nodeAhead time.Duration) time.Duration {
		ahead = nodeAhead
		if err := clock.Measure(context.Background()); err != nil {
			t.Fatal(err)
		}
		return clock.Offset()
	}
	first := measure(2 * time.Second)
	if (first + 2500*time.Millisecond).Abs() > 100*time.Millisecond {
		t.Errorf("offset %v, want -2.5s", first)
	}
	if second := measure(2200 * time.Millisecond); second != first {
		t.Errorf("offset went from %v to %v", first, second)
	}
	if third := measure(8 * time.Second); (third + 8500*time.Millisecond).Abs() > 100*time.Millisecond {
		t.Errorf("offset %v, want -8.5s", third)
	}
}

func TestClockKeepsItsOffsetWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	s := dbtest.Postgres(t)
	clock := s.NewClock(func() time.Time { return time.Now().Add(time.Hour) })
	if err := clock.Measure(context.Background()); err != nil {
		t.Fatal(err)
	}
	before := clock.Offset()
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := clock.Measure(ended); err == nil {
		t.Error("a measurement without a database succeeded")
	}
	if clock.Offset() != before {
		t.Errorf("offset went from %v to %v", before, clock.Offset())
	}
	if err := clock.Run(ended, slog.New(slog.NewTextHandler(io.Discard, nil))); err != nil {
		t.Error(err)
	}
}

// A clock on the wall that is set while the database is asked says nothing by that question.
func TestClockThatIsSetMeanwhile(t *testing.T) {
	t.Parallel()
	for _, by := range []time.Duration{-time.Hour, time.Hour} {
		calls := 0
		wall := func() time.Time { // set between the first question and its answer
			if calls++; calls == 1 {
				return time.Now().Round(0)
			}
			return time.Now().Round(0).Add(by)
		}
		clock := dbtest.Postgres(t).NewClock(wall)
		if err := clock.Measure(context.Background()); err != nil {
			t.Fatal(err)
		}
		if off := (clock.Offset() + by).Abs(); off > 5*time.Second {
			t.Errorf("set by %v: offset %v", by, clock.Offset())
		}
	}
}
