package contract

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/labstack/echo/v4"

	"rearm/impl/fault"
)

// paths comes before routing. Paths outside the prefix pass untouched. Inside it, /engine/default counts as nothing and a slash
// at the end as absent (contract-facts 1.1), what the document does not declare is a 404 or a 405, OPTIONS is answered,
// answers to GET must not be kept by caches, and whoever calls an operation has to be known.
func (c *Contract) paths(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ec echo.Context) error {
		r := ec.Request()
		if !c.owns(r.URL.Path) {
			return next(ec)
		}
		if r.Method == http.MethodGet {
			ec.Response().Header().Set("Cache-Control", "no-cache")
		}
		segments, err := c.segments(r.URL)
		if err != nil {
			return err
		}
		t := c.router.find(segments)
		if t == nil {
			return echo.ErrNotFound
		}
		if t.operations[r.Method] == nil {
			return refuseMethod(ec, t)
		}
		if err := c.identify(ec); err != nil {
			return err
		}
		if err := setPath(r.URL, c.prefix+"/"+strings.Join(segments, "/")); err != nil {
			return err
		}
		return next(ec)
	}
}

// owns tells whether a path stands under the contract's prefix.
func (c *Contract) owns(path string) bool {
	rest, ok := strings.CutPrefix(path, c.prefix)
	return ok && (rest == "" || rest[0] == '/')
}

// segments gives the escaped segments of a path after the prefix and the engine.
func (c *Contract) segments(u *url.URL) ([]string, error) {
	if !utf8.ValidString(u.Path) || strings.IndexByte(u.Path, 0) >= 0 {
		return nil, fault.BadRequest("The path holds bytes that are no UTF-8, or a NUL character")
	}
	path := u.Path
	if u.RawPath != "" {
		path = u.RawPath
	}
	path = strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(path, c.prefix), "/"), "/")
	if path == "" {
		return nil, nil
	}
	segments := strings.Split(path, "/")
	if segments[0] != "engine" || len(segments) == 1 {
		return segments, nil
	}
	if segments[1] != "default" {
		return nil, fault.BadRequest("No process engine available")
	}
	return segments[2:], nil
}

// setPath gives a URL another path, which is escaped if the URL's own is.
func setPath(u *url.URL, path string) error {
	if u.RawPath == "" {
		u.Path = path
		return nil
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return fault.BadRequest("The path holds a broken escape")
	}
	u.Path, u.RawPath = plain, path
	return nil
}

// refuseMethod answers OPTIONS, and every method that the path does not have with a 405; both name those that it has.
func refuseMethod(ec echo.Context, t *template) error {
	allowed := strings.Join(t.methods(), ", ")
	ec.Response().Header().Set("Allow", allowed)
	if ec.Request().Method == http.MethodOptions {
		return ec.NoContent(http.StatusNoContent)
	}
	return fault.New(fault.NotAllowedHere, fault.NotAllowed, "%s is not allowed on %s, only %s", ec.Request().Method, t.path, allowed)
}
