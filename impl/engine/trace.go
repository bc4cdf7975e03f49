package engine

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"rearm/db"
)

// chunkSpan is the name of the span of a chunk. Each chunk is a trace of its own, since a batch may have thousands and live for
// days, with a link to the request that made the batch, on whatever node that was.
const chunkSpan = "batch chunk"

// traceparent is the W3C's header that names a span.
const traceparent = "traceparent"

// traceOf gives the traceparent of a request that is traced, to be kept with a batch; nil for any other.
func traceOf(ctx context.Context) *string {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return nil
	}
	header := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, header)
	text := header[traceparent]
	return &text
}

// linkTo gives the link to the request that made a batch; none if that was not traced.
func linkTo(b *db.Batch) (link trace.Link, ok bool) {
	if b.Trace == nil {
		return trace.Link{}, false
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{traceparent: *b.Trace})
	link.SpanContext = trace.SpanContextFromContext(ctx)
	return link, link.SpanContext.IsValid()
}

// endChunk ends the span of a chunk.
func endChunk(span trace.Span, id db.ID, t *turn, c *Chunk) {
	defer span.End()
	if !span.IsRecording() {
		return
	}
	if t.batch != nil {
		if link, ok := linkTo(t.batch); ok {
			span.AddLink(link)
		}
	}
	span.SetAttributes(attribute.String("rearm.batch.id", id.String()), attribute.String("rearm.batch.type", c.Type), attribute.Int("rearm.jobs", c.Jobs),
		attribute.Int("rearm.items", c.Set+c.Unchanged+c.Gone), attribute.Bool("rearm.batch.ended", c.Ended))
	if c.Err != nil {
		span.RecordError(c.Err)
		span.SetStatus(codes.Error, "the chunk was not carried out")
	}
}
