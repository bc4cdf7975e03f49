package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"rearm/db/dbtest"
)

// ask sends a request with a body, if there is one, and with a header of pairs.
func (s *server) ask(t testing.TB, method, path, body string, header ...string) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/engine-rest"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	return res
}

// exercised are the numbers of what exercise does, which starts with an empty database.
var exercised = map[string]float64{
	`rearm_tasks_created_total`: 120,
	`rearm_tasks_locked_total`:  122,
	`rearm_tasks_failed_total`:  120,
	`rearm_http_requests_total{code="404",operation="completeExternalTaskResource"}`:         1,
	`rearm_http_requests_total{code="400",operation="setExternalTaskRetriesAsyncOperation"}`: 1,
	`rearm_http_requests_total{code="200",operation="setExternalTaskRetriesAsyncOperation"}`: 1,
	`rearm_http_request_duration_seconds_count{operation="handleFailure",status="2xx"}`:      120,
	`rearm_batches_created_total{type="set-external-task-retries"}`:                          1,
	`rearm_batches_ended_total{outcome="completed",type="set-external-task-retries"}`:        1,
	`rearm_batches_ended_total{outcome="deleted",type="set-external-task-retries"}`:          0,
	`rearm_batch_items_total{outcome="set",type="set-external-task-retries"}`:                120,
	`rearm_batch_items_total{outcome="unchanged",type="set-external-task-retries"}`:          0,
	`rearm_job_failures_total{type="set-external-task-retries"}`:                             0,
	`rearm_incidents_open{type="failedExternalTask"}`:                                        0,
	`rearm_batches_running{state="active"}`:                                                  0,
	`rearm_executor_takeovers_total`:                                                         0,
	`rearm_executor_chunk_duration_seconds_count{outcome="failed"}`:                          0,
	`rearm_database_up`:         1,
	`rearm_writes_waiting`:      0,
	`rearm_fetches_waiting`:     0,
	`rearm_fetches_waiting_max`: 20000,
}

// uncounted tells which of the numbers are not there, and what is there instead.
func uncounted(all map[string]*family) (wrong []string) {
	for sample, want := range exercised {
		name, _, _ := strings.Cut(sample, "{")
		f := familyOf(all, name)
		if f == nil {
			wrong = append(wrong, "no metric "+name)
			continue
		}
		if got, ok := f.samples[sample]; !ok || got != want {
			wrong = append(wrong, fmt.Sprint(sample, " is ", got, ", want ", want))
		}
	}
	return wrong
}

// The numbers are those of what was done. The last are counted when their answers have been sent.
func TestMetricsCount(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		s := startServer(t, databaseURL)
		exercise(t, s)
		var all map[string]*family
		for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
			all = scrape(t, s.url+"/metrics")
			if wrong := uncounted(all); len(wrong) == 0 {
				break
			} else if time.Now().After(end) {
				t.Fatal(strings.Join(wrong, "\n"))
			}
		}
		if f := all["rearm_executor_lag_seconds"]; f.samples["rearm_executor_lag_seconds_count"] < 1 {
			t.Errorf("no lag: %v", f.samples)
		}
	})
}

// A request that waits is counted when it is answered, with the time that it has waited.
func TestMetricsOfWaiting(t *testing.T) {
	t.Parallel()
	n, client := startNode(t, "sqlite::memory:", nil), worker(t)
	answer := later(func() heard { return n.fetch(t.Context(), client, "w", "a") })
	n.untilWaiting(t, 1)
	const answered = `rearm_http_requests_total{code="200",operation="fetchAndLock"}`
	before := scrape(t, n.url()+"/metrics")
	if before["rearm_http_requests_total"] != nil && before["rearm_http_requests_total"].samples[answered] != 0 || before["rearm_fetches_waiting"].samples["rearm_fetches_waiting"] != 1 {
		t.Errorf("while it waits: %v", before["rearm_http_requests_total"])
	}
	n.post(t.Context(), client, "/external-task/create", `{"topicName": "a"}`).wants(t, 200, "id")
	(<-answer).wants(t, 200, `"workerId":"w"`)
	until(t, "the request is counted", func() bool {
		return scrape(t, n.url()+"/metrics")["rearm_http_requests_total"].samples[answered] == 1
	})
	ctx, hangUp := context.WithCancel(t.Context())
	gone := later(func() heard { return n.fetch(ctx, http.DefaultClient, "gone", "b") })
	n.untilWaiting(t, 1)
	hangUp()
	<-gone
	until(t, "the client that has gone is counted", func() bool {
		return scrape(t, n.url()+"/metrics")["rearm_http_requests_total"].samples[`rearm_http_requests_total{code="499",operation="fetchAndLock"}`] == 1
	})
}

// With a listener of their own the metrics are nowhere else.
func TestMetricsListen(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--metrics-listen=127.0.0.1:0")
	own := s.log.wait(t, "metrics are served")["url"].(string)
	if all := scrape(t, own); all["rearm_build_info"] == nil {
		t.Errorf("%d metrics", len(all))
	}
	if status, _ := fetched(t, s.url+"/metrics"); status != 404 {
		t.Errorf("beside all else: %d", status)
	}
	if status, _ := fetched(t, strings.TrimSuffix(own, "/metrics")+"/engine-rest/engine"); status != 404 {
		t.Errorf("the contract at the metrics: %d", status)
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if _, err := http.Get(own); err == nil {
		t.Error("the metrics are still served")
	}
}

func TestMetricsListenTaken(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	code, _, stderr := outcome(t, nil, "serve", "--listen=127.0.0.1:0", "--database-url=sqlite::memory:", "--metrics-listen="+strings.TrimPrefix(s.url, "http://"))
	if code != 1 || !strings.Contains(stderr, "address already in use") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// A request's id is the client's if it is sane; it is in the answer, of whatever kind, and in each line of the request.
func TestRequestID(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--log-level=debug")
	for _, c := range []struct {
		sent, path string
		kept       bool
	}{
		{"order-17/mail:3", "/batch/count", true}, {"of-a-refusal", "/batch/nobody", true}, {"of-no-route", "/nothing", true},
		{"", "/batch/count", false}, {"two words", "/batch/count", false}, {strings.Repeat("x", 129), "/batch/count", false}, {"ü", "/batch/count", false},
	} {
		got := s.ask(t, "GET", c.path, "", "X-Request-Id", c.sent).Header.Get("X-Request-Id")
		if got == "" || (got == c.sent) != c.kept {
			t.Errorf("%q: answered with %q", c.sent, got)
		}
		until(t, "the line of "+got, func() bool {
			return slices.ContainsFunc(s.log.all("the request was answered"), func(e map[string]any) bool { return e["request_id"] == got })
		})
	}
	for _, e := range s.log.all("the request was refused") {
		if e["request_id"] == nil || e["caller"] != "" || e["path"] == "/engine-rest/batch/nobody" && e["operation"] != "getBatch" {
			t.Errorf("a line of a request: %v", e)
		}
	}
}

// Each request that has written something leaves one line, and no other does.
func TestAudit(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	lines := func() []map[string]any { return s.log.all("something was written") }
	seen := 0
	for i, c := range []struct {
		method, path, body string
		operation          string // "": no line
		affected           any
		ids                int
		batch              bool
	}{
		{"POST", "/external-task/create", `{"topicName": "a", "processInstanceId": "p"}`, "createExternalTask", 1.0, 1, false},
		{"POST", "/external-task/create-bulk", `{"externalTasks": [{"topicName": "a"}, {"topicName": "a", "retries": 0}]}`, "createExternalTasks", 2.0, 2, false},
		{"POST", "/external-task/create-bulk", `{"externalTasks": [` + strings.Repeat(`{"topicName": "b"},`, 49) + `{"topicName": "b"}]}`, "createExternalTasks", 50.0, 10, false},
		{"POST", "/external-task", `{"topicName": "a"}`, "", nil, 0, false},
		{"POST", "/external-task/fetchAndLock", `{"workerId": "w", "maxTasks": 5, "topics": [{"topicName": "none", "lockDuration": 1000}]}`, "", nil, 0, false},
		{"POST", "/external-task/fetchAndLock", `{"workerId": "w", "maxTasks": 5, "topics": [{"topicName": "a", "lockDuration": 1000}]}`, "fetchAndLock", 2.0, 2, false},
		{"POST", "/external-task/nobody/complete", `{"workerId": "w"}`, "", nil, 0, false},
		{"PUT", "/external-task/retries", `{"retries": 0, "externalTaskQuery": {"topicName": "b"}}`, "setExternalTaskRetries", 50.0, 10, false},
		{"POST", "/external-task/retries-async", `{"retries": 3, "externalTaskQuery": {"topicName": "b"}}`, "setExternalTaskRetriesAsyncOperation", 50.0, 0, true},
		{"PUT", "/process-instance/p/suspended", `{"suspended": true}`, "updateSuspensionStateById", 1.0, 1, false},
		{"DELETE", "/process-instance/p", "", "deleteProcessInstance", 1.0, 1, false},
		{"GET", "/batch", "", "", nil, 0, false},
	} {
		id := fmt.Sprint("audit-", i)
		s.ask(t, c.method, c.path, c.body, "X-Request-Id", id)
		s.ask(t, "POST", "/external-task/create", `{"topicName": "after"}`, "X-Request-Id", "after-"+id) // whose line comes behind
		until(t, "the line behind", func() bool { l := lines(); return len(l) > 0 && l[len(l)-1]["request_id"] == "after-"+id })
		got := lines()[seen:]
		seen += len(got)
		if (len(got) == 2) != (c.operation != "") {
			t.Errorf("%s %s left %v", c.method, c.path, got[:len(got)-1])
			continue
		}
		if c.operation == "" {
			continue
		}
		ids, _ := got[0]["ids"].([]any)
		if e := got[0]; e["audit"] != true || e["request_id"] != id || e["operation"] != c.operation || e["caller"] != "" || e["affected"] != c.affected || len(ids) != c.ids || (e["batch_id"] != nil) != c.batch {
			t.Errorf("%s %s left %v", c.method, c.path, e)
		}
	}
}

// With log-ins the lines tell who it was, also of what was forbidden; and who may read the metrics is a viewer.
func TestSightWithLogIns(t *testing.T) {
	t.Parallel()
	s, client := startServer(t, "sqlite::memory:", "--auth=basic", "--users-file="+usersFile(t)), worker(t)
	var task struct{ ID string }
	for name, want := range map[string]int{"worker": 200, "viewer": 403} {
		if status := s.asks(t, client, name, "I am "+name, http.MethodPost, "/external-task/create", "", `{"topicName": "t"}`, &task); status != want {
			t.Errorf("%s: %d", name, status)
		}
	}
	if e := s.log.wait(t, "something was written"); e["caller"] != "worker" || e["operation"] != "createExternalTask" || e["audit"] != true {
		t.Errorf("written: %v", e)
	}
	if e := s.log.wait(t, "a write was forbidden"); e["caller"] != "viewer" || e["operation"] != "createExternalTask" || e["audit"] != true || e["affected"] != nil {
		t.Errorf("forbidden: %v", e)
	}
	for name, want := range map[string]int{"": 401, "worker": 403, "viewer": 200, "operator": 200} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/metrics", nil)
		if err != nil {
			t.Fatal(err)
		}
		if name != "" {
			r.SetBasicAuth(name, "I am "+name)
		}
		res, err := http.DefaultClient.Do(r)
		if err != nil || res.StatusCode != want {
			t.Errorf("the metrics for %q: %v, %v", name, res.Status, err)
		}
		_ = res.Body.Close()
	}
}

// Without --audit there is none.
func TestNoAudit(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--audit=false", "--log-level=debug")
	s.ask(t, "POST", "/external-task/create", `{"topicName": "a"}`)
	if e := s.log.wait(t, "the request was answered"); e["operation"] != "createExternalTask" || len(s.log.all("something was written")) > 0 {
		t.Errorf("%v\n%s", e, s.log)
	}
}

// However many requests fail while the database is away, that is said once, and once that it is back. Executors go on soon.
func TestOutageIsSaidOnce(t *testing.T) {
	t.Parallel()
	database := newLateDatabase(t)
	database.come()
	s := startServer(t, database.url)
	database.leave()
	until(t, "many 503", func() bool {
		for range 50 {
			if status, _ := fetched(t, s.url+"/engine-rest/batch/count"); status != 503 {
				return false
			}
		}
		return true
	})
	s.log.wait(t, "the executor could not go on")
	if up := scrape(t, s.url+"/metrics")["rearm_database_up"].samples["rearm_database_up"]; up != 0 {
		t.Errorf("rearm_database_up is %v", up)
	}
	database.come()
	s.log.wait(t, "the database is back")
	until(t, "the executors go on", func() bool { return len(s.log.all("the executor goes on")) > 0 })
	if n, back := len(s.log.all("the database is away")), len(s.log.all("the database is back")); n != 1 || back != 1 {
		t.Errorf("said %d times that it is away, %d times that it is back", n, back)
	}
	if failed := s.log.all("the request failed"); len(failed) > 0 {
		t.Errorf("%d requests are in the log: %v", len(failed), failed[0])
	}
	if up := scrape(t, s.url+"/metrics")["rearm_database_up"].samples["rearm_database_up"]; up != 1 {
		t.Errorf("afterwards rearm_database_up is %v", up)
	}
}

// What another process had begun is taken over, and counted so.
func TestTakeoverIsCounted(t *testing.T) {
	t.Parallel()
	databaseURL := dbtest.PostgresURL(t)
	first := startChild(t, databaseURL)
	play := &troupe{first.url + "/engine-rest", first.client}
	if err := play.create(t.Context(), 20_000); err != nil {
		t.Fatal(err)
	}
	batch := retryTopic(t, first.server, demoTopic, 5)
	until(t, "the batch has begun", func() bool {
		res, err := first.client.GetBatchWithResponse(t.Context(), batch)
		return err == nil && (res.JSON200 == nil || !res.JSON200.ExecutionStartTime.IsNull())
	})
	first.kill(t)
	second := startServer(t, databaseURL)
	until(t, "the batch has ended", func() bool {
		res, err := second.client.GetBatchWithResponse(t.Context(), batch)
		return err == nil && res.StatusCode() == 404
	})
	until(t, "what ended here was taken over", func() bool { // it is counted after its end
		all := scrape(t, second.url+"/metrics")
		return all["rearm_executor_takeovers_total"].samples["rearm_executor_takeovers_total"] ==
			all["rearm_batches_ended_total"].samples[`rearm_batches_ended_total{outcome="completed",type="set-external-task-retries"}`]
	})
}
