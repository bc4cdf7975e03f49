package contract_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"rearm/db"
	"rearm/impl/contract"
)

// witness is an observer that writes down what it sees.
type witness struct {
	seen []string
	ends []time.Time
}

// beginning is a key of the context that a witness gives.
type beginning struct{}

func (w *witness) Begin(ctx context.Context, r *http.Request) context.Context {
	contract.RecordOf(ctx).ID = "id of " + r.URL.Path
	w.seen = append(w.seen, "begin")
	return context.WithValue(ctx, beginning{}, "begun")
}

func (w *witness) End(r *http.Request) {
	record := contract.RecordOf(r.Context())
	deed, known := record.Deed()
	w.ends = append(w.ends, time.Now())
	w.seen = append(w.seen, fmt.Sprint("end ", record.Operation(), " ", record.Writes(), " ", record.Status(), " ", record.Caller().Name, " ", known, deed))
}

// watched makes a server that a witness watches.
func watched(t *testing.T, w *witness, handlers map[string]echo.HandlerFunc) http.Handler {
	t.Helper()
	e, c := install(t, contract.Options{Observer: w}, handlers)
	return c.Patient(e)
}

func TestRecord(t *testing.T) {
	t.Parallel()
	did := func(d contract.Deed) echo.HandlerFunc {
		return func(ec echo.Context) error {
			contract.RecordOf(ec.Request().Context()).Did(d)
			return ec.NoContent(204)
		}
	}
	handlers := map[string]echo.HandlerFunc{
		"getThing": func(ec echo.Context) error {
			if ec.Request().Context().Value(beginning{}) != "begun" {
				return errors.New("another context")
			}
			contract.WithCaller(ec.Request().Context(), db.Caller{Name: "ann"})
			return ec.String(200, "it")
		},
		"unlock":        func(ec echo.Context) error { return ec.NoContent(204) },
		"deleteThing":   did(contract.Deed{N: 7, IDs: []string{"x"}}),
		"suspendThings": did(contract.Deed{Batch: "b"}),
		"getThings":     func(echo.Context) error { return nil },
		"countThings":   func(echo.Context) error { panic("oh no") },
	}
	for _, c := range []struct{ method, path, end string }{
		{"GET", "/thing/a", "end getThing false 200 ann false {0 [] }"},
		{"POST", "/thing/a/unlock", "end unlock true 204  true {1 [a] }"},
		{"DELETE", "/thing/a", "end deleteThing true 204  true {7 [x] }"},
		{"PUT", "/thing/suspended", "end suspendThings true 204  true {0 [] b}"},
		{"GET", "/thing/count", "end countThings false 500  false {0 [] }"},
		{"GET", "/thing?firstResult=x", "end getThings false 400  false {0 [] }"},
		{"PATCH", "/thing/a", "end  false 405  false {0 [] }"},
		{"GET", "/nothing", "end  false 404  false {0 [] }"},
	} {
		t.Run(c.method+c.path, func(t *testing.T) {
			t.Parallel()
			w, got := &witness{}, httptest.NewRecorder()
			path := strings.TrimSuffix(thing, "/thing") + c.path
			watched(t, w, handlers).ServeHTTP(got, httptest.NewRequest(c.method, path, nil))
			if want := []string{"begin", c.end}; !slices.Equal(w.seen, want) {
				t.Errorf("seen %q, want %q", w.seen, want)
			}
			bare, _, _ := strings.Cut(path, "?")
			if id := got.Header().Get("X-Request-Id"); id != "id of "+bare {
				t.Errorf("the answer has the id %q", id)
			}
		})
	}
}

// A query that comes as POST writes nothing.
func TestQueriesWriteNothing(t *testing.T) {
	t.Parallel()
	w := &witness{}
	h := watched(t, w, map[string]echo.HandlerFunc{"queryThings": func(ec echo.Context) error { return ec.JSON(200, []string{}) }})
	r := httptest.NewRequest("POST", thing, strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")
	h.ServeHTTP(httptest.NewRecorder(), r)
	if want := []string{"begin", "end queryThings false 200  false {0 [] }"}; !slices.Equal(w.seen, want) {
		t.Errorf("seen %q, want %q", w.seen, want)
	}
}

// A request that waits ends once, when it is answered, and its id waits until then too.
func TestRecordOfWaiting(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		w, got, start := &witness{}, httptest.NewRecorder(), time.Now()
		wait := func() {
			time.Sleep(time.Minute)
			if len(w.seen) != 1 || len(got.Header()) > 1 { // Cache-Control
				t.Errorf("while it waits: %q, %v", w.seen, got.Header())
			}
		}
		h := watched(t, w, map[string]echo.HandlerFunc{"getThing": func(ec echo.Context) error {
			return contract.Later(ec.Response(), wait, func(w http.ResponseWriter) error { _, err := w.Write([]byte("done")); return err })
		}})
		h.ServeHTTP(got, httptest.NewRequest("GET", thing+"/a", nil))
		if want := []string{"begin", "end getThing false 200  false {0 [] }"}; !slices.Equal(w.seen, want) || w.ends[0].Sub(start) != time.Minute {
			t.Errorf("seen %q after %v, want %q", w.seen, w.ends[0].Sub(start), want)
		}
		if got.Header().Get("X-Request-Id") == "" || got.Body.String() != "done" {
			t.Errorf("%v %q", got.Header(), got.Body)
		}
	})
}

// A connection that is broken on purpose ends too, and so does an answer that is only flushed.
func TestRecordOfBrokenAndFlushed(t *testing.T) {
	t.Parallel()
	w, got := &witness{}, httptest.NewRecorder()
	h := watched(t, w, map[string]echo.HandlerFunc{
		"getThing":    func(ec echo.Context) error { return http.NewResponseController(ec.Response()).Flush() },
		"countThings": func(echo.Context) error { panic(http.ErrAbortHandler) },
	})
	h.ServeHTTP(got, httptest.NewRequest("GET", thing+"/a", nil))
	if !got.Flushed || got.Header().Get("X-Request-Id") == "" {
		t.Errorf("flushed %v with %v", got.Flushed, got.Header())
	}
	func() {
		defer func() { _ = recover() }()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", thing+"/count", nil))
	}()
	if want := []string{"begin", "end getThing false 200  false {0 [] }", "begin", "end countThings false 0  false {0 [] }"}; !slices.Equal(w.seen, want) {
		t.Errorf("seen %q, want %q", w.seen, want)
	}
}

// That the database is away is no error of each request.
func TestDatabaseAwayIsNotSaidByRequests(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	e, c := install(t, logTo(&log), map[string]echo.HandlerFunc{"getThing": func(echo.Context) error {
		return fmt.Errorf("read: %w", db.ErrUnavailable)
	}})
	c.Patient(e).ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", thing+"/a", nil))
	if s := log.String(); strings.Contains(s, "level=ERROR") || !strings.Contains(s, "level=DEBUG") {
		t.Errorf("the log: %s", s)
	}
}
