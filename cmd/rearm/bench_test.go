package main

import (
	"bytes"
	"context"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
)

// The benchmark runs on a database of its own, which it throws away, and measures everything that it promises.
func TestBench(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	code, stdout, stderr := outcome(t, nil, "bench", "--tasks=200", "--markdown")
	if code != 0 || strings.Contains(stderr, "level=") {
		t.Fatalf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	if !strings.Contains(stderr, "18 of 19 steps") || !strings.Contains(stderr, "19 of 19 steps") {
		t.Errorf("progress:\n%s", stderr)
	}
	for _, row := range []string{
		`^SQLite 3\.[\d.]+ on the same machine`, `create-bulk, 2,000 tasks a request \|  \| [\d,]+ tasks/s`,
		`POST, a batch of 200 by ids \| \S+s \| \S+s \| [\d.]+ \|`, `POST, a batch of 2,000 by query`, `re-arm 2,000 by ids, POST to end`,
		`re-arm 20 by query, POST to end`, `to zero, 1,000 incidents made`, `an item of 20, of 2,000`, `fetchAndLock, 4 workers, 10 tasks a request \| [\d,]+ tasks/s \| [\d,]+ tasks/s \| [\d.]+ \|`,
		`fetchAndLock, 1 worker, 1 task a request \|`, `fetchAndLock, 16 workers, 100 tasks a request \|  \| too few tasks are left`, `alone and beside a batch of 2,000, p99`, `a batch of 10 beside a batch of 2,000`, `GET /batch/\{id\}, 4 clients`,
	} {
		if !regexp.MustCompile(`(?m)` + row).MatchString(stdout) {
			t.Errorf("no row %q in\n%s", row, stdout)
		}
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// A database that somebody uses is left alone. One that has just been measured is such a database.
func TestBenchRefuses(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		args := []string{"bench", "--tasks=10", "--database-url=" + databaseURL}
		if code, stdout, stderr := outcome(t, nil, args...); code != 0 || !strings.Contains(stdout, "ratio") {
			t.Fatalf("exit %d\n%s\n%s", code, stdout, stderr)
		}
		code, stdout, stderr := outcome(t, nil, args...)
		if code != exitRefused || stdout != "" || !strings.Contains(stderr, "it has 111 tasks and") {
			t.Errorf("exit %d\n%s\n%s", code, stdout, stderr)
		}
	})
}

// The bare statements do to the rows what a batch does.
func TestBareDoesTheSame(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		ctx := t.Context()
		b := benchmarkOn(t, databaseURL, true, 10)
		g := b.groups[0]
		open := func() int {
			n, err := b.node.store.CountIncidents(ctx, &db.Filter{Values: map[string]any{"incidentType": db.FailedExternalTask}})
			if err != nil {
				t.Fatal(err)
			}
			return int(n)
		}
		bare, ids := b.node.store.Bare(), []db.ID{dbtest.ID(), dbtest.ID(), dbtest.ID(), dbtest.ID(), dbtest.ID()}
		for _, c := range []struct {
			what string
			do   func() error
			want int
		}{
			{"zero", func() error { return b.batch(ctx, timings{}, "", byIDs(0, g.half())) }, 5},
			{"bare re-arm", func() error { return bare.Rearm(ctx, g.ids, 5, 1) }, 0},
			{"bare zero", func() error { return bare.Zero(ctx, g.half(), ids, 1) }, 5},
			{"re-arm", func() error { return b.batch(ctx, timings{}, "", byTopic(5, g.topic)) }, 0},
		} {
			if err := c.do(); err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			if got := open(); got != c.want {
				t.Errorf("after %s there are %d incidents, want %d", c.what, got, c.want)
			}
		}
		if err := bare.Create(ctx, dbtest.ID(), append(g.ids[:9:9], dbtest.ID())); err == nil {
			t.Error("a batch was made of an id that no task has")
		}
		if n, err := bare.CreateOf(ctx, dbtest.ID(), g.topic); n != 10 || err != nil {
			t.Errorf("%d items, %v", n, err)
		}
		list, err := bare.Fetch(ctx, g.topic, "w", 3, db.TimeOf(time.Now().Add(time.Hour)))
		if err != nil || len(list) != 3 || *list[0].WorkerID != "w" {
			t.Errorf("fetched %v, %v", list, err)
		}
	})
}

func TestFetchedTwice(t *testing.T) {
	t.Parallel()
	s := seen{ids: map[string]bool{}}
	if s.add("a") != nil || s.add("b") != nil || s.add("a") == nil {
		t.Error("a task that came twice was not noticed")
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	table := table{title: "here"}
	table.times("a", 2*time.Second, 3*time.Second)
	table.rates("b", "tasks", 1_000_000, 500)
	table.rates("c", "tasks", 0, 0)
	for markdown, want := range map[bool]string{
		true:  "here\n\n| what | bare | rearm | ratio |\n|---|---:|---:|---:|\n| a | 2s | 3s | 1.50 |\n| b | 1,000,000 tasks/s | 500 tasks/s | 0.00 |\n| c | 0 tasks/s | 0 tasks/s |  |\n",
		false: "here\n\nwhat   bare                rearm         ratio\na      2s                  3s            1.50\nb      1,000,000 tasks/s   500 tasks/s   0.00\nc      0 tasks/s           0 tasks/s     \n",
	} {
		var out bytes.Buffer
		if err := table.print(&out, markdown); err != nil || out.String() != want {
			t.Errorf("%v\n%s", err, out.String())
		}
	}
	for d, want := range map[time.Duration]string{
		12_345_678_901: "12.35s", 123_456_789_012: "2m3s", 1_234_567: "1.23ms", 123_456_789: "123ms", 4_567: "4.57µs", 12: "12ns",
	} {
		if got := short(d); got != want {
			t.Errorf("%d is %s, want %s", d, got, want)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%d is %s", n, got)
		}
	}
	list := []int{5, 1, 4, 2, 3}
	if median(list) != 3 || percentile(list, 100) != 5 || percentile(list, 0) != 1 || median([]int(nil)) != 0 {
		t.Error("percentiles")
	}
}

// benchmarkOn starts a node on a database and makes groups of tasks. The executors run if they are wanted.
func benchmarkOn(t testing.TB, databaseURL string, execute bool, sizes ...int) *benchmark {
	t.Helper()
	c := defaults()
	c.Listen, c.DatabaseURL, c.JobExecutor = "127.0.0.1:0", databaseURL, execute
	var log bytes.Buffer
	c.LogFormat, c.LogLevel = "text", 8
	ctx, stop := context.WithCancel(context.Background())
	n, err := newNode(ctx, &c, newLogger(&log, &c))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- n.run(ctx) }()
	<-n.ready
	b, err := newBenchmark(ctx, n, sizes...)
	t.Cleanup(func() {
		b.bare.Close()
		stop()
		if err := <-ended; err != nil || log.Len() > 0 {
			t.Errorf("%v\n%s", err, log.String())
		}
	})
	for _, g := range b.groups {
		if err == nil {
			err = b.create(ctx, g)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}
