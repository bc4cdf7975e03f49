package contract_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/labstack/echo/v4"

	"rearm/impl/contract"
)

func TestPaths(t *testing.T) {
	t.Parallel()
	say := func(what string) echo.HandlerFunc {
		return func(ec echo.Context) error {
			id, _ := url.PathUnescape(ec.Param("id"))
			if ec.Request().URL.RawPath == "" {
				id = ec.Param("id")
			}
			return ec.String(http.StatusOK, what+" "+id)
		}
	}
	e := server(t, contract.Options{}, map[string]echo.HandlerFunc{
		"getThings": say("list"), "countThings": say("count"), "getThing": say("one"), "suspendThings": say("suspend"), "getText": say("text"),
	})
	for _, row := range []struct{ method, path, want string }{
		{"GET", "/engine-rest/thing", "list "},
		{"GET", "/engine-rest/thing/", "list "},
		{"GET", "/engine-rest/engine/default/thing", "list "},
		{"GET", "/engine-rest/engine/default/thing/count/", "count "},
		{"GET", "/engine-rest/thing/a", "one a"},
		{"GET", "/engine-rest/thing/a/", "one a"},
		{"GET", "/engine-rest/thing/a%2Fb", "one a/b"},
		{"GET", "/engine-rest/thing/a%2Fb/", "one a/b"},
		{"GET", "/engine-rest/engine/default/thing/a%2Fb/text", "text a/b"},
		{"GET", "/engine-rest/thing/a%20b%25", "one a b%"},
		{"GET", "/engine-rest/thing/%C3%A4", "one ä"},
		{"PUT", "/engine-rest/thing/suspended", "suspend "},
	} {
		got := ask(t, e, row.method, row.path, "")
		if got.ResponseRecorder.Code != 200 || got.Body.String() != row.want {
			t.Errorf("%s %s: %d %q, want %q", row.method, row.path, got.ResponseRecorder.Code, got.Body, row.want)
		}
		if cache := got.Header().Get("Cache-Control"); (cache == "no-cache") != (row.method == "GET") {
			t.Errorf("%s %s: Cache-Control %q", row.method, row.path, cache)
		}
	}
	for _, path := range []string{
		"/engine-rest/thing//text", "/engine-rest/thing/a/b", "/engine-rest/thing/a/text/x", "/engine-rest/thing//", "/engine-restx",
		"/engine-rest/engine/default", "/engine-rest/engine/default/", "/engine-rest/thing/a/nope",
	} {
		if got := ask(t, e, "GET", path, ""); got.ResponseRecorder.Code != 404 || got.Type != "NotFoundException" {
			t.Errorf("%s: %d %s", path, got.ResponseRecorder.Code, got.Type)
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{}, nil)
	for _, row := range []struct {
		method, path, allow string
		status              int
	}{
		{"DELETE", "/thing", "GET, OPTIONS, POST", 405},
		{"GET", "/thing/suspended", "OPTIONS, PUT", 405}, // not the thing `suspended`
		{"GET", "/thing/bulk", "OPTIONS, PUT", 405},
		{"POST", "/thing/a", "DELETE, GET, OPTIONS", 405},
		{"TRACE", "/thing/a", "DELETE, GET, OPTIONS", 405},
		{"BREW", "/thing/a", "DELETE, GET, OPTIONS", 405},
		{"OPTIONS", "/thing/suspended", "OPTIONS, PUT", 204},
	} {
		got := ask(t, e, row.method, "/engine-rest"+row.path, "")
		if got.ResponseRecorder.Code != row.status || got.Header().Get("Allow") != row.allow {
			t.Errorf("%s %s: %d, Allow %q", row.method, row.path, got.ResponseRecorder.Code, got.Header().Get("Allow"))
		}
	}
}

func TestRoute(t *testing.T) {
	t.Parallel()
	c, err := contract.New(things(t), contract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{"/engine-rest/thing/a%2Fb/text/": "/thing/{id}/text", "/thing": "", "/engine-rest/x": "", "/engine-rest/thing/bulk": ""} {
		u, _ := url.Parse(path)
		route, values := c.Route("GET", u)
		if (route == nil) != (want == "") || route != nil && (route.Path != want || values["id"] != "a/b") {
			t.Errorf("%s: %v %v", path, route, values)
		}
	}
}
