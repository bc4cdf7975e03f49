package main

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// How slowly a body may come: after the grace it must have arrived at this rate, from its beginning on. A deadline for the
// whole request (http.Server.ReadTimeout) would also end long polls.
const (
	bodyGrace = 30 * time.Second
	bodyRate  = 64 << 10 // bytes a second
)

// impatient gives up on bodies that come too slowly; reading one is then a timeout, which the contract makes a 400.
func impatient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &timedBody{ReadCloser: r.Body, conn: http.NewResponseController(w), start: time.Now()}
		}
		next.ServeHTTP(w, r)
	})
}

// timedBody moves the connection's deadline along with what has been read.
type timedBody struct {
	io.ReadCloser
	conn  *http.ResponseController
	start time.Time
	read  int64
}

// Read reads, until the time is up that the bytes so far have earned. At the end of the body the deadline is taken away.
func (b *timedBody) Read(p []byte) (int, error) {
	earned := time.Duration(b.read) * time.Second / bodyRate
	if err := b.conn.SetReadDeadline(b.start.Add(bodyGrace + earned)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if errors.Is(err, io.EOF) {
		_ = b.conn.SetReadDeadline(time.Time{}) // a connection that has gone has no deadline
	}
	return n, err
}
