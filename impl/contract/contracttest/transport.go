// Package contracttest holds every answer that a test gets to the document.
package contracttest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"rearm/impl/contract"
)

// Transport gives a transport for a test's http.Client that fails the test when an answer breaks the document: a status or a
// body that it does not declare, or an error of the HTTP layer without the one body of errors. base sends the requests; nil
// means http.DefaultTransport. Answers are checked whole, so none of them may be endless.
func Transport(tb testing.TB, doc *openapi3.T, base http.RoundTripper) http.RoundTripper {
	tb.Helper()
	c, err := contract.New(doc, contract.Options{})
	if err != nil {
		tb.Fatal(err)
	}
	if base == nil {
		base = http.DefaultTransport
	}
	return &transport{tb: tb, doc: doc, contract: c, base: base}
}

type transport struct {
	tb       testing.TB
	doc      *openapi3.T
	contract *contract.Contract
	base     http.RoundTripper
}

// RoundTrip sends a request and checks its answer.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := t.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(response.Body)
	_ = response.Body.Close()
	if err != nil {
		return nil, err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	if err := t.check(r, response, body); err != nil {
		t.tb.Errorf("%s %s: %d %q breaks the contract: %v", r.Method, r.URL, response.StatusCode, cut(body), err)
	}
	return response, nil
}

// ofHTTP are the statuses of the HTTP layer, which any path may answer without declaring them.
var ofHTTP = map[int]bool{http.StatusMethodNotAllowed: true, http.StatusNotAcceptable: true}

func (t *transport) check(r *http.Request, response *http.Response, body []byte) error {
	route, parameters := t.contract.Route(r.Method, r.URL)
	switch status := response.StatusCode; {
	case status == http.StatusMethodNotAllowed && response.Header.Get("Allow") == "":
		return fmt.Errorf("a 405 without the header Allow")
	case ofHTTP[status], route == nil && status >= 400:
		return t.isError(response, body)
	case route == nil:
		return nil // not of this document: its readiness, its pages
	}
	if len(body) > 0 && response.Header.Get("Content-Type") == "application/json; charset=utf-8" {
		return fmt.Errorf("a media type with a charset, which a client takes for bytes")
	}
	options := &openapi3filter.Options{
		IncludeResponseStatus: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc,
		SchemaValidationOptions: contract.SchemaOptions(),
	}
	return openapi3filter.ValidateResponse(context.WithoutCancel(r.Context()), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: parameters, Route: route, Options: options},
		Status:                 response.StatusCode, Header: response.Header, Body: io.NopCloser(bytes.NewReader(body)), Options: options,
	})
}

// isError tells whether an answer has the one body of errors.
func (t *transport) isError(response *http.Response, body []byte) error {
	if response.Request != nil && response.Request.Method == http.MethodHead {
		return nil
	}
	if got := response.Header.Get("Content-Type"); got != "application/json" {
		return fmt.Errorf("an error of type %q", got)
	}
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return err
	}
	return t.doc.Components.Schemas["ExceptionDto"].Value.VisitJSON(value, contract.SchemaOptions()...)
}

// cut gives the beginning of a body.
func cut(body []byte) []byte { return body[:min(len(body), 500)] }
