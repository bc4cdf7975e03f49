package contracttest_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"rearm/impl/contract"
	"rearm/impl/contract/contracttest"
)

// recorder is a test that is told of breaches.
type recorder struct {
	testing.TB
	breaches []string
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(f string, args ...any) {
	r.breaches = append(r.breaches, fmt.Sprintf(f, args...))
}

// canned answers every request the same.
type canned struct {
	status    int
	mediaType string
	body      string
	allow     string
}

func (c canned) RoundTrip(r *http.Request) (*http.Response, error) {
	h := http.Header{}
	for name, value := range map[string]string{"Content-Type": c.mediaType, "Allow": c.allow} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return &http.Response{StatusCode: c.status, Header: h, Body: io.NopCloser(strings.NewReader(c.body)), Request: r}, nil
}

const (
	jsonType = "application/json"
	failure  = `{"type":"RestException","message":"m","code":null}`
)

func TestTransport(t *testing.T) {
	t.Parallel()
	doc := things(t)
	for _, row := range []struct {
		name, method, path string
		answer             canned
		fits               bool
	}{
		{"as declared", "GET", "/thing/a", canned{200, jsonType, `{"id":"a"}`, ""}, true},
		{"below the named engine", "GET", "/engine/default/thing/a", canned{200, jsonType, `{"id":"a"}`, ""}, true},
		{"property missing", "GET", "/thing/a", canned{200, jsonType, `{}`, ""}, false},
		{"property of another type", "GET", "/thing/a", canned{200, jsonType, `{"id":1}`, ""}, false},
		{"undeclared status", "GET", "/thing/a", canned{409, jsonType, failure, ""}, false},
		{"undeclared media type", "GET", "/thing/a", canned{200, "text/plain", "a", ""}, false},
		{"a charset", "GET", "/thing/a", canned{200, jsonType + "; charset=utf-8", `{"id":"a"}`, ""}, false},
		{"null for a list", "GET", "/thing", canned{200, jsonType, `null`, ""}, false},
		{"nothing", "DELETE", "/thing/a", canned{204, "", "", ""}, true},
		{"declared error", "GET", "/thing/a", canned{404, jsonType, failure, ""}, true},
		{"error without code", "GET", "/thing/a", canned{404, jsonType, `{"type":"a","message":"b"}`, ""}, false},
		{"unknown route", "GET", "/nope", canned{404, jsonType, failure, ""}, true},
		{"unknown route in plain text", "GET", "/nope", canned{404, "text/plain", "no", ""}, false},
		{"unknown route, not JSON", "GET", "/nope", canned{404, jsonType, "no", ""}, false},
		{"another page", "GET", "/nope", canned{200, "text/html", "<p>", ""}, true},
		{"method", "PATCH", "/thing/a", canned{405, jsonType, failure, "GET"}, true},
		{"method without Allow", "PATCH", "/thing/a", canned{405, jsonType, failure, ""}, false},
		{"not acceptable, undeclared", "GET", "/thing/a", canned{406, jsonType, failure, ""}, true},
		{"HEAD", "HEAD", "/thing/a", canned{405, "", "", "GET"}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			told := &recorder{TB: t}
			client := http.Client{Transport: contracttest.Transport(told, doc, row.answer)}
			r, _ := http.NewRequestWithContext(t.Context(), row.method, "http://a/engine-rest"+row.path, nil)
			response, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			if body, _ := io.ReadAll(response.Body); string(body) != row.answer.body {
				t.Errorf("the body was not handed on: %q", body)
			}
			if (len(told.breaches) == 0) != row.fits {
				t.Errorf("breaches: %q", told.breaches)
			}
		})
	}
}

func things(t *testing.T) *openapi3.T {
	t.Helper()
	text, err := os.ReadFile("../testdata/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := contract.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}
