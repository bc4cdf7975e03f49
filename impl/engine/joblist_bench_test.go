package engine_test

import (
	"context"
	"errors"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
)

// BenchmarkJobPage reads pages of 50 of a million jobs, of which 1,000 have left their ranges.
func BenchmarkJobPage(b *testing.B) {
	for database, open := range map[string]func(testing.TB) *db.Store{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(database, func(b *testing.B) {
			w := newWorld(b, open(b))
			w.million(1000)
			for name, q := range map[string]engine.Query{
				"first": {Max: 50}, "middle": {First: 500_000, Max: 50}, "end": {First: 999_950, Max: 50, Sorting: sorted("jobId", "desc")},
				"retries": {First: 500_000, Max: 50, Sorting: sorted("jobRetries", "asc")}, "failed": {Max: 50, Values: map[string]any{"noRetriesLeft": true}},
			} {
				b.Run(name, func(b *testing.B) {
					for b.Loop() {
						list, err := w.Jobs(context.Background(), everybody, q)
						w.must(err)
						if len(list) != 50 {
							b.Fatalf("%d jobs", len(list))
						}
					}
				})
			}
		})
	}
}

// million makes a batch with a million execution jobs, of which out are rows of their own, without retries.
func (w *world) million(out int) {
	w.t.Helper()
	const jobs = 1_000_000
	ctx, id := context.Background(), db.BatchBase(dbtest.ID())
	b := &db.Batch{ID: id, Mark: id.Mark(), Type: engine.SetExternalTaskRetries, Retries: ptr(int32(5)), Items: jobs, TotalJobs: jobs, JobsPerSeed: 100,
		ItemsPerJob: 1, JobsPerChunk: 1000, JobsCreated: jobs}
	w.must(w.store.Tx(ctx, func(tx *db.Tx) error {
		var ranges []db.Range
		for first := int32(0); first < jobs; first += 1000 {
			ranges = append(ranges, db.Range{BatchID: id, Kind: db.ExecutionJob, First: first, N: 1000, Retries: 3})
		}
		return errors.Join(tx.InsertBatch(ctx, b), tx.InsertRanges(ctx, ranges...), tx.UpdateSeeded(ctx, b))
	}))
	for i := range out {
		w.must(w.SetJobRetries(ctx, everybody, id.Sub(db.SubJob, uint32(i*997+13)).String(), engine.JobRetries{}))
	}
}
