// Package console has the pages for people: the contract as a document and as a reference to read in a browser. The pages
// come from this program alone; no other host is asked.
package console

import (
	"net/http"

	"github.com/labstack/echo/v4"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// policy lets a page load nothing from elsewhere, whatever its scripts would like to.
const policy = "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'"

// Document is the contract in both its forms.
type Document struct{ YAML, JSON []byte }

// Register adds the pages: / leads to /docs, the reference; /openapi.yaml and /openapi.json are what it is made from.
func Register(e *echo.Echo, d Document) {
	docs := echo.WrapHandler(v5emb.NewHandlerWithConfig(swgui.Config{
		Title: "rearm", SwaggerJSON: "/openapi.json", BasePath: "/docs",
		SettingsUI: map[string]string{"displayOperationId": "true", "tryItOutEnabled": "true", "docExpansion": `"list"`},
	}))
	get(e, "/", func(c echo.Context) error { return c.Redirect(http.StatusFound, "/docs") })
	get(e, "/docs", docs)
	get(e, "/docs/*", docs)
	get(e, "/openapi.yaml", text("application/yaml", d.YAML))
	get(e, "/openapi.json", text("application/json", d.JSON))
}

// get registers a page for GET and HEAD.
func get(e *echo.Echo, path string, h echo.HandlerFunc) {
	e.Match([]string{http.MethodGet, http.MethodHead}, path, func(c echo.Context) error {
		c.Response().Header().Set("Content-Security-Policy", policy)
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		return h(c)
	})
}

func text(mediaType string, body []byte) echo.HandlerFunc {
	return func(c echo.Context) error { return c.Blob(http.StatusOK, mediaType, body) }
}
