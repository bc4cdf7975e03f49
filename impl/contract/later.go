package contract

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Patient lets requests of next wait without costing more than net/http itself needs for them. What a request passes on its way
// to a handler needs a deep stack, which would stay as deep while it waits; so next runs on a stack that is lent, and when the
// handler says Later, it is given back, together with all that routing and judging needed.
func (c *Contract) Patient(next http.Handler) http.Handler {
	lent := newStacks()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &patient{ResponseWriter: w}
		lent.run(func() {
			c.begin(p, r)
			defer c.end(p, r)
			next.ServeHTTP(p, r)
		})
		if p.wait == nil {
			return
		}
		p.wait()
		p.answered = true
		lent.run(func() {
			defer c.end(p, r)
			c.answerLate(p, r)
		})
	})
}

// answerLate answers a request that has waited.
func (c *Contract) answerLate(p *patient, r *http.Request) {
	ec := c.web.NewContext(r, p)
	ec.Set(operationKey, p.operation)
	if err := c.recover(func(ec echo.Context) error { return p.answer(ec.Response()) })(ec); err != nil {
		c.Write(err, ec)
	}
}

// patient is the writer of a request that may wait. It notes what is sent, and sends the request's id along.
type patient struct {
	http.ResponseWriter
	Record
	wait     func()
	answer   func(http.ResponseWriter) error
	answered bool // the waiting is over
	refused  bool // the client did not take the answer
}

// WriteHeader sends a status. The header gets the id only now, lest it be kept while the request waits.
func (p *patient) WriteHeader(status int) {
	if p.status == 0 && status >= http.StatusOK {
		if p.status = status; p.ID != "" {
			p.Header().Set(RequestIDHeader, p.ID)
		}
	}
	p.ResponseWriter.WriteHeader(status)
}

// Write sends a piece of the body, after a status, and notes whether the client takes it.
func (p *patient) Write(b []byte) (int, error) {
	if p.status == 0 {
		p.WriteHeader(http.StatusOK)
	}
	n, err := p.ResponseWriter.Write(b)
	p.refused = p.refused || err != nil
	return n, err
}

// FlushError sends what was written so far, for http.ResponseController.
func (p *patient) FlushError() error {
	if p.status == 0 {
		p.WriteHeader(http.StatusOK)
	}
	return http.NewResponseController(p.ResponseWriter).Flush()
}

// Unwrap lets http.ResponseController find the connection's own writer.
func (p *patient) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Later answers a request when wait returns; until then the request costs nothing of ours. What answer returns is written as an
// error. A handler returns right after it. Where w is no writer of Patient's, it waits here.
func Later(w http.ResponseWriter, wait func(), answer func(http.ResponseWriter) error) error {
	if p := patientOf(w); p != nil {
		p.wait, p.answer = wait, answer
		return nil
	}
	wait()
	return answer(w)
}

// patientOf finds Patient's writer behind those that were put before it; nil if there is none.
func patientOf(w http.ResponseWriter) *patient {
	for {
		switch v := w.(type) {
		case *patient:
			return v
		case interface{ Unwrap() http.ResponseWriter }:
			w = v.Unwrap()
		default:
			return nil
		}
	}
}
