package main

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// How slowly a body may come, and an answer be taken: of the time that the server waits for the client there is this much, and
// more for every byte. Deadlines for a whole request (http.Server.ReadTimeout and WriteTimeout) would also end long polls.
const (
	grantedTime = 30 * time.Second
	slowest     = 64 << 10 // bytes a second
)

// impatient gives up on bodies that come too slowly; reading one is then a timeout, which the contract makes a 400. Who does not
// take the answer is cut off; its time runs when it is written, so that a poll may wait as long as it likes.
func impatient(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := http.NewResponseController(w)
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = &timedBody{ReadCloser: r.Body, conn: conn}
			_ = conn.SetReadDeadline(time.Now().Add(grantedTime)) // for net/http, which reads what nobody asked for
		}
		next.ServeHTTP(&timedAnswer{ResponseWriter: w, conn: conn}, r)
	})
}

// allowance is the time that a client has left.
type allowance struct {
	bytes int64         // that have passed
	spent time.Duration // waiting for the client
}

// deadline gives until when the next bytes have to pass.
func (a *allowance) deadline(now time.Time) time.Time {
	return now.Add(grantedTime + time.Duration(a.bytes)*time.Second/slowest - a.spent)
}

// pass notes that bytes have passed since a time.
func (a *allowance) pass(n int, since time.Time) {
	a.bytes += int64(n)
	a.spent += time.Since(since)
}

// known leaves out that a connection has no deadlines, as those of tests.
func known(err error) error {
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}

// timedBody moves the connection's deadline along with what has been read.
type timedBody struct {
	io.ReadCloser
	conn *http.ResponseController
	left allowance
}

// Read reads, until the time is up. At the end of the body the deadline is taken away.
func (b *timedBody) Read(p []byte) (int, error) {
	now := time.Now()
	if err := known(b.conn.SetReadDeadline(b.left.deadline(now))); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	b.left.pass(n, now)
	if errors.Is(err, io.EOF) {
		_ = b.conn.SetReadDeadline(time.Time{}) // a connection that has gone has no deadline
	}
	return n, err
}

// timedAnswer moves the connection's deadline along with what has been written.
type timedAnswer struct {
	http.ResponseWriter
	conn *http.ResponseController
	left allowance
}

// Unwrap lets http.ResponseController find the connection's own writer.
func (a *timedAnswer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// WriteHeader begins the answer. The deadline is for answers that have nothing else, too, which are sent later.
func (a *timedAnswer) WriteHeader(status int) {
	_ = a.conn.SetWriteDeadline(a.left.deadline(time.Now())) // a connection that has gone says so at the next write
	a.ResponseWriter.WriteHeader(status)
}

// Write writes piece by piece, each until the time is up.
func (a *timedAnswer) Write(p []byte) (written int, err error) {
	for {
		piece := p[written:min(len(p), written+slowest)]
		now := time.Now()
		if err := known(a.conn.SetWriteDeadline(a.left.deadline(now))); err != nil {
			return written, err
		}
		n, err := a.ResponseWriter.Write(piece)
		a.left.pass(n, now)
		if written += n; err != nil || written == len(p) {
			return written, err
		}
	}
}
