package contract_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/labstack/echo/v4"

	"rearm/impl/contract"
)

func TestBodiesReachTheHandler(t *testing.T) {
	t.Parallel()
	var got bulkBody
	e := server(t, contract.Options{}, map[string]echo.HandlerFunc{"bulk": capture(&got), "bulkByKin": capture(&got)})
	for _, row := range []struct{ sent, want string }{
		{`{"retries":3,"ids":["a","b","\u00e4\n"],"checked":["abc"]}`, `{"retries":3,"ids":["a","b","ä\n"],"checked":["abc"]}`},
		{`{"retries":3,"ids":[]}`, `{"retries":3,"ids":[]}`},
		{`{"retries":3,"ids":null}`, `{"retries":3,"ids":null}`},
		{`{"retries":3}`, `{"retries":3}`},
		{`{"retries":1.0}`, `{"retries":1}`},
		{`{"retries":2e0,"query":{"many":1E3}}`, `{"retries":2,"query":{"many":1000}}`},
		{`{"retries":0,"query":{"many":9223372036854775807}}`, `{"retries":0,"query":{"many":9223372036854775807}}`},
		{`{"retries":1,"retries":2,"ids":["a"],"ids":["b"]}`, `{"retries":2,"ids":["b"]}`},
		{`{"retries":1,"ids":["a"],"ids":null}`, `{"retries":1,"ids":null}`},
		{`{"ids":[null],"ids":["b"],"retries":1}`, `{"retries":1,"ids":["b"]}`},
		{`{"retries":1,"Retries":7,"IDS":["x"],"other":{"deep":[1]}}`, `{"retries":1}`},
		{`{"retries":1,"query":{"Name":5,"name":"a","NAME":null}}`, `{"retries":1,"query":{"name":"a"}}`},
		{`{"retries":1,"query":{"any":[5.0,123456789012345678901234567890,{"b":"<x>"}]}}`, `{"retries":1,"query":{"any":[5.0,123456789012345678901234567890,{"b":"\u003cx\u003e"}]}}`},
	} {
		for _, path := range []string{"/bulk", "/bulk-by-kin"} {
			if a := ask(t, e, "PUT", thing+path, row.sent); a.ResponseRecorder.Code != http.StatusNoContent {
				t.Errorf("%s: %d %s", row.sent, a.ResponseRecorder.Code, a.Message)
				continue
			}
			if b, err := json.Marshal(got); err != nil || string(b) != row.want {
				t.Errorf("%s %s\n got %s, %v\nwant %s", path, row.sent, b, err, row.want)
			}
		}
	}
}

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{}, nil)
	for _, row := range []struct {
		mediaType, body string
		status          int
	}{
		{"application/json", `{"retries":1}`, 204},
		{"Application/JSON; charset=utf-8", `{"retries":1}`, 204},
		{"application/json;charset=UTF-8", `{"retries":1}`, 204},
		{"text/plain", `{"retries":1}`, 415},
		{"application/xml", `{"retries":1}`, 415},
		{"application/x-www-form-urlencoded", ``, 415},
		{"", `{"retries":1}`, 415},
		{"", ``, 400},
		{"application/json", ``, 400},
	} {
		got := ask(t, e, "PUT", thing+"/bulk", row.body, "Content-Type", row.mediaType)
		if got.ResponseRecorder.Code != row.status || row.status == 415 && got.Type != "NotSupportedException" {
			t.Errorf("%q with %q: %d %s %q", row.mediaType, row.body, got.ResponseRecorder.Code, got.Type, got.Message)
		}
	}
}

// TestNoBodyAsked: all clients' ways to send nothing (clients 2 and 3).
func TestNoBodyAsked(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{}, nil)
	for _, row := range []struct{ method, path, mediaType, body string }{
		{"POST", "/a/unlock", "", ""},
		{"POST", "/a/unlock", "application/x-www-form-urlencoded", ""},
		{"POST", "/a/unlock", "application/json", ""},
		{"POST", "/a/unlock", "application/json", "null"},
		{"POST", "/a/unlock", "text/plain", "anything"},
		{"POST", "/a/unlock", "application/json", `{"not": json`},
		{"GET", "/a", "application/json", ""},
		{"DELETE", "/a", "application/json", ""},
		{"DELETE", "/a", "application/json", "{"},
	} {
		if got := ask(t, e, row.method, thing+row.path, row.body, "Content-Type", row.mediaType); got.ResponseRecorder.Code != 204 {
			t.Errorf("%+v: %d %q", row, got.ResponseRecorder.Code, got.Message)
		}
	}
}

func TestEmptyBodyCountsAsEmptyObject(t *testing.T) {
	t.Parallel()
	var bound *map[string]any
	e := server(t, contract.Options{}, map[string]echo.HandlerFunc{"queryThings": func(ec echo.Context) error {
		var body map[string]any
		err := bind(ec, &body)
		bound = &body
		return err
	}})
	for _, r := range []*http.Request{
		httptest.NewRequest("POST", thing, nil),
		httptest.NewRequest("POST", thing, struct{ *strings.Reader }{strings.NewReader("")}), // of unknown length
	} {
		r.Header.Set("Content-Type", "application/json")
		bound = nil
		if got := send(t, e, r); got.ResponseRecorder.Code != 200 || bound == nil || cmp.Diff(map[string]any{}, *bound) != "" {
			t.Errorf("%d %q, bound %v", got.ResponseRecorder.Code, got.Message, bound)
		}
	}
}

func TestSerializerWithoutContract(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{}, nil)
	e.POST("/elsewhere", func(ec echo.Context) error {
		var body struct {
			A int `json:"a"`
		}
		if err := bind(ec, &body); err != nil {
			return err
		}
		return ec.JSON(http.StatusOK, body)
	})
	if got := ask(t, e, "POST", "/elsewhere", `{"a":1}`); got.Body.String() != "{\"a\":1}\n" || got.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%q of %q", got.Body, got.Header().Get("Content-Type"))
	}
	if got := ask(t, e, "POST", "/elsewhere", `{"a":"x"}`); got.ResponseRecorder.Code != 400 || got.Message != "/a: must be of another type" {
		t.Errorf("%d %q", got.ResponseRecorder.Code, got.Message)
	}
}

// A body may be long, but not of more values than memory is meant for; the items of a streamed list are none.
func TestBodyOfManyValues(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{}, nil)
	values := "[" + strings.Repeat("0,", 2_000_001) + "0]"
	if got := ask(t, e, "PUT", thing+"/bulk", `{"retries":1,"other":`+values+`}`); got.ResponseRecorder.Code != 400 || got.Message != "The body: more than 2000000 values" {
		t.Errorf("%d %q", got.ResponseRecorder.Code, got.Message)
	}
	ids := `["a"` + strings.Repeat(`,"a"`, 2_000_001) + "]"
	if got := ask(t, e, "PUT", thing+"/bulk", `{"retries":1,"ids":`+ids+`}`); got.ResponseRecorder.Code != 204 {
		t.Errorf("a streamed list: %d %q", got.ResponseRecorder.Code, got.Message)
	}
}
