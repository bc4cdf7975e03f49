package observe

import (
	"compress/gzip"
	"context"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// variables is an environment.
type variables map[string]string

func (v variables) get(name string) string { return v[name] }

func TestDestination(t *testing.T) {
	t.Parallel()
	const traces, common = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"
	for _, c := range []struct {
		endpoint string
		env      variables
		want     string // "": refused
	}{
		{"http://c:4318", nil, "http://c:4318/v1/traces"},
		{"http://c:4318/", nil, "http://c:4318/v1/traces"},
		{"https://c/own/path", nil, "https://c/own/path"},
		{"http://c:4318", variables{traces: "http://d", common: "http://e"}, "http://c:4318/v1/traces"},
		{"", variables{traces: "http://d/x", common: "http://e"}, "http://d/x"},
		{"", variables{traces: "http://d"}, "http://d"},
		{"", variables{common: "http://e"}, "http://e/v1/traces"},
		{"", variables{common: "http://e/base/"}, "http://e/base/v1/traces"},
		{"", variables{common: "e:4318"}, ""},
		{"", nil, ""},
	} {
		if got, err := destination(c.endpoint, c.env.get); got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q %v: %q, %v; want %q", c.endpoint, c.env, got, err, c.want)
		}
	}
}

// What the variables say is sent along, to a collector whose certificate they name.
func TestCollectorVariables(t *testing.T) {
	t.Parallel()
	var header http.Header
	var got tracepb.TracesData
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header
		body, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		b, err := io.ReadAll(body)
		if err != nil || proto.Unmarshal(b, &got) != nil {
			t.Errorf("%v, %x", err, b)
		}
	}))
	t.Cleanup(s.Close)
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := newCollector(s.URL, variables{
		"OTEL_EXPORTER_OTLP_HEADERS": "a=wrong", "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "api-key=se%20cret, b = 2", "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
		"OTEL_EXPORTER_OTLP_CERTIFICATE": file, "OTEL_EXPORTER_OTLP_TIMEOUT": "1500", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
	}.get)
	if err != nil || c.client.Timeout != 1500*time.Millisecond {
		t.Fatalf("%+v, %v", c, err)
	}
	spans := []*tracepb.ResourceSpans{{ScopeSpans: []*tracepb.ScopeSpans{{Spans: []*tracepb.Span{{Name: "a span"}}}}}}
	if err := c.UploadTraces(t.Context(), spans); err != nil {
		t.Fatal(err)
	}
	if header.Get("Api-Key") != "se cret" || header.Get("B") != "2" || header.Get("A") != "" || header.Get("Content-Type") != "application/x-protobuf" {
		t.Errorf("the header: %v", header)
	}
	if len(got.ResourceSpans) != 1 || got.ResourceSpans[0].ScopeSpans[0].Spans[0].Name != "a span" {
		t.Errorf("got %v", &got)
	}
	stranger, err := newCollector(s.URL, variables{}.get)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.post(t.Context(), nil); err == nil {
		t.Error("a certificate that nobody has signed is believed")
	}
}

func TestCollectorRefused(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"PROTOCOL": "grpc", "HEADERS": "a=%zz", "TIMEOUT": "soon", "TRACES_TIMEOUT": "0", "CERTIFICATE": empty, "TRACES_CERTIFICATE": empty + "-not-there",
	} {
		_, err := newCollector("http://c", variables{"OTEL_EXPORTER_OTLP_" + name: value}.get)
		if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(name, "TRACES_")) {
			t.Errorf("%s=%s: %v", name, value, err)
		}
	}
}

// answers is a network on which a collector answers with some statuses, one after the other; 0: it is not there.
type answers struct {
	statuses []int
	asked    []time.Time
}

func (a *answers) RoundTrip(*http.Request) (*http.Response, error) {
	a.asked = append(a.asked, time.Now())
	status := a.statuses[min(len(a.asked), len(a.statuses))-1]
	if status == 0 {
		return nil, io.EOF
	}
	return &http.Response{StatusCode: status, Status: http.StatusText(status), Body: http.NoBody}, nil
}

// Who has no time is asked again, after longer and longer pauses, and not for ever.
func TestCollectorIsAskedAgain(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		statuses []int
		asked    int
		sent     bool
		took     time.Duration
	}{
		{[]int{200}, 1, true, 0}, {[]int{400}, 1, false, 0}, {[]int{503, 200}, 2, true, collectorPause}, {[]int{0, 429, 202}, 3, true, 3 * collectorPause},
		{[]int{502}, collectorAttempts, false, 7 * collectorPause}, {[]int{504, 500}, 2, false, collectorPause},
	} {
		synctest.Test(t, func(t *testing.T) {
			a := &answers{statuses: c.statuses}
			to, start := &collector{url: "http://c", client: &http.Client{Transport: a}}, time.Now()
			err := to.UploadTraces(t.Context(), nil)
			if took := time.Since(start); len(a.asked) != c.asked || (err == nil) != c.sent || took != c.took {
				t.Errorf("%v: asked %d times for %v, %v", c.statuses, len(a.asked), took, err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		a := &answers{statuses: []int{503}}
		if err := (&collector{url: "http://c", client: &http.Client{Transport: a}}).UploadTraces(ctx, nil); err == nil || len(a.asked) != 1 {
			t.Errorf("beyond the end: %d, %v", len(a.asked), err)
		}
	})
}
