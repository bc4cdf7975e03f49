package wire

import (
	"fmt"
	"slices"
	"strings"
)

// Role is a word for what a caller may do. The document says of every operation, as x-rearm-role, which roles may call it.
type Role string

// The roles.
const (
	Viewer   Role = "viewer"   // reads everything
	Worker   Role = "worker"   // an application: creates, fetches and ends tasks, and reads tasks and variables
	Operator Role = "operator" // reads everything, and repairs: retries, batches, jobs, incidents, suspension, deletion
	Admin    Role = "admin"    // everything, and alone what removes history
)

// includes says which roles each role holds. Who repairs work does not take it from workers: an operator is no worker.
var includes = map[Role][]Role{
	Viewer:   {Viewer},
	Worker:   {Worker},
	Operator: {Operator, Viewer},
	Admin:    {Admin, Operator, Worker, Viewer},
}

// Roles gives every role, the mightiest last.
func Roles() []Role { return []Role{Viewer, Worker, Operator, Admin} }

// ParseRole reads the word for a role.
func ParseRole(s string) (Role, error) {
	if includes[Role(s)] == nil {
		return "", fmt.Errorf("there is no role %q; there is %s", s, words(Roles()))
	}
	return Role(s), nil
}

// May tells whether somebody with the roles has may do what one of the roles in needs allows.
func May(has, needs []Role) bool {
	for _, role := range has {
		for _, included := range includes[role] {
			if slices.Contains(needs, included) {
				return true
			}
		}
	}
	return false
}

// RolesKey is the document's word for the roles that may call an operation.
const RolesKey = "x-rearm-role"

// ReadRoles reads the value of x-rearm-role: a role, or a list of roles each of which is enough. None at all is an error.
func ReadRoles(extension any) (list []Role, err error) {
	given, many := extension.([]any)
	if !many {
		given = []any{extension}
	}
	for _, one := range given {
		text, _ := one.(string)
		role, err := ParseRole(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", RolesKey, err)
		}
		list = append(list, role)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%s: no role may call this", RolesKey)
	}
	return list, nil
}

func words(list []Role) string {
	texts := make([]string, len(list))
	for i, role := range list {
		texts[i] = string(role)
	}
	return strings.Join(texts, ", ")
}
