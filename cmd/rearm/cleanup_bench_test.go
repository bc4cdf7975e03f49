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

// BenchmarkCleanup has workers fetch at a steady pace, alone and while history is removed beside them by the node's own engine: p99
// is the ratio of the slowest hundredth of their requests, which is to stay below 2.
func BenchmarkCleanup(b *testing.B) {
	eachURL(b, func(b *testing.B, databaseURL string) {
		w := benchmarkOn(b, databaseURL, false, 30_000+*historySize/3)
		conn := dbtest.Connect(b, databaseURL)
		for b.Loop() {
			rows := putHistory(b, conn, *historySize)
			if _, err := w.node.store.Bare().Settle(b.Context()); err != nil {
				b.Fatal(err)
			}
			alone, err := w.paced(b.Context(), func(ctx context.Context) error { pause(ctx, besideAlone); return nil })
			if err != nil {
				b.Fatal(err)
			}
			start, gone := time.Now(), db.Cleaned{}
			busy, err := w.paced(b.Context(), func(ctx context.Context) (err error) {
				gone, err = cleanAll(ctx, w.node.engine, 0)
				return err
			})
			if err != nil || gone.Rows() != rows {
				b.Fatalf("%+v are gone, of %d; %v", gone, rows, err)
			}
			took := time.Since(start)
			for name, value := range map[string]float64{
				"x-p99": percentile(busy, 99).Seconds() / percentile(alone, 99).Seconds(), "x-p50": percentile(busy, 50).Seconds() / percentile(alone, 50).Seconds(),
				"ms-alone-p99": percentile(alone, 99).Seconds() * 1e3, "ms-beside-p99": percentile(busy, 99).Seconds() * 1e3, "rows/s": float64(rows) / took.Seconds(), "ns/op": 0,
			} {
				b.ReportMetric(value, name)
			}
		}
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
