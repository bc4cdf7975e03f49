package main

import (
	"net/http"
	"slices"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// preflightAge is how long a browser may remember what it is allowed.
const preflightAge = 10 * time.Minute

// allowOrigins lets the pages of some origins use this server from a browser (CORS). It comes before all else, since a browser
// asks for permission without logging in. Pages of other origins get answers that their browsers keep from them.
func allowOrigins(origins []string) echo.MiddlewareFunc {
	return middleware.CORSWithConfig(middleware.CORSConfig{
		Skipper: func(ec echo.Context) bool {
			r := ec.Request()
			return r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") == "" // it asks for something else
		},
		AllowOriginFunc:  func(origin string) (bool, error) { return slices.Contains(origins, origin), nil },
		AllowMethods:     []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete},
		AllowHeaders:     []string{"Accept", "Authorization", "Content-Type", "Idempotency-Key", "Traceparent", "X-Request-Id"},
		ExposeHeaders:    []string{"Retry-After", "X-Request-Id"},
		AllowCredentials: true,
		MaxAge:           int(preflightAge.Seconds()),
	})
}
