package contract

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/labstack/echo/v4"

	"rearm/db"
	"rearm/impl/fault"
)

// statuses is the one table from kinds of errors to HTTP.
var statuses = map[fault.Kind]int{
	fault.Internal:       http.StatusInternalServerError,
	fault.Invalid:        http.StatusBadRequest,
	fault.Unauthorized:   http.StatusUnauthorized,
	fault.Forbidden:      http.StatusForbidden,
	fault.NotFound:       http.StatusNotFound,
	fault.NotAllowedHere: http.StatusMethodNotAllowed,
	fault.NotAcceptable:  http.StatusNotAcceptable,
	fault.TooLarge:       http.StatusRequestEntityTooLarge,
	fault.MediaType:      http.StatusUnsupportedMediaType,
	fault.Unavailable:    http.StatusServiceUnavailable,
	fault.TooMany:        http.StatusTooManyRequests,
}

// retryAfter is how many seconds a client should wait after a 503 or a 429.
const retryAfter = "1"

// Write answers a request with an error; it is echo's HTTPErrorHandler. An answer that has begun is broken off, lest its client
// take it for whole.
func (c *Contract) Write(err error, ec echo.Context) {
	f := c.classify(err, ec)
	status := statuses[f.Kind]
	c.report(err, status, ec)
	if ec.Response().Committed {
		panic(http.ErrAbortHandler)
	}
	header := ec.Response().Header()
	if status == http.StatusServiceUnavailable || status == http.StatusTooManyRequests {
		header.Set("Retry-After", retryAfter)
	}
	for _, challenge := range f.Challenges {
		header.Add("WWW-Authenticate", challenge)
	}
	if !hasBody(ec.Request(), status) {
		ec.Response().WriteHeader(status)
		return
	}
	header.Set("Content-Type", jsonType)
	ec.Response().WriteHeader(status)
	if _, err := ec.Response().Write(bodyOf(err, f)); err != nil {
		c.log.DebugContext(ec.Request().Context(), "the client did not take the answer", append(describe(ec), "error", err)...)
	}
}

// exception is the body of an error: always the same three properties (contract-facts 1.6).
type exception struct {
	Type    string `json:"type"`
	Message string `json:"message"`
	Code    *int32 `json:"code"`
}

func exceptionOf(f *fault.Error) exception { return exception{f.Type, f.Message, f.Code} }

// bodyOf gives the body of an error that was classified as f; a denial's tells more.
func bodyOf(err error, f *fault.Error) []byte {
	var d *denial
	if errors.As(err, &d) {
		return encode(d.body())
	}
	return encode(exceptionOf(f))
}

// encode gives the JSON of a body.
func encode(body any) []byte {
	b, err := json.Marshal(body)
	if err != nil { // strings and numbers cannot fail
		panic(err)
	}
	return b
}

// report logs an error once: with its cause if it is ours, else for those who look closely. That the database is away was said
// when it went (db.Options.Log).
func (c *Contract) report(err error, status int, ec echo.Context) {
	ctx, about := ec.Request().Context(), append(describe(ec), "status", status)
	var p *panicked
	switch {
	case errors.As(err, &p):
		c.log.ErrorContext(ctx, "the request failed", append(about, "panic", p.value, "stack", string(p.stack))...)
	case status == http.StatusServiceUnavailable && onPurpose(err):
		c.log.DebugContext(ctx, "the request was refused", append(about, "error", err)...)
	case notTaken(ec):
		c.log.DebugContext(ctx, "the client did not take the answer", append(about, "error", err)...)
	case errors.Is(err, db.ErrUnavailable):
		c.log.DebugContext(ctx, "the request failed while the database was away", append(about, "error", err)...)
	case status >= 500 && ctx.Err() == nil:
		c.log.ErrorContext(ctx, "the request failed", append(about, "error", err)...)
	case status >= 500:
		c.log.DebugContext(ctx, "the request was given up", append(about, "error", err)...)
	default:
		c.log.DebugContext(ctx, "the request was refused", about...)
	}
}

// notTaken tells whether an answer could not be written, because its client has gone or is too slow.
func notTaken(ec echo.Context) bool {
	p := patientOf(ec.Response())
	return p != nil && p.refused
}

// onPurpose tells whether the server refuses of its own accord: it is full, or it starts. Nothing has failed then.
func onPurpose(err error) bool {
	var known *fault.Error
	return errors.As(err, &known) && known.Err == nil
}

// classify gives any error the form in which clients may see it.
func (c *Contract) classify(err error, ec echo.Context) *fault.Error {
	var (
		known     *fault.Error
		breach    *flaw
		parameter *openapi3filter.RequestError
		tooLarge  *http.MaxBytesError
		bad       *json.UnmarshalTypeError
		web       *echo.HTTPError
		refusal   *denial
	)
	switch {
	case errors.As(err, &refusal):
		return refusal.fault()
	case errors.As(err, &known) && known.Kind != fault.Internal:
		return known
	case errors.As(err, &tooLarge):
		return fault.New(fault.TooLarge, "RequestEntityTooLargeException", "The body has more than %d bytes", tooLarge.Limit)
	case errors.As(err, &breach):
		return c.say(breach, ec)
	case errors.As(err, &parameter) && parameter.Parameter != nil:
		return c.sayParameter(parameter, ec)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return fault.New(fault.Unavailable, fault.Rest, "The request was given up before it was done")
	case errors.As(err, &bad):
		return fault.BadRequest("/%s: must be of another type", strings.ReplaceAll(bad.Field, ".", "/"))
	case errors.As(err, &web):
		return ofHTTP(web, ec.Request())
	}
	return fault.New(fault.Internal, fault.Rest, "The server failed to answer this request; its log says more")
}

// sayParameter gives the breach of a parameter in the document's words, else the reference's (contract-facts 1.4).
func (c *Contract) sayParameter(e *openapi3filter.RequestError, ec echo.Context) *fault.Error {
	p, f := e.Parameter, flawOf(e.Err)
	if f != nil {
		if said, ok := c.words[f.schemas[0]][f.keyword]; ok {
			return &fault.Error{Kind: fault.Invalid, Type: said.Type, Message: fill(said.Message, f, ec), Code: said.Code}
		}
	}
	for _, declared := range operationOf(ec).query {
		if p.In == "query" && declared.name == p.Name && declared.kind != text {
			return declared.refuse(e.Input.QueryParams.Get(p.Name))
		}
	}
	if f == nil {
		return fault.BadRequest("The %s parameter %s does not fit the contract", p.In, p.Name)
	}
	return fault.BadRequest("The %s parameter %s %s", p.In, p.Name, f.expected())
}

// ofHTTP gives an error of echo or of generated code the contract's words (contract-facts 1.2).
func ofHTTP(e *echo.HTTPError, r *http.Request) *fault.Error {
	switch e.Code {
	case http.StatusNotFound:
		return fault.New(fault.NotFound, fault.NotFoundRoute, "There is no %s", r.URL.Path)
	case http.StatusMethodNotAllowed:
		return fault.New(fault.NotAllowedHere, fault.NotAllowed, "%s is not allowed here", r.Method)
	case http.StatusUnsupportedMediaType:
		return fault.New(fault.MediaType, fault.NotSupported, "A body has to be %s", jsonType)
	case http.StatusRequestEntityTooLarge:
		return fault.New(fault.TooLarge, "RequestEntityTooLargeException", "The body is too large")
	case http.StatusServiceUnavailable:
		return fault.New(fault.Unavailable, fault.Rest, "The server cannot do this now")
	}
	if e.Code >= 400 && e.Code < 500 {
		message, _ := e.Message.(string)
		message, _, _ = strings.Cut(message, ": ")
		return fault.BadRequest("%s", message)
	}
	return fault.New(fault.Internal, fault.Rest, "The server failed to answer this request; its log says more")
}
