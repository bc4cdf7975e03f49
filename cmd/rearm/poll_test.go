package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/contract"
	"rearm/impl/contract/contracttest"
	"rearm/impl/engine"
	"rearm/impl/observe"
	"rearm/impl/poll"
)

// startNode starts a node whose parts a test can look at. It ends with the test.
func startNode(t testing.TB, databaseURL string, change func(*Config)) *node {
	t.Helper()
	n, stop := startStoppable(t, databaseURL, change)
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// startStoppable starts a node that has to be stopped.
func startStoppable(t testing.TB, databaseURL string, change func(*Config)) (n *node, stop func() error) {
	t.Helper()
	c := defaults()
	c.Listen, c.DatabaseURL = "127.0.0.1:0", databaseURL
	if change != nil {
		change(&c)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n, err := newNode(ctx, &c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := later(func() error { return n.run(ctx) })
	<-n.ready
	return n, func() error { cancel(); return <-ended }
}

// untilWaiting waits until as many requests wait.
func (n *node) untilWaiting(t testing.TB, want int) {
	t.Helper()
	for end := time.Now().Add(patience); n.room.Waiting() != want; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d wait, want %d", n.room.Waiting(), want)
		}
	}
}

// worker is a client whose answers are held against the contract.
func worker(t testing.TB) *http.Client {
	t.Helper()
	document, err := contract.Load(gen.Document)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Transport: contracttest.Transport(t, document, nil)}
}

// heard is what a worker heard, and when.
type heard struct {
	status int
	retry  string
	text   string
	at     time.Time
	err    error
}

// fetch asks for a task of a topic and waits for it.
func (n *node) fetch(ctx context.Context, c *http.Client, worker, topic string) heard {
	body := fmt.Sprintf(`{"workerId": %q, "maxTasks": 1, "asyncResponseTimeout": 60000, "topics": [{"topicName": %q, "lockDuration": 600000}]}`, worker, topic)
	return n.post(ctx, c, "/external-task/fetchAndLock", body)
}

func (n *node) post(ctx context.Context, c *http.Client, path, body string) heard {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url()+"/engine-rest"+path, strings.NewReader(body))
	if err != nil {
		return heard{err: err}
	}
	r.Header.Set("Content-Type", "application/json")
	return answered(c, r)
}

// answered sends a request and reads the answer.
func answered(c *http.Client, r *http.Request) heard {
	res, err := c.Do(r)
	if err != nil {
		return heard{err: err}
	}
	defer res.Body.Close() //nolint:errcheck // it was read to its end
	text, err := io.ReadAll(res.Body)
	return heard{res.StatusCode, res.Header.Get("Retry-After"), string(text), time.Now(), err}
}

// later does something in the background.
func later[T any](f func() T) <-chan T {
	done := make(chan T, 1)
	go func() { done <- f() }()
	return done
}

// wants checks an answer; text is part of it.
func (h heard) wants(t testing.TB, status int, text string) {
	t.Helper()
	if h.err != nil || h.status != status || !strings.Contains(h.text, text) {
		t.Errorf("heard %d %q, %v; want %d %s", h.status, h.text, h.err, status, text)
	}
}

// A client that hangs up while it waits frees its place and locks nothing.
func TestPollHangsUp(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		n, c := startNode(t, databaseURL, nil), worker(t)
		ctx, hangUp := context.WithCancel(t.Context())
		gone := later(func() heard { return n.fetch(ctx, http.DefaultClient, "gone", "a") })
		n.untilWaiting(t, 1)
		hangUp()
		<-gone
		n.untilWaiting(t, 0)
		n.post(t.Context(), c, "/external-task/create", `{"topicName": "a"}`).wants(t, 200, `"lockExpirationTime":null`)
		n.fetch(t.Context(), c, "here", "a").wants(t, 200, `"workerId":"here"`)
	})
}

// At a stop those who wait are answered with nothing, and the stop does not wait for them.
func TestStopEndsPolls(t *testing.T) {
	t.Parallel()
	n, stop := startStoppable(t, "sqlite::memory:", nil)
	c, answers := worker(t), make(chan heard, 20)
	for i := range cap(answers) {
		go func() { answers <- n.fetch(context.Background(), c, fmt.Sprint(i), "a") }()
	}
	n.untilWaiting(t, cap(answers))
	start := time.Now()
	if err := stop(); err != nil || time.Since(start) > grace {
		t.Errorf("the stop took %v, %v", time.Since(start), err)
	}
	for range cap(answers) {
		(<-answers).wants(t, 200, "[]")
	}
}

func TestMaxWaiting(t *testing.T) {
	t.Parallel()
	n, c := startNode(t, "sqlite::memory:", func(c *Config) { c.Waiting.MaxWaiting = 1 }), worker(t)
	first := later(func() heard { return n.fetch(context.Background(), c, "first", "a") })
	n.untilWaiting(t, 1)
	second := n.fetch(t.Context(), c, "second", "a")
	second.wants(t, 503, `"type":"InvalidRequestException","message":"At the moment the server has to handle too many requests at the same time. Please try again later.","code":null`)
	if second.retry == "" {
		t.Error("a 503 without Retry-After")
	}
	n.post(t.Context(), c, "/external-task/create", `{"topicName": "a"}`)
	(<-first).wants(t, 200, `"workerId":"first"`)
}

func TestUniqueWorkerRequest(t *testing.T) {
	t.Parallel()
	n, c := startNode(t, "sqlite::memory:", func(c *Config) { c.Waiting.UniqueWorker = true }), worker(t)
	first := later(func() heard { return n.fetch(context.Background(), c, "w", "a") })
	n.untilWaiting(t, 1)
	second := later(func() heard { return n.fetch(context.Background(), c, "w", "a") })
	(<-first).wants(t, 503, "A newer request of the worker 'w' waits")
	n.post(t.Context(), c, "/external-task/create", `{"topicName": "a"}`)
	(<-second).wants(t, 200, `"workerId":"w"`)
}

// pipes is a network without a network, so that time can be that of a bubble.
type pipes struct{ conns chan net.Conn }

func (p pipes) Accept() (net.Conn, error) {
	if c, ok := <-p.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pipes) Close() error   { close(p.conns); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }
func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	here, there := net.Pipe()
	p.conns <- there
	return here, nil
}

// No timeout of the server cuts a poll that lasts as long as the contract allows; and the connection can be used afterwards.
func TestPollOfHalfAnHour(t *testing.T) {
	t.Parallel()
	for name, version := range map[string]int{"HTTP": 0, "HTTPS": 1, "HTTPS, HTTP/2": 2} {
		t.Run(name, func(t *testing.T) { t.Parallel(); halfAnHour(t, version) })
	}
}

// halfAnHour polls twice, on a version of HTTP over TLS, or without TLS (0).
func halfAnHour(t *testing.T, version int) {
	synctest.Test(t, func(t *testing.T) {
		c, log, network := defaults(), slog.New(slog.DiscardHandler), pipes{make(chan net.Conn)}
		store, err := db.Open(t.Context(), "sqlite::memory:", db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		e := engine.New(store, engine.Options{Now: time.Now, NewID: dbtest.ID, Log: log, Wake: func([]string) {}, Run: func() {}, Settings: c.Engine})
		room := poll.New(e, c.Waiting, log, time.Now)
		health := &health{database: store}
		health.state.Store(serving)
		handler, err := newHandler(&c, e, room, health, nil, observe.New(observe.Options{Log: log, Now: time.Now, NewID: requestID}), log)
		if err != nil {
			t.Fatal(err)
		}
		server := newServer(handler, log)
		ctx, cancel := context.WithCancel(t.Context())
		ended := later(func() error { return room.Run(ctx) })
		listener, transport, url := net.Listener(network), &http.Transport{DialContext: network.dial}, "http://x"
		if version > 0 {
			listener, url = securely(t, network, transport, version), "https://x"
		}
		served := later(func() error { return server.Serve(contract.Listener(listener)) })
		start := time.Now()
		for range 2 {
			res, err := (&http.Client{Transport: transport}).Post(url+"/engine-rest/external-task/fetchAndLock", "application/json",
				strings.NewReader(`{"workerId": "w", "maxTasks": 1, "asyncResponseTimeout": 1800000, "topics": [{"topicName": "a", "lockDuration": 1000}]}`))
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(res.Body)
			if err != nil || res.StatusCode != 200 || strings.TrimSpace(string(text)) != "[]" || res.ProtoMajor != max(version, 1) {
				t.Errorf("%s %d %q, %v", res.Proto, res.StatusCode, text, err)
			}
		}
		if took := time.Since(start); took.Round(time.Second) != time.Hour {
			t.Errorf("two polls took %v", took)
		}
		transport.CloseIdleConnections()
		_ = server.Close() // it has nothing to do
		cancel()
		if err := errors.Join(<-ended, store.Close()); err != nil || !errors.Is(<-served, http.ErrServerClosed) {
			t.Errorf("it ended with %v", err)
		}
		time.Sleep(time.Minute) // the stacks go
	})
}

// securely makes both ends of a network speak TLS, and a version of HTTP.
func securely(t *testing.T, network net.Listener, transport *http.Transport, version int) net.Listener {
	t.Helper()
	a := newAuthority(t)
	files := a.files(t, "x")
	files.clientCA = ""
	secure, err := newCertificates(files, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	transport.TLSClientConfig, transport.Protocols = a.client(t, ""), new(http.Protocols)
	transport.Protocols.SetHTTP1(version == 1)
	transport.Protocols.SetHTTP2(version == 2)
	return contract.TLSListener(network, secure.config(), slog.New(slog.DiscardHandler))
}

// wakeUps lets a worker wait at one node again and again while tasks are made at another, and gives how long it took to hear of
// each, sorted.
func wakeUps(t testing.TB, from, to *node, times int) []time.Duration {
	t.Helper()
	client := worker(t)
	var list []time.Duration
	for i := range times {
		topic := fmt.Sprint("wake-", i)
		answer := later(func() heard { return to.fetch(t.Context(), client, "w", topic) })
		to.untilWaiting(t, 1)
		time.Sleep(25 * time.Millisecond) // it waits, and the surveys of its topic are over
		start := time.Now()
		from.post(t.Context(), client, "/external-task/create", fmt.Sprintf(`{"topicName": %q}`, topic)).wants(t, 200, topic)
		got := <-answer
		got.wants(t, 200, topic)
		list = append(list, got.at.Sub(start))
	}
	slices.Sort(list)
	return list
}

// What happens at one node wakes who waits at another long before a survey could.
func TestWakesAcrossNodes(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.PostgresURL(t)
	a, b := startNode(t, databaseURL, nil), startNode(t, databaseURL, nil)
	if list := wakeUps(t, a, b, 11); list[5] > time.Second {
		t.Errorf("created there: %v", list)
	}
	client := worker(t)
	var took []time.Duration
	for i := range 5 {
		topic := fmt.Sprint("lock-", i)
		answer := later(func() heard { return b.fetch(t.Context(), client, "w", topic) })
		b.untilWaiting(t, 1)
		start := time.Now()
		a.post(t.Context(), client, "/external-task/create", fmt.Sprintf(`{"topicName": %q}`, topic)).wants(t, 200, topic)
		(<-answer).wants(t, 200, topic)
		again := later(func() heard { return a.fetch(t.Context(), client, "w2", topic) })
		a.untilWaiting(t, 1)
		id := b.only(t, client, topic)
		b.post(t.Context(), client, "/external-task/"+id+"/failure", `{"workerId": "w", "retries": 1, "retryTimeout": 300}`).wants(t, 204, "")
		got := <-again
		got.wants(t, 200, `"workerId":"w2"`)
		took = append(took, got.at.Sub(start))
	}
	if slices.Sort(took); took[2] > 2*time.Second {
		t.Errorf("a retry timeout ran out there: %v", took)
	}
}

// only gives the id of the one task of a topic.
func (n *node) only(t testing.TB, c *http.Client, topic string) string {
	t.Helper()
	got := n.post(t.Context(), c, "/external-task", fmt.Sprintf(`{"topicName": %q}`, topic))
	_, rest, _ := strings.Cut(got.text, `"id":"`)
	id, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatal(got)
	}
	return id
}

// BenchmarkWakeUp measures from the request that makes a task to the answer of the worker who waited for it.
func BenchmarkWakeUp(b *testing.B) {
	for _, kind := range []string{"sqlite", "postgres", "postgres-other-node"} {
		b.Run(kind, func(b *testing.B) {
			databaseURL := "sqlite:" + b.TempDir() + "/rearm.db"
			if kind != "sqlite" {
				databaseURL = dbtest.PostgresURL(b)
			}
			from := startNode(b, databaseURL, nil)
			to := from
			if kind == "postgres-other-node" {
				to = startNode(b, databaseURL, nil)
			}
			list := wakeUps(b, from, to, max(b.N, 2))
			b.ReportMetric(float64(list[len(list)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(list[len(list)*99/100].Microseconds())/1000, "p99-ms")
			b.ReportMetric(0, "ns/op")
		})
	}
}
