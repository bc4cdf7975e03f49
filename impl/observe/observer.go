package observe

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"go.opentelemetry.io/otel/trace"

	"rearm/impl/contract"
	"rearm/impl/engine"
)

// Options are what an Observer stands on. Log, Now and NewID must be given.
type Options struct {
	Log     *slog.Logger
	Now     func() time.Time
	NewID   func() string // for requests that bring no id of their own
	Tracer  trace.Tracer  // nil: nothing is traced
	Audit   bool          // each request that has written something, or was not allowed to, leaves a line in the log
	Version string        // of the program
}

// Observer is what a node is seen by. It is safe for concurrent use.
type Observer struct {
	Options
	registry *prometheus.Registry
	requests requestMetrics
	tasks    taskMetrics
	batches  batchMetrics
	executor executorMetrics
}

var _ contract.Observer = (*Observer)(nil)

// New makes an observer with a registry of its own.
func New(o Options) *Observer {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), buildInfo(o.Version))
	return &Observer{
		Options: o, registry: registry, requests: newRequestMetrics(registry), tasks: newTaskMetrics(registry),
		batches: newBatchMetrics(registry), executor: newExecutorMetrics(registry),
	}
}

// Handler answers with all metrics, in the text formats of Prometheus.
func (o *Observer) Handler() http.Handler {
	return promhttp.HandlerFor(o.registry, promhttp.HandlerOpts{
		ErrorLog: slog.NewLogLogger(o.Log.Handler(), slog.LevelWarn), ErrorHandling: promhttp.ContinueOnError,
	})
}

// Begin gives a request its id and its span.
func (o *Observer) Begin(ctx context.Context, r *http.Request) context.Context {
	record := contract.RecordOf(ctx)
	record.ID, record.Start = o.idOf(r), o.Now()
	return o.beginSpan(ctx, r)
}

// End counts a request, ends its span, and leaves its lines in the log.
func (o *Observer) End(r *http.Request) {
	ctx := r.Context()
	record := contract.RecordOf(ctx)
	took, status := o.Now().Sub(record.Start), statusOf(ctx, record)
	o.requests.count(record.Operation(), status, took)
	endSpan(ctx, r, record.Operation(), status)
	if o.Log.Enabled(ctx, slog.LevelDebug) {
		o.Log.DebugContext(ctx, "the request was answered", slog.String("method", r.Method), slog.String("path", r.URL.Path),
			slog.Int("status", status), slog.Duration("took", took))
	}
	if o.Audit && record.Writes() {
		o.audit(ctx, record, status)
	}
}

// Did counts a deed, and notes it in the record of its request.
func (o *Observer) Did(ctx context.Context, d engine.Deed) {
	o.tasks.count(&d)
	o.batches.count(&d)
	if record := contract.RecordOf(ctx); record != nil {
		record.Did(noteOf(&d))
	}
}

// Ran counts a chunk.
func (o *Observer) Ran(c engine.Chunk) {
	o.executor.count(&c)
	o.batches.tally(c.Type, &c.Tally)
}
