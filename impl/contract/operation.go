package contract

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"

	"rearm/openapi/wire"
)

// operation is all that is known of one operation before any request comes.
type operation struct {
	contract *Contract
	id       string
	route    *routers.Route
	query    []parameter
	produces []string // the media types of its successful answers; empty if it has no content
	body     *body    // nil if the operation takes none
	words    []operationWords
	roles    []wire.Role // any one of them may call it
	writes   bool        // it may change something
}

// operationKey is where the operation of a request stands in echo's context.
const operationKey = "rearm.contract.operation"

// readOperations makes the operations of the document, by operationId.
func (c *Contract) readOperations(doc *openapi3.T) (map[string]*operation, error) {
	all := map[string]*operation{}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			o, err := c.readOperation(&routers.Route{Spec: doc, Path: path, PathItem: item, Method: method, Operation: withoutSecurity(op)})
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			all[o.id] = o
		}
	}
	return all, nil
}

// withoutSecurity gives an operation that kin-openapi asks for no log-in. Guard has seen to it, and kin-openapi reads the whole body
// into memory before it asks, whatever its length.
func withoutSecurity(op *openapi3.Operation) *openapi3.Operation {
	free := *op
	free.Security = openapi3.NewSecurityRequirements()
	return &free
}

func (c *Contract) readOperation(route *routers.Route) (*operation, error) {
	op := route.Operation
	if op.OperationID == "" {
		return nil, fmt.Errorf("no operationId")
	}
	o := &operation{contract: c, id: op.OperationID, route: route, query: readParameters(route), produces: producesOf(op), writes: writes(route)}
	var err error
	if o.roles, err = wire.ReadRoles(op.Extensions[wire.RolesKey]); err != nil {
		return nil, err
	}
	if o.words, err = readOperationWords(op); err != nil {
		return nil, err
	}
	o.body, err = readBody(op)
	return o, err
}

// writes tells whether an operation may change something: only GET and the queries that come as POST never do.
func writes(route *routers.Route) bool {
	return route.Method != http.MethodGet && (route.Method != http.MethodPost || !strings.HasPrefix(route.Operation.OperationID, "query"))
}

// producesOf gives the media types of an operation's successful answers, sorted.
func producesOf(op *openapi3.Operation) []string {
	types := map[string]bool{}
	for status, response := range op.Responses.Map() {
		if status[0] == '2' && response.Value != nil {
			for mediaType := range response.Value.Content {
				types[mediaType] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(types))
}

// middleware is what requests of the operation pass before its handler.
func (o *operation) middleware(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ec echo.Context) error {
		ec.Set(operationKey, o)
		if p := patientOf(ec.Response()); p != nil {
			p.routed(o, ec.ParamValues())
		}
		if err := o.contract.permit(ec, o.id, o.roles); err != nil {
			return err
		}
		if err := accepts(ec.Request().Header.Values("Accept"), o.produces); err != nil {
			return err
		}
		if err := o.judgeParameters(ec); err != nil {
			return err
		}
		if o.body == nil {
			return next(ec)
		}
		done, err := o.takeBody(ec)
		defer done()
		if err != nil {
			return err
		}
		return next(ec)
	}
}

// operationOf gives the operation that a request was routed to; nil if there is none.
func operationOf(ec echo.Context) *operation {
	o, _ := ec.Get(operationKey).(*operation)
	return o
}

// describe names a request in the log. Where somebody observes, each line of a request tells the operation anyway.
func describe(ec echo.Context) []any {
	r := ec.Request()
	list := []any{"method", r.Method, "path", r.URL.Path}
	if o := operationOf(ec); o != nil && RecordOf(r.Context()) == nil {
		list = append(list, "operation", o.id)
	}
	return list
}

// hasBody tells whether an answer to a request may have a body.
func hasBody(r *http.Request, status int) bool {
	return r.Method != http.MethodHead && status != http.StatusNoContent
}
