package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"rearm/db"
	"rearm/impl/contract"
	"rearm/impl/engine"
	"rearm/impl/executor"
	"rearm/impl/poll"
)

// grace is how long requests that run may take to end once the server stops.
const grace = 10 * time.Second

// serve serves until ctx ends.
func serve(ctx context.Context, p program, args []string) error {
	c := defaults()
	if err := c.parse(p, c.flags("serve"), args); err != nil {
		return err
	}
	log := newLogger(p.stderr, &c)
	log.Info("rearm starts", append([]any{slog.String("version", build())}, c.attributes()...)...)
	n, err := newNode(ctx, &c, log)
	if err != nil {
		return err
	}
	return n.run(ctx)
}

// node is one server: its parts in the order in which they start. They stop in the reverse order.
type node struct {
	seen      *sight
	log       *slog.Logger
	store     *db.Store
	clock     *db.Clock
	bus       *db.Bus
	engine    *engine.Engine
	room      *poll.Room
	executors []*executor.Executor
	cleaner   *executor.Executor // nil when no jobs run here; nobody wakes it
	health    *health
	listener  net.Listener
	secure    *certificates // nil when it speaks HTTP
	server    *http.Server
	ready     chan struct{} // closed when requests can be served
}

// newNode wires a node and takes its address. It waits for nothing; run starts it.
func newNode(ctx context.Context, c *Config, log *slog.Logger) (*node, error) {
	guard, err := c.newGuard(time.Now, log)
	if err != nil {
		return nil, err
	}
	secure, err := newCertificates(c.TLS, log)
	if err != nil {
		return nil, err
	}
	seen, err := newSight(ctx, c, log)
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, c, db.Options{Log: log, Now: time.Now, Tracer: seen.tracer()})
	if err != nil {
		return nil, errors.Join(err, seen.close())
	}
	n := &node{seen: seen, log: log, store: store, secure: secure, clock: store.NewClock(time.Now), health: &health{database: store}, ready: make(chan struct{})}
	n.bus = store.NewBus(uuid.NewString(), log, n.hear)
	n.engine = engine.New(store, engine.Options{
		Now: n.clock.Now, NewID: newID, Log: log, Wake: n.wake, Hold: n.hold, Run: n.work, Settings: c.Engine,
		Did: seen.Did, Ran: seen.Ran, Tracer: seen.tracer(),
	})
	n.room = poll.New(n.engine, c.Waiting, log, n.clock.Now)
	seen.WatchDatabase(store)
	seen.WatchRoom(n.room.Waiting, c.Waiting.MaxWaiting)
	if c.JobExecutor {
		for range store.Writers() {
			n.executors = append(n.executors, executor.New(n.engine.NewRunner(), log, n.clock.Now, rand.Float64))
		}
		n.cleaner = executor.New(n.engine.NewCleaner(), log, n.clock.Now, rand.Float64)
	}
	if err := n.listen(ctx, c, guard); err != nil {
		return nil, errors.Join(err, store.Close(), seen.close())
	}
	return n, nil
}

// listen makes the server and takes its address.
func (n *node) listen(ctx context.Context, c *Config, guard contract.Guard) error {
	handler, err := newHandler(c, n.engine, n.room, n.health, guard, n.seen.Observer, n.log)
	if err != nil {
		return err
	}
	n.server = newServer(handler, n.log)
	n.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	return err
}

// connections gives those of the listener as the server takes them.
func (n *node) connections() net.Listener {
	if n.secure == nil {
		return contract.Listener(n.listener)
	}
	return contract.Listener(contract.TLSListener(n.listener, n.secure.config(), n.log))
}

// newID makes the ids of all that is stored.
func newID() db.ID { return db.ID(uuid.Must(uuid.NewV7())) }

// work makes every executor look for work, here and on the other nodes.
func (n *node) work() {
	n.hear(db.Message{Run: true})
	n.bus.Tell(true, nil)
}

// wake wakes those who wait for tasks on topics, here and on the other nodes.
func (n *node) wake(topics []string) {
	n.room.Wake(topics)
	n.bus.Tell(false, topics)
}

// hold tells those who wait for tasks on a topic when a lock runs out, here and, if it is soon, on the other nodes.
func (n *node) hold(topic string, until db.Time) {
	n.room.Hold(topic, until)
	if until.Time().Before(n.clock.Now().Add(poll.Horizon)) {
		n.bus.TellHeld(topic, until)
	}
}

// hear hears what another node says.
func (n *node) hear(m db.Message) {
	n.room.Wake(m.Topics)
	for topic, until := range m.Held {
		n.room.Hold(topic, until)
	}
	if m.Lost {
		n.room.Check()
	}
	if !m.Run && !m.Lost {
		return
	}
	for _, x := range n.executors {
		x.Wake()
	}
}

// url is where the node serves.
func (n *node) url() string {
	if n.secure != nil {
		return "https://" + n.listener.Addr().String()
	}
	return "http://" + n.listener.Addr().String()
}

// run starts the node, serves until ctx ends, and stops it: it sends those away who wait, takes no more requests, finishes those
// that run, then the chunk that the executors are at, and closes the database. A stop that was asked for is no error.
func (n *node) run(ctx context.Context) error {
	n.log.Info("rearm listens, and is not ready yet", slog.String("url", n.url()))
	n.seen.open()
	served := make(chan error, 1)
	go func() { served <- n.server.Serve(n.connections()) }()
	err := n.prepare(ctx)
	if err == nil {
		end := n.background(context.WithoutCancel(ctx))
		n.health.state.Store(serving)
		close(n.ready)
		n.log.Info("rearm serves", slog.String("url", n.url()), slog.String("database", n.store.Dialect()))
		select {
		case <-ctx.Done():
			n.log.Info("rearm stops; a second signal ends it at once")
		case err = <-served:
		}
		n.health.state.Store(stopping)
		n.room.Close()
		n.stopServing()
		end()
	} else {
		n.stopServing()
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	return errors.Join(err, n.store.Close(), n.seen.close())
}

// prepare waits for the database, brings its schema up to date and sets the clock by it.
func (n *node) prepare(ctx context.Context) error {
	if err := waitFor(ctx, n.store, n.log); err != nil {
		return err
	}
	version, err := n.store.Migrate(ctx)
	if err != nil {
		return err
	}
	n.log.Info("the schema is up to date", slog.Int64("schema_version", version))
	if err := n.clock.Measure(ctx); err != nil {
		return fmt.Errorf("read the database's clock: %w", err)
	}
	return nil
}

// background starts all that runs beside requests; end stops it and returns when it has stopped.
func (n *node) background(ctx context.Context) (end func()) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	start := func(name string, run func(context.Context) error) {
		all.Go(func() {
			if err := run(ctx); err != nil {
				n.log.Error("a part of the server ended", slog.String("part", name), slog.Any("error", err))
			}
		})
	}
	start("clock", func(ctx context.Context) error { return n.clock.Run(ctx, n.log) })
	start("bus", n.bus.Run)
	start("room", n.room.Run)
	if n.secure != nil {
		start("certificates", n.secure.Run)
	}
	for _, x := range n.executors {
		start("executor", x.Run)
	}
	if n.cleaner != nil {
		start("cleaner", n.cleaner.Run)
	}
	return func() { cancel(); all.Wait() }
}

// stopServing takes no more requests and lets those that run end within the grace.
func (n *node) stopServing() {
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	if err := n.server.Shutdown(ctx); err != nil {
		n.log.Warn("requests were cut off", slog.Any("error", errors.Join(err, n.server.Close())))
	}
}
