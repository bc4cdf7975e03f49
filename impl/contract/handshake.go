package contract

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"rearm/impl/fault"
)

// handshakeTime is how long a client may take to agree on TLS.
const handshakeTime = 10 * time.Second

// TLSListener speaks TLS on the connections of a listener. It gives them when both sides have agreed, so that Listener knows which
// of them speak HTTP/2. log gets at debug who could not agree.
func TLSListener(l net.Listener, config *tls.Config, log *slog.Logger) net.Listener {
	ctx, cancel := context.WithCancel(context.Background())
	h := &handshakes{Listener: l, config: config, log: log, agreed: make(chan accepted), closing: ctx, close: cancel}
	go h.run()
	return h
}

// handshakes is a listener whose connections have agreed on TLS.
type handshakes struct {
	net.Listener
	config  *tls.Config
	log     *slog.Logger
	agreed  chan accepted
	closing context.Context // ends when the listener is closed, and all handshakes with it
	close   context.CancelFunc
}

// accepted is what an Accept gives.
type accepted struct {
	conn net.Conn
	err  error
}

// Accept waits for the next connection that has agreed.
func (h *handshakes) Accept() (net.Conn, error) {
	select {
	case a := <-h.agreed:
		return a.conn, a.err
	case <-h.closing.Done():
		return nil, net.ErrClosed
	}
}

// Close closes the listener, and the connections that have not agreed yet.
func (h *handshakes) Close() error {
	h.close()
	return h.Listener.Close()
}

// run lets connections agree, each by itself, until the listener is closed. An error is passed on to Accept, whose caller knows
// how long to pause after it.
func (h *handshakes) run() {
	for h.closing.Err() == nil {
		conn, err := h.Listener.Accept()
		if err != nil {
			h.give(accepted{err: err})
			continue
		}
		go h.shake(conn)
	}
}

// give hands something to Accept; false when nobody asks any more.
func (h *handshakes) give(a accepted) bool {
	select {
	case h.agreed <- a:
		return true
	case <-h.closing.Done():
		return false
	}
}

// shake agrees with a client.
func (h *handshakes) shake(conn net.Conn) {
	ctx, cancel := context.WithTimeout(h.closing, handshakeTime)
	defer cancel()
	c := tls.Server(conn, h.config)
	if err := c.HandshakeContext(ctx); err != nil {
		h.log.Debug("no TLS with a client", slog.String("address", conn.RemoteAddr().String()), slog.Any("error", err))
		refusePlain(err)
		_ = conn.Close() // it is of no more use
		return
	}
	if !h.give(accepted{conn: c}) {
		_ = c.Close() // the server has stopped
	}
}

// refusePlain answers a client that speaks plain HTTP, as can be seen by what it sent instead of a handshake.
func refusePlain(err error) {
	var plain tls.RecordHeaderError
	if !errors.As(err, &plain) || plain.Conn == nil {
		return
	}
	switch string(plain.RecordHeader[:]) {
	case "GET /", "HEAD ", "POST ", "PUT /", "OPTIO", "DELET":
		body := encode(exceptionOf(fault.BadRequest("This server speaks HTTPS")))
		_, _ = fmt.Fprintf(plain.Conn, "HTTP/1.0 400 Bad Request\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s", jsonType, len(body), body) // it may have gone
	}
}
