package main

import (
	"net/http"
	"testing"
)

func TestOrigins(t *testing.T) {
	t.Parallel()
	const ours, theirs = "https://console.example", "https://console.example.org"
	open, shut := startNode(t, "sqlite::memory:", func(c *Config) { c.Origins = []string{"http://localhost:3000", ours} }), startNode(t, "sqlite::memory:", nil)
	type header map[string]string
	for _, c := range []struct {
		name   string
		node   *node
		method string
		path   string
		sent   header
		status int
		got    header
	}{
		{"preflight", open, "OPTIONS", "/engine-rest/external-task/retries-async", header{"Origin": ours, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,idempotency-key"}, 204, header{
			"Access-Control-Allow-Origin": ours, "Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": "GET,POST,PUT,DELETE", "Access-Control-Max-Age": "600",
			"Access-Control-Allow-Headers": "Accept,Authorization,Content-Type,Idempotency-Key,Traceparent,X-Request-Id",
		}},
		{"preflight of others", open, "OPTIONS", "/engine-rest/batch", header{"Origin": theirs, "Access-Control-Request-Method": "GET"}, 204, header{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Methods": ""}},
		{"answer", open, "GET", "/engine-rest/batch", header{"Origin": ours}, 200, header{
			"Access-Control-Allow-Origin": ours, "Access-Control-Allow-Credentials": "true", "Access-Control-Expose-Headers": "Retry-After,X-Request-Id", "Vary": "Origin",
		}},
		{"error", open, "GET", "/engine-rest/batch/none", header{"Origin": ours}, 404, header{"Access-Control-Allow-Origin": ours}},
		{"unknown path", open, "GET", "/engine-rest/nope", header{"Origin": "http://localhost:3000"}, 404, header{"Access-Control-Allow-Origin": "http://localhost:3000"}},
		{"answer for others", open, "GET", "/engine-rest/batch", header{"Origin": theirs}, 200, header{"Access-Control-Allow-Origin": "", "Access-Control-Allow-Credentials": ""}},
		{"null is an origin, too", open, "GET", "/engine-rest/batch", header{"Origin": "null"}, 200, header{"Access-Control-Allow-Origin": ""}},
		{"no browser", open, "GET", "/engine-rest/batch", nil, 200, header{"Access-Control-Allow-Origin": "", "Vary": "Origin"}},
		{"OPTIONS of no browser", open, "OPTIONS", "/engine-rest/batch", nil, 204, header{"Allow": "GET, OPTIONS", "Access-Control-Allow-Methods": ""}},
		{"off: preflight", shut, "OPTIONS", "/engine-rest/batch", header{"Origin": ours, "Access-Control-Request-Method": "GET"}, 204, header{"Allow": "GET, OPTIONS", "Access-Control-Allow-Origin": ""}},
		{"off: answer", shut, "GET", "/engine-rest/batch", header{"Origin": ours}, 200, header{"Access-Control-Allow-Origin": "", "Vary": ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r, err := http.NewRequestWithContext(t.Context(), c.method, c.node.url()+c.path, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			for name, value := range c.sent {
				r.Header.Set(name, value)
			}
			res, err := worker(t).Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close() // only the head counts
			if res.StatusCode != c.status {
				t.Errorf("status %d, want %d", res.StatusCode, c.status)
			}
			for name, want := range c.got {
				if got := res.Header.Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
		})
	}
}
