package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"rearm/impl/auth"
	"rearm/impl/contract"
)

// authSettings are the rows of the table that say who may log in, and how.
func (c *Config) authSettings() []setting {
	a, t := &c.Auth, &c.Auth.Tokens
	return []setting{
		{"auth", ways(&a.Ways), "how callers log in: none, basic, jwt, or basic,jwt"},
		{"insecure", toggle(&c.Insecure), "allow what strangers could abuse: --auth none beyond this machine, --jwt-keys by http"},
		{"users-file", text(&a.UsersFile, "file"), "who may log in by basic; made by rearm user add, and read again when it changes"},
		{"jwt-keys", orNone(&t.Keys, "file or url"), "the public keys of tokens: a file of PEM or a JWKS, or the URL of a JWKS"},
		{"jwt-issuer", orNone(&t.Issuer, "text"), "the issuer, iss, whose tokens are believed"},
		{"jwt-audience", orNone(&t.Audience, "text"), "the audience, aud, by which a token is meant for this server"},
		{"jwt-skew", leeway(&t.Skew), "how far the issuer's clock and ours may be apart"},
		{"jwt-name-claim", text(&t.NameClaim, "claim"), "where the caller's name stands in a token; a path such as a.b is one, too"},
		{"jwt-roles-claim", text(&t.RolesClaim, "claim"), "where the roles stand, as a list or as a text of words"},
		{"jwt-tenants-claim", orNone(&t.TenantsClaim, "claim"), "where the tenants stand, as a list or as one text; * is every tenant, none lets every token see every tenant"},
		{"jwt-untenanted-claim", text(&t.UntenantedClaim, "claim"), "where true lets a caller with tenants also see what belongs to none"},
	}
}

// checkAuth finds what the settings of log-ins leave open to strangers.
func (c *Config) checkAuth() error {
	if err := c.Auth.Check(); err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	if c.Insecure {
		return nil
	}
	if host, _, _ := net.SplitHostPort(c.Listen); c.Auth.Off() && !isLoopback(host) {
		return fmt.Errorf("%w: without a log-in only this machine is served, not %s: use --auth basic or jwt, or --insecure", errConfig, c.Listen)
	}
	if u, err := url.Parse(c.Auth.Tokens.Keys); err == nil && c.Auth.Has(auth.JWT) && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		return fmt.Errorf("%w: --jwt-keys by http could be anybody's: use https, or --insecure", errConfig)
	}
	return nil
}

// isLoopback tells whether a host is this machine, by name or by address.
func isLoopback(host string) bool {
	address, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && address.Unmap().IsLoopback()
}

// newGuard makes the guard of the settings; nil where nobody logs in.
func (c *Config) newGuard(now func() time.Time, log *slog.Logger) (contract.Guard, error) {
	if c.Auth.Off() {
		return nil, nil
	}
	guard, err := auth.New(c.Auth, auth.Options{
		Now: now, Log: log, Client: &http.Client{},
		Random: func(b []byte) { _, _ = rand.Read(b) }, // it never fails
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errConfig, err)
	}
	return guard, nil
}

// ways is a list of ways to log in.
func ways(at *[]string) pflag.Value {
	parse := func(s string) (list []string, err error) {
		for one := range strings.SplitSeq(s, ",") {
			one = strings.TrimSpace(one)
			if !slices.Contains([]string{auth.None, auth.Basic, auth.JWT}, one) {
				return nil, fmt.Errorf("%q is not one of none, basic, jwt", one)
			}
			if slices.Contains(list, one) {
				return nil, fmt.Errorf("%s stands twice", one)
			}
			list = append(list, one)
		}
		return list, nil
	}
	return value[[]string]{at, "words", parse, func(list []string) string { return strings.Join(list, ",") }}
}

// orNone is a text that may be missing, for which the word is none.
func orNone(at *string, kind string) pflag.Value {
	parse := func(s string) (string, error) {
		if s == "" {
			return "", errors.New("must not be empty")
		}
		if s == unset {
			return "", nil
		}
		return s, nil
	}
	write := func(s string) string {
		if s == "" {
			return unset
		}
		return s
	}
	return value[string]{at, kind, parse, write}
}

// unset is the word for a setting that is not there.
const unset = "none"

// leeway is a length of time that may be none.
func leeway(at *time.Duration) pflag.Value {
	return value[time.Duration]{at, "duration", parseDuration, writeDuration}
}
