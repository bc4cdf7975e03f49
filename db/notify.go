package db

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// Message is what one node tells the others after a commit.
type Message struct {
	Node   string          `json:"node"`
	Run    bool            `json:"run,omitempty"`    // the executor may have work
	Topics []string        `json:"topics,omitempty"` // tasks on these may be fetchable
	Held   map[string]Time `json:"held,omitempty"`   // tasks on these may be, once a lock runs out
	Lost   bool            `json:"-"`                // messages may have been lost: anything may have changed
}

// channel is the name under which nodes notify each other.
const channel = "rearm"

// The pace of notifications. A NOTIFY inside every transaction would make commits queue for one lock; so a node collects
// what it has to say and says it at most once in notifyEvery, from a connection of its own.
const (
	notifyEvery   = 20 * time.Millisecond
	listenBackoff = 500 * time.Millisecond
	sendAttempts  = 30   // as many idle connections may have been cut
	payloadBytes  = 7000 // PostgreSQL takes payloads below 8,000 bytes
)

// Bus carries wake-ups between the nodes that share a PostgreSQL. On SQLite there is one process only, and it carries
// nothing. Messages may get lost: who waits must also poll.
type Bus struct {
	store *Store
	node  string
	hear  func(Message)
	log   *slog.Logger

	mu      sync.Mutex
	run     bool
	topics  map[string]struct{}
	held    map[string]Time
	pending chan struct{}
}

// NewBus makes the bus of a node; hear is called for the messages of the other nodes.
func (s *Store) NewBus(node string, log *slog.Logger, hear func(Message)) *Bus {
	return &Bus{store: s, node: node, hear: hear, log: log, topics: map[string]struct{}{}, held: map[string]Time{}, pending: make(chan struct{}, 1)}
}

// Tell tells the other nodes, soon, that the executor may have work, or that tasks on topics may be fetchable. It never
// blocks.
func (b *Bus) Tell(run bool, topics []string) {
	if b.store.d != postgresDialect || !run && len(topics) == 0 {
		return
	}
	b.mu.Lock()
	b.run = b.run || run
	for _, t := range topics {
		b.topics[t] = struct{}{}
	}
	b.mu.Unlock()
	b.say()
}

// TellHeld tells the other nodes, soon, that a task on a topic may be fetchable once a lock runs out. It never blocks.
func (b *Bus) TellHeld(topic string, until Time) {
	if b.store.d != postgresDialect {
		return
	}
	b.mu.Lock()
	if first, ok := b.held[topic]; !ok || until < first {
		b.held[topic] = until
	}
	b.mu.Unlock()
	b.say()
}

// say lets speak look at what was collected.
func (b *Bus) say() {
	select {
	case b.pending <- struct{}{}:
	default:
	}
}

// Run carries messages until ctx ends. It returns nil.
func (b *Bus) Run(ctx context.Context) error {
	if b.store.d != postgresDialect {
		<-ctx.Done()
		return nil
	}
	var both sync.WaitGroup
	both.Go(func() { b.speak(ctx) })
	both.Go(func() { b.listen(ctx) })
	both.Wait()
	return nil
}

// speak sends what Tell has collected: at once when it was quiet, then at most every notifyEvery.
func (b *Bus) speak(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.pending:
		}
		for _, m := range b.collect() {
			b.send(ctx, m)
		}
		if !pause(ctx, notifyEvery) {
			return
		}
	}
}

// send sends one message; a connection that was cut while it idled is worth another attempt.
func (b *Bus) send(ctx context.Context, m Message) {
	payload, err := json.Marshal(m)
	for i := 0; i < sendAttempts && err == nil; i++ {
		_, err = b.store.exec(ctx, "select pg_notify(cast(? as text), cast(? as text))", channel, string(payload))
		if !errors.Is(err, ErrUnavailable) {
			break
		}
		if i+1 < sendAttempts && pause(ctx, notifyEvery) {
			err = nil
		}
	}
	if err != nil && ctx.Err() == nil {
		b.log.Warn("a wake-up was not sent", slog.Any("error", err))
	}
}

// collect takes what is to be said, in messages that are small enough.
func (b *Bus) collect() []Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := []Message{{Node: b.node, Run: b.run}}
	size := 0
	room := func(topic string) *Message {
		if size += jsonBytes(topic); size > payloadBytes && size > jsonBytes(topic) {
			list, size = append(list, Message{Node: b.node}), jsonBytes(topic)
		}
		return &list[len(list)-1]
	}
	for topic := range b.topics {
		m := room(topic)
		m.Topics = append(m.Topics, topic)
	}
	for topic, until := range b.held {
		m := room(topic)
		if m.Held == nil {
			m.Held = map[string]Time{}
		}
		m.Held[topic] = until
	}
	b.run, b.topics, b.held = false, map[string]struct{}{}, map[string]Time{}
	return list
}

// jsonBytes bounds what a text takes in JSON, with a time behind it: every byte of it may be escaped.
func jsonBytes(s string) int { return 6*len(s) + 24 }

// listen hears what the other nodes say. After every connect, messages may have been lost.
func (b *Bus) listen(ctx context.Context) {
	level := slog.LevelWarn // that it cannot be made again is said for those who look closely
	for ctx.Err() == nil {
		listened, err := b.listenOnce(ctx)
		if listened {
			level = slog.LevelWarn
		}
		if ctx.Err() == nil {
			b.log.Log(ctx, level, "the connection for wake-ups was lost", slog.Any("error", err), slog.Duration("again_in", listenBackoff))
		}
		level = slog.LevelDebug
		if !pause(ctx, listenBackoff) {
			return
		}
	}
}

// listenOnce listens until the connection is lost; listened tells whether there was one.
func (b *Bus) listenOnce(ctx context.Context) (listened bool, err error) {
	conn, err := pgx.Connect(ctx, b.store.url)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil {
		return false, err
	}
	b.hear(Message{Lost: true})
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return true, err
		}
		var m Message
		if err := json.Unmarshal([]byte(n.Payload), &m); err == nil && m.Node != b.node {
			b.hear(m)
		}
	}
}

// pause waits d; false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
