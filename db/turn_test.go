package db_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"rearm/db"
	"rearm/db/dbtest"
)

// Who comes first writes first, also before somebody who has just written and comes back at once, as the executor does.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := dbtest.SQLite(t)
		const workers = 20
		var order []int
		var all sync.WaitGroup
		write := func(n int) {
			if err := s.Tx(t.Context(), func(*db.Tx) error { order = append(order, n); return nil }); err != nil {
				t.Error(err)
			}
		}
		inTurn(t, s, func() {
			for n := range workers {
				all.Go(func() { write(n) })
				synctest.Wait()
			}
		})
		write(workers)
		all.Wait()
		if len(order) != workers+1 || !slices.IsSorted(order) {
			t.Errorf("they wrote in the order %v", order)
		}
	})
}

// inTurn does something in a transaction.
func inTurn(t *testing.T, s *db.Store, do func()) {
	t.Helper()
	if err := s.Tx(t.Context(), func(*db.Tx) error { do(); return nil }); err != nil {
		t.Error(err)
	}
}

// Those who wait for their turn are counted, and need not wait for ever; whatever comes of a transaction, the next one has its turn.
func TestTurnsPass(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := dbtest.SQLite(t)
		inTurn(t, s, func() {
			ctx, giveUp := context.WithCancel(t.Context())
			gaveUp := make(chan error, 1)
			go func() { gaveUp <- s.Tx(ctx, func(*db.Tx) error { return nil }) }()
			synctest.Wait()
			if n := s.WritesWaiting(); n != 1 {
				t.Errorf("%d wait", n)
			}
			giveUp()
			if err := <-gaveUp; !errors.Is(err, context.Canceled) {
				t.Errorf("who gave up: %v", err)
			}
			if n := s.WritesWaiting(); n != 0 {
				t.Errorf("%d wait, and none should", n)
			}
		})
		failed := errors.New("failed")
		if err := s.Tx(t.Context(), func(*db.Tx) error { return failed }); !errors.Is(err, failed) {
			t.Error(err)
		}
		func() {
			defer func() { _ = recover() }()
			_ = s.Tx(t.Context(), func(*db.Tx) error { panic("failed") })
		}()
		inTurn(t, s, func() {})
	})
}
