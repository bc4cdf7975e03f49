package main

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/oapi-codegen/nullable"

	"rearm/db/dbtest"
	"rearm/gen"
)

// bulkRetry makes n failed tasks and retries them in one batch; it waits for the batch's end and gives its id.
func bulkRetry(t *testing.T, s *server, n int) (batch string) {
	t.Helper()
	play := &troupe{s.url + "/engine-rest", s.client}
	if err := play.create(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if failed, err := play.failAll(t.Context()); err != nil || failed != n {
		t.Fatalf("%d failed, %v; want %d", failed, err, n)
	}
	if open := incidents(t, s); open != n {
		t.Fatalf("%d incidents before, want %d", open, n)
	}
	batch, err := play.retryAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := play.watch(t.Context(), io.Discard, batch); err != nil {
		t.Fatal(err)
	}
	return batch
}

// retryTopic sets the retries of all tasks of a topic in one batch, and gives its id.
func retryTopic(t *testing.T, s *server, topic string, retries int32) (batch string) {
	t.Helper()
	res, err := s.client.SetExternalTaskRetriesAsyncOperationWithResponse(t.Context(), &gen.SetExternalTaskRetriesAsyncOperationParams{},
		gen.SetRetriesForExternalTasksDto{Retries: retries, ExternalTaskQuery: nullable.NewNullableWithValue(gen.ExternalTaskQueryDto{
			TopicName: nullable.NewNullableWithValue(topic),
		})})
	if err != nil || res.JSON200 == nil {
		t.Fatalf("%v, %s", err, res.Body)
	}
	return res.JSON200.ID
}

func incidents(t *testing.T, s *server) int {
	t.Helper()
	res, err := s.client.GetIncidentsCountWithResponse(t.Context(), &gen.GetIncidentsCountParams{})
	if err != nil || res.JSON200 == nil {
		t.Fatalf("%v, %+v", err, res)
	}
	return int(res.JSON200.Count)
}

// The whole path, by the contract's own client: create, fail, retry in bulk, see that it is well again, stop.
func TestServe(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		s := startServer(t, databaseURL)
		batch := bulkRetry(t, s, 250)
		if open := incidents(t, s); open != 0 {
			t.Errorf("%d incidents after, want none", open)
		}
		history, err := s.client.GetHistoricBatchWithResponse(t.Context(), batch)
		if err != nil || history.JSON200 == nil || history.JSON200.TotalJobs != 250 || history.JSON200.EndTime.IsNull() {
			t.Errorf("the batch's history: %v, %s", err, history.Body)
		}
		version, err := s.client.GetRestAPIVersionWithResponse(t.Context())
		if err != nil || version.JSON200 == nil || version.JSON200.Version != "7.24.0" {
			t.Errorf("the version: %v, %+v", err, version)
		}
		if code := s.stop(); code != 0 {
			t.Errorf("exit %d", code)
		}
		if text := s.log.String(); strings.Contains(text, `"level":"ERROR"`) || strings.Contains(text, `"level":"WARN"`) {
			t.Errorf("a clean run logs nothing bad:\n%s", text)
		}
	})
}

func TestPagesBesideTheContract(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	for path, contains := range map[string]string{
		"/healthz": "ok", "/readyz": "ready", "/": "swagger-ui", "/docs": "swagger-ui", "/openapi.yaml": "openapi: 3.0.3",
		"/openapi.json": `"operationId":"setExternalTaskRetriesAsyncOperation"`, "/engine-rest/engine": `[{"name":"default"}]`,
	} {
		if status, body := fetched(t, s.url+path); status != 200 || !strings.Contains(body, contains) {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
	if status, body := fetched(t, s.url+"/nothing"); status != 404 || !strings.Contains(body, `"type":"NotFoundException"`) {
		t.Errorf("/nothing: %d %s", status, body)
	}
}

// With the executor off a batch stays where it is.
func TestServeWithoutExecutor(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--job-executor=false", "--batch-jobs-per-seed=7", "--invocations-per-batch-job=3")
	play := &troupe{s.url + "/engine-rest", s.client}
	if err := play.create(t.Context(), 10); err != nil {
		t.Fatal(err)
	}
	if _, err := play.failAll(t.Context()); err != nil {
		t.Fatal(err)
	}
	batch, err := play.retryAll(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	res, err := s.client.GetBatchWithResponse(t.Context(), batch)
	if err != nil || res.JSON200 == nil || res.JSON200.JobsCreated != 0 || res.JSON200.TotalJobs != 4 || res.JSON200.BatchJobsPerSeed != 7 || res.JSON200.InvocationsPerBatchJob != 3 {
		t.Fatalf("%v, %s", err, res.Body)
	}
}

// History whose time has come goes, on a node that runs jobs; one that runs none leaves it.
func TestServeCleansUp(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		s := startServer(t, databaseURL, "--job-executor=false", "--history-ttl=1ms")
		made, err := s.client.CreateExternalTaskWithResponse(t.Context(), nil, gen.CreateExternalTaskDto{TopicName: "t"})
		if err != nil || made.JSON200 == nil {
			t.Fatalf("create: %v, %s", err, made.Body)
		}
		if res, err := s.client.LockWithResponse(t.Context(), made.JSON200.ID, gen.LockExternalTaskDto{WorkerID: "w", LockDuration: 60000}); err != nil || res.StatusCode() != 204 {
			t.Fatalf("lock: %v, %s", err, res.Body)
		}
		if res, err := s.client.CompleteExternalTaskResourceWithResponse(t.Context(), made.JSON200.ID, gen.CompleteExternalTaskDto{WorkerID: "w"}); err != nil || res.StatusCode() != 204 {
			t.Fatalf("complete: %v, %s", err, res.Body)
		}
		s.stop()
		entry := startServer(t, databaseURL).log.wait(t, "history was cleaned up")
		if entry["scopes"] != 1.0 || entry["task_log"] != 2.0 || entry["batches"] != 0.0 {
			t.Errorf("cleaned up %v", entry)
		}
	})
}

// SQLite serves one process: the second ends with one clear line and exit 2, and takes no port.
func TestSecondServerOnOneFile(t *testing.T) {
	t.Parallel()
	file := "sqlite:" + filepath.Join(t.TempDir(), "rearm.db")
	first := startServer(t, file)
	code, _, stderr := outcome(t, nil, "serve", "--log-level=error", "--listen="+strings.TrimPrefix(first.url, "http://"), "--database-url="+file)
	if code != 2 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "in use by another rearm") {
		t.Errorf("exit %d:\n%s", code, stderr)
	}
	if status, _ := fetched(t, first.url+"/readyz"); status != 200 {
		t.Errorf("the first one is %d", status)
	}
	if code, _, stderr := outcome(t, nil, "serve", "--listen="+strings.TrimPrefix(first.url, "http://"), "--database-url=sqlite::memory:"); code != 1 || !strings.Contains(stderr, "address already in use") {
		t.Errorf("exit %d:\n%s", code, stderr)
	}
}

// A server may start before its database. Until then it lives and is not ready; afterwards it serves.
func TestWaitsForTheDatabase(t *testing.T) {
	t.Parallel()
	late := newLateDatabase(t)
	s := launch(t, late.url)
	s.log.wait(t, "waiting for the database")
	url := s.log.wait(t, "rearm listens, and is not ready yet")["url"].(string)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/docs": 200, "/engine-rest/batch": 503} {
		if status, body := fetched(t, url+path); status != want {
			t.Errorf("while it waits %s is %d %.200s, want %d", path, status, body, want)
		}
	}
	late.come()
	s.dial(t)
	if status, body := fetched(t, s.url+"/readyz"); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	late.leave()
	until(t, "not ready while the database is away", func() bool { status, _ := fetched(t, s.url+"/readyz"); return status == 503 })
	if status, _ := fetched(t, s.url+"/healthz"); status != 200 {
		t.Errorf("it lives all the same, but answers %d", status)
	}
	if status, body := fetched(t, s.url+"/engine-rest/batch"); status != 503 || !strings.Contains(body, `"type":"ProcessEngineException"`) {
		t.Errorf("%d %s", status, body)
	}
	late.come()
	until(t, "ready when it is back", func() bool { status, _ := fetched(t, s.url+"/readyz"); return status == 200 })
}

// A stop while it waits for the database is a clean one.
func TestStopsWhileWaiting(t *testing.T) {
	t.Parallel()
	s := launch(t, newLateDatabase(t).url)
	s.log.wait(t, "waiting for the database")
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d:\n%s", code, s.log)
	}
}

// A database that lets nobody in is not waited for.
func TestDoesNotWaitForAStranger(t *testing.T) {
	t.Parallel()
	code, _, stderr := outcome(t, nil, "serve", "--listen=127.0.0.1:0", "--database-url="+strings.Replace(dbtest.PostgresURL(t), "/t", "/nobody", 1))
	if code != 2 || !strings.Contains(stderr, "the database cannot be used") {
		t.Errorf("exit %d:\n%s", code, stderr)
	}
}

// A stop lets requests that run come to their end.
func TestStopFinishesRequests(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	body, w := io.Pipe()
	reading := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/engine-rest/external-task/create", body)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Expect", "100-continue")
	status := make(chan string, 1)
	go func() {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			status <- err.Error()
			return
		}
		status <- res.Status
		_ = res.Body.Close()
	}()
	<-reading // the server has begun with the body
	stopped := make(chan int, 1)
	go func() { stopped <- s.stop() }()
	s.log.wait(t, "rearm stops; a second signal ends it at once")
	fmt.Fprint(w, `{"topicName": "last"}`)
	_ = w.Close()
	if got := <-status; got != "200 OK" {
		t.Errorf("the request that ran got %s", got)
	}
	if code := <-stopped; code != 0 {
		t.Errorf("exit %d", code)
	}
}

// A signal ends the process cleanly; the file is free afterwards.
func TestSignal(t *testing.T) {
	t.Parallel()
	file := "sqlite:" + filepath.Join(t.TempDir(), "rearm.db")
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt} {
		c := startChild(t, file)
		if err := c.process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		if err := c.wait(); err != nil {
			t.Errorf("%v: %v\n%s", signal, err, c.log)
		}
	}
}

// A second signal ends a stop that takes its time.
func TestSecondSignal(t *testing.T) {
	t.Parallel()
	c := startChild(t, "sqlite::memory:")
	conn, err := net.Dial("tcp", strings.TrimPrefix(c.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the server has gone by then
	fmt.Fprint(conn, "POST /engine-rest/external-task/create HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n")
	if _, err := conn.Read(make([]byte, 1)); err != nil { // it waits for the body now
		t.Fatal(err)
	}
	if err := c.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.log.wait(t, "rearm stops; a second signal ends it at once")
	if err := c.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := c.wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("%v; want that the signal ended it", err)
	}
}

// After kill -9 in the middle of a batch, the next process ends the batch, without anybody's help.
func TestBatchSurvivesKill(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		const n = 20_000
		first := startChild(t, databaseURL)
		play := &troupe{first.url + "/engine-rest", first.client}
		if err := play.create(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		topic := demoTopic
		batch := retryTopic(t, first.server, topic, 5)
		if err := first.process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = first.wait() // it was killed
		second := startServer(t, databaseURL)
		if err := (&troupe{second.url + "/engine-rest", second.client}).watch(t.Context(), io.Discard, batch); err != nil {
			t.Fatal(err)
		}
		res, err := second.client.GetExternalTasksWithResponse(t.Context(), &gen.GetExternalTasksParams{TopicName: &topic})
		if err != nil || res.JSON200 == nil || len(*res.JSON200) != n {
			t.Fatalf("%v, %.300s", err, res.Body)
		}
		for _, task := range *res.JSON200 {
			if got, err := task.Retries.Get(); err != nil || got != 5 {
				t.Fatalf("task %s has %v retries, %v", task.ID, got, err)
			}
		}
	})
}
