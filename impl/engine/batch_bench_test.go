package engine_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
)

// BenchmarkRearm takes batches from the request to their end, half of the tasks with an incident, and the bare statements on
// the same rows in the same run: UPDATE of the retries, UPDATE of the incidents that end, 1,000 ids a transaction. The metric
// "x-bare" is the ratio of the two.
func BenchmarkRearm(b *testing.B) {
	for _, database := range []string{"sqlite", "postgres"} {
		for _, n := range []int{10_000, 100_000, 1_000_000} {
			b.Run(fmt.Sprintf("%s/%d", database, n), func(b *testing.B) {
				s := map[string]func(testing.TB) *db.Store{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres}[database](b)
				benchmarkRearm(b, s, n)
			})
		}
	}
}

func benchmarkRearm(b *testing.B, s *db.Store, n int) {
	w := newWorld(b, s)
	ids := make([]db.ID, 0, n)
	for len(ids) < n {
		ids = append(ids, w.tasks(min(n-len(ids), 10_000), "t")...)
	}
	var half []db.ID
	for i := 0; i < n; i += 2 {
		half = append(half, ids[i])
	}
	slices.SortFunc(half, db.ID.Compare)
	raw := dbtest.Raw(b, s)
	raw.SetMaxOpenConns(1)
	var bare, product, request time.Duration
	for b.Loop() {
		b.StopTimer()
		w.incidents(half)
		bare += bareRearm(b, raw, s.Dialect(), ids)
		w.incidents(half)
		b.StartTimer()
		start := time.Now()
		batch := w.retryAsync(5, ids...)
		request += time.Since(start)
		w.runAllReal()
		product += time.Since(start)
		if got := w.outcomes(batch.ID); got.Set+got.Unchanged != int64(n) {
			b.Fatalf("outcomes %+v", got)
		}
	}
	b.ReportMetric(product.Seconds()/bare.Seconds(), "x-bare")
	b.ReportMetric(product.Seconds()/float64(b.N), "s/batch")
	b.ReportMetric(request.Seconds()/float64(b.N), "s/request")
	b.ReportMetric(float64(n)*float64(b.N)/product.Seconds(), "items/s")
}

// incidents leaves half of the tasks without retries, with an incident each.
func (w *world) incidents(half []db.ID) {
	w.retryAsync(1, half...)
	w.runAllReal()
	w.retryAsync(0, half...)
	w.runAllReal()
}

// runAllReal is runAll by the real clock, which is what paces a runner.
func (w *world) runAllReal() {
	real := engine.New(w.store, engine.Options{Now: time.Now, NewID: dbtest.ID, Log: w.Log, Wake: w.Wake, Run: func() {}, Settings: w.Settings})
	r := real.NewRunner()
	for {
		_, more, err := r.Step(context.Background(), time.Second)
		w.must(err)
		if !more {
			return
		}
	}
}

// bareRearm gives how long the bare statements take.
func bareRearm(b *testing.B, raw *sqlx.DB, dialect string, ids []db.ID) time.Duration {
	in := "in (select substr(l.b, num.i * 16 + 1, 16) from (select ? as b) l cross join num where num.i < length(l.b) / 16)"
	list := func(part []db.ID) any { return db.Pack(part) }
	if dialect == "postgres" {
		in = "= any(cast($1 as uuid[]))"
		list = func(part []db.ID) any {
			raw := make([][16]byte, len(part))
			for i := range part {
				raw[i] = part[i]
			}
			return raw
		}
	}
	ids = slices.Clone(ids)
	slices.SortFunc(ids, db.ID.Compare)
	start := time.Now()
	for part := range slices.Chunk(ids, 1000) {
		tx := raw.MustBegin()
		arg := list(part)
		tx.MustExec("update external_task_state set retries = 5, rev = rev + 1 where id "+in, arg)
		tx.MustExec("update incident set state = 1, end_time = 1 where state = 0 and configuration "+in, arg)
		if err := tx.Commit(); err != nil {
			b.Fatal(err)
		}
	}
	return time.Since(start)
}
