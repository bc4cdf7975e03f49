package contract_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/labstack/echo/v4"

	"rearm/impl/contract"
)

// TestOneLargeBodyAtATime: while one body above the ordinary limit is held, another one waits, and small ones pass.
func TestOneLargeBodyAtATime(t *testing.T) {
	t.Parallel()
	held, release := make(chan struct{}), make(chan struct{})
	e := server(t, contract.Options{MaxBody: 100, MaxBigBody: 1000}, map[string]echo.HandlerFunc{"bulk": func(ec echo.Context) error {
		if ec.Request().Header.Get("Hold") != "" {
			close(held)
			<-release
		}
		return ec.NoContent(http.StatusNoContent)
	}})
	large, small := `{"retries":1}`+strings.Repeat(" ", 200), `{"retries":1}`
	first := make(chan int)
	go func() { first <- ask(t, e, "PUT", thing+"/bulk", large, "Hold", "yes").ResponseRecorder.Code }()
	<-held

	for _, unknownLength := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		r := request(ctx, large, unknownLength)
		r.Body = &whenRead{ReadCloser: r.Body, then: cancel}
		if !unknownLength {
			cancel() // it waits before it reads anything
		}
		if got := send(t, e, r); got.ResponseRecorder.Code != 503 {
			t.Errorf("a second large body was taken: %d", got.ResponseRecorder.Code)
		}
	}
	if got := ask(t, e, "PUT", thing+"/bulk", small); got.ResponseRecorder.Code != 204 {
		t.Errorf("a small body: %d", got.ResponseRecorder.Code)
	}
	close(release)
	if status := <-first; status != 204 {
		t.Errorf("the first large body: %d", status)
	}
	if got := send(t, e, request(t.Context(), large, true)); got.ResponseRecorder.Code != 204 {
		t.Errorf("the turn was not given back: %d %s", got.ResponseRecorder.Code, got.Message)
	}
}

func request(ctx context.Context, body string, unknownLength bool) *http.Request {
	r := httptest.NewRequest(http.MethodPut, thing+"/bulk", strings.NewReader(body)).WithContext(ctx)
	r.Header.Set("Content-Type", "application/json")
	if unknownLength {
		r.ContentLength = -1
	}
	return r
}

// whenRead calls a function after the first read.
type whenRead struct {
	io.ReadCloser
	then func()
}

func (w *whenRead) Read(p []byte) (int, error) {
	defer w.then()
	return w.ReadCloser.Read(p)
}

func TestLimitsOfUnknownLength(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{MaxBody: 100, MaxBigBody: 200}, nil)
	if got := send(t, e, request(t.Context(), strings.Repeat(" ", 300), true)); got.ResponseRecorder.Code != 413 {
		t.Errorf("got %d %q", got.ResponseRecorder.Code, got.Message)
	}
}

// TestBodyThatDoesNotArrive: a client's slow or broken sending is a 400.
func TestBodyThatDoesNotArrive(t *testing.T) {
	t.Parallel()
	for err, want := range map[error]int{os.ErrDeadlineExceeded: 400, io.ErrUnexpectedEOF: 400, syscall.ECONNRESET: 400, context.Canceled: 503} {
		e := server(t, contract.Options{}, nil)
		r := request(t.Context(), "", true)
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(`{"retries":1,"ids":["a`), failing{err}))
		if got := send(t, e, r); got.ResponseRecorder.Code != want {
			t.Errorf("%v: %d %q", err, got.ResponseRecorder.Code, got.Message)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestNoMoreIsReadThanTheLimit: nothing on the way of a request reads its body before the limit is set.
func TestNoMoreIsReadThanTheLimit(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{MaxBody: 100, MaxBigBody: 200}, nil)
	body := strings.NewReader(strings.Repeat(" ", 1<<20))
	r := httptest.NewRequest(http.MethodPut, thing+"/bulk", io.NopCloser(body))
	r.Header.Set("Content-Type", "application/json")
	if got := send(t, e, r); got.ResponseRecorder.Code != 413 || body.Len() < 1<<20-10_000 {
		t.Errorf("%d, after %d bytes", got.ResponseRecorder.Code, 1<<20-body.Len())
	}
}
