package engine_test

import (
	"context"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
)

// stores are the databases that benchmarks run on.
var stores = map[string]func(testing.TB) *db.Store{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres}

// BenchmarkFetchAfterTheLocksRanOut fetches ten at a time of 50,000 tasks whose locks ran out at the same moment.
func BenchmarkFetchAfterTheLocksRanOut(b *testing.B) {
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b))
			for range 5 {
				w.tasks(engine.MaxNewTasks, "t")
			}
			for len(w.fetch("dead", 5000, "t")) > 0 {
			}
			w.pass(time.Hour)
			n := 0
			for b.Loop() {
				n += len(w.fetch("w", 10, "t"))
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// BenchmarkIncidents opens and resolves the incidents of 1,000 tasks.
func BenchmarkIncidents(b *testing.B) {
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b))
			var ids []db.ID
			for range 5 {
				ids = w.tasks(engine.MaxNewTasks, "t")[:1000]
			}
			incidents := make([]db.ID, len(ids))
			for b.Loop() {
				for i := range incidents {
					incidents[i] = dbtest.ID()
				}
				w.must(w.store.Tx(context.Background(), func(tx *db.Tx) error { return tx.OpenTaskIncidents(context.Background(), ids, incidents, 1) }))
				w.must(w.store.Tx(context.Background(), func(tx *db.Tx) error { return tx.ResolveTaskIncidents(context.Background(), ids, 2) }))
			}
		})
	}
}

// BenchmarkFetchNothing polls a topic on which nothing is ready, beside many that are.
func BenchmarkFetchNothing(b *testing.B) {
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b))
			w.tasks(engine.MaxNewTasks, "t")
			for b.Loop() {
				w.fetch("w", 10, "nothing")
			}
		})
	}
}

// BenchmarkSetRetries sets the retries of 10,000 tasks by their ids.
func BenchmarkSetRetries(b *testing.B) {
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b))
			ids := w.tasks(engine.MaxNewTasks, "t")
			in := engine.SetRetries{Retries: 3}
			for _, id := range ids {
				in.IDs.Add(id)
			}
			for b.Loop() {
				w.must(w.SetRetries(context.Background(), everybody, in))
			}
			b.ReportMetric(float64(b.N*len(ids))/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}
