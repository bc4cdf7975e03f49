package poll

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rearm/db"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// Source has the tasks; *engine.Engine is one.
type Source interface {
	FetchAndLock(ctx context.Context, caller db.Caller, in engine.Fetch) ([]db.LockedTask, error)
	GiveBack(ctx context.Context, worker string, tasks []db.LockedTask) error
	Survey(ctx context.Context, topics []string) ([]db.TopicWork, error)
}

// Settings are what an operator can change.
type Settings struct {
	MaxWaiting   int  // requests that may wait at the same time
	UniqueWorker bool // a request that waits ends an older one of the same worker
}

// DefaultSettings has room for 20,000; the reference's bound of 200 is one of requests that it has not looked at yet.
func DefaultSettings() Settings { return Settings{MaxWaiting: 20_000} }

// Room is where requests wait. Run must run for them to be woken.
type Room struct {
	Settings
	source  Source
	log     *slog.Logger
	now     func() time.Time
	closing chan struct{} // closed when nobody may wait any more
	work    chan struct{} // a token for every hand that may find topics in the queue
	doubts  chan struct{} // a token when topics are in doubt
	safety  time.Duration

	shutOnce sync.Once

	mu      sync.Mutex
	topics  map[string]*topic
	queue   []*topic  // with an open round and perhaps a waiter to fetch for
	fresh   []*waiter // for whom nobody has fetched yet
	last    bool      // whether a hand has taken one of fresh last
	doubt   map[*topic]struct{}
	newest  map[worker]*waiter // the one that waits, by worker; only if UniqueWorker
	waiting int
}

// New makes an empty room. now must be the clock by which the source says when locks run out.
func New(source Source, s Settings, log *slog.Logger, now func() time.Time) *Room {
	return &Room{
		Settings: s, source: source, log: log, now: now,
		safety: safety, closing: make(chan struct{}), work: make(chan struct{}, hands), doubts: make(chan struct{}, 1),
		topics: map[string]*topic{}, doubt: map[*topic]struct{}{}, newest: map[worker]*waiter{},
	}
}

// Ask fetches tasks for a worker; if it has patience, it gives a ticket to wait with instead, for tasks that are there as well as for
// tasks that come. Who goes away (ctx) gets nothing, and nothing stays locked for it. Errors are those of the source, and
// Unavailable when as many wait as may, and there are no tasks (contract-facts 2.3).
func (r *Room) Ask(ctx context.Context, caller db.Caller, in engine.Fetch, patience time.Duration) ([]db.LockedTask, *Ticket, error) {
	if patience > 0 {
		if w := r.enter(ctx, caller, in); w != nil {
			return nil, &Ticket{room: r, waiter: w, timeout: time.NewTimer(patience)}, nil
		}
	}
	got, err := r.source.FetchAndLock(ctx, caller, in)
	if patience > 0 && err == nil && len(got) == 0 {
		err = tooMany()
	}
	return got, nil, err
}

// Ticket is what a request waits with. Wait must be called, once.
type Ticket struct {
	room    *Room
	waiter  *waiter
	timeout *time.Timer
}

// Wait waits for tasks. At the end of the patience, and when the room closes, there are none. The error is Unavailable when a newer
// request of the worker has come, else it is the source's or that of a client that has gone.
func (t *Ticket) Wait() ([]db.LockedTask, error) {
	defer t.timeout.Stop()
	return t.room.deliver(t.waiter, t.room.wait(t.waiter, t.timeout.C))
}

// deliver gives a waiter's answer, unless there is nobody to take it.
func (r *Room) deliver(w *waiter, a answer) ([]db.LockedTask, error) {
	if w.ctx.Err() != nil && a.err == nil {
		a.err = w.ctx.Err()
	}
	if a.err != nil && len(a.got) > 0 {
		r.giveBack(w, a.got)
	}
	if a.err != nil {
		return nil, a.err
	}
	return a.got, nil
}

// giveBack unlocks what does not reach its worker.
func (r *Room) giveBack(w *waiter, got []db.LockedTask) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(w.ctx), attemptTime)
	defer cancel()
	if err := r.source.GiveBack(ctx, w.in.WorkerID, got); err != nil {
		r.log.WarnContext(ctx, "tasks stay locked for a worker that has gone", slog.Int("tasks", len(got)), slog.Any("error", err))
	}
}

// Waiting tells how many requests wait.
func (r *Room) Waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.waiting
}

// Close answers all that wait, with nothing, and lets nobody wait any more. Attempts that run are finished, if Run
// still runs.
func (r *Room) Close() { r.shutOnce.Do(func() { close(r.closing) }) }

// Run serves those who wait until ctx ends. It returns nil.
func (r *Room) Run(ctx context.Context) error {
	var all sync.WaitGroup
	for range hands {
		all.Go(func() { r.serve(ctx) })
	}
	r.watch(ctx)
	all.Wait()
	return nil
}

// tooMany is the reference's refusal, with a status that says what it means.
func tooMany() error {
	return fault.New(fault.Unavailable, fault.InvalidRequest, "At the moment the server has to handle too many requests at the same time. Please try again later.")
}

// superseded ends a request because of a newer one.
func superseded(worker string) error {
	return fault.New(fault.Unavailable, fault.Rest, "A newer request of the worker '%s' waits instead of this one.", worker)
}
