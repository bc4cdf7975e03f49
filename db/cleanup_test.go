package db_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
)

// A batch goes piece by piece, itself last; one that still runs, or whose time has not come, stays.
func TestCleanBatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, due, runs := context.Background(), ended(t, s, ptr(db.Time(6000))), batch(t, s, 1)
		ended(t, s, ptr(db.Time(6001)))
		ended(t, s, nil)
		in(t, s, func(tx *db.Tx) error {
			return errors.Join(tx.SetRemovalTime(ctx, []db.ID{runs.ID}, ptr(db.Time(1))),
				tx.InsertLog(ctx, db.LogRange{BatchID: due, Kind: db.ExecutionJob, Event: db.JobCreated, N: 1}))
		})
		step := func(now db.Time, limit int64) (c db.Cleaned) {
			t.Helper()
			in(t, s, func(tx *db.Tx) (err error) { c, err = tx.CleanBatch(ctx, now, limit); return err })
			return c
		}
		before := rows(t, s)
		if c := step(5999, 10); c != (db.Cleaned{}) || rows(t, s) != before {
			t.Errorf("too early: %+v", c)
		}
		if c, err := s.CountDue(ctx, 6000); err != nil || c != (db.Cleaned{Batches: 1, ItemRows: 2, JobLog: 2, Incidents: 1}) {
			t.Errorf("due: %+v, %v", c, err)
		}
		if c := step(6000, 1); c != (db.Cleaned{JobLog: 1}) {
			t.Errorf("first piece: %+v", c)
		}
		if c := step(6000, 2); c != (db.Cleaned{JobLog: 1, ItemRows: 1}) {
			t.Errorf("second piece: %+v", c)
		}
		if c := step(6000, 3); c != (db.Cleaned{ItemRows: 1, Incidents: 1, Batches: 1}) {
			t.Errorf("the rest: %+v", c)
		}
		if _, err := s.HistoricBatch(ctx, due); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("the batch: %v", err)
		}
		if c := step(6000, 10); c != (db.Cleaned{}) || rows(t, s) != "[3 2 2 2 2]" {
			t.Errorf("what stays: %+v, %s", c, rows(t, s))
		}
	})
}

// scopeWith writes a scope that has ended, with entries of the task log, a variable and a closed incident.
func scopeWith(t *testing.T, s *db.Store, id string, entries int, removal *db.Time) {
	t.Helper()
	raw, ctx := dbtest.Raw(t, s), context.Background()
	end := any(nil)
	if removal != nil {
		end = int64(*removal) - 10
	}
	run := func(text string, args ...any) {
		t.Helper()
		if _, err := raw.ExecContext(ctx, raw.Rebind(text), args...); err != nil {
			t.Fatal(err)
		}
	}
	run("insert into scope (id, tasks, start_time, end_time, removal_time) values (?, 0, 1, ?, ?)", id, end, removal)
	for range entries {
		run("insert into task_log (id, at, event, task_id, scope_id, execution_id, topic_name, priority) values (?, 1, 1, ?, ?, ?, 't', 0)", dbtest.ID(), dbtest.ID(), id, dbtest.ID())
	}
	run("insert into variable (scope_id, task_id, name, type, value_info) values (?, ?, 'x', 'Null', '{}')", id, db.NilID)
	run("insert into incident (id, type, state, configuration, scope_id, create_time) values (?, 'failedExternalTask', 1, ?, ?, 1)", dbtest.ID(), dbtest.ID(), id)
}

func TestCleanScopes(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx := context.Background()
		scopeWith(t, s, "big", 7, ptr(db.Time(6000)))
		scopeWith(t, s, "small", 1, ptr(db.Time(6001)))
		scopeWith(t, s, "later", 1, ptr(db.Time(7000)))
		scopeWith(t, s, "runs", 1, nil)
		step := func(now db.Time, limit int64) (c db.Cleaned) {
			t.Helper()
			in(t, s, func(tx *db.Tx) (err error) { c, err = tx.CleanScopes(ctx, now, limit); return err })
			return c
		}
		if c := step(5999, 10); c != (db.Cleaned{}) {
			t.Errorf("too early: %+v", c)
		}
		if c, err := s.CountDue(ctx, 6999); err != nil || c != (db.Cleaned{Scopes: 2, TaskLog: 8, Variables: 2, Incidents: 2}) {
			t.Errorf("due: %+v, %v", c, err)
		}
		if c := step(6999, 5); c != (db.Cleaned{TaskLog: 5}) {
			t.Errorf("first piece: %+v", c)
		}
		if c := step(6999, 5); c != (db.Cleaned{TaskLog: 2, Incidents: 1, Variables: 1, Scopes: 1}) {
			t.Errorf("the rest of the first: %+v", c)
		}
		if c := step(6999, 1000); c != (db.Cleaned{TaskLog: 1, Incidents: 1, Variables: 1, Scopes: 1}) {
			t.Errorf("the second: %+v", c)
		}
		if c := step(6999, 1000); c != (db.Cleaned{}) {
			t.Errorf("nothing is left: %+v", c)
		}
		var left []int
		for table, column := range map[string]string{"scope": "id", "task_log": "scope_id", "variable": "scope_id", "incident": "scope_id"} {
			left = append(left, dbtest.Count(t, s, "select count(*) from "+table+" where "+column+" in ('later', 'runs')"))
		}
		if fmt.Sprint(left) != "[2 2 2 2]" {
			t.Errorf("what stays: %v", left)
		}
	})
}

// Two nodes that clean up at the same time take different batches and scopes, and wait for none.
func TestCleanUpBySeveral(t *testing.T) {
	t.Parallel()
	s := dbtest.Postgres(t)
	ctx, first := context.Background(), ended(t, s, ptr(db.Time(6000)))
	second := ended(t, s, ptr(db.Time(6001)))
	for i := range 4 {
		scopeWith(t, s, fmt.Sprint("s", i), 1, ptr(db.Time(6000+i)))
	}
	in(t, s, func(one *db.Tx) error {
		a, err := one.CleanBatch(ctx, 9000, 100)
		b, err2 := one.CleanScopes(ctx, 9000, 10)
		in(t, s, func(other *db.Tx) error {
			c, err := other.CleanBatch(ctx, 9000, 100)
			d, err2 := other.CleanScopes(ctx, 9000, 10)
			if a.Batches != 1 || b.Scopes != 2 || c.Batches != 1 || d.Scopes != 2 {
				t.Errorf("%+v %+v beside %+v %+v", a, b, c, d)
			}
			return errors.Join(err, err2)
		})
		return errors.Join(err, err2)
	})
	for _, id := range []db.ID{first, second} {
		if _, err := s.HistoricBatch(ctx, id); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("batch %s: %v", id, err)
		}
	}
}

// Who creates a task in a scope whose history is being cleaned up waits, and makes the scope anew.
func TestOpenScopesDuringCleanUp(t *testing.T) {
	t.Parallel()
	s := dbtest.Postgres(t)
	scopeWith(t, s, "x", 1, ptr(db.Time(6000)))
	ctx, opened := context.Background(), make(chan error, 1)
	in(t, s, func(tx *db.Tx) error {
		c, err := tx.CleanScopes(ctx, 9000, 100)
		if c.Scopes != 1 {
			t.Errorf("cleaned %+v", c)
		}
		go func() {
			opened <- s.Tx(ctx, func(tx *db.Tx) error {
				old, err := tx.OpenScopes(ctx, []db.Scope{{ID: "x", Tasks: 1, StartTime: 9000}})
				if err == nil && len(old) > 0 {
					err = fmt.Errorf("it was there: %+v", old)
				}
				return err
			})
		}()
		waitForLock(t, s)
		return err
	})
	if err := <-opened; err != nil {
		t.Fatal(err)
	}
	if c, err := s.Scope(ctx, "x"); err != nil || c.StartTime != 9000 || c.EndTime != nil {
		t.Errorf("the scope is %+v, %v", c, err)
	}
}

// waitForLock returns when somebody waits for a row that another one holds.
func waitForLock(t *testing.T, s *db.Store) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	raw, waiting := dbtest.Raw(t, s), 0
	for waiting == 0 {
		if err := raw.GetContext(ctx, &waiting, "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"); err != nil {
			t.Errorf("nobody waits: %v", err)
			return
		}
	}
}
