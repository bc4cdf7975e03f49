package main

import (
	"github.com/labstack/echo/v4"

	"rearm/impl/fault"
)

// crowd bounds how many requests are being answered at the same time: a place for each. Those that wait for tasks stand in the
// room instead, which has its own bound.
type crowd chan struct{}

func newCrowd(most int) crowd { return make(crowd, most) }

// admit refuses a request for which there is no place.
func (c crowd) admit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ec echo.Context) error {
		select {
		case c <- struct{}{}:
		default:
			return fault.New(fault.Unavailable, fault.Rest, "The server is busy with as many requests as it takes at the same time. Please try again later.")
		}
		defer func() { <-c }()
		return next(ec)
	}
}
