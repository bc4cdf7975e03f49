package observe

import (
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"rearm/impl/engine"
)

// other is the operation of requests that are none of the contract's: pages, health, and what is not there.
const other = "other"

// requestMetrics count requests.
type requestMetrics struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

func newRequestMetrics(r *prometheus.Registry) requestMetrics {
	m := requestMetrics{
		prometheus.NewCounterVec(prometheus.CounterOpts{Name: "rearm_http_requests_total",
			Help: "Requests that were answered; 499: the client had gone."}, []string{"operation", "code"}),
		prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "rearm_http_request_duration_seconds",
			Help:    "From when a request came until it was answered, with the time that it waited for tasks.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60}}, []string{"operation", "status"}),
	}
	r.MustRegister(m.total, m.duration)
	return m
}

// classes are the classes of status codes.
var classes = [...]string{"", "1xx", "2xx", "3xx", "4xx", "5xx"}

func (m *requestMetrics) count(operation string, status int, took time.Duration) {
	if operation == "" {
		operation = other
	}
	m.total.WithLabelValues(operation, strconv.Itoa(status)).Inc()
	m.duration.WithLabelValues(operation, classes[status/100]).Observe(took.Seconds())
}

// taskMetrics count what happens to tasks.
type taskMetrics struct{ created, locked, completed, failed, deleted prometheus.Counter }

func newTaskMetrics(r *prometheus.Registry) taskMetrics {
	counter := func(what, help string) prometheus.Counter {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "rearm_tasks_" + what + "_total", Help: help})
		r.MustRegister(c)
		return c
	}
	return taskMetrics{
		created:   counter("created", "Tasks that were created."),
		locked:    counter("locked", "Tasks that were locked for workers."),
		completed: counter("completed", "Tasks that workers have completed."),
		failed:    counter("failed", "Failures that workers have reported."),
		deleted:   counter("deleted", "Tasks that ended by a BPMN error or with their process instance."),
	}
}

func (m *taskMetrics) count(d *engine.Deed) {
	switch d.What {
	case engine.TasksCreated:
		m.created.Add(float64(d.N))
	case engine.TasksLocked:
		m.locked.Add(float64(d.N))
	case engine.TasksCompleted:
		m.completed.Add(float64(d.N))
	case engine.TasksFailed:
		m.failed.Add(float64(d.N))
	case engine.TasksDeleted:
		m.deleted.Add(float64(d.N))
	}
}

// batchMetrics count batches, and what becomes of their items.
type batchMetrics struct{ created, ended, items, failures *prometheus.CounterVec }

func newBatchMetrics(r *prometheus.Registry) batchMetrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		r.MustRegister(c)
		return c
	}
	m := batchMetrics{
		created:  counter("rearm_batches_created_total", "Batches that were made.", "type"),
		ended:    counter("rearm_batches_ended_total", "Batches that came to their end, or were deleted before.", "type", "outcome"),
		items:    counter("rearm_batch_items_total", "Items of batches whose job has run, and those whose job has failed for good.", "type", "outcome"),
		failures: counter("rearm_job_failures_total", "Attempts of jobs of batches that failed.", "type"),
	}
	for _, kind := range []string{engine.SetExternalTaskRetries, engine.SetJobRetries, engine.SetBatchRemovalTime} { // so that a rate knows when nothing was
		m.created.WithLabelValues(kind)
		m.ended.WithLabelValues(kind, "deleted")
		m.tally(kind, &engine.Tally{})
	}
	return m
}

func (m *batchMetrics) count(d *engine.Deed) {
	switch d.What {
	case engine.BatchCreated:
		m.created.WithLabelValues(d.Batch.Type).Inc()
	case engine.BatchDeleted:
		m.ended.WithLabelValues(d.Batch.Type, "deleted").Inc()
	case engine.JobExecuted:
		m.tally(d.Batch.Type, d.Tally)
	}
}

// tally adds what became of jobs of a type of batch. Those of a batch that was not found did nothing.
func (m *batchMetrics) tally(kind string, t *engine.Tally) {
	if kind == "" {
		return
	}
	for outcome, n := range map[string]int{"set": t.Set, "unchanged": t.Unchanged, "gone": t.Gone, "failed": t.Failed} {
		m.items.WithLabelValues(kind, outcome).Add(float64(n))
	}
	m.failures.WithLabelValues(kind).Add(float64(t.Failures))
	ended := m.ended.WithLabelValues(kind, "completed")
	if t.Ended {
		ended.Inc()
	}
}

// executorMetrics count what the executors of a node do.
type executorMetrics struct {
	chunk     *prometheus.HistogramVec
	lag       prometheus.Histogram
	takeovers prometheus.Counter
}

func newExecutorMetrics(r *prometheus.Registry) executorMetrics {
	m := executorMetrics{
		prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "rearm_executor_chunk_duration_seconds",
			Help:    "How long chunks took: transactions of up to 1,000 items.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10}}, []string{"outcome"}),
		prometheus.NewHistogram(prometheus.HistogramOpts{Name: "rearm_executor_lag_seconds",
			Help:    "How long the jobs of a chunk had been due at most when it began; a suspension counts.",
			Buckets: []float64{.01, .1, .5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200}}),
		prometheus.NewCounter(prometheus.CounterOpts{Name: "rearm_executor_takeovers_total",
			Help: "Batches that this node went on with after another process had begun them."}),
	}
	m.chunk.WithLabelValues("done")
	m.chunk.WithLabelValues("failed")
	r.MustRegister(m.chunk, m.lag, m.takeovers)
	return m
}

func (m *executorMetrics) count(c *engine.Chunk) {
	outcome := "done"
	if c.Err != nil {
		outcome = "failed"
	}
	m.chunk.WithLabelValues(outcome).Observe(c.Took.Seconds())
	if c.Jobs > 0 {
		m.lag.Observe(c.Lag.Seconds())
	}
	if c.TookOver {
		m.takeovers.Inc()
	}
}

// buildInfo tells which program runs.
func buildInfo(version string) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "rearm_build_info", Help: "Always 1; the label tells which program runs.",
		ConstLabels: prometheus.Labels{"version": version}}, func() float64 { return 1 })
}
