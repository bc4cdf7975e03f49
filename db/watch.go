package db

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// calm is how long no statement may have failed before a database that was away counts as back: a pool has many connections, and
// those that were cut fail one after the other.
const calm = time.Second

// watch watches all that is asked of a database: it traces statements, and knows whether the database is away. A nil watch does
// neither.
type watch struct {
	log    *slog.Logger
	now    func() time.Time
	tracer trace.Tracer
	system string // the database's name, as traces have it

	away   atomic.Bool
	mu     sync.Mutex // of what follows
	since  time.Time  // when it went
	last   time.Time  // when a statement last failed because of it
	failed int        // statements, since it went
}

// newWatch makes the watch of a database; nil if nobody looks.
func newWatch(o Options, system string) *watch {
	if o.Log == nil || o.Now == nil {
		return nil
	}
	return &watch{log: o.Log, now: o.Now, tracer: o.Tracer, system: system}
}

// Away tells whether the database was away when it was asked last.
func (s *Store) Away() bool { return s.w != nil && s.w.away.Load() }

// saw notes how a statement has ended, and says in the log when the database goes away, and when it is back.
func (w *watch) saw(err error) {
	switch {
	case w == nil, errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.Is(err, ErrUnavailable):
		w.failing(err)
	case w.away.Load():
		w.answering()
	}
}

// failing notes a statement that failed because the database is away.
func (w *watch) failing(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = w.now()
	w.failed++
	if !w.away.Swap(true) {
		w.since, w.failed = w.last, 1
		w.log.Error("the database is away", slog.Any("error", err))
	}
}

// answering notes that the database has answered again.
func (w *watch) answering() {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	if !w.away.Load() || now.Sub(w.last) < calm {
		return
	}
	w.away.Store(false)
	w.log.Info("the database is back", slog.Duration("after", now.Sub(w.since)), slog.Int("failed_statements", w.failed))
}

// noSpan is the end of a span that has not begun.
func noSpan(error) {}

// span begins the span of a statement, or of the beginning or the end of a transaction; end ends it. Only those are traced that are
// asked on behalf of something that is. The span is called after the method that asks, or after what, and tells no values.
func (w *watch) span(ctx context.Context, what string) (_ context.Context, end func(error)) {
	if w == nil || w.tracer == nil || !trace.SpanContextFromContext(ctx).IsSampled() {
		return ctx, noSpan
	}
	if what == "" {
		what = method()
	}
	ctx, span := w.tracer.Start(ctx, what, trace.WithSpanKind(trace.SpanKindClient),
		trace.WithAttributes(attribute.String("db.system.name", w.system), attribute.String("db.operation.name", what)))
	return ctx, func(err error) {
		if err != nil && !errors.Is(err, ErrNotFound) {
			span.SetStatus(codes.Error, "the statement failed")
		}
		span.End()
	}
}

// method gives the name of the exported method of this package that was called last.
func method() string {
	var callers [16]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	for {
		frame, more := frames.Next()
		if name := nameOf(frame.Function); name != "" && name[0] >= 'A' && name[0] <= 'Z' {
			return name
		}
		if !more {
			return "statement"
		}
	}
}

// nameOf gives the bare name of a function, without its package and its receiver: of rearm/db.(*Tx).SetRetries.func1 it is SetRetries.
func nameOf(function string) string {
	parts := strings.Split(function[strings.LastIndexByte(function, '/')+1:], ".")[1:]
	if len(parts) > 1 && !strings.HasPrefix(parts[1], "func") {
		parts = parts[1:]
	}
	name, _, _ := strings.Cut(parts[0], "-") // the body of a loop over a function is SetRetries-range1
	return name
}
