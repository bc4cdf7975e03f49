package contract

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"rearm/db"
)

// RequestIDHeader names the header that carries a request's id, there and back.
const RequestIDHeader = "X-Request-Id"

// Observer watches requests, from when they come until they are answered; one that waits is answered much later. Both methods
// are called on a lent stack (stacks.go).
type Observer interface {
	// Begin gives the context in which a request runs; ctx has its record already.
	Begin(ctx context.Context, r *http.Request) context.Context
	// End comes once for each Begin, with the request in whose context the record stands.
	End(r *http.Request)
}

// Record is what is known of a request: who asks for what, and what came of it. It stands in the request's context, and is kept
// while the request waits; so it is small.
type Record struct {
	ID    string    // of the request, set by the observer: the client's own, or one that was made
	Start time.Time // when it came, set by the observer

	operation *operation
	subject   string // what the path names; only of an operation that writes
	caller    *db.Caller
	status    int // that was sent; 0: none yet
	deed      atomic.Pointer[Deed]
}

// Deed is what an operation has done.
type Deed struct {
	N     int      // how many it concerned
	IDs   []string // which these are, or the first of them
	Batch string   // the id of the batch that goes on with it; "": none
}

// recordKey is where the record stands in a request's context.
type recordKey struct{}

// RecordOf gives the record of a request; nil outside of one.
func RecordOf(ctx context.Context) *Record {
	r, _ := ctx.Value(recordKey{}).(*Record)
	return r
}

// Operation gives the operationId that the request was routed to; "" if it is none of the contract's.
func (r *Record) Operation() string {
	if r.operation == nil {
		return ""
	}
	return r.operation.id
}

// Writes tells whether the operation may change something.
func (r *Record) Writes() bool { return r.operation != nil && r.operation.writes }

// Caller gives who asks; the zero value where that is not known.
func (r *Record) Caller() db.Caller {
	if r.caller == nil {
		return db.Caller{}
	}
	return *r.caller
}

// Status gives the status that was sent; 0 if none was.
func (r *Record) Status() int { return r.status }

// Did notes what the operation has done. A later note replaces an earlier one.
func (r *Record) Did(d Deed) { r.deed.Store(&d) }

// Deed gives what the operation has done; unless it was noted, that is all that its path names. known is false if that is nothing.
func (r *Record) Deed() (d Deed, known bool) {
	if noted := r.deed.Load(); noted != nil {
		return *noted, true
	}
	if r.subject == "" {
		return Deed{}, false
	}
	return Deed{N: 1, IDs: []string{r.subject}}, true
}

// routed notes to which operation a request goes, and what its path names first.
func (r *Record) routed(o *operation, path []string) {
	if r.operation = o; o.writes && len(path) > 0 {
		r.subject = path[0]
	}
}

// begin lets the observer see a request. The request itself gets the new context: net/http keeps it for as long as the client
// waits, and a copy would be kept beside it.
func (c *Contract) begin(p *patient, r *http.Request) {
	if o := c.options.Observer; o != nil {
		*r = *r.WithContext(o.Begin(context.WithValue(r.Context(), recordKey{}, &p.Record), r))
	}
}

// end lets the observer see the end of a request, unless that goes on waiting.
func (c *Contract) end(p *patient, r *http.Request) {
	if o := c.options.Observer; o != nil && (p.wait == nil || p.answered) {
		o.End(r)
	}
}
