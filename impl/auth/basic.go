package auth

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"
)

// maxComparisons is how many passwords are compared at a time: each takes a core, and 19 MB.
const maxComparisons = 4

// passwords checks names and passwords.
type passwords struct {
	file     *watched[*users]
	verified *verified
	failures *failures
	turns    chan struct{} // one for each comparison at the same time
	matches  func(hash, password string) bool
	log      *slog.Logger
}

func newPasswords(file *watched[*users], key []byte, now func() time.Time, log *slog.Logger) *passwords {
	return &passwords{
		file: file, verified: newVerified(key, now), failures: newFailures(now), turns: make(chan struct{}, maxComparisons), matches: matches, log: log,
	}
}

// identify gives the user of what a Basic header holds. What was right a moment ago is right; whoever was wrong too often waits;
// all others have their password compared, also with a name that nobody has.
func (p *passwords) identify(ctx context.Context, from netip.Prefix, encoded string) (*User, *refusal) {
	credentials, err := base64.StdEncoding.DecodeString(encoded)
	name, password, ok := strings.Cut(string(credentials), ":")
	if err != nil || !ok || !utf8.Valid(credentials) {
		return nil, refuse(Malformed, "The Basic header holds no name and password")
	}
	known, version := p.file.current()
	d := p.verified.digest(credentials)
	if p.verified.holds(d, version) {
		return known.byName[name], nil
	}
	if wait := p.failures.wait(from); wait > 0 {
		return nil, slowed(wait)
	}
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return nil, failed(ctx.Err())
	}
	if p.verified.holds(d, version) { // somebody else has just found out
		return known.byName[name], nil
	}
	u, no := p.compare(from, known, name, password)
	if no == nil {
		p.verified.add(d, version)
	}
	return u, no
}

// compare compares a password.
func (p *passwords) compare(from netip.Prefix, among *users, name, password string) (*User, *refusal) {
	if wait := p.failures.take(from); wait > 0 {
		return nil, slowed(wait)
	}
	u, known := among.find(name)
	right := p.matches(u.Hash, password)
	if !known || !right {
		if p.failures.wait(from) > 0 {
			p.log.Warn("log-ins from an address fail too often and are slowed down", slog.String("address", from.String()))
		}
		return nil, refuse(Wrong, "The name or the password is wrong")
	}
	p.failures.giveBack(from)
	return u, nil
}
