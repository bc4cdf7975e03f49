package main

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"

	"rearm/impl/fault"
)

// pingTime is how long a database may take to answer before the node counts as not ready.
const pingTime = 2 * time.Second

// What a node is doing.
const (
	starting int32 = iota
	serving
	stopping
)

// health knows whether this node can serve.
type health struct {
	database pinger
	state    atomic.Int32
}

// register adds /healthz, which answers as long as the process lives, and /readyz.
func (h *health) register(e *echo.Echo) {
	e.GET("/healthz", func(c echo.Context) error { return c.String(http.StatusOK, "ok\n") })
	e.GET("/readyz", h.readyz)
}

// readyz answers 200 once requests can be served, and 503 while the node starts or stops or its database is away.
func (h *health) readyz(c echo.Context) error {
	switch h.state.Load() {
	case starting:
		return c.String(http.StatusServiceUnavailable, "starting\n")
	case stopping:
		return c.String(http.StatusServiceUnavailable, "stopping\n")
	}
	ctx, cancel := context.WithTimeout(c.Request().Context(), pingTime)
	defer cancel()
	if err := h.database.Ping(ctx); err != nil {
		return c.String(http.StatusServiceUnavailable, "the database does not answer\n")
	}
	return c.String(http.StatusOK, "ready\n")
}

// gate refuses operations while the node starts. Those that come while it stops are still served.
func (h *health) gate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if h.state.Load() == starting {
			return fault.New(fault.Unavailable, fault.Rest, "The server is starting. Please try again later.")
		}
		return next(c)
	}
}
