package contract

import (
	"context"
	"io"
	"net/http"

	"github.com/labstack/echo/v4"
)

// turn lets one body above the ordinary limit be held at a time, whatever the number of requests.
type turn chan struct{}

// take waits for the turn; an error if the request ends before.
func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leave gives the turn to the next one.
func (t turn) leave() { <-t }

// metered reads a body and takes the turn before it goes beyond the ordinary limit.
type metered struct {
	io.Reader
	ctx   context.Context
	turn  turn
	small int64 // bytes left that need no turn
	taken bool
}

// Read reads; it waits for the turn when it has to.
func (m *metered) Read(p []byte) (int, error) {
	if m.small <= 0 && !m.taken {
		if err := m.turn.take(m.ctx); err != nil {
			return 0, err
		}
		m.taken = true
	}
	n, err := m.Reader.Read(p)
	m.small -= int64(n)
	return n, err
}

// done gives the turn back, if it was taken.
func (m *metered) done() {
	if m.taken {
		m.turn.leave()
	}
}

// limit gives the body of a request within the operation's limit; beyond it reading gives *http.MaxBytesError. done is called
// when the request is answered.
func (o *operation) limit(ec echo.Context) (body io.Reader, done func(), err error) {
	r, options := ec.Request(), o.contract.options
	most := options.MaxBody
	if len(o.body.streams) > 0 {
		most = options.MaxBigBody
	}
	if r.ContentLength > most {
		return nil, func() {}, &http.MaxBytesError{Limit: most}
	}
	m := &metered{ctx: r.Context(), turn: o.contract.large, small: options.MaxBody}
	if r.ContentLength > options.MaxBody {
		m.small = 0
	}
	m.Reader = http.MaxBytesReader(ec.Response().Writer, r.Body, most)
	return m, m.done, nil
}
