package contract

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// Guard knows who sends a request.
type Guard interface {
	// Identify tells by a request's headers who sends it, and what roles that caller has. It does not touch the body. An error
	// is a 401 with the ways to log in as its challenges, a 429 after too many of those, or a 503 when it cannot be known now.
	Identify(r *http.Request) (db.Caller, []wire.Role, error)
}

// rolesKey is where the roles of a request's caller stand in echo's context.
const rolesKey = "rearm.contract.roles"

// identify finds out who sends a request; from then on its context tells. It comes before anything of the request but its
// headers is read. Without a guard nobody asks.
func (c *Contract) identify(ec echo.Context) error {
	if c.options.Guard == nil {
		return nil
	}
	r := ec.Request()
	caller, roles, err := c.options.Guard.Identify(r)
	if err != nil {
		return err
	}
	ec.Set(rolesKey, roles)
	ec.SetRequest(r.WithContext(WithCaller(r.Context(), caller)))
	return nil
}

// permit lets a request pass whose caller has one of the roles that something asks for. Without a guard everybody may do
// everything.
func (c *Contract) permit(ec echo.Context, what string, needs []wire.Role) error {
	if c.options.Guard == nil {
		return nil
	}
	if roles, _ := ec.Get(rolesKey).([]wire.Role); wire.May(roles, needs) {
		return nil
	}
	return &denial{user: CallerOf(ec.Request().Context()).Name, operation: what, roles: needs}
}

// Only gives a middleware for a page that stands outside the document: it lets requests pass whose caller has one of the roles.
// what names the page where it refuses.
func (c *Contract) Only(what string, roles ...wire.Role) echo.MiddlewareFunc {
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(ec echo.Context) error {
			if err := c.identify(ec); err != nil {
				return err
			}
			if err := c.permit(ec, what, roles); err != nil {
				return err
			}
			return next(ec)
		}
	}
}

// denial is a 403: a known caller has none of the roles that an operation asks for.
type denial struct {
	user, operation string
	roles           []wire.Role
}

// operationType is what a role is missing for, as resources are named in the reference's words.
const operationType = "Operation"

// Error says what is missing in the reference's words (contract-facts 1.9).
func (d *denial) Error() string {
	list := make([]string, len(d.roles))
	for i, role := range d.roles {
		list[i] = fmt.Sprintf("'%s' permission on resource '%s' of type '%s'", role, d.operation, operationType)
	}
	if len(list) == 1 {
		return fmt.Sprintf("The user with id '%s' does not have %s.", d.user, list[0])
	}
	return fmt.Sprintf("The user with id '%s' does not have one of the following permissions: %s", d.user, strings.Join(list, " or "))
}

// fault gives the denial as an error that a client may see.
func (d *denial) fault() *fault.Error {
	return fault.Coded(fault.Forbidden, fault.Authorization, "%s", d.Error())
}

// missing is one role that would do.
type missing struct {
	PermissionName string `json:"permissionName"`
	ResourceName   string `json:"resourceName"`
	ResourceID     string `json:"resourceId"`
}

// denied is the body of a denial. The three properties on top are filled only where one role alone would do.
type denied struct {
	exception
	UserID         string    `json:"userId"`
	PermissionName *string   `json:"permissionName"`
	ResourceName   *string   `json:"resourceName"`
	ResourceID     *string   `json:"resourceId"`
	Missing        []missing `json:"missingAuthorizations"`
}

// body gives the body of a denial.
func (d *denial) body() denied {
	b := denied{exception: exceptionOf(d.fault()), UserID: d.user}
	for _, role := range d.roles {
		b.Missing = append(b.Missing, missing{string(role), operationType, d.operation})
	}
	if len(b.Missing) == 1 {
		one := b.Missing[0]
		b.PermissionName, b.ResourceName, b.ResourceID = &one.PermissionName, &one.ResourceName, &one.ResourceID
	}
	return b
}
