package db_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
)

// ears collects what a node hears, and lets a test wait for it.
type ears struct {
	mu    sync.Mutex
	heard []db.Message
	more  chan struct{}
}

func (e *ears) hear(m db.Message) {
	e.mu.Lock()
	e.heard = append(e.heard, m)
	e.mu.Unlock()
	e.more <- struct{}{}
}

// until waits until what was heard satisfies ok, and gives it.
func (e *ears) until(t *testing.T, ok func([]db.Message) bool) []db.Message {
	t.Helper()
	for {
		e.mu.Lock()
		heard := slices.Clone(e.heard)
		e.mu.Unlock()
		if ok(heard) {
			return heard
		}
		select {
		case <-e.more:
		case <-time.After(30 * time.Second):
			t.Fatalf("nothing more was heard after %+v", heard)
		}
	}
}

func node(t *testing.T, s *db.Store, name string) (*db.Bus, *ears) {
	t.Helper()
	e := &ears{more: make(chan struct{}, 1000)}
	bus := s.NewBus(name, slog.New(slog.NewTextHandler(io.Discard, nil)), e.hear)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = bus.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	e.until(t, func(m []db.Message) bool { return len(m) > 0 && m[0].Lost })
	return bus, e
}

func TestBusCarriesWakeUps(t *testing.T) {
	t.Parallel()
	s := dbtest.Postgres(t)
	a, earsA := node(t, s, "a")
	_, earsB := node(t, s, "b")
	long := strings.Repeat("\x01", 255)
	var want []string
	for i := range 100 {
		want = append(want, fmt.Sprintf("%s%d", long, i))
	}
	a.Tell(true, want)
	topics := func(heard []db.Message) (list []string, run bool) {
		for _, m := range heard {
			list, run = append(list, m.Topics...), run || m.Run
		}
		slices.Sort(list)
		return list, run
	}
	heard := earsB.until(t, func(m []db.Message) bool { list, _ := topics(m); return len(list) == len(want) })
	got, run := topics(heard)
	slices.Sort(want)
	if !slices.Equal(got, want) || !run {
		t.Errorf("%d topics were heard, run %v", len(got), run)
	}
	for _, m := range earsA.until(t, func([]db.Message) bool { return true }) {
		if !m.Lost {
			t.Errorf("a node heard itself: %+v", m)
		}
	}
}

// The ends of locks travel too; of several on one topic the first.
func TestBusCarriesLocks(t *testing.T) {
	t.Parallel()
	s := dbtest.Postgres(t)
	a, _ := node(t, s, "a")
	_, earsB := node(t, s, "b")
	long, want := strings.Repeat("\x01", 255), 20
	for i := range want {
		name := fmt.Sprintf("%s%d", long, i)
		a.Tell(false, []string{name})
		a.TellHeld(name, 5000)
		a.TellHeld(name, 4000)
		a.TellHeld(name, 6000)
	}
	earsB.until(t, func(heard []db.Message) bool {
		held, topics := map[string]db.Time{}, 0
		for _, m := range heard {
			topics += len(m.Topics)
			for topic, until := range m.Held {
				if first, ok := held[topic]; !ok || until < first {
					held[topic] = until
				}
			}
		}
		for _, until := range held {
			if until < 4000 {
				t.Fatalf("held until %d", until)
			}
		}
		return topics == want && len(held) == want && !slices.ContainsFunc(slices.Collect(maps.Values(held)), func(u db.Time) bool { return u != 4000 })
	})
}

// A listener whose connection is cut connects again, and knows that it may have missed something.
func TestBusConnectsAgain(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	s := dbtest.Open(t, url)
	a, _ := node(t, s, "a")
	_, earsB := node(t, s, "b")
	dbtest.CutConnections(t, url)
	lost := func(m []db.Message) int {
		n := 0
		for _, one := range m {
			if one.Lost {
				n++
			}
		}
		return n
	}
	earsB.until(t, func(m []db.Message) bool { return lost(m) >= 2 })
	a.Tell(false, []string{"again"})
	earsB.until(t, func(m []db.Message) bool {
		return slices.ContainsFunc(m, func(one db.Message) bool { return slices.Contains(one.Topics, "again") })
	})
}

func TestBusOnSQLiteIsSilent(t *testing.T) {
	t.Parallel()
	bus := dbtest.SQLite(t).NewBus("a", slog.New(slog.NewTextHandler(io.Discard, nil)), func(m db.Message) { t.Errorf("heard %+v", m) })
	bus.Tell(true, []string{"x"})
	bus.TellHeld("x", 1)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := bus.Run(ctx); err != nil {
		t.Error(err)
	}
}
