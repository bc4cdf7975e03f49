package main

import (
	"log/slog"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"rearm/gen"
	"rearm/impl/console"
	"rearm/impl/contract"
	"rearm/impl/engine"
	"rearm/impl/observe"
	"rearm/impl/poll"
	"rearm/impl/rest"
	"rearm/openapi/wire"
)

// newHandler wires all that answers requests: the operations under the contract's prefix, the pages, and the two that tell how
// the node is.
func newHandler(c *Config, e *engine.Engine, room *poll.Room, h *health, guard contract.Guard, seen *observe.Observer, log *slog.Logger) (http.Handler, error) {
	document, err := contract.Load(gen.Document)
	if err != nil {
		return nil, err
	}
	json, err := document.MarshalJSON()
	if err != nil {
		return nil, err
	}
	judge, err := contract.New(document, contract.Options{Log: log, MaxBody: c.MaxBody, MaxBigBody: c.MaxBodyRetriesAsync, Guard: guard, Observer: seen})
	if err != nil {
		return nil, err
	}
	pace, err := newPace(c.Rate, time.Now)
	if err != nil {
		return nil, err
	}
	web := echo.New()
	if len(c.Origins) > 0 {
		web.Pre(allowOrigins(c.Origins))
	}
	judge.Install(web)
	operations := gen.NewStrictHandler(rest.NewServer(e, room, contractVersion), nil)
	gen.RegisterHandlersWithOptions(web.Group(judge.Prefix(), h.gate, newCrowd(c.MaxRequests).admit, pace.admit), operations, gen.RegisterHandlersOptions{OperationMiddlewares: judge.Middlewares()})
	console.Register(web, console.Document{YAML: gen.Document, JSON: json})
	h.register(web)
	if c.MetricsListen == "" {
		registerMetrics(web, seen.Handler(), judge.Only("metrics", wire.Viewer))
	}
	return impatient(judge.Patient(web)), nil
}

// maxHeader is how many bytes the headers of a request may have, together with its path and query.
const maxHeader = 256 << 10

// newServer makes the HTTP server of a handler. It has no limit on the time of a whole request, since polls may wait long; see
// impatient.
func newServer(handler http.Handler, log *slog.Logger) *http.Server {
	return &http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: maxHeader,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
}
