package contract_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"rearm/impl/contract"
	"rearm/openapi/wire"
)

// The reader of streamed lists judges every text as kin-openapi does, and hands on the same body.
func FuzzBigBody(f *testing.F) {
	for _, s := range []string{
		`{"retries":3,"ids":["a","0198f3a2-5c1e-7d10-8a57-3f1c2b6d9e01"],"checked":["abc"]}`, `{"retries":1,"ids":["a",null,5]}`, `{"ids":[[["x"]]],"retries":2.0}`,
		`{"retries":1,"checked":["abcd"],"query":{"ids":[1]}}`, `{"ids":["\u0000"]}`, `{"ids":["\ud800"]}`, `{"ids":["a"`, `{"ids":null,"ids":["b"],"retries":0}`, ``, `null`, `[]`, `{} {}`,
		`{"retries":1,"query":{"many":9223372036854775808}}`, `{"retries":1e400}`,
	} {
		f.Add(s)
	}
	var got bulkBody
	e := server(f, contract.Options{}, map[string]echo.HandlerFunc{"bulk": capture(&got), "bulkByKin": capture(&got)})
	f.Fuzz(func(t *testing.T, body string) {
		var verdicts [2]string
		for i, path := range []string{"/bulk", "/bulk-by-kin"} {
			got = bulkBody{}
			a := ask(t, e, "PUT", thing+path, body)
			if code := a.ResponseRecorder.Code; code != http.StatusNoContent && code != http.StatusBadRequest {
				t.Errorf("%q: %d %s", body, code, a.Body)
			}
			bound, err := json.Marshal(got)
			verdicts[i] = fmt.Sprintf("%d %s %s %v", a.ResponseRecorder.Code, a.Body, bound, err)
		}
		if verdicts[0] != verdicts[1] {
			t.Errorf("%q\n   streamed: %s\nkin-openapi: %s", body, verdicts[0], verdicts[1])
		}
	})
}

// A query is refused, or every declared parameter comes to the handler once, in a spelling that generated code can read; made
// uniform again it stays as it is.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{
		"name=a&name=b", "locked=True&all=", "priority=%205.9e3", "after=2013-01-23T14%3A42%3A45.000%2B0200", "name=%zz", "name=%00", "name=%ff", "a;b=c;d", "idIn=a,,b&firstResult=%20",
		"sortBy=id&sortOrder=", "small=2147483648", "firstResult=-1", "priority=1e18", "priority=-9223372036854775808", "=&&=", "after=9999-12-31T23:59:59-2300",
	} {
		f.Add(s)
	}
	var got url.Values
	e := server(f, contract.Options{}, map[string]echo.HandlerFunc{"getThings": func(ec echo.Context) error {
		got = ec.QueryParams()
		return ec.NoContent(http.StatusNoContent)
	}})
	asked := func(t *testing.T, query string) bool {
		r := httptest.NewRequest(http.MethodGet, thing, nil)
		r.URL.RawQuery, got = query, nil
		a := send(t, e, r)
		if code := a.ResponseRecorder.Code; code != http.StatusNoContent && code != http.StatusBadRequest {
			t.Errorf("%q: %d %s", query, code, a.Body)
		}
		return a.ResponseRecorder.Code == http.StatusNoContent
	}
	f.Fuzz(func(t *testing.T, query string) {
		if !asked(t, query) {
			return
		}
		first := got
		for name, list := range first {
			if read, declared := spellings[name]; declared && (len(list) != 1 || !read(list[0])) {
				t.Errorf("%q: %s is %q", query, name, list)
			}
		}
		if !asked(t, first.Encode()) || got.Encode() != first.Encode() {
			t.Errorf("%q is %q, and that is %q", query, first.Encode(), got.Encode())
		}
	})
}

// spellings tells for each declared parameter whether generated code can read a text.
var spellings = map[string]func(string) bool{
	"name": utf8.ValidString, "idIn": utf8.ValidString, "locked": isBoolean, "all": isBoolean, "priority": isInteger(64), "small": isInteger(32), "firstResult": isInteger(32),
	"after":  func(s string) bool { return new(wire.DateTime).Bind(s) == nil },
	"sortBy": func(s string) bool { return slices.Contains([]string{"id", "name"}, s) }, "sortOrder": func(s string) bool { return slices.Contains([]string{"asc", "desc"}, s) },
	"short": func(s string) bool { return utf8.RuneCountInString(s) <= 3 },
}

func isBoolean(s string) bool { return s == "true" || s == "false" }

func isInteger(bits int) func(string) bool {
	return func(s string) bool { _, err := strconv.ParseInt(s, 10, bits); return err == nil }
}

// Whatever path and method are asked for, the answer is one that the document or HTTP knows, and its error has the one body.
func FuzzPath(f *testing.F) {
	for _, s := range []string{"/thing", "/thing/", "/thing/a%2Fb", "/engine/default/thing/a", "/engine/other/thing", "/thing/%zz", "/thing/%00", "/thing/%ff/text", "//thing", "/thing/a/unlock/", "/thing/suspended", ""} {
		f.Add("GET", s, "*/*")
		f.Add("PUT", s, "text/plain;q=0, application/json")
	}
	e := server(f, contract.Options{}, nil)
	fine := []int{200, 204, 400, 404, 405, 406, 415}
	f.Fuzz(func(t *testing.T, method, path, accept string) {
		u, err := url.ParseRequestURI("/engine-rest" + path)
		if err != nil || !slices.Contains([]string{"GET", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "HEAD"}, method) {
			return
		}
		r := httptest.NewRequest(method, "/", nil)
		r.URL = u
		r.Header.Set("Accept", accept)
		a := send(t, e, r)
		if !slices.Contains(fine, a.ResponseRecorder.Code) || a.ResponseRecorder.Code == 405 && a.Header().Get("Allow") == "" {
			t.Errorf("%s %q: %d %s", method, path, a.ResponseRecorder.Code, a.Body)
		}
	})
}
