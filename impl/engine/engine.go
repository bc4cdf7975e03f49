// Package engine holds the rules: what may happen to a task, a batch, a job, an incident. One rule is one method of Engine,
// and one transaction. It knows nothing of HTTP; every method takes the caller and returns errors of package fault.
package engine

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"rearm/db"
	"rearm/impl/fault"
)

// Options are what an Engine stands on. Now, NewID, Log and Wake must be given.
type Options struct {
	Now   func() time.Time
	NewID func() db.ID // a UUIDv7
	Log   *slog.Logger
	// Wake hears, after the commit, of topics on which a task may have become fetchable.
	Wake func(topics []string)
	// Hold hears, after the commit, that a task on a topic can be fetched when a lock runs out; nil: nobody wants to know.
	Hold func(topic string, until db.Time)
	// Run hears, after the commit, that the executor has work: a batch was made, activated, a job changed.
	Run func()
	// Did hears, after the commit, of what was done on behalf of a request, in whose context; nil: nobody wants to know.
	Did func(ctx context.Context, d Deed)
	// Ran hears of every chunk that a Runner has carried out, or could not; nil: nobody wants to know.
	Ran func(c Chunk)
	// Tracer traces chunks, each apart from all others, with a link to the request that made the batch; nil: nothing is traced.
	Tracer trace.Tracer

	Settings
}

// Settings are what an operator can change; DefaultSettings has the reference's values.
type Settings struct {
	JobsPerSeed      PerType       // execution jobs that one run of a seed job makes
	ItemsPerJob      PerType       // items that one execution job sets; at most MaxItemsPerJob
	PollTime         time.Duration // how long a monitor job waits before it looks again
	HistoryTTL       time.Duration // how long an ended scope and its history are kept; 0: for ever
	BatchTTL         PerTypeTTL    // how long an ended batch is kept; none: for ever
	NodeName         string        // the host in the job log
	MaxResults       int           // the largest page of a list that a request may ask for; 0: any
	ExecutorDisabled bool          // jobs run only by ExecuteJob
}

// PerType is a number for each type of batch, with one for all the others.
type PerType struct {
	Default int
	ByType  map[string]int
}

// Of gives the number for a type of batch.
func (p PerType) Of(batchType string) int {
	if n, ok := p.ByType[batchType]; ok {
		return n
	}
	return p.Default
}

// PerTypeTTL is a time to live for each type of batch; a nil default means for ever.
type PerTypeTTL struct {
	Default *time.Duration
	ByType  map[string]time.Duration
}

// Of gives the time to live for a type of batch; ok is false when it is kept for ever.
func (p PerTypeTTL) Of(batchType string) (ttl time.Duration, ok bool) {
	if d, has := p.ByType[batchType]; has {
		return d, true
	}
	if p.Default != nil {
		return *p.Default, true
	}
	return 0, false
}

// MaxItemsPerJob bounds the items of one job, since a job is one transaction (product.md 6).
const MaxItemsPerJob = 5000

// DefaultSettings are the reference's (contract-facts 10.1), and rearm's own where it has none.
func DefaultSettings() Settings {
	return Settings{
		JobsPerSeed: PerType{Default: 100}, ItemsPerJob: PerType{Default: 1}, PollTime: 30 * time.Second,
		HistoryTTL: 180 * 24 * time.Hour, NodeName: "rearm",
	}
}

// Engine carries out the rules on one database. Any number of engines may share a PostgreSQL.
type Engine struct {
	store  *db.Store
	met    acquaintances
	lively lively
	Options
}

// New makes an engine on an open and migrated database.
func New(store *db.Store, o Options) *Engine {
	if o.Hold == nil {
		o.Hold = func(string, db.Time) {}
	}
	if o.Did == nil {
		o.Did = func(context.Context, Deed) {}
	}
	if o.Ran == nil {
		o.Ran = func(Chunk) {}
	}
	if o.Tracer == nil {
		o.Tracer = noop.Tracer{}
	}
	return &Engine{store: store, Options: o}
}

// clock gives the time of one call, in milliseconds.
func (e *Engine) clock() db.Time { return db.TimeOf(e.Now()) }

// storeFault gives an error of the database the kind that a client may see: 503 when it is away or too busy, 400 for a
// filter that cannot be judged. Others stay as they are, and become a 500.
func storeFault(err error) error {
	var known *fault.Error
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case errors.Is(err, db.ErrUnavailable), errors.Is(err, db.ErrAgain):
		e := fault.New(fault.Unavailable, fault.ProcessEngine, "The database is not available at the moment. Please try again later.")
		e.Err = err
		return e
	case errors.Is(err, db.ErrText):
		return fault.BadRequest("A text holds a character that cannot be kept, such as NUL.")
	case errors.Is(err, db.ErrFilter):
		return fault.BadRequest("%s", err.Error())
	}
	return err
}
