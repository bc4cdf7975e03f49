package contract_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"

	"rearm/impl/contract"
)

// TestUnreadableRequests: what net/http answers without asking a handler has the contract's body too.
func TestUnreadableRequests(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: server(t, contract.Options{}, nil), MaxHeaderBytes: 1000}
	go func() { _ = s.Serve(contract.Listener(l)) }()
	t.Cleanup(func() { _ = s.Close() })
	for _, row := range []struct {
		request string
		status  int
	}{
		{"GET /engine-rest/thing/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
		{"GET /engine-rest/thing\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nBad header\r\n\r\n", 400},
		{"GET / HTTP/1.1\r\nHost: a\r\nLong: " + strings.Repeat("x", 10000) + "\r\n\r\n", 431},
		{"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: odd\r\n\r\n", 501},
		{"GET /nope HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404},
	} {
		response, body := exchange(t, l.Addr(), row.request)
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(body, &fields); err != nil || len(fields) != 3 || response.StatusCode != row.status ||
			response.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%.40q: %d %q %q, %v", row.request, response.StatusCode, response.Header.Get("Content-Type"), body, err)
		}
	}
}

// TestPlainOverTLS: who speaks HTTP to a server of HTTPS is told so, in the contract's form.
func TestPlainOverTLS(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &http.Server{Handler: server(t, contract.Options{}, nil)}
	go func() {
		_ = s.Serve(contract.Listener(contract.TLSListener(l, &tls.Config{MinVersion: tls.VersionTLS13}, slog.New(slog.DiscardHandler))))
	}()
	t.Cleanup(func() { _ = s.Close() })
	response, body := exchange(t, l.Addr(), "GET /engine-rest/thing HTTP/1.1\r\nHost: a\r\n\r\n")
	if want := `{"type":"InvalidRequestException","message":"This server speaks HTTPS","code":null}`; response.StatusCode != 400 || string(body) != want {
		t.Errorf("%d %s", response.StatusCode, body)
	}
}

// exchange sends bytes on a connection of their own and reads the answer.
func exchange(t *testing.T, to net.Addr, request string) (*http.Response, []byte) {
	t.Helper()
	c, err := net.Dial(to.Network(), to.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close() //nolint:errcheck // it was read to its end
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}
