package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestAbuse: idle connections, clients that send slowly, a body of 1 GB and arrays in arrays make a server neither large nor deaf.
func TestAbuse(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("memory is measured on Linux only")
	}
	most, body := int64(512<<20), "64MB"
	if raceEnabled() { // which multiplies memory, and looks at all of a long text again and again
		most, body = 2<<30, "1MB"
	}
	c := startChild(t, "sqlite:"+t.TempDir()+"/rearm.db", "--max-body="+body)
	address := strings.TrimPrefix(c.url, "http://")
	ctx, stop := context.WithCancel(t.Context())
	var abusers sync.WaitGroup
	defer abusers.Wait()
	defer stop()
	for range 500 {
		dialUntil(t, ctx, &abusers, address)
	}
	for i := range 50 {
		conn := dialUntil(t, ctx, &abusers, address)
		abusers.Go(func() { dribble(ctx, conn, i) })
	}
	others := later(func() []time.Duration { return ordinary(t, c.url, 300) })
	for _, a := range []struct {
		name    string
		request string
		body    io.Reader
		wants   string
	}{
		{"1 GB that is announced", "Content-Length: 1073741824", io.LimitReader(endless{}, 1<<30), "HTTP/1.1 413"},
		{"1 GB that is not", "Transfer-Encoding: chunked", chunks(1 << 30), "HTTP/1.1 413"},
		{"10,000 arrays", "Content-Length: 20000", strings.NewReader(strings.Repeat("[", 10_000) + strings.Repeat("]", 10_000)), "HTTP/1.1 400"},
	} {
		conn := dialUntil(t, ctx, &abusers, address)
		fmt.Fprintf(conn, "POST /engine-rest/external-task/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n%s\r\n\r\n", a.request)
		sent := later(func() int64 { n, _ := io.Copy(conn, a.body); return n }) // the server stops reading, or closes the connection
		head := make([]byte, len(a.wants))
		if _, err := io.ReadFull(conn, head); err != nil || string(head) != a.wants {
			t.Errorf("%s: %q, %v; want %s", a.name, head, err, a.wants)
		}
		_ = conn.Close() // it has said what it has to say
		t.Logf("%s: answered after %d bytes", a.name, <-sent)
	}
	times := <-others
	if len(times) == 0 {
		t.Fatal("the others got no answers")
	}
	slices.Sort(times)
	peak := highWater(t, c.process.Pid)
	t.Logf("memory at most %d MB; others waited p50 %v, p99 %v, at most %v", peak>>20, times[len(times)/2], times[len(times)*99/100], times[len(times)-1])
	if peak > most {
		t.Errorf("it had %d MB, want at most %d", peak>>20, most>>20)
	}
	if p99 := times[len(times)*99/100]; p99 > patience {
		t.Errorf("others waited %v", p99)
	}
}

// dialUntil opens a connection that is closed when ctx ends.
func dialUntil(t *testing.T, ctx context.Context, all *sync.WaitGroup, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	all.Go(func() { <-ctx.Done(); _ = conn.Close() })
	return conn
}

// dribble sends the head of a request, or its body, a byte at a time.
func dribble(ctx context.Context, conn net.Conn, i int) {
	text := "POST /engine-rest/external-task/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n"
	if i%2 == 0 {
		fmt.Fprint(conn, text)
		text = strings.Repeat(" ", 100_000)
	}
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for ; text != ""; text = text[1:] {
		if _, err := io.WriteString(conn, text[:1]); err != nil {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// endless is spaces.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

// chunks is a body of n bytes in the chunked form.
func chunks(n int) io.Reader {
	const size = 1 << 16
	r, w := io.Pipe()
	go func() {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", size, strings.Repeat(" ", size))
		for sent := 0; sent < n; sent += size {
			if _, err := io.WriteString(w, chunk); err != nil {
				return
			}
		}
		_ = w.CloseWithError(io.EOF) // it cannot fail
	}()
	return r
}

// ordinary is a caller as any other, who makes and lists tasks, and gives how long each answer took.
func ordinary(t *testing.T, url string, n int) (times []time.Duration) {
	client := worker(t)
	for i := range n {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/engine-rest/external-task/create", strings.NewReader(`{"topicName": "a"}`))
		if i%2 == 0 {
			r, err = http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/engine-rest/external-task?maxResults=10", http.NoBody)
		}
		if err != nil {
			t.Error(err)
			return times
		}
		r.Header.Set("Content-Type", "application/json")
		start := time.Now()
		if got := answered(client, r); got.err != nil || got.status != 200 {
			t.Errorf("%+v", got)
			return times
		}
		times = append(times, time.Since(start))
	}
	return times
}

// highWater gives the most memory that a process has had, in bytes.
func highWater(t *testing.T, pid int) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	var kilobytes int64
	if _, err := fmt.Sscan(rest, &kilobytes); err != nil {
		t.Fatal(err)
	}
	return kilobytes << 10
}
