package engine_test

import (
	"context"
	"slices"
	"testing"

	"rearm/impl/engine"
)

// BenchmarkCreateTasks creates 10,000 tasks at once, each in a scope of its own.
func BenchmarkCreateTasks(b *testing.B) {
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b))
			list := slices.Repeat([]engine.NewTask{{TopicName: "t", DefinitionKey: ptr("order"), ActivityID: ptr("charge")}}, engine.MaxNewTasks)
			for b.Loop() {
				if _, err := w.CreateTasks(context.Background(), everybody, list, ""); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N)*engine.MaxNewTasks/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// BenchmarkWork fetches tasks ten at a time and completes them.
func BenchmarkWork(b *testing.B) {
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b))
			for range 5 {
				w.tasks(engine.MaxNewTasks, "t")
			}
			n := 0
			for b.Loop() {
				for _, k := range w.fetch("w", 10, "t") {
					w.must(w.Complete(context.Background(), everybody, k.ID.String(), engine.Result{WorkerID: "w"}))
					n++
				}
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}

// BenchmarkFetch fetches tasks ten at a time.
func BenchmarkFetch(b *testing.B) {
	for name, open := range stores {
		b.Run(name, func(b *testing.B) {
			w := newWorld(b, open(b))
			for range 5 {
				w.tasks(engine.MaxNewTasks, "t")
			}
			n := 0
			for b.Loop() {
				n += len(w.fetch("w", 10, "t"))
			}
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
}
