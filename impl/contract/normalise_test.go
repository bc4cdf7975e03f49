package contract_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/labstack/echo/v4"

	"rearm/impl/contract"
)

// TestQueriesAreMadeUniform says what a handler reads for what a client sends; "<absent>" stands for no such parameter.
func TestQueriesAreMadeUniform(t *testing.T) {
	t.Parallel()
	var got url.Values
	e := server(t, contract.Options{}, map[string]echo.HandlerFunc{"getThings": func(ec echo.Context) error {
		got = ec.QueryParams()
		return ec.NoContent(http.StatusNoContent)
	}})
	for _, row := range []struct{ query, name, want string }{
		{"name=a&name=b", "name", "a"},
		{"locked=true&locked=nonsense", "locked", "true"},
		{"locked=True", "locked", "true"},
		{"locked=fAlSe", "locked", "false"},
		{"name=", "name", ""},
		{"name=%20a%20", "name", " a "},
		{"name=a;b", "name", "a;b"},
		{"name=True", "name", "True"},
		{"idIn=", "idIn", ""},
		{"idIn=a,,b", "idIn", "a,,b"},
		{"after=", "after", "<absent>"},
		{"after=2013-01-23T14:42:45Z", "after", "2013-01-23T14:42:45Z"},
		{"after=2013-01-23T14:42:45.000%2B0200", "after", "2013-01-23T14:42:45.000+0200"},
		{"firstResult=", "firstResult", "<absent>"},
		{"firstResult=%205", "firstResult", "5"},
		{"all=", "all", "<absent>"},
		{"priority=%20-7%20", "priority", "-7"},
		{"priority=5.9", "priority", "5"},
		{"priority=1e3", "priority", "1000"},
		{"priority=9223372036854775807", "priority", "9223372036854775807"},
		{"unknown=%41&locked=TRUE", "unknown", "A"},
	} {
		got = nil
		if a := ask(t, e, "GET", thing+"?"+row.query, ""); a.ResponseRecorder.Code != http.StatusNoContent {
			t.Errorf("%s: %d %s", row.query, a.ResponseRecorder.Code, a.Message)
			continue
		}
		value := "<absent>"
		if list, ok := got[row.name]; ok {
			value = list[0]
		}
		if value != row.want || len(got[row.name]) > 1 {
			t.Errorf("%s: %s is %q, want %q once", row.query, row.name, got[row.name], row.want)
		}
	}
}

func TestHeadersAreJudged(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{}, nil)
	got := ask(t, e, "GET", thing, "", "Key", "too long")
	if got.ResponseRecorder.Code != 400 || got.Message != "The header parameter Key must have at most 5 characters" {
		t.Errorf("%d %q", got.ResponseRecorder.Code, got.Message)
	}
	if got := ask(t, e, "GET", thing, "", "Key", "right", "Content-Type", "nonsense"); got.ResponseRecorder.Code != 204 {
		t.Errorf("%d %q", got.ResponseRecorder.Code, got.Message)
	}
}
