package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// An outage is said when it begins and when it is over: not before nothing has failed for a second.
func TestWatchSaysAnOutageOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		s := newStore(sqliteDialect, nil, nil, "", Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Now: time.Now})
		away := fmt.Errorf("%w: no route", ErrUnavailable)
		check := func(what string, isAway bool, lines int) {
			t.Helper()
			if s.Away() != isAway || strings.Count(log.String(), "\n") != lines {
				t.Errorf("%s: away %v, the log:\n%s", what, s.Away(), log.String())
			}
		}
		for _, err := range []error{nil, ErrNotFound, context.Canceled, errors.New("a wrong statement")} {
			s.w.saw(err)
		}
		check("at first", false, 0)
		for range 100 {
			s.w.saw(away)
		}
		check("while it is away", true, 1)
		s.w.saw(context.DeadlineExceeded)
		s.w.saw(nil)
		check("after one answer, too early", true, 1)
		time.Sleep(calm / 2)
		s.w.saw(away)
		time.Sleep(calm / 2)
		s.w.saw(nil)
		check("while connections still break", true, 1)
		time.Sleep(calm / 2)
		s.w.saw(ErrNotFound)
		check("when it answers again", false, 2)
		if text := log.String(); !strings.Contains(text, "no route") || !strings.Contains(text, "after=1.5s failed_statements=101") {
			t.Errorf("the log:\n%s", text)
		}
		s.w.saw(away)
		check("when it goes again", true, 3)
	})
}

// A database that nobody watches is never away.
func TestUnwatched(t *testing.T) {
	t.Parallel()
	s := newStore(sqliteDialect, nil, nil, "", Options{})
	s.w.saw(ErrUnavailable)
	if s.Away() {
		t.Error("it is away")
	}
}

func TestNameOf(t *testing.T) {
	t.Parallel()
	for function, want := range map[string]string{
		"rearm/db.(*Tx).SetRetries": "SetRetries", "rearm/db.(*Tx).SetRetries.func1": "SetRetries", "rearm/db.Queries.Batch": "Batch",
		"rearm/db.Queries.get": "get", "rearm/db.Open": "Open", "rearm/db.Open.func1.2": "Open", "rearm/db.(*Tx).InsertLog-range1": "InsertLog", "rearm/db.(*Tx).InsertLog.InsertLog-range1.func2": "InsertLog", "main.main": "main",
	} {
		if got := nameOf(function); got != want {
			t.Errorf("%s: %s, want %s", function, got, want)
		}
	}
}
