package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"go.opentelemetry.io/otel/trace"

	"rearm/impl/observe"
)

// sight is all that a node is seen by: its metrics, on a listener of their own if the settings name one, and its traces.
type sight struct {
	*observe.Observer
	tracing  *observe.Tracing // nil: nothing is traced
	listener net.Listener     // nil: the metrics are served beside all else
	server   *http.Server
	log      *slog.Logger
}

// newSight makes what a node is seen by, and takes the address of its metrics. It must be closed.
func newSight(ctx context.Context, c *Config, log *slog.Logger) (s *sight, err error) {
	s = &sight{log: log}
	if c.OTLPEndpoint != "" || c.standardOTLP {
		if s.tracing, err = observe.NewTracing(ctx, c.OTLPEndpoint, os.Getenv, c.Engine.NodeName, build(), log); err != nil {
			return nil, err
		}
	}
	s.Observer = observe.New(observe.Options{Log: log, Now: time.Now, NewID: requestID, Tracer: s.tracer(), Audit: c.Audit, Version: build()})
	if c.MetricsListen == "" {
		return s, nil
	}
	web := echo.New()
	registerMetrics(web, s.Handler())
	s.server = newServer(web, log)
	if s.listener, err = (&net.ListenConfig{}).Listen(ctx, "tcp", c.MetricsListen); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// standardOTLP tells whether OpenTelemetry's own variables say where to send traces. What else they say is read when traces begin.
func standardOTLP(getenv func(string) string) bool {
	return getenv("OTEL_SDK_DISABLED") != "true" && getenv("OTEL_TRACES_EXPORTER") != "none" &&
		(getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") != "" || getenv("OTEL_EXPORTER_OTLP_ENDPOINT") != "")
}

// checkSight finds addresses that cannot be meant.
func (c *Config) checkSight() error {
	if c.MetricsListen != "" {
		if _, _, err := net.SplitHostPort(c.MetricsListen); err != nil {
			return fmt.Errorf("%w: --metrics-listen: %w", errConfig, err)
		}
	}
	if u, err := url.Parse(c.OTLPEndpoint); c.OTLPEndpoint != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		return fmt.Errorf("%w: --otlp-endpoint is no URL of http or https", errConfig)
	}
	return nil
}

// tracer gives what begins spans; nil if nothing is traced.
func (s *sight) tracer() trace.Tracer {
	if s.tracing == nil {
		return nil
	}
	return s.tracing.Tracer()
}

// requestID makes the id of a request that brings none.
func requestID() string { return strconv.FormatUint(rand.Uint64()|1<<63, 16) }

// registerMetrics adds /metrics. A request passes guard before: what decides who may read them.
func registerMetrics(e *echo.Echo, metrics http.Handler, guard ...echo.MiddlewareFunc) {
	e.GET("/metrics", echo.WrapHandler(metrics), guard...)
}

// open serves the metrics if they have a listener of their own. Who reaches that may read them.
func (s *sight) open() {
	if s.listener == nil {
		return
	}
	s.log.Info("metrics are served", slog.String("url", "http://"+s.listener.Addr().String()+"/metrics"))
	go func() {
		if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("metrics are not served any more", slog.Any("error", err))
		}
	}()
}

// tracesTime is how long the last spans may take to be sent.
const tracesTime = 5 * time.Second

// close serves no metrics any more, and sends the spans that are left.
func (s *sight) close() error {
	var err error
	if s.listener != nil {
		err = errors.Join(s.server.Close(), ignoreClosed(s.listener.Close()))
	}
	if s.tracing == nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), tracesTime)
	defer cancel()
	if lost := s.tracing.Close(ctx); lost != nil {
		s.log.Warn("the last traces were not sent", slog.Any("error", fmt.Errorf("close: %w", lost)))
	}
	return err
}

// ignoreClosed leaves out that a listener was closed before.
func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}
