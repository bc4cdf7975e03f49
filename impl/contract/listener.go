package contract

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"

	"rearm/impl/fault"
)

// Listener makes net/http's own errors fit the contract. It answers requests that it cannot read, such as a broken escape in a
// path or a header that is too long, with plain text and without asking any handler. Connections of TLSListener that speak HTTP/2
// pass as they are: there such a request breaks off its stream.
func Listener(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

// Accept waits for the next connection.
func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	secure, ok := c.(*tls.Conn)
	switch {
	case !ok:
		return &conn{c}, nil
	case secure.ConnectionState().NegotiatedProtocol == "h2":
		return secure, nil
	}
	return &secureConn{conn{c}, secure}, nil
}

// secureConn tells net/http that it is secure.
type secureConn struct {
	conn
	tls *tls.Conn
}

// ConnectionState tells what was agreed on.
func (c *secureConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// plainHeaders is how net/http begins its own errors, after the status line.
var plainHeaders = []byte("\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n")

type conn struct{ net.Conn }

// Write writes p; an error of net/http itself, which comes in one piece, gets the contract's body.
func (c *conn) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, []byte("HTTP/1.1 ")) {
		return c.Conn.Write(p)
	}
	line, message, own := bytes.Cut(p, plainHeaders)
	if !own || bytes.Contains(line, []byte("\n")) {
		return c.Conn.Write(p)
	}
	body := encode(exceptionOf(fault.BadRequest("The request cannot be read: %s", message)))
	_, err := fmt.Fprintf(c.Conn, "%s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s", line, jsonType, len(body), body)
	return len(p), err
}

// CloseWrite ends the sending side, so that a client reads an error before the connection breaks.
func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
