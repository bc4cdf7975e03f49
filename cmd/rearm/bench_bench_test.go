package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
)

// eachURL runs a benchmark on both databases.
func eachURL(b *testing.B, f func(b *testing.B, databaseURL string)) {
	b.Run("sqlite", func(b *testing.B) { f(b, "sqlite:"+filepath.Join(b.TempDir(), "bench.db")) })
	b.Run("postgres", func(b *testing.B) { f(b, dbtest.PostgresURL(b)) })
}

// BenchmarkFetchOverHTTP fetches and locks tasks; an operation is one task.
func BenchmarkFetchOverHTTP(b *testing.B) {
	eachURL(b, func(b *testing.B, databaseURL string) {
		for _, workers := range []int{1, 4, 16} {
			for _, tasks := range []int{1, 10, 100} {
				b.Run(fmt.Sprintf("%dx%d", workers, tasks), func(b *testing.B) {
					w := benchmarkOn(b, databaseURL, false, b.N+workers*tasks)
					b.ResetTimer()
					rate, err := race(workers, b.N, func(worker int) (int, error) { return w.fetchOnce(b.Context(), worker, tasks) })
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(rate, "tasks/s")
				})
			}
		}
	})
}

// BenchmarkFetchNothing asks for tasks where there are none, as workers do that poll without patience; an operation is one request.
func BenchmarkFetchNothing(b *testing.B) {
	eachURL(b, func(b *testing.B, databaseURL string) {
		w := benchmarkOn(b, databaseURL, false, 1)
		body := `{"workerId": "w", "maxTasks": 10, "topics": [{"topicName": "nothing", "lockDuration": 1000}]}`
		for b.Loop() {
			if err := w.post(b.Context(), w.api+"/external-task/fetchAndLock", strings.NewReader(body), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkPost makes batches, by ids and by a query, that nothing runs. The metric "x-bare" compares with reading the body, seeing
// whether it is JSON, and the bare statements.
func BenchmarkPost(b *testing.B) {
	eachURL(b, func(b *testing.B, databaseURL string) {
		const n = 100_000
		w := benchmarkOn(b, databaseURL, false, n)
		g := w.groups[0]
		for name, body := range map[string]string{"ids": byIDs(5, g.ids), "query": byTopic(5, g.topic)} {
			b.Run(name, func(b *testing.B) {
				t := timings{}
				for b.Loop() {
					postBoth(b, w, t, body)
				}
				bare := t.sum("bare body") + t.sum("bare create")
				if name == "query" {
					bare = t.sum("bare select")
				}
				b.ReportMetric(t.sum("post").Seconds()/bare.Seconds(), "x-bare")
				b.ReportMetric(t.sum("post").Seconds()*1e3/float64(b.N), "ms/post")
			})
		}
	})
}

// postBoth posts a batch to rearm, and the same to the bare server.
func postBoth(b *testing.B, w *benchmark, t timings, body string) {
	b.Helper()
	ctx, g := b.Context(), w.groups[0]
	var made struct{ ID string }
	err := t.take("post", func() error {
		return w.post(ctx, w.api+"/external-task/retries-async", strings.NewReader(body), &made)
	})
	if err == nil {
		err = t.take("bare body", func() error { return w.post(ctx, w.bare.URL+"/ids", strings.NewReader(body), nil) })
	}
	if err == nil {
		err = w.createBare(ctx, g, t)
	}
	if err == nil {
		err = w.node.engine.DeleteBatch(ctx, db.Caller{}, made.ID, true)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// sum adds up all times of one kind.
func (t timings) sum(what string) (sum time.Duration) {
	for _, d := range t[what] {
		sum += d
	}
	return sum
}

// BenchmarkGetBatch reads a batch by rearm's handler and by one of net/http with the same query, without a network.
func BenchmarkGetBatch(b *testing.B) {
	eachURL(b, func(b *testing.B, databaseURL string) {
		w := benchmarkOn(b, databaseURL, false, 1)
		id, err := w.standing(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		for name, h := range map[string]struct {
			http.Handler
			path string
		}{"rearm": {w.node.server.Handler, "/engine-rest/batch/"}, "net-http": {w.bare.Config.Handler, "/batch/"}} {
			b.Run(name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					answer := httptest.NewRecorder()
					h.ServeHTTP(answer, httptest.NewRequestWithContext(b.Context(), http.MethodGet, h.path+id, nil))
					if answer.Code != http.StatusOK {
						b.Fatal(answer.Code, answer.Body)
					}
				}
			})
		}
	})
}

// BenchmarkGrowth compares the time of an item in a batch of 100,000 with that in one of 10,000.
func BenchmarkGrowth(b *testing.B) {
	eachURL(b, func(b *testing.B, databaseURL string) {
		w := benchmarkOn(b, databaseURL, true, 10_000, 100_000)
		all := []timings{{}, {}}
		for b.Loop() {
			for i, g := range w.groups {
				if err := w.rearmByIDs(context.Background(), g, all[i]); err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(all[1].sum("rearm").Seconds()/all[0].sum("rearm").Seconds()/10, "x-growth")
	})
}

// BenchmarkBeside has workers fetch alone, and beside a batch that gives 300,000 blocked tasks new retries, with small batches beside it.
func BenchmarkBeside(b *testing.B) {
	eachURL(b, func(b *testing.B, databaseURL string) {
		w := benchmarkOn(b, databaseURL, true, 100, 300_000)
		for b.Loop() {
			w.table.rows = nil
			if err := w.prepareFetch(b.Context()); err != nil {
				b.Fatal(err)
			}
			if err := w.beside(b.Context()); err != nil {
				b.Fatal(err)
			}
			for _, row := range w.table.rows {
				b.Log(row)
			}
		}
	})
}
