package main

import (
	"compress/gzip"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector is where traces are sent.
type collector struct {
	*httptest.Server
	mu    sync.Mutex
	spans []*tracepb.Span
	names map[string]string // attributes of the resource
	down  bool
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{names: map[string]string{}}
	c.Server = httptest.NewServer(c)
	t.Cleanup(c.Close)
	return c
}

// ServeHTTP takes what is sent.
func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	body := io.Reader(r.Body)
	if r.Header.Get("Content-Encoding") == "gzip" {
		body, _ = gzip.NewReader(r.Body)
	}
	b, err := io.ReadAll(body)
	var got tracepb.TracesData // in bytes the same as what is sent
	if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(b, &got) != nil || c.down {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, resource := range got.ResourceSpans {
		for _, a := range resource.Resource.Attributes {
			c.names[a.Key] = a.Value.GetStringValue()
		}
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

// all gives the spans of a name.
func (c *collector) all(name string) (list []*tracepb.Span) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if s.Name == name {
			list = append(list, s)
		}
	}
	return list
}

// attribute gives an attribute of a span; "" if it has none of the name.
func attribute(s *tracepb.Span, name string) string {
	for _, a := range s.Attributes {
		if a.Key == name {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// below gives the names of the spans right below one.
func (c *collector) below(parent *tracepb.Span) (names []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, s := range c.spans {
		if string(s.ParentSpanId) == string(parent.SpanId) {
			names = append(names, s.Name)
		}
	}
	return names
}

// A request is traced to its statements, as a part of its client's trace; a chunk is a trace of its own, with a link to the
// request that made the batch. No span tells a value.
func TestTraces(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		c := newCollector(t)
		s := startServer(t, databaseURL, "--otlp-endpoint="+c.URL, "--node-name=west")
		const trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
		s.ask(t, "POST", "/external-task/create", `{"topicName": "secret", "retries": 1}`)
		s.ask(t, "POST", "/external-task/retries-async", `{"retries": 3, "externalTaskQuery": {"topicName": "secret"}}`, "traceparent", "00-"+trace+"-"+parent+"-01")
		until(t, "the end of the batch", func() bool { return running(t, s) == 0 })
		s.ask(t, "POST", "/external-task/nobody/complete", `{"workerId": "w"}`)
		if code := s.stop(); code != 0 { // which sends what is left
			t.Fatalf("exit %d", code)
		}
		made := c.all("setExternalTaskRetriesAsyncOperation")
		if len(made) != 1 || hex.EncodeToString(made[0].TraceId) != trace || hex.EncodeToString(made[0].ParentSpanId) != parent || made[0].Kind != tracepb.Span_SPAN_KIND_SERVER {
			t.Fatalf("the request: %v", made)
		}
		chunked := []string{"SelectTaskIDs", "InsertChunks"}
		if strings.HasPrefix(databaseURL, "postgres") {
			chunked = []string{"SelectChunks"}
		}
		for _, want := range append(chunked, "begin", "InsertBatch", "InsertRanges", "commit") {
			if below := c.below(made[0]); !slices.Contains(below, want) {
				t.Errorf("below the request there are %v, and no %s", below, want)
			}
		}
		chunks := slices.DeleteFunc(c.all("batch chunk"), func(s *tracepb.Span) bool { return attribute(s, "rearm.batch.type") == "" }) // which found it ended
		if len(chunks) == 0 {
			t.Fatal("no chunk was traced")
		}
		for _, chunk := range chunks {
			if len(chunk.ParentSpanId) > 0 || len(chunk.Links) != 1 || hex.EncodeToString(chunk.Links[0].TraceId) != trace || string(chunk.Links[0].SpanId) != string(made[0].SpanId) {
				t.Errorf("a chunk: %v", chunk)
			}
		}
		first := slices.IndexFunc(chunks, func(s *tracepb.Span) bool { return slices.Contains(c.below(s), "SetRetries") })
		if first < 0 {
			t.Fatalf("no chunk has set the retries: %v", chunks)
		}
		if below := c.below(chunks[first]); !slices.Contains(below, "LogSuccess") || !slices.Contains(below, "commit") {
			t.Errorf("below the chunk there are %v", below)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.names["service.name"] != "rearm" || c.names["service.instance.id"] != "west" || c.names["service.version"] == "" {
			t.Errorf("the resource: %v", c.names)
		}
		for _, span := range c.spans {
			if strings.Contains(span.String(), "secret") {
				t.Errorf("a span tells a value: %v", span)
			}
		}
	})
}

// running counts the running batches.
func running(t *testing.T, s *server) int64 {
	t.Helper()
	res, err := s.client.GetBatchesCountWithResponse(t.Context(), nil)
	if err != nil || res.JSON200 == nil {
		t.Fatalf("%v, %+v", err, res)
	}
	return res.JSON200.Count
}

// A request that waits is one span, until it is answered, with the statements that fetch for it below.
func TestTraceOfWaiting(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	n, stop := startStoppable(t, "sqlite::memory:", func(conf *Config) { conf.OTLPEndpoint = c.URL })
	client := worker(t)
	answer := later(func() heard { return n.fetch(t.Context(), client, "w", "a") })
	n.untilWaiting(t, 1)
	n.post(t.Context(), client, "/external-task/create", `{"topicName": "a"}`).wants(t, 200, "id")
	(<-answer).wants(t, 200, `"workerId":"w"`)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	waited, created := c.all("fetchAndLock"), c.all("createExternalTask")
	if len(waited) != 1 || len(created) != 1 || waited[0].StartTimeUnixNano > created[0].StartTimeUnixNano || waited[0].EndTimeUnixNano < created[0].StartTimeUnixNano {
		t.Fatalf("%v, %v", waited, created)
	}
	if below := c.below(waited[0]); !slices.Contains(below, "FetchTasks") || !slices.Contains(below, "LookForWork") {
		t.Errorf("below the request there are %v", below)
	}
}

// A collector that does not answer costs no request, and is said once.
func TestCollectorAway(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	c.down = true
	s := startServer(t, "sqlite::memory:", "--otlp-endpoint="+c.URL)
	for range 3 {
		if res := s.ask(t, "GET", "/batch/count", ""); res.StatusCode != 200 {
			t.Errorf("%s", res.Status)
		}
	}
	if code := s.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if n := len(s.log.all("traces cannot be sent, and are lost")); n != 1 {
		t.Errorf("said %d times:\n%s", n, s.log)
	}
}

// OpenTelemetry's own variables switch traces on, and off.
func TestStandardVariables(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		e    env
		want bool
	}{
		{nil, false},
		{env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318"}, true},
		{env{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x:4318/v1/traces"}, true},
		{env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318", "OTEL_SDK_DISABLED": "true"}, false},
		{env{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x:4318", "OTEL_TRACES_EXPORTER": "none"}, false},
	} {
		conf := defaults()
		if err := conf.parse(program{c.e.get, io.Discard, io.Discard}, conf.flags("serve"), nil); err != nil || conf.standardOTLP != c.want {
			t.Errorf("%v: %v, %v", c.e, conf.standardOTLP, err)
		}
	}
}
