package contract

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

// router finds the path of the document that the path of a request belongs to. As in the reference, the path with the most
// literal segments wins, and then its methods count alone: GET /job/suspended is a 405, not the job `suspended`.
type router struct {
	doc       *openapi3.T
	templates map[string][]*template // by the first segment, most literal first
}

// template is one path of the document.
type template struct {
	path       string
	segments   []string // a parameter's is its name in braces
	item       *openapi3.PathItem
	operations map[string]*openapi3.Operation // by method
}

func newRouter(doc *openapi3.T) *router {
	r := &router{doc: doc, templates: map[string][]*template{}}
	for path, item := range doc.Paths.Map() {
		t := &template{path: path, segments: strings.Split(strings.Trim(path, "/"), "/"), item: item, operations: item.Operations()}
		r.templates[t.segments[0]] = append(r.templates[t.segments[0]], t)
	}
	for _, list := range r.templates {
		slices.SortFunc(list, byLiterals)
	}
	return r
}

// byLiterals orders templates so that of two that fit a path the more literal one comes first: by their segments from left to
// right, a parameter after every literal.
func byLiterals(a, b *template) int {
	return slices.CompareFunc(a.segments, b.segments, func(a, b string) int {
		switch pa, pb := isParameter(a), isParameter(b); {
		case pa && pb:
			return 0
		case pa:
			return 1
		case pb:
			return -1
		}
		return strings.Compare(a, b)
	})
}

func isParameter(segment string) bool { return strings.HasPrefix(segment, "{") }

// find gives the template of a path's segments; nil if the document has none.
func (r *router) find(segments []string) *template {
	if len(segments) == 0 {
		return nil
	}
	for _, t := range r.templates[segments[0]] {
		if t.fits(segments) {
			return t
		}
	}
	return nil
}

func (t *template) fits(segments []string) bool {
	if len(t.segments) != len(segments) {
		return false
	}
	for i, want := range t.segments {
		if got := segments[i]; want != got && (!isParameter(want) || got == "") {
			return false
		}
	}
	return true
}

// methods gives the methods that may be used: the declared ones, and OPTIONS.
func (t *template) methods() []string {
	list := append(slices.Collect(maps.Keys(t.operations)), http.MethodOptions)
	slices.Sort(list)
	return slices.Compact(list)
}

// Route gives what the document declares for a method and the path of a URL, escaped or not, with the values of the path's
// parameters; nil if it declares nothing. It takes the paths that a server with this contract takes.
func (c *Contract) Route(method string, u *url.URL) (*routers.Route, map[string]string) {
	segments, err := c.segments(u)
	t := c.router.find(segments)
	if err != nil || !c.owns(u.Path) || t == nil || t.operations[method] == nil {
		return nil, nil
	}
	values := map[string]string{}
	for i, s := range t.segments {
		if isParameter(s) {
			values[strings.Trim(s, "{}")], _ = url.PathUnescape(segments[i])
		}
	}
	return &routers.Route{Spec: c.router.doc, Path: t.path, PathItem: t.item, Method: method, Operation: t.operations[method]}, values
}
