package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// deadlines notes what a connection is told.
type deadlines struct {
	*httptest.ResponseRecorder
	told []time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.told = append(d.told, at)
	return nil
}

// The more of a body has come, the more time it has; when it has come the connection has no deadline any more.
func TestBodyEarnsTime(t *testing.T) {
	t.Parallel()
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	var read int64
	handler := impatient(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		piece := make([]byte, bodyRate)
		for {
			n, err := r.Body.Read(piece)
			read += int64(n)
			if err != nil {
				return
			}
		}
	}))
	before := time.Now()
	body := io.MultiReader(strings.NewReader(strings.Repeat("x", bodyRate)), strings.NewReader(strings.Repeat("y", bodyRate)))
	handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body))
	if read != 2*bodyRate || len(w.told) != 4 {
		t.Fatalf("%d bytes, deadlines %v", read, w.told)
	}
	if wait := w.told[0].Sub(before); wait < bodyGrace || wait > bodyGrace+5*time.Second {
		t.Errorf("the first byte has %v, want %v", wait, bodyGrace)
	}
	for i := range 2 {
		if more := w.told[i+1].Sub(w.told[i]); more != time.Second {
			t.Errorf("%d bytes have earned %v, want a second", bodyRate, more)
		}
	}
	if !w.told[3].IsZero() {
		t.Errorf("after the end the deadline is %v, want none", w.told[3])
	}
}

// A request without a body needs no deadline.
func TestNoBodyNoDeadline(t *testing.T) {
	t.Parallel()
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	impatient(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) })).
		ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	if len(w.told) > 0 {
		t.Errorf("%v", w.told)
	}
}
