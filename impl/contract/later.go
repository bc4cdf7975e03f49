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
		lent.run(func() { next.ServeHTTP(p, r) })
		if p.wait == nil {
			return
		}
		p.wait()
		lent.run(func() { c.answerLate(p, r) })
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

// patient is the writer of a request that may wait.
type patient struct {
	http.ResponseWriter
	operation *operation
	wait      func()
	answer    func(http.ResponseWriter) error
	refused   bool // the client did not take the answer
}

// Write writes, and notes whether the client takes it.
func (p *patient) Write(b []byte) (int, error) {
	n, err := p.ResponseWriter.Write(b)
	p.refused = p.refused || err != nil
	return n, err
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
