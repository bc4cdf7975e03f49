package observe

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// propagator reads the W3C's headers, which say of what trace a request is a part.
var propagator = propagation.TraceContext{}

// beginSpan begins the span of a request, as a part of its client's if it has one.
func (o *Observer) beginSpan(ctx context.Context, r *http.Request) context.Context {
	if o.Tracer == nil {
		return ctx
	}
	ctx = propagator.Extract(ctx, propagation.HeaderCarrier(r.Header))
	ctx, _ = o.Tracer.Start(ctx, r.Method, trace.WithSpanKind(trace.SpanKindServer))
	return ctx
}

// endSpan ends the span of a request; its name is the operation's, so that there are few.
func endSpan(ctx context.Context, r *http.Request, operation string, status int) {
	span := trace.SpanFromContext(ctx)
	if !span.IsRecording() {
		return
	}
	if operation != "" {
		span.SetName(operation)
	}
	span.SetAttributes(attribute.String("http.request.method", r.Method), attribute.String("url.path", r.URL.Path),
		attribute.Int("http.response.status_code", status))
	if status >= http.StatusInternalServerError {
		span.SetStatus(codes.Error, "")
	}
	span.End()
}

// Tracing sends spans to a collector.
type Tracing struct{ provider *sdktrace.TracerProvider }

// NewTracing sends what is traced to a collector, by OTLP over HTTP. endpoint is its URL; without a path /v1/traces is meant. "":
// the standard variables OTEL_EXPORTER_OTLP_* say where it is, and what else there is to say. OpenTelemetry's SDK reads others by
// itself, such as those for the share of traces (OTEL_TRACES_SAMPLER), for what is sent together, and for names of the service.
// node and version name the program if they do not. A collector that is away is said once in the log, and once when it is back.
func NewTracing(ctx context.Context, endpoint string, getenv func(string) string, node, version string, log *slog.Logger) (*Tracing, error) {
	c, err := newCollector(endpoint, getenv)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	exporter, err := otlptrace.New(ctx, c)
	if err != nil {
		return nil, fmt.Errorf("send traces: %w", err)
	}
	own := resource.NewSchemaless(attribute.String("service.name", "rearm"), attribute.String("service.version", version), attribute.String("service.instance.id", node))
	given, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read OTEL_RESOURCE_ATTRIBUTES: %w", err)
	}
	all, err := resource.Merge(own, given)
	if err != nil {
		return nil, fmt.Errorf("name the service of traces: %w", err)
	}
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(&quiet{SpanExporter: exporter, log: log}), sdktrace.WithResource(all))
	return &Tracing{provider}, nil
}

// Tracer gives what begins spans.
func (t *Tracing) Tracer() trace.Tracer { return t.provider.Tracer("rearm") }

// Close sends what is left, until ctx ends.
func (t *Tracing) Close(ctx context.Context) error { return t.provider.Shutdown(ctx) }

// quiet is an exporter that says in the log, once each, that its collector is away and that it is back. OpenTelemetry itself would
// say the first again and again, to a logger that is global.
type quiet struct {
	sdktrace.SpanExporter
	log  *slog.Logger
	away atomic.Bool
}

// ExportSpans sends spans; those that cannot be sent are lost.
func (q *quiet) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	err := q.SpanExporter.ExportSpans(ctx, spans)
	switch was := q.away.Swap(err != nil); {
	case err != nil && !was:
		q.log.Warn("traces cannot be sent, and are lost", slog.Any("error", err))
	case err == nil && was:
		q.log.Info("traces are sent again")
	}
	return nil
}
