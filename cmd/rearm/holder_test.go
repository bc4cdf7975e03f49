package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// asHolder makes the test binary a server that tells, for every line that it reads, how many requests it holds and how many
// bytes of memory it has without its garbage: with "bare" one that is net/http and nothing else, with a database's URL a node.
const asHolder = "REARM_TEST_AS_HOLDER"

// runHolder is the holder's main.
func runHolder(what string) error {
	url, held, err := holder(what)
	if err != nil {
		return err
	}
	fmt.Println(url)
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		debug.FreeOSMemory()
		fmt.Println(held(), resident())
	}
	return nil
}

// holder starts a server.
func holder(what string) (url string, held func() int, err error) {
	if what == "bare" {
		return holdBare()
	}
	c := defaults()
	c.Listen, c.DatabaseURL, c.LogLevel = "127.0.0.1:0", what, slog.LevelWarn
	n, err := newNode(context.Background(), &c, newLogger(os.Stderr, &c))
	if err != nil {
		return "", nil, err
	}
	go func() { fmt.Fprintln(os.Stderr, n.run(context.Background())) }()
	<-n.ready
	return n.url() + "/engine-rest/external-task/fetchAndLock", n.room.Waiting, nil
}

// holdBare reads each request and keeps it until its client goes.
func holdBare() (url string, held func() int, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	var count atomic.Int64
	handler := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		count.Add(1)
		defer count.Add(-1)
		<-r.Context().Done()
	}
	go func() { fmt.Fprintln(os.Stderr, http.Serve(l, http.HandlerFunc(handler))) }()
	return "http://" + l.Addr().String() + "/", func() int { return int(count.Load()) }, nil
}

// resident gives the memory that this process has, in bytes; 0 where that is not known.
func resident() int64 {
	var total, pages int64
	b, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		_, _ = fmt.Sscan(string(b), &total, &pages)
	}
	return pages * int64(os.Getpagesize())
}

// keeper is a holder in a process of its own.
type keeper struct {
	url string
	ask func() (held int, bytes int64)
}

func startKeeper(t testing.TB, what string) keeper {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env, cmd.Stderr = append(os.Environ(), asHolder+"="+what), os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() }) // the end of its input ends it
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the holder did not start")
	}
	return keeper{lines.Text(), func() (held int, bytes int64) {
		fmt.Fprintln(in)
		lines.Scan()
		if _, err := fmt.Sscan(lines.Text(), &held, &bytes); err != nil {
			t.Fatal(err)
		}
		return held, bytes
	}}
}

// fill lets n clients wait, and gives the bytes that the holder needs for them.
func (k keeper) fill(t testing.TB, n int) int64 {
	t.Helper()
	_, before := k.ask()
	address, path, _ := strings.Cut(strings.TrimPrefix(k.url, "http://"), "/")
	conns := make([]net.Conn, n)
	defer func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	var group errgroup.Group
	group.SetLimit(32)
	for i := range n {
		group.Go(func() error {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				return err
			}
			conns[i] = conn
			body := fmt.Sprintf(`{"workerId": "worker-%d", "maxTasks": 10, "usePriority": true, "asyncResponseTimeout": 1800000,
				"topics": [{"topicName": "topic-%d", "lockDuration": 60000, "variables": null}], "sorting": []}`, i, i%100)
			_, err = fmt.Fprintf(conn, "POST /%s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nUser-Agent: test\r\nContent-Length: %d\r\n\r\n%s", path, address, len(body), body)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	var after int64
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		held, bytes := k.ask()
		if after = bytes; held == n {
			return after - before
		}
		if time.Now().After(end) {
			t.Fatalf("%d of %d wait", held, n)
		}
	}
}

// Requests that wait cost little more than net/http needs to hold as many. The clients are this process, each server is another.
func TestWaitingIsCheap(t *testing.T) {
	n, most := 10_000, 1.5
	if raceEnabled() { // which multiplies memory and time, and not evenly
		n, most = 1_000, 2.5
	}
	if resident() == 0 {
		t.Skip("memory is measured on Linux only")
	}
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur < 2000 {
		t.Skipf("too few open files are allowed: %d, %v", files.Cur, err)
	}
	n = min(n, int(files.Cur)-500)
	bare := startKeeper(t, "bare").fill(t, n)
	ours := startKeeper(t, "sqlite::memory:").fill(t, n)
	ratio := float64(ours) / float64(bare)
	t.Logf("%d waiting: net/http alone %d MB, rearm %d MB: %.2f times as much", n, bare>>20, ours>>20, ratio)
	if ratio > most {
		t.Errorf("want at most %.1f times as much", most)
	}
}

// raceEnabled tells whether the race detector watches.
func raceEnabled() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool { return s.Key == "-race" && s.Value == "true" })
}
