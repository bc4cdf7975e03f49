package main

import (
	"context"
	"flag"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"rearm/db"
	"rearm/db/dbtest"
)

var historySize = flag.Int("history", 100_000, "how many rows of history the benchmark of the clean-up removes")

// BenchmarkCleanup has workers fetch at a steady pace, in turns alone and while a part of the history is removed beside them: x-p99 is the
// ratio of the slowest hundredth of their requests, which is to stay below 2.
func BenchmarkCleanup(b *testing.B) {
	const turns = 10
	eachURL(b, func(b *testing.B, databaseURL string) {
		w := benchmarkOn(b, databaseURL, false, 50_000+*historySize/2)
		conn := dbtest.Connect(b, databaseURL)
		var alone, busy []time.Duration
		var cleaning time.Duration
		var rows int64
		for b.Loop() {
			left := putHistory(b, conn, *historySize)
			rows += left
			if _, err := w.node.store.Bare().Settle(b.Context()); err != nil {
				b.Fatal(err)
			}
			for part := left/turns + 1; left > 0; {
				quiet, err := w.paced(b.Context(), func(ctx context.Context) error { pause(ctx, besideAlone/5); return nil })
				if err != nil {
					b.Fatal(err)
				}
				start, gone := time.Now(), db.Cleaned{}
				beside, err := w.paced(b.Context(), func(ctx context.Context) (err error) {
					gone, err = cleanAll(ctx, w.node.engine, part)
					return err
				})
				if err != nil || gone.Rows() == 0 {
					b.Fatalf("%+v are gone, %d were left; %v", gone, left, err)
				}
				cleaning += time.Since(start)
				left -= gone.Rows()
				alone, busy = append(alone, quiet...), append(busy, beside...)
			}
		}
		for name, percent := range map[string]int{"p50": 50, "p99": 99} {
			b.ReportMetric(percentile(busy, percent).Seconds()/percentile(alone, percent).Seconds(), "x-"+name)
			b.ReportMetric(percentile(busy, percent).Seconds()*1e3, "ms-"+name)
		}
		b.ReportMetric(float64(rows)/cleaning.Seconds(), "rows/s")
		b.ReportMetric(0, "ns/op")
	})
}

// putHistory writes so many rows of history whose time has come, and gives how many they are: nine tenths of scopes with an end, three
// log entries and a variable each, a tenth of batches with a hundred rows of job log each.
func putHistory(b *testing.B, conn *sqlx.DB, size int) (rows int64) {
	b.Helper()
	var scopes, log, variables, batches, jobs [][]any
	for i := range size * 9 / 10 / 5 {
		id := dbtest.ID()
		scopes = append(scopes, []any{id.String(), 0, 1, 2, 3 + i})
		for event := range 3 {
			log = append(log, []any{dbtest.ID(), 1, event + 1, id, id.String(), id, "history", 0, "a message of some length, as they are"})
		}
		variables = append(variables, []any{id.String(), db.NilID, "x", "String", "some text", "{}"})
	}
	for i := range size / 10 / 101 {
		id := db.BatchBase(dbtest.ID())
		batches = append(batches, []any{id, "set-external-task-retries", 3, 100, 100, 100, 1, 1000, 1, 2, 3 + i})
		for j := range 100 {
			jobs = append(jobs, []any{id, 1, 3, j, 1, 2, 3, 0, []byte{2}, 1})
		}
	}
	put(b, conn, "scope (id, tasks, start_time, end_time, removal_time)", scopes)
	put(b, conn, "task_log (id, at, event, task_id, scope_id, execution_id, topic_name, priority, error_message)", log)
	put(b, conn, "variable (scope_id, task_id, name, type, text_value, value_info)", variables)
	put(b, conn, "historic_batch (id, type, retries, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, start_time, end_time, removal_time)", batches)
	put(b, conn, "job_log (batch_id, kind, event, first, n, at, retries, priority, outcome, n_set)", jobs)
	return int64(len(scopes) + len(log) + len(variables) + len(batches) + len(jobs))
}

// put writes rows into a table, many at a time.
func put(b *testing.B, conn *sqlx.DB, table string, rows [][]any) {
	b.Helper()
	tx, err := conn.Beginx()
	if err != nil {
		b.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing to roll back
	const atOnce = 1000
	for len(rows) > 0 {
		n := min(atOnce, len(rows))
		places := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(rows[0])), ", ") + ")"
		var args []any
		for _, row := range rows[:n] {
			args = append(args, row...)
		}
		text := fmt.Sprintf("insert into %s values %s", table, strings.TrimSuffix(strings.Repeat(places+", ", n), ", "))
		if _, err := tx.Exec(tx.Rebind(text), args...); err != nil {
			b.Fatal(err)
		}
		rows = rows[n:]
	}
	if err := tx.Commit(); err != nil {
		b.Fatal(err)
	}
}
