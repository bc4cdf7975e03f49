package contract_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
	"github.com/oapi-codegen/nullable"

	"rearm/impl/contract"
	"rearm/openapi/wire"
)

// things gives the small document of the tests.
func things(t testing.TB) *openapi3.T {
	t.Helper()
	text, err := os.ReadFile("testdata/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := contract.Load(text)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

// server is an echo with every operation of the small document; handlers say what they do by operationId.
func server(t testing.TB, options contract.Options, handlers map[string]echo.HandlerFunc) *echo.Echo {
	t.Helper()
	e, _ := install(t, options, handlers)
	return e
}

// install gives the contract of the server, too.
func install(t testing.TB, options contract.Options, handlers map[string]echo.HandlerFunc) (*echo.Echo, *contract.Contract) {
	t.Helper()
	doc := things(t)
	c, err := contract.New(doc, options)
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	c.Install(e)
	for path, item := range doc.Paths.Map() {
		route := c.Prefix() + strings.NewReplacer("{", ":", "}", "").Replace(path)
		for method, op := range item.Operations() {
			handler := handlers[op.OperationID]
			if handler == nil {
				handler = func(ec echo.Context) error { return ec.NoContent(http.StatusNoContent) }
			}
			e.Add(method, route, handler, c.Middlewares()[op.OperationID]...)
		}
	}
	return e, c
}

// answer is what came back.
type answer struct {
	*httptest.ResponseRecorder
	Type    string
	Message string
	Code    *int32
}

// ask sends a request without a network. A body that begins with a media type and a blank line has that as its Content-Type.
func ask(t testing.TB, h http.Handler, method, url, body string, headers ...string) answer {
	t.Helper()
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	r := httptest.NewRequest(method, "/", from)
	u, err := r.URL.Parse(url)
	if err != nil {
		t.Fatal(err)
	}
	r.URL = u
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return send(t, h, r)
}

// send sends a request and reads an error's body strictly: three properties, each there.
func send(t testing.TB, h http.Handler, r *http.Request) answer {
	t.Helper()
	a := answer{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(a.ResponseRecorder, r)
	if a.ResponseRecorder.Code < 400 || r.Method == http.MethodHead {
		return a
	}
	if got := a.Header().Get("Content-Type"); got != "application/json" {
		t.Errorf("%s %s: Content-Type %q", r.Method, r.URL, got)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(a.Body.Bytes(), &fields); err != nil || len(fields) != 3 || fields["code"] == nil {
		t.Fatalf("%s %s: no body of an error: %s", r.Method, r.URL, a.Body)
	}
	_ = json.Unmarshal(fields["type"], &a.Type)
	_ = json.Unmarshal(fields["message"], &a.Message)
	_ = json.Unmarshal(fields["code"], &a.Code)
	return a
}

// bulkBody is what generated code makes of the schema Bulk.
type bulkBody struct {
	Retries int32                       `json:"retries"`
	IDs     nullable.Nullable[wire.IDs] `json:"ids,omitempty"`
	Checked []string                    `json:"checked,omitempty"`
	Query   *struct {
		Name nullable.Nullable[string] `json:"name,omitempty"`
		Many nullable.Nullable[int64]  `json:"many,omitempty"`
		Any  json.RawMessage           `json:"any,omitempty"`
	} `json:"query,omitempty"`
}

// bind binds a body as generated code does.
func bind(ec echo.Context, dst any) error { return new(echo.DefaultBinder).BindBody(ec, dst) }

// capture gives a handler that keeps the body it got.
func capture(dst *bulkBody) echo.HandlerFunc {
	return func(ec echo.Context) error {
		*dst = bulkBody{}
		if err := bind(ec, dst); err != nil {
			return err
		}
		return ec.NoContent(http.StatusNoContent)
	}
}

// logTo gives options that log to w at every level.
func logTo(w io.Writer) contract.Options {
	return contract.Options{Log: slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))}
}

func TestNewRefusesDocuments(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*openapi3.T){
		"no role":                  func(d *openapi3.T) { delete(d.Paths.Value("/thing").Get.Extensions, "x-rearm-role") },
		"unknown role":             func(d *openapi3.T) { d.Paths.Value("/thing").Get.Extensions["x-rearm-role"] = "king" },
		"no operationId":           func(d *openapi3.T) { d.Paths.Value("/thing").Get.OperationID = "" },
		"x-error: unknown keyword": func(d *openapi3.T) { spoilSchema(d, "Any", "x-error", map[string]any{"size": map[string]any{}}) },
		"x-error: unknown property": func(d *openapi3.T) {
			spoilSchema(d, "Any", "x-error", map[string]any{"type": map[string]any{"text": ""}})
		},
		"x-rearm-stream: no strings": func(d *openapi3.T) {
			spoilProperty(d, "Bulk", "ids", func(s *openapi3.Schema) { s.MaxItems = new(uint64) })
		},
		"x-rearm-first: no schemas": func(d *openapi3.T) { spoilSchema(d, "Bulk", "x-rearm-first", "retries") },
		"x-rearm-first: a broken schema": func(d *openapi3.T) {
			spoilSchema(d, "Bulk", "x-rearm-first", []any{map[string]any{"type": "nope"}})
		},
		"x-rearm-first: unknown keyword": func(d *openapi3.T) {
			spoilSchema(d, "Bulk", "x-rearm-first", []any{map[string]any{"x-error": map[string]any{"size": map[string]any{}}}})
		},
		"x-error: no such place": func(d *openapi3.T) {
			d.Paths.Value("/thing").Post.Extensions["x-error"] = map[string]any{"/nope required": map[string]any{"type": "x"}}
		},
		"a body of another type": func(d *openapi3.T) {
			content := d.Paths.Value("/thing").Post.RequestBody.Value.Content
			content["text/plain"] = content["application/json"]
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			doc := things(t)
			if _, err := contract.New(doc, contract.Options{}); err != nil {
				t.Fatal(err)
			}
			spoil(doc)
			if _, err := contract.New(doc, contract.Options{}); err == nil {
				t.Error("the document was taken")
			}
		})
	}
}

func spoilSchema(d *openapi3.T, schema, extension string, value any) {
	d.Components.Schemas[schema].Value.Extensions = map[string]any{extension: value}
}

func spoilProperty(d *openapi3.T, schema, property string, spoil func(*openapi3.Schema)) {
	spoil(d.Components.Schemas[schema].Value.Properties[property].Value)
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"{", "openapi: 3.0.3", "openapi: 3.0.3\ninfo: {title: a, version: b}\npaths: {/a: {get: {}}}"} {
		if _, err := contract.Load([]byte(text)); err == nil {
			t.Errorf("%q was taken for a document", text)
		}
	}
}
