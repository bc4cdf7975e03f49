package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"rearm/db/dbtest"
	"rearm/gen"
)

// patience bounds every wait of these tests. It is long, since it only costs something when a test fails.
const patience = time.Minute

// logBook is what a program logs as JSON, and lets tests wait for a line. What has been written stands in it.
type logBook struct {
	mu      sync.Mutex
	entries []map[string]any
	text    strings.Builder
	rest    []byte // of a line that has no end yet
	more    chan struct{}
}

func newLogBook() *logBook { return &logBook{more: make(chan struct{}, 1)} }

// Write takes the next lines, or parts of them.
func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rest = append(b.rest, p...)
	for {
		line, rest, ended := bytes.Cut(b.rest, []byte("\n"))
		if !ended {
			break
		}
		var entry map[string]any
		_ = json.Unmarshal(line, &entry) // the last line of a program that failed is no JSON
		b.entries = append(b.entries, entry)
		b.text.WriteString(string(line) + "\n")
		b.rest = rest
	}
	select {
	case b.more <- struct{}{}:
	default:
	}
	return len(p), nil
}

// String gives all that was logged.
func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// all gives the entries with a message, so far.
func (b *logBook) all(message string) (list []map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e["msg"] == message {
			list = append(list, e)
		}
	}
	return list
}

// wait waits for the first entry with a message.
func (b *logBook) wait(t *testing.T, message string) map[string]any {
	t.Helper()
	timeout := time.After(patience)
	for {
		b.mu.Lock()
		for _, e := range b.entries {
			if e["msg"] == message {
				b.mu.Unlock()
				return e
			}
		}
		b.mu.Unlock()
		select {
		case <-b.more:
		case <-timeout:
			t.Fatalf("nothing logged %q:\n%s", message, b)
		}
	}
}

// server is a `rearm serve` that runs in this process.
type server struct {
	url    string
	client *gen.ClientWithResponses
	log    *logBook
	stop   func() int // stops it as a signal would, and gives the exit code
}

// startServer starts one on a free port and waits until it serves. It ends with the test.
func startServer(t *testing.T, databaseURL string, args ...string) *server {
	t.Helper()
	s := launch(t, databaseURL, args...)
	s.dial(t)
	return s
}

// launch starts a server and does not wait for it.
func launch(t *testing.T, databaseURL string, args ...string) *server {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	book := newLogBook()
	args = append([]string{"serve", "--listen=127.0.0.1:0", "--log-format=json", "--database-url=" + databaseURL}, args...)
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, args, env(nil).get, io.Discard, book) }()
	s := &server{log: book}
	s.stop = sync.OnceValue(func() int { cancel(); return <-ended })
	t.Cleanup(func() {
		if code := s.stop(); code != 0 {
			t.Errorf("the server ended with %d:\n%s", code, book)
		}
	})
	return s
}

// dial waits until the server serves and makes a client of it.
func (s *server) dial(t *testing.T) {
	t.Helper()
	s.url = s.log.wait(t, "rearm serves")["url"].(string)
	var err error
	if s.client, err = gen.NewClientWithResponses(s.url + "/engine-rest"); err != nil {
		t.Fatal(err)
	}
}

// child is a `rearm serve` in a process of its own, which may be killed.
type child struct {
	*server
	process *os.Process
	wait    func() error
}

// startChild starts one on a free port and waits until it serves. It is killed when the test ends.
func startChild(t *testing.T, databaseURL string, args ...string) *child {
	t.Helper()
	c := spawn(t, databaseURL, args...)
	c.dial(t)
	return c
}

// spawn starts a child and does not wait for it. The race detector must not hold up its end.
func spawn(t *testing.T, databaseURL string, args ...string) *child {
	t.Helper()
	book := newLogBook()
	args = append([]string{"serve", "--listen=127.0.0.1:0", "--log-format=json", "--database-url=" + databaseURL}, args...)
	cmd := exec.CommandContext(context.Background(), os.Args[0], args...)
	cmd.Env, cmd.Stderr = append(os.Environ(), asProgram+"=1", "GORACE=atexit_sleep_ms=0"), book
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{server: &server{log: book}, process: cmd.Process, wait: sync.OnceValue(cmd.Wait)}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = c.wait() }) // it may have ended long ago
	return c
}

// kill kills the process, which must not have ended by itself before.
func (c *child) kill(t *testing.T) {
	t.Helper()
	_ = c.process.Kill() // how it ended tells more
	var exit *exec.ExitError
	if err := c.wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("before it was killed it had ended: %v\n%s", err, c.log)
	}
}

// terminate stops the process by SIGTERM, which must end it with 0, and gives how long that took.
func (c *child) terminate(t *testing.T) time.Duration {
	t.Helper()
	start := time.Now()
	if err := c.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := c.wait(); err != nil {
		t.Errorf("stopped by SIGTERM: %v\n%s", err, c.log)
	}
	return time.Since(start)
}

// until waits until ok says true, asking again and again.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// fetched gives the status and the body of a page.
func fetched(t *testing.T, url string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read to its end
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res.StatusCode, string(b)
}

// eachDatabase runs f with the URL of a new database of either kind.
func eachDatabase(t *testing.T, f func(t *testing.T, databaseURL string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); f(t, "sqlite:"+filepath.Join(t.TempDir(), "rearm.db")) })
	t.Run("postgres", func(t *testing.T) { t.Parallel(); f(t, dbtest.PostgresURL(t)) })
}
