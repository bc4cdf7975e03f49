package console

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
)

func ask(t *testing.T, method, path string) *httptest.ResponseRecorder {
	t.Helper()
	e := echo.New()
	Register(e, Document{YAML: []byte("openapi: 3.0.3\n"), JSON: []byte(`{"openapi":"3.0.3"}`)})
	w := httptest.NewRecorder()
	e.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, path, nil))
	return w
}

func TestPages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		method, path string
		status       int
		mediaType    string
		contains     string
	}{
		{"GET", "/docs", 200, "text/html", `/docs/swagger-ui-bundle.js`},
		{"GET", "/docs/", 200, "text/html", `"swaggerJsonUrl":"/openapi.json"`},
		{"GET", "/docs/swagger-ui.css", 200, "text/css", "swagger"},
		{"GET", "/docs/swagger-ui-bundle.js", 200, "javascript", "SwaggerUI"},
		{"GET", "/docs/nothing", 404, "", ""},
		{"GET", "/openapi.yaml", 200, "application/yaml", "openapi: 3.0.3\n"},
		{"GET", "/openapi.json", 200, "application/json", `{"openapi":"3.0.3"}`},
		{"HEAD", "/openapi.json", 200, "application/json", ""},
		{"POST", "/openapi.json", 405, "", ""},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			t.Parallel()
			w := ask(t, c.method, c.path)
			if w.Code != c.status || !strings.Contains(w.Header().Get("Content-Type"), c.mediaType) || !strings.Contains(w.Body.String(), c.contains) {
				t.Errorf("%d %s\n%.500s", w.Code, w.Header().Get("Content-Type"), w.Body)
			}
			if c.status == 200 && !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'self'") {
				t.Error("the page may load from elsewhere")
			}
		})
	}
}

func TestFrontPageLeadsToDocs(t *testing.T) {
	t.Parallel()
	if w := ask(t, "GET", "/"); w.Code != http.StatusFound || w.Header().Get("Location") != "/docs" {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
}

// The page names no other host in a place that a browser would load from.
func TestDocsNameNoOtherHost(t *testing.T) {
	t.Parallel()
	page := ask(t, "GET", "/docs").Body.String()
	if found := regexp.MustCompile(`(src|href)="(https?:)?//[^"]*"`).FindAllString(page, -1); found != nil {
		t.Errorf("%q", found)
	}
}
