package auth

import (
	"errors"
	"slices"
	"strings"
	"unicode"

	"rearm/db"
	"rearm/openapi/wire"
)

// everyTenant stands in a token for every tenant.
const everyTenant = "*"

// read gives the caller that claims tell of. An error is for the client to see: it holds nothing of the token.
func (s *TokenSettings) read(claims map[string]any) (db.Caller, []wire.Role, error) {
	var caller db.Caller
	name, _ := claim(claims, s.NameClaim).(string)
	if checkName(name) != nil {
		return caller, nil, errors.New("The token has no name that can be used")
	}
	caller.Name = name
	given, ok := texts(claim(claims, s.RolesClaim), words)
	if !ok {
		return caller, nil, errors.New("The token's roles are neither a text nor a list of texts")
	}
	if s.TenantsClaim == "" {
		return caller, rolesAmong(given), nil
	}
	if caller.Tenants, ok = texts(claim(claims, s.TenantsClaim), whole); !ok {
		return caller, nil, errors.New("The token's tenants are neither a text nor a list of texts")
	}
	caller.Untenanted, _ = claim(claims, s.UntenantedClaim).(bool)
	if slices.Contains(caller.Tenants, everyTenant) {
		caller.Tenants, caller.Untenanted = nil, false
	}
	return caller, rolesAmong(given), nil
}

// claim gives the claim of a name, or what lies at the end of a path of names; nil if there is none.
func claim(claims map[string]any, name string) any {
	if value, ok := claims[name]; ok {
		return value
	}
	first, rest, more := strings.Cut(name, ".")
	inner, ok := claims[first].(map[string]any)
	if !more || !ok {
		return nil
	}
	return claim(inner, rest)
}

// texts reads a claim that may be one text or a list of them; a claim that is not there is an empty list.
func texts(value any, split func(string) []string) (list []string, ok bool) {
	switch v := value.(type) {
	case nil:
		return []string{}, true
	case string:
		return split(v), true
	case []any:
		list = make([]string, len(v))
		for i, one := range v {
			if list[i], ok = one.(string); !ok {
				return nil, false
			}
		}
		return list, true
	}
	return nil, false
}

// words splits a text of words with blanks or commas between them, as scopes are written.
func words(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// whole keeps a text as it is; an empty one is none.
func whole(text string) []string {
	if text == "" {
		return []string{}
	}
	return []string{text}
}

// rolesAmong gives the roles among texts; issuers name others, too, that are not ours.
func rolesAmong(given []string) (list []wire.Role) {
	for _, text := range given {
		if role, err := wire.ParseRole(text); err == nil {
			list = append(list, role)
		}
	}
	return list
}
