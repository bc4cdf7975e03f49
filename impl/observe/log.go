package observe

import (
	"context"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"rearm/impl/contract"
)

// LogHandler gives a handler that adds to each line that belongs to a request the request's id, the operation, the caller and, if it
// is traced, the trace.
func LogHandler(h slog.Handler) slog.Handler { return logHandler{h} }

type logHandler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h logHandler) Handle(ctx context.Context, line slog.Record) error {
	if record := contract.RecordOf(ctx); record != nil {
		line = line.Clone()
		line.AddAttrs(slog.String("request_id", record.ID), slog.String("operation", record.Operation()), slog.String("caller", record.Caller().Name))
	}
	if span := trace.SpanContextFromContext(ctx); span.IsSampled() {
		line = line.Clone()
		line.AddAttrs(slog.String("trace_id", span.TraceID().String()))
	}
	return h.Handler.Handle(ctx, line)
}

// WithAttrs implements slog.Handler.
func (h logHandler) WithAttrs(list []slog.Attr) slog.Handler {
	return logHandler{h.Handler.WithAttrs(list)}
}

// WithGroup implements slog.Handler.
func (h logHandler) WithGroup(name string) slog.Handler { return logHandler{h.Handler.WithGroup(name)} }
