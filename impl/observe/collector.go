package observe

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// How long a collector may take, if no variable says otherwise, how often it is asked that has no time, and after what pause,
// which is doubled.
const (
	collectorTime     = 10 * time.Second
	collectorAttempts = 4
	collectorPause    = 500 * time.Millisecond
)

// collector is where spans are sent, by OTLP over HTTP. OpenTelemetry has a client of its own, which brings gRPC along even where
// nobody speaks it: 2 MB of program, and its modules.
type collector struct {
	url    string
	header http.Header
	gzip   bool
	client *http.Client
}

// newCollector makes the collector at an endpoint, or where the standard variables say, which may also set headers, a timeout,
// compression and the certificate of who signs for it.
func newCollector(endpoint string, getenv func(string) string) (c *collector, err error) {
	c = &collector{header: http.Header{}, client: &http.Client{Timeout: collectorTime}}
	if protocol := exporter(getenv, "PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_PROTOCOL is %q, and can only be http/protobuf", protocol)
	}
	if c.url, err = destination(endpoint, getenv); err != nil {
		return nil, err
	}
	for pair := range strings.SplitSeq(exporter(getenv, "HEADERS"), ",") {
		name, value, _ := strings.Cut(pair, "=")
		if value, err = url.PathUnescape(strings.TrimSpace(value)); err != nil {
			return nil, errors.New("OTEL_EXPORTER_OTLP_HEADERS has a broken escape")
		}
		if name = strings.TrimSpace(name); name != "" {
			c.header.Set(name, value)
		}
	}
	c.header.Set("Content-Type", "application/x-protobuf")
	if c.gzip = exporter(getenv, "COMPRESSION") == "gzip"; c.gzip {
		c.header.Set("Content-Encoding", "gzip")
	}
	if text := exporter(getenv, "TIMEOUT"); text != "" {
		millis, err := strconv.Atoi(text)
		if err != nil || millis <= 0 {
			return nil, fmt.Errorf("OTEL_EXPORTER_OTLP_TIMEOUT is %q, which is no number of milliseconds", text)
		}
		c.client.Timeout = time.Duration(millis) * time.Millisecond
	}
	return c, c.trust(exporter(getenv, "CERTIFICATE"))
}

// exporter gives a variable of exporters; that for traces alone wins.
func exporter(getenv func(string) string, name string) string {
	if text := getenv("OTEL_EXPORTER_OTLP_TRACES_" + name); text != "" {
		return text
	}
	return getenv("OTEL_EXPORTER_OTLP_" + name)
}

// destination gives the URL to which spans are posted. Without a path of their own they go to /v1/traces; the variable for traces
// alone is taken as it is.
func destination(endpoint string, getenv func(string) string) (string, error) {
	text, whole := endpoint, false
	if text == "" {
		text = getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
		whole = text != ""
	}
	common := text == ""
	if common {
		text = getenv("OTEL_EXPORTER_OTLP_ENDPOINT")
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return "", errors.New("the endpoint of traces is no URL of http or https")
	}
	if bare := u.Path == "" || u.Path == "/"; common || bare && !whole {
		u = u.JoinPath("v1", "traces")
	}
	return u.String(), nil
}

// trust believes the certificates in a file, and no others; "": those that the system believes.
func (c *collector) trust(file string) error {
	if file == "" {
		return nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return fmt.Errorf("OTEL_EXPORTER_OTLP_CERTIFICATE: there is no certificate in %s", file)
	}
	c.client.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}
	return nil
}

// Start implements otlptrace.Client; there is nothing to start.
func (c *collector) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (c *collector) Stop(context.Context) error {
	c.client.CloseIdleConnections()
	return nil
}

// UploadTraces sends spans, again if the collector has no time, until ctx ends. A TracesData is in bytes what the collector
// expects, whose own type comes with gRPC.
func (c *collector) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err == nil && c.gzip {
		body, err = zipped(body)
	}
	if err != nil {
		return err
	}
	for i := 1; ; i++ {
		again, err := c.post(ctx, body)
		if err == nil || !again || i == collectorAttempts {
			return err
		}
		pause := time.NewTimer(collectorPause << (i - 1))
		select {
		case <-ctx.Done():
			pause.Stop()
			return err
		case <-pause.C:
		}
	}
}

// post sends a body once; again tells whether another attempt may succeed.
func (c *collector) post(ctx context.Context, body []byte) (again bool, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return false, err
	}
	r.Header = c.header.Clone()
	res, err := c.client.Do(r)
	if err != nil {
		return true, err
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<20)) // so that the connection can be used again
	if err := res.Body.Close(); err != nil || res.StatusCode < http.StatusMultipleChoices {
		return false, err
	}
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		again = true
	}
	return again, fmt.Errorf("the collector answers %s", res.Status)
}

func zipped(b []byte) ([]byte, error) {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write(b)
	err = errors.Join(err, w.Close())
	return out.Bytes(), err
}
