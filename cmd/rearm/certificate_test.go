package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rearm/gen"
	"rearm/impl/contract"
	"rearm/impl/contract/contracttest"
)

// startSecure starts a node that speaks HTTPS.
func startSecure(t testing.TB, a *authority, change func(*Config)) *node {
	t.Helper()
	return startNode(t, "sqlite::memory:", func(c *Config) {
		c.TLS = a.files(t, "first")
		c.TLS.clientCA = ""
		if change != nil {
			change(c)
		}
	})
}

// secureWorker is a client over TLS whose answers are held against the contract, of HTTP/2 or of HTTP/1.1 only.
func secureWorker(t testing.TB, config *tls.Config, version int) *http.Client {
	t.Helper()
	document, err := contract.Load(gen.Document)
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{TLSClientConfig: config, Protocols: new(http.Protocols)}
	base.Protocols.SetHTTP1(version == 1)
	base.Protocols.SetHTTP2(version == 2)
	t.Cleanup(base.CloseIdleConnections)
	return &http.Client{Transport: contracttest.Transport(t, document, base)}
}

// Over TLS all is as without: HTTP/2 and HTTP/1.1, requests that wait and are woken, clients that hang up, and the stop.
func TestServesHTTPS(t *testing.T) {
	t.Parallel()
	for version := 1; version <= 2; version++ {
		t.Run(fmt.Sprintf("HTTP/%d", version), func(t *testing.T) {
			t.Parallel()
			a := newAuthority(t)
			n, c := startSecure(t, a, nil), secureWorker(t, a.client(t, ""), version)
			res, err := c.Get(n.url() + "/engine-rest/version")
			if err != nil {
				t.Fatal(err)
			}
			_ = res.Body.Close() // its head is enough
			if res.ProtoMajor != version || res.StatusCode != 200 || res.TLS.Version != tls.VersionTLS13 {
				t.Errorf("%s %s, TLS %x", res.Proto, res.Status, res.TLS.Version)
			}
			waiting := later(func() heard { return n.fetch(t.Context(), c, "here", "a") })
			n.untilWaiting(t, 1)
			n.post(t.Context(), c, "/external-task/create", `{"topicName": "a"}`).wants(t, 200, `"topicName":"a"`)
			(<-waiting).wants(t, 200, `"workerId":"here"`)

			ctx, hangUp := context.WithCancel(t.Context())
			gone := later(func() heard { return n.fetch(ctx, c, "gone", "b") })
			n.untilWaiting(t, 1)
			hangUp()
			<-gone
			n.untilWaiting(t, 0)
			n.post(t.Context(), c, "/external-task/create", `{"topicName": "b"}`).wants(t, 200, `"lockExpirationTime":null`)
			n.fetch(t.Context(), c, "here", "b").wants(t, 200, `"workerId":"here"`)

			last := later(func() heard { return n.fetch(context.Background(), c, "last", "c") })
			n.untilWaiting(t, 1)
			n.room.Close()
			(<-last).wants(t, 200, `[]`)
			n.post(t.Context(), c, "/external-task/create", "{").wants(t, 400, `malformed JSON`)
		})
	}
}

// raw sends text on a connection and gives what comes back until it is closed.
func raw(t *testing.T, conn net.Conn, text string) string {
	t.Helper()
	defer conn.Close() //nolint:errcheck // it was read to its end
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(conn) // it may be reset at the end
	return string(b)
}

// Requests that net/http cannot read get the contract's error, and so does who speaks HTTP to HTTPS.
func TestUnreadableOverTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	n := startSecure(t, a, nil)
	address := strings.TrimPrefix(n.url(), "https://")
	config := a.client(t, "")
	config.NextProtos = []string{"http/1.1"}
	secure, err := tls.Dial("tcp", address, config)
	if err != nil {
		t.Fatal(err)
	}
	if got := raw(t, secure, "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.1 400") || !strings.Contains(got, `{"type":"InvalidRequestException","message":"The request cannot be read: `) {
		t.Errorf("a broken escape: %q", got)
	}
	plain, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	if got := raw(t, plain, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.HasPrefix(got, "HTTP/1.0 400") || !strings.HasSuffix(got, `{"type":"InvalidRequestException","message":"This server speaks HTTPS","code":null}`) {
		t.Errorf("HTTP: %q", got)
	}
}

// A client that never agrees on TLS holds up neither others nor the stop.
func TestSilentClientOverTLS(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	n, stop := startStoppable(t, "sqlite::memory:", func(c *Config) {
		c.TLS = a.files(t, "first")
		c.TLS.clientCA = ""
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(n.url(), "https://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the server has closed it
	n.post(t.Context(), secureWorker(t, a.client(t, ""), 2), "/external-task/create", `{"topicName": "a"}`).wants(t, 200, `"topicName":"a"`)
	if err := stop(); err != nil {
		t.Errorf("the stop: %v", err)
	}
	if n, err := io.Copy(io.Discard, conn); n > 0 || errors.Is(err, io.ErrNoProgress) {
		t.Errorf("it was told %d bytes, %v", n, err)
	}
}

// Where clients need a certificate, nobody comes in without one, or with one of somebody else's.
func TestClientCertificates(t *testing.T) {
	t.Parallel()
	ours, theirs := newAuthority(t), newAuthority(t)
	n := startNode(t, "sqlite::memory:", func(c *Config) { c.TLS = ours.files(t, "server") })
	for version := 1; version <= 2; version++ {
		n.get(t, secureWorker(t, ours.client(t, "worker"), version), "/version").wants(t, 200, "version")
		if got := n.get(t, secureWorker(t, ours.client(t, ""), version), "/version"); got.err == nil {
			t.Errorf("without a certificate: %+v", got)
		}
		stranger := ours.client(t, "")
		stranger.Certificates = theirs.client(t, "worker").Certificates
		stranger.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &stranger.Certificates[0], nil }
		if got := n.get(t, secureWorker(t, stranger, version), "/version"); got.err == nil {
			t.Errorf("with somebody else's certificate: %+v", got)
		}
	}
}

// A new certificate is used without a restart; one that cannot be used is said once, and the old one is used on.
func TestCertificateIsReadAnew(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	files := a.files(t, "first")
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c, err := newCertificates(files, slog.New(slog.NewTextHandler(&log, nil)))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := later(func() error { return c.Run(ctx) })
		subject := func() string {
			time.Sleep(3 * certificateCheck)
			synctest.Wait()
			config, err := c.config().GetConfigForClient(nil)
			if err != nil || config.ClientAuth != tls.RequireAndVerifyClientCert {
				t.Errorf("%v, %v", config, err)
			}
			return config.Certificates[0].Leaf.Subject.CommonName
		}
		for _, step := range []struct {
			name   string
			change func()
			want   string
		}{
			{"nothing", func() {}, "first"},
			{"a new one", func() { a.renew(t, files, "second") }, "second"},
			{"a key without its certificate", func() { _, key := a.issue(t, "third"); write(t, files.key, key) }, "second"},
			{"an empty file", func() { write(t, files.cert, nil) }, "second"},
			{"no file", func() { _ = os.Remove(files.key) }, "second"},
			{"another one", func() { a.renew(t, files, "fourth") }, "fourth"},
			{"no authority", func() { write(t, files.clientCA, []byte("none")) }, "fourth"},
		} {
			step.change()
			if got := subject(); got != step.want {
				t.Errorf("%s: it serves with %q, want %q", step.name, got, step.want)
			}
		}
		if said := strings.Count(log.String(), "cannot be used"); said != 4 {
			t.Errorf("four mistakes were said %d times:\n%s", said, log.String())
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// Settings and files of TLS that cannot be right end the program with 2 before it opens anything.
func TestTLSRefused(t *testing.T) {
	t.Parallel()
	a := newAuthority(t)
	f, other := a.files(t, "one"), a.files(t, "other")
	empty := t.TempDir() + "/empty.pem"
	write(t, empty, nil)
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"no key", []string{"--tls-cert=" + f.cert}, "--tls-cert and --tls-key need each other"},
		{"no certificate", []string{"--tls-key=" + f.key}, "--tls-cert and --tls-key need each other"},
		{"only clients", []string{"--tls-client-ca=" + f.clientCA}, "--tls-client-ca needs --tls-cert"},
		{"no key's file", []string{"--tls-cert=" + f.cert, "--tls-key=" + f.key + "x"}, "no such file"},
		{"no files", []string{"--tls-cert=" + f.cert + "x", "--tls-key=" + f.key + "x"}, "no such file"},
		{"another key", []string{"--tls-cert=" + f.cert, "--tls-key=" + other.key}, "private key does not match"},
		{"no PEM", []string{"--tls-cert=" + empty, "--tls-key=" + f.key}, "failed to find any PEM data"},
		{"no authority", []string{"--tls-cert=" + f.cert, "--tls-key=" + f.key, "--tls-client-ca=" + empty}, "no certificate in the file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, _, stderr := outcome(t, nil, append([]string{"serve", "--log-level=error", "--listen=127.0.0.1:0", "--database-url=sqlite::memory:"}, c.args...)...)
			if code != 2 || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.says) {
				t.Errorf("exit %d:\n%s", code, stderr)
			}
		})
	}
}
