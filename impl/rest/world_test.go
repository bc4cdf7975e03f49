package rest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/contract"
	"rearm/impl/contract/contracttest"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/poll"
)

// world is a whole server on a store, as its clients see it: every answer is held to the document. Its clock stands until it is
// moved.
type world struct {
	t      *testing.T
	engine *engine.Engine
	url    string
	client *http.Client

	mu  sync.Mutex
	now time.Time
}

func newWorld(t *testing.T, s *db.Store) *world {
	t.Helper()
	w := &world{t: t, now: someDate}
	w.engine = engine.New(s, engine.Options{
		Now: w.clock, NewID: dbtest.ID, Log: slog.New(slog.DiscardHandler), Wake: func([]string) {}, Run: func() {}, Settings: engine.DefaultSettings(),
	})
	room := poll.New(w.engine, poll.DefaultSettings(), slog.New(slog.DiscardHandler), w.clock)
	document := contractOf(t)
	judge, err := contract.New(document, contract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	web := echo.New()
	judge.Install(web)
	gen.RegisterHandlersWithOptions(web, gen.NewStrictHandler(NewServer(w.engine, room, "7.24.0"), nil), gen.RegisterHandlersOptions{
		BaseURL: judge.Prefix(), OperationMiddlewares: judge.Middlewares(),
	})
	server := httptest.NewServer(asCaller(web))
	t.Cleanup(server.Close)
	w.url, w.client = server.URL+judge.Prefix(), &http.Client{Transport: contracttest.Transport(t, document, server.Client().Transport)}
	return w
}

// document is the contract; reading it takes longer than most tests.
var document = sync.OnceValues(func() (*openapi3.T, error) { return contract.Load(gen.Document) })

// contractOf gives the document.
func contractOf(t *testing.T) *openapi3.T {
	t.Helper()
	d, err := document()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// reply is an answer as it came.
type reply struct {
	status    int
	mediaType string
	text      string
}

// send sends a request. The header comes in pairs of names and values.
func (w *world) send(method, path, body string, header ...string) reply {
	w.t.Helper()
	var content io.Reader
	if body != "" {
		content = strings.NewReader(body)
		header = append([]string{"Content-Type", "application/json"}, header...)
	}
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, content)
	if err != nil {
		w.t.Fatal(err)
	}
	for pair := range slices.Chunk(header, 2) {
		r.Header.Set(pair[0], pair[1])
	}
	res, err := w.client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read to its end
	b, err := io.ReadAll(res.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return reply{res.StatusCode, res.Header.Get("Content-Type"), strings.TrimSpace(string(b))}
}

// wants sends a request and checks the answer: the status, and the body as JSON, in which "*" stands for any text that is not
// empty. Without a body want is "".
func (w *world) wants(method, path, body string, status int, want string) reply {
	w.t.Helper()
	got := w.send(method, path, body)
	if got.status != status || (want == "") != (got.text == "") || want != "" && !fitting(tree(w.t, want), tree(w.t, got.text)) {
		w.t.Errorf("%s %s %s:\n got %d %s\nwant %d %s", method, path, body, got.status, got.text, status, want)
	}
	return got
}

// tree reads JSON; numbers stay as they are written.
func tree(t *testing.T, text string) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}

// fitting tells whether got is what is wanted.
func fitting(want, got any) bool {
	switch want := want.(type) {
	case string:
		text, is := got.(string)
		return is && (text == want || want == "*" && text != "")
	case map[string]any:
		members, is := got.(map[string]any)
		for name, value := range want {
			member, has := members[name]
			is = is && has && fitting(value, member)
		}
		return is && len(members) == len(want)
	case []any:
		items, is := got.([]any)
		return is && slices.EqualFunc(want, items, fitting)
	}
	return reflect.DeepEqual(want, got)
}

// failure is the body of an error of the HTTP layer, whose code is null; coded that of one of the engine, whose code is 0.
func failure(typ, message string) string { return exception(typ, message, "null") }

func coded(typ, message string) string { return exception(typ, message, "0") }

func exception(typ, message, code string) string {
	return fmt.Sprintf(`{"type": %q, "message": %q, "code": %s}`, typ, message, code)
}

// create creates a task from a document and gives its id.
func (w *world) create(task string) string {
	w.t.Helper()
	var made gen.ExternalTaskDto
	got := w.send("POST", "/external-task/create", task)
	if err := json.Unmarshal([]byte(got.text), &made); err != nil || got.status != http.StatusOK {
		w.t.Fatalf("create %s: %d %s, %v", task, got.status, got.text, err)
	}
	return made.ID
}

// task reads a task that is there.
func (w *world) task(id string) gen.ExternalTaskDto {
	w.t.Helper()
	var task gen.ExternalTaskDto
	got := w.send("GET", "/external-task/"+id, "")
	if err := json.Unmarshal([]byte(got.text), &task); err != nil || got.status != http.StatusOK {
		w.t.Fatalf("task %s: %d %s, %v", id, got.status, got.text, err)
	}
	return task
}

// fetch fetches what a body asks for.
func (w *world) fetch(body string) []gen.LockedExternalTaskDto {
	w.t.Helper()
	var list []gen.LockedExternalTaskDto
	got := w.send("POST", "/external-task/fetchAndLock", body)
	if err := json.Unmarshal([]byte(got.text), &list); err != nil || got.status != http.StatusOK || list == nil {
		w.t.Fatalf("fetch %s: %d %s, %v", body, got.status, got.text, err)
	}
	return list
}

// lock locks a task for the worker w for a minute.
func (w *world) lock(id string) {
	w.t.Helper()
	w.wants("POST", "/external-task/"+id+"/lock", `{"workerId": "w", "lockDuration": 60000}`, http.StatusNoContent, "")
}

// noTask is what an operation on one task answers when there is none.
func noTask(id string) string {
	return coded(fault.Rest, "External task with id "+id+" does not exist")
}
