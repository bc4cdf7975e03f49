package main

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
)

func TestDemoOnce(t *testing.T) {
	t.Parallel()
	code, stdout, stderr := outcome(t, nil, "demo", "--once", "--tasks=300", "--listen=127.0.0.1:0", "--invocations-per-batch-job=7")
	if code != 0 || stderr != "" {
		t.Fatalf("exit %d\n%s\n%s", code, stdout, stderr)
	}
	for _, line := range []string{
		`created  300 external tasks`, `failed   300 of them`, `open     300 incidents`, `43 of 43 jobs`,
		`items    300 set, 0 unchanged, 0 gone, 0 skipped, 0 failed, 0 pending`, `open     0 incidents`,
	} {
		if !regexp.MustCompile(line).MatchString(stdout) {
			t.Errorf("no line %q in\n%s", line, stdout)
		}
	}
	if strings.Contains(stdout, "\r") {
		t.Error("a bar was drawn where there is no terminal")
	}
}

// The demo leaves nothing behind, keeps serving until it is stopped, and gives way when the default port is taken.
func TestDemoServesOn(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	if taken, err := net.Listen("tcp", defaults().Listen); err == nil {
		defer taken.Close() //nolint:errcheck // the end of the test
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	out := &lines{until: "rearm serves on until ctrl-C.", seen: make(chan struct{})}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, []string{"demo", "--tasks=10"}, env(nil).get, out, out) }()
	select {
	case <-out.seen:
	case code := <-ended:
		t.Fatalf("exit %d\n%s", code, out)
	}
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+`).FindString(out.String())
	if status, body := fetched(t, url+"/engine-rest/external-task/count?topicName=demo&withRetriesLeft=true"); status != 200 || body != `{"count":10}`+"\n" && body != `{"count":10}` {
		t.Errorf("%d %s", status, body)
	}
	if !regexp.MustCompile(`curl -s '` + url + `/engine-rest/history/batch/[0-9a-f-]{36}'`).MatchString(out.String()) {
		t.Errorf("nothing to try in\n%s", out)
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d\n%s", code, out)
	}
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// lines is an output that tells when a text has come.
type lines struct {
	mu    sync.Mutex
	text  strings.Builder
	until string
	seen  chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.Contains(string(p), l.until) {
		close(l.seen)
	}
	return l.text.Write(p)
}

// String gives all that was written.
func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func TestBar(t *testing.T) {
	t.Parallel()
	show := func(live bool) string {
		var out bytes.Buffer
		b := newBar(&out, "jobs")
		b.live = live
		for _, done := range []int32{0, 1, 5, 9, 10, 99, 100} {
			b.show(done, 100)
		}
		b.end()
		return out.String()
	}
	if got, want := show(false), "         0 of 100 jobs\n         10 of 100 jobs\n         99 of 100 jobs\n         100 of 100 jobs\n"; got != want {
		t.Errorf("lines: %q", got)
	}
	live := show(true)
	if last := fmt.Sprintf("\r         [%s] 100 of 100 jobs\n", strings.Repeat("#", width)); strings.Count(live, "\r") != 7 || !strings.HasSuffix(live, last) {
		t.Errorf("bar: %q", live)
	}
	var none bytes.Buffer
	newBar(&none, "jobs").show(0, 0) // a batch without jobs
	if none.String() != "         0 of 0 jobs\n" {
		t.Errorf("%q", none.String())
	}
}
