package contract

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/labstack/echo/v4"
)

// panicked is a panic made an error.
type panicked struct {
	value any
	stack []byte
}

// Error gives what the panic said.
func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

// recover makes an error of a panic, which is then answered and logged like others. http.ErrAbortHandler goes on, since it
// means to break the connection.
func (c *Contract) recover(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ec echo.Context) (err error) {
		defer func() {
			switch value := recover(); value {
			case nil:
			case http.ErrAbortHandler:
				panic(value)
			default:
				err = &panicked{value: value, stack: debug.Stack()}
			}
		}()
		return next(ec)
	}
}
