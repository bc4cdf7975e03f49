package auth

import (
	"errors"
	"slices"
	"time"
)

// The ways to log in, by the words of the settings.
const (
	None  = "none"
	Basic = "basic"
	JWT   = "jwt"
)

// Settings are what an operator decides about log-ins.
type Settings struct {
	Ways      []string // Basic, JWT or both; or None alone
	UsersFile string   // for Basic
	Tokens    TokenSettings
}

// TokenSettings say which tokens are believed, and where in a token it stands what we ask for. The name of a claim may be a
// path, such as realm_access.roles.
type TokenSettings struct {
	Keys            string // a file of PEM keys or of a JWKS, or the URL of a JWKS
	Issuer          string
	Audience        string
	Skew            time.Duration // how far the clocks of issuer and server may be apart
	NameClaim       string
	RolesClaim      string // a list, or a text of words
	TenantsClaim    string // a list, or a text with one tenant; "": every caller may see every tenant
	UntenantedClaim string // true: the caller may also see what belongs to no tenant; read only with TenantsClaim
}

// DefaultSettings lets everybody in without a log-in.
func DefaultSettings() Settings {
	return Settings{Ways: []string{None}, UsersFile: "rearm.users", Tokens: TokenSettings{
		Skew: time.Minute, NameClaim: "sub", RolesClaim: "roles", UntenantedClaim: "untenanted",
	}}
}

// Off tells whether nobody logs in.
func (s *Settings) Off() bool { return !s.Has(Basic) && !s.Has(JWT) }

// Has tells whether there is a way to log in.
func (s *Settings) Has(way string) bool { return slices.Contains(s.Ways, way) }

// Check finds what is missing or contradicts itself; an error names the setting.
func (s *Settings) Check() error {
	switch t := s.Tokens; {
	case s.Has(None) && len(s.Ways) > 1:
		return errors.New("--auth: none stands alone")
	case !s.Has(JWT):
		return nil
	case t.Keys == "":
		return errors.New("--auth jwt needs --jwt-keys, the keys that tokens are checked with")
	case t.Issuer == "":
		return errors.New("--auth jwt needs --jwt-issuer, whose tokens are believed")
	case t.Audience == "":
		return errors.New("--auth jwt needs --jwt-audience, by which a token says that it is meant for this server")
	}
	return nil
}
