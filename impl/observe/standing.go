package observe

import (
	"context"
	"database/sql"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"rearm/db"
)

// How often the database is asked for what there is, whoever reads the metrics: not more often than every 15 s, and not for more
// than a twentieth of the time, however long it takes. A question is given up after 5 s.
const (
	standingEvery = 15 * time.Second
	standingShare = 20
	standingTime  = 5 * time.Second
)

// Database is what a node keeps its data in; *db.Store is one.
type Database interface {
	Standing(ctx context.Context) (db.Standing, error)
	Away() bool
	Pools() map[string]*sql.DB
	WritesWaiting() int64
}

// WatchDatabase adds the metrics of a database: whether it is there, what there is in it, its connections, and those who wait to write.
func (o *Observer) WatchDatabase(d Database) {
	o.registry.MustRegister(&standing{database: d, now: o.Now},
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "rearm_writes_waiting", Help: "Transactions that wait for the one that SQLite lets write; always 0 with PostgreSQL."},
			func() float64 { return float64(d.WritesWaiting()) }))
	for name, pool := range d.Pools() {
		o.registry.MustRegister(collectors.NewDBStatsCollector(pool, name))
	}
}

// WatchRoom adds the metrics of those who wait for tasks; waiting counts them, and most is how many may.
func (o *Observer) WatchRoom(waiting func() int, most int) {
	o.registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "rearm_fetches_waiting", Help: "Requests of fetchAndLock that wait for tasks."},
			func() float64 { return float64(waiting()) }),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "rearm_fetches_waiting_max", Help: "How many may wait at the same time."},
			func() float64 { return float64(most) }),
	)
}

var (
	databaseUp    = prometheus.NewDesc("rearm_database_up", "1 if the database has answered when it was asked last, else 0.", nil, nil)
	incidentsOpen = prometheus.NewDesc("rearm_incidents_open", "Incidents that are open, in the whole database.", []string{"type"}, nil)
	batchesNow    = prometheus.NewDesc("rearm_batches_running", "Batches that have not ended, in the whole database.", []string{"state"}, nil)
)

// standing collects what there is in the database, as it was when that was last looked up. While the database is away there is
// nothing to tell but that.
type standing struct {
	database Database
	now      func() time.Time

	mu    sync.Mutex
	next  time.Time // when it may be asked again
	last  db.Standing
	known bool
}

// Describe implements prometheus.Collector.
func (s *standing) Describe(to chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{databaseUp, incidentsOpen, batchesNow} {
		to <- d
	}
}

// Collect implements prometheus.Collector.
func (s *standing) Collect(to chan<- prometheus.Metric) {
	now, known := s.look()
	gauge := func(d *prometheus.Desc, value int64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, float64(value), labels...)
	}
	if s.database.Away() {
		gauge(databaseUp, 0)
		return
	}
	gauge(databaseUp, 1)
	if known {
		gauge(incidentsOpen, now.TaskIncidents, db.FailedExternalTask)
		gauge(incidentsOpen, now.JobIncidents, db.FailedJob)
		gauge(batchesNow, now.ActiveBatches, "active")
		gauge(batchesNow, now.SuspendedBatches, "suspended")
	}
}

// look gives what there is, and asks the database if that was long ago. known is false if the database could not say.
func (s *standing) look() (now db.Standing, known bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	start := s.now()
	if start.Before(s.next) {
		return s.last, s.known
	}
	ctx, cancel := context.WithTimeout(context.Background(), standingTime)
	defer cancel()
	var err error
	s.last, err = s.database.Standing(ctx)
	end := s.now()
	s.known, s.next = err == nil, end.Add(max(standingEvery, standingShare*end.Sub(start)))
	return s.last, s.known
}
