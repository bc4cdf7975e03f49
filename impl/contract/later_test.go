package contract_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"

	"rearm/impl/contract"
	"rearm/impl/fault"
)

// patient makes a server whose getThing is answered later by answer.
func patient(t *testing.T, log *strings.Builder, wait func(), answer func(http.ResponseWriter) error) http.Handler {
	t.Helper()
	e, c := install(t, logTo(log), map[string]echo.HandlerFunc{"getThing": func(ec echo.Context) error {
		return contract.Later(ec.Response(), wait, answer)
	}})
	return c.Patient(e)
}

func TestLater(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		answer func(http.ResponseWriter) error
		status int
		body   string
		logged string
	}{
		{"answer", func(w http.ResponseWriter) error { _, err := w.Write([]byte("done")); return err }, 200, "done", ""},
		{"refusal", func(http.ResponseWriter) error { return fault.New(fault.Unavailable, fault.Rest, "full") }, 503, `"message":"full"`, ""},
		{"failure", func(http.ResponseWriter) error { return errors.New("secret") }, 500, `"type":"RestException"`, "secret"},
		{"panic", func(http.ResponseWriter) error { panic("oh no") }, 500, `"type":"RestException"`, "oh no"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			bubble(t, func(t *testing.T) {
				var log strings.Builder
				start := time.Now()
				h := patient(t, &log, func() { time.Sleep(time.Minute) }, row.answer)
				got := httptest.NewRecorder()
				h.ServeHTTP(got, httptest.NewRequest("GET", thing+"/a", nil))
				if got.Code != row.status || !strings.Contains(got.Body.String(), row.body) || time.Since(start) != time.Minute {
					t.Errorf("%d %s after %v", got.Code, got.Body, time.Since(start))
				}
				if s := log.String(); row.logged != "" && (strings.Count(s, "level=ERROR") != 1 || !strings.Contains(s, row.logged) || !strings.Contains(s, "operation=getThing")) {
					t.Errorf("the log: %s", s)
				}
				if retry := got.Header().Get("Retry-After"); (retry != "") != (row.status == 503) {
					t.Errorf("Retry-After %q", retry)
				}
			})
		})
	}
}

// A client that does not take its answer is no fault of the server's.
func TestAnswerNotTaken(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	e, c := install(t, logTo(&log), map[string]echo.HandlerFunc{"getThing": func(ec echo.Context) error {
		_, err := ec.Response().Write([]byte("an answer"))
		return err
	}})
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) || strings.Contains(log.String(), "ERROR") || !strings.Contains(log.String(), "did not take the answer") {
			t.Errorf("%v, log %s", err, log.String())
		}
	}()
	c.Patient(e).ServeHTTP(deaf{httptest.NewRecorder()}, httptest.NewRequest("GET", thing+"/a", nil))
}

// deaf is a client that takes nothing.
type deaf struct{ *httptest.ResponseRecorder }

func (deaf) Write([]byte) (int, error) { return 0, os.ErrDeadlineExceeded }

// Without Patient the handler itself waits.
func TestLaterInPlace(t *testing.T) {
	t.Parallel()
	got, waited := httptest.NewRecorder(), false
	err := contract.Later(got, func() { waited = true }, func(w http.ResponseWriter) error { w.WriteHeader(204); return errors.New("x") })
	if !waited || got.Code != 204 || err == nil {
		t.Errorf("%d, %v", got.Code, err)
	}
}

// While a request waits, nothing of the way to its handler stands on its stack.
func TestLaterNeedsNoStack(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		var log strings.Builder
		stack := make([]byte, 1<<16)
		h := patient(t, &log, func() { stack = stack[:runtime.Stack(stack, false)] }, func(w http.ResponseWriter) error { return nil })
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", thing+"/a", nil))
		if s := string(stack); strings.Contains(s, "echo") || !strings.Contains(s, "ServeHTTP") {
			t.Errorf("it waits with\n%s", s)
		}
	})
}

// What breaks a connection on purpose still does, and an answer that comes at once needs no waiting.
func TestPatientPassesOn(t *testing.T) {
	t.Parallel()
	e, c := install(t, contract.Options{}, map[string]echo.HandlerFunc{
		"getThing":    func(ec echo.Context) error { return http.NewResponseController(ec.Response()).Flush() },
		"countThings": func(echo.Context) error { panic(http.ErrAbortHandler) },
	})
	h := c.Patient(e)
	got := httptest.NewRecorder()
	h.ServeHTTP(got, httptest.NewRequest("GET", thing+"/a", nil))
	if !got.Flushed {
		t.Error("the connection's own writer is not reached")
	}
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) {
			t.Error("http.ErrAbortHandler was kept back")
		}
	}()
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", thing+"/count", nil))
}

// Stacks are lent again, and go when nobody needs them: a bubble does not end before its goroutines do.
func TestStacksGo(t *testing.T) {
	t.Parallel()
	bubble(t, func(t *testing.T) {
		goroutines := map[string]bool{}
		e, c := install(t, contract.Options{}, map[string]echo.HandlerFunc{"getThing": func(ec echo.Context) error {
			id := make([]byte, 32)
			runtime.Stack(id, false)
			goroutines[strings.Fields(string(id))[1]] = true
			return nil
		}})
		h := c.Patient(e)
		for range 100 {
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", thing+"/a", nil))
			synctest.Wait()
		}
		if len(goroutines) != 1 {
			t.Errorf("%d stacks were lent one after the other", len(goroutines))
		}
	})
}

// bubble runs f in a bubble, and gives stacks the time to go.
func bubble(t *testing.T, f func(*testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f(t)
		time.Sleep(time.Minute)
	})
}
