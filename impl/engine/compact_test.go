package engine_test

import (
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// Every item is kept with its outcome and its previous retries, in at most 30 bytes: 30 MB for a batch of 1,000,000.
func TestItemsAreCompact(t *testing.T) {
	t.Parallel()
	const items, most = 20_000, 30
	size := map[string]string{
		"sqlite":   "select sum(pgsize) from dbstat where name in ('batch_chunk', 'job', 'job_log', 'historic_batch') or name like 'sqlite_autoindex_batch_chunk%' or name like 'sqlite_autoindex_job%'",
		"postgres": "select pg_total_relation_size('batch_chunk') + pg_total_relation_size('job') + pg_total_relation_size('job_log') + pg_total_relation_size('historic_batch')",
	}
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		var ids []db.ID
		for len(ids) < items {
			ids = append(ids, w.tasks(10_000, "t")...)
		}
		before := dbtest.Count(t, s, size[s.Dialect()])
		b := w.retryAsync(5, ids...)
		w.runAll()
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: items})
		if used := dbtest.Count(t, s, size[s.Dialect()]) - before; used > items*most {
			t.Errorf("%d items take %d bytes, %.1f each", items, used, float64(used)/items)
		} else {
			t.Logf("%.1f bytes an item", float64(used)/items)
		}
	})
}
