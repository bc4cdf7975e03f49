package main

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// deadlines notes what a connection is told, as the time from then on; 0: no deadline any more.
type deadlines struct {
	*httptest.ResponseRecorder
	read, write []time.Duration
}

func (d *deadlines) SetReadDeadline(at time.Time) error {
	d.read = append(d.read, distance(at))
	return nil
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	d.write = append(d.write, distance(at))
	return nil
}

func distance(at time.Time) time.Duration {
	if at.IsZero() {
		return 0
	}
	return time.Until(at)
}

// slowReader takes a time for every piece of a body.
type slowReader struct {
	pieces []string
	takes  time.Duration
}

func (s *slowReader) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	time.Sleep(s.takes)
	n := copy(p, s.pieces[0])
	s.pieces = s.pieces[1:]
	return n, nil
}

// The more of a body has come, the more time it has; only waiting for it counts; when it has come there is no deadline any more.
func TestBodyEarnsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		handler := impatient(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			piece := make([]byte, slowest)
			for {
				if _, err := r.Body.Read(piece); err != nil {
					return
				}
				time.Sleep(time.Hour) // the server itself has other things to do
			}
		}))
		body := &slowReader{[]string{strings.Repeat("x", slowest), strings.Repeat("y", 2*slowest/4)}, 10 * time.Second}
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", body))
		// at first for net/http itself, then a second for the first piece and half a second for the other, less 10 s for each
		want := []time.Duration{30 * time.Second, 30 * time.Second, 21 * time.Second, 11*time.Second + time.Second/2, 0}
		if fmt.Sprint(w.read) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", w.read, want)
		}
	})
}

// A request without a body needs no deadline for reading.
func TestNoBodyNoDeadline(t *testing.T) {
	t.Parallel()
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	impatient(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) })).
		ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
	if len(w.read) > 0 {
		t.Errorf("%v", w.read)
	}
}

// The time of an answer begins with the answer, whatever came before it, and grows with what has been taken.
func TestAnswerEarnsTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
		handler := impatient(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(time.Hour)
			w.WriteHeader(http.StatusOK)
			for range 2 {
				if n, err := w.Write(make([]byte, slowest+slowest/2)); n != slowest+slowest/2 || err != nil {
					t.Errorf("%d, %v", n, err)
				}
			}
			_, _ = w.Write(nil)
		}))
		handler.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody))
		s := time.Second
		if want := []time.Duration{30 * s, 30 * s, 31 * s, 31*s + s/2, 32*s + s/2, 33 * s}; fmt.Sprint(w.write) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", w.write, want)
		}
		if w.Body.Len() != 3*slowest {
			t.Errorf("%d bytes", w.Body.Len())
		}
	})
}

// On a real server: who does not send a body, or does not take an answer, is cut off, and so is a body that nobody has read.
func TestSlowClientsAreCutOff(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		request string
		handler http.HandlerFunc
		most    time.Duration
	}{
		"no headers":           {"GET / HTTP/1.1\r\nHost: x\r\n", func(http.ResponseWriter, *http.Request) {}, 10 * time.Second},
		"no body":              {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body) }, grantedTime},
		"no body, not read":    {"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(404) }, grantedTime},
		"answer not taken":     {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 1<<20)) }, grantedTime},
		"idle after an answer": {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(204) }, 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				network := pipes{make(chan net.Conn)}
				server := newServer(impatient(c.handler), slog.New(slog.DiscardHandler))
				served := later(func() error { return server.Serve(network) })
				conn, err := network.dial(t.Context(), "", "")
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if _, err := io.WriteString(conn, c.request); err != nil {
					t.Fatal(err)
				}
				if name != "answer not taken" {
					_, _ = io.Copy(io.Discard, bufio.NewReader(conn)) // until the server closes it
				} else {
					time.Sleep(c.most + time.Second)
					if n, _ := io.Copy(io.Discard, conn); n >= 1<<20 {
						t.Error("the whole answer came all the same")
					}
				}
				if took := time.Since(start); took > c.most+2*time.Second {
					t.Errorf("it took %v, want %v", took, c.most)
				}
				_ = server.Close() // it has nothing to do
				_ = <-served       //nolint:staticcheck // it ends with an error, and which does not matter
			})
		})
	}
}
