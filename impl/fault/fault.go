// Package fault holds the one error type of the program: a kind, which decides the HTTP status, and the contract's words
// (type, message, code). Everything above db returns it; impl/contract turns it into an answer. It imports nothing of ours.
package fault

import (
	"errors"
	"fmt"
)

// Kind says what sort of error it is; impl/contract maps each to one HTTP status.
type Kind int

// The kinds. Internal is the zero value: what nobody has classified is our own fault.
const (
	Internal       Kind = iota // 500, the cause goes to the log only
	Invalid                    // 400
	NotFound                   // 404
	Unauthorized               // 401
	Forbidden                  // 403
	NotAcceptable              // 406
	TooLarge                   // 413
	MediaType                  // 415
	Unavailable                // 503, with Retry-After
	TooMany                    // 429, with Retry-After
	NotAllowedHere             // 405, with Allow
)

// The contract's words for types, by the names that the reference gives them (contract-facts, head).
const (
	InvalidRequest  = "InvalidRequestException" // of the HTTP layer, and most errors of batches and jobs
	Rest            = "RestException"           // of the HTTP layer, and errors of single tasks
	BadUserRequest  = "BadUserRequestException" // the engine refuses what the user asks
	NotValid        = "NotValidException"       // a query that makes no sense
	NullValue       = "NullValueException"      // something is missing
	ProcessEngine   = "ProcessEngineException"  // of the engine, with no type of its own
	Authorization   = "AuthorizationException"  // the caller may not do this
	NotAuthorized   = "NotAuthorizedException"  // nobody knows who is calling
	NotFoundRoute   = "NotFoundException"       // no such path
	NotAllowed      = "NotAllowedException"     // no such method on a path
	NotSupported    = "NotSupportedException"   // a body of a media type that is not read
	NotAcceptableEx = "NotAcceptableException"  // no media type that the caller accepts
)

// Error is an error that a client may see. Code is null in the answer when nil.
type Error struct {
	Kind    Kind
	Type    string
	Message string
	Code    *int32
	Err     error // the cause, for the log; never shown
	// Challenges are the ways to log in that a 401 names, one WWW-Authenticate header each (RFC 9110, 11.6.1).
	Challenges []string
}

// Error gives the message, and the cause if there is one.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// New makes an error of the HTTP layer: its code is null.
func New(kind Kind, typ, format string, args ...any) *Error {
	return &Error{Kind: kind, Type: typ, Message: fmt.Sprintf(format, args...)}
}

// Coded makes an error of the engine: its code is 0 (contract-facts 1.6).
func Coded(kind Kind, typ, format string, args ...any) *Error {
	e := New(kind, typ, format, args...)
	e.Code = new(int32)
	return e
}

// BadRequest is the most frequent error: 400, InvalidRequestException, code null.
func BadRequest(format string, args ...any) *Error {
	return New(Invalid, InvalidRequest, format, args...)
}

// KindOf gives the kind of the first *Error in err's chain; Internal if there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Internal
}
