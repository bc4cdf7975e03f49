package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"testing"
)

// begin sends the head of a request whose body is still to come, and returns when the server reads it. end sends the body and gives
// the status.
func (n *node) begin(t testing.TB, path, body string) (end func() int) {
	t.Helper()
	r, w := io.Pipe()
	reading := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(reading) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.url()+path, r)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Expect", "100-continue")
	status := later(func() int {
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Error(err)
			return 0
		}
		defer res.Body.Close() //nolint:errcheck // nobody needs it
		return res.StatusCode
	})
	<-reading
	return func() int {
		fmt.Fprint(w, body)
		_ = w.Close()
		return <-status
	}
}

// When as many requests as may are being answered, others are refused at once. Those that wait for tasks do not count, and whether
// the node lives can always be asked.
func TestMaxRequests(t *testing.T) {
	t.Parallel()
	n, c := startNode(t, "sqlite::memory:", func(c *Config) { c.MaxRequests = 1 }), worker(t)
	waiting := later(func() heard { return n.fetch(t.Context(), c, "w", "a") })
	n.untilWaiting(t, 1)
	end := n.begin(t, "/engine-rest/external-task/create", `{"topicName": "a"}`)
	refused := n.post(t.Context(), c, "/external-task/create", `{"topicName": "b"}`)
	refused.wants(t, 503, `"type":"RestException","message":"The server is busy with as many requests as it takes at the same time. Please try again later.","code":null`)
	if refused.retry == "" {
		t.Error("a 503 without Retry-After")
	}
	if status, body := fetched(t, n.url()+"/healthz"); status != 200 {
		t.Errorf("whether it lives: %d %s", status, body)
	}
	if status := end(); status != 200 {
		t.Errorf("the request that had a place: %d", status)
	}
	(<-waiting).wants(t, 200, `"topicName":"a"`)
	n.post(t.Context(), c, "/external-task/create", `{"topicName": "b"}`).wants(t, 200, `"topicName":"b"`)
}

// With a largest page, lists need maxResults, and counts do not.
func TestMaxResults(t *testing.T) {
	t.Parallel()
	n, c := startNode(t, "sqlite::memory:", func(c *Config) { c.Engine.MaxResults = 2 }), worker(t)
	const tooMany = `"type":"BadUserRequestException","message":"Max results limit of 2 exceeded!","code":0`
	const unbound = `"type":"BadUserRequestException","message":"An unbound number of results is forbidden!","code":0`
	for _, path := range []string{"/external-task", "/job", "/history/job-log", "/history/external-task-log", "/job-definition"} {
		n.post(t.Context(), c, path, `{}`).wants(t, 400, unbound)
		n.post(t.Context(), c, path+"?maxResults=3", `{}`).wants(t, 400, tooMany)
		n.post(t.Context(), c, path+"?maxResults=2", `{}`).wants(t, 200, `[]`)
		n.post(t.Context(), c, path+"/count", `{}`).wants(t, 200, `{"count":0}`)
	}
	for _, path := range []string{"/external-task", "/job", "/history/job-log", "/history/external-task-log", "/job-definition",
		"/batch", "/batch/statistics", "/history/batch", "/incident", "/history/incident"} {
		n.get(t, c, path).wants(t, 400, unbound)
		n.get(t, c, path+"?maxResults=2147483647").wants(t, 400, unbound)
		n.get(t, c, path+"?maxResults=3").wants(t, 400, tooMany)
		n.get(t, c, path+"?maxResults=2&firstResult=7").wants(t, 200, `[]`)
		n.get(t, c, path+"/count").wants(t, 200, `{"count":0}`)
	}
}

// get reads a page of the contract.
func (n *node) get(t testing.TB, c *http.Client, path string) heard {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url()+"/engine-rest"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	return answered(c, r)
}
