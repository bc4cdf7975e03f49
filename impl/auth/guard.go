package auth

import (
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// Options is what a Guard needs besides settings.
type Options struct {
	Now    func() time.Time
	Random func(b []byte) // fills b with what nobody can guess
	Log    *slog.Logger
	Client *http.Client // reads an issuer's keys
}

// Guard tells who sends a request. It is safe for concurrent use.
type Guard struct {
	passwords  *passwords // nil unless Basic is offered
	tokens     *tokens    // nil unless JWT is offered
	challenges []string
	counts     *counts
}

// New makes the guard of settings that offer at least one way to log in. An error says which file cannot be read, and where in
// it; an issuer that is away is none.
func New(s Settings, o Options) (*Guard, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	g := &Guard{counts: newCounts()}
	if s.Has(Basic) {
		file, err := watch(s.UsersFile, readUsers, o.Log)
		if err != nil {
			return nil, fmt.Errorf("--users-file: %w", err)
		}
		key := make([]byte, 32)
		o.Random(key)
		g.passwords = newPasswords(file, key, o.Now, o.Log)
		g.challenges = append(g.challenges, basicChallenge)
	}
	if s.Has(JWT) {
		keys, err := newKeySource(s.Tokens.Keys, o)
		if err != nil {
			return nil, fmt.Errorf("--jwt-keys: %w", err)
		}
		g.tokens = &tokens{settings: s.Tokens, keys: keys, now: o.Now}
		g.challenges = append(g.challenges, bearerChallenge)
	}
	return g, nil
}

// The ways to log in as a 401 names them.
const (
	basicChallenge  = `Basic realm="rearm", charset="UTF-8"`
	bearerChallenge = `Bearer realm="rearm"`
)

// Identify tells by a request's Authorization header who sends it, and what roles that caller has. 401: nobody, or nobody whom
// we believe; its challenges are the ways to log in. 429: the address has been wrong too often. 503: it cannot be known now.
func (g *Guard) Identify(r *http.Request) (db.Caller, []wire.Role, error) {
	way, credentials, no := wayOf(r.Header)
	var caller db.Caller
	var roles []wire.Role
	switch {
	case no != nil:
	case way == Basic && g.passwords != nil:
		var u *User
		if u, no = g.passwords.identify(r.Context(), sourceOf(r.RemoteAddr), credentials); no == nil {
			caller, roles = u.caller(), u.Roles
		}
	case way == JWT && g.tokens != nil:
		caller, roles, no = g.tokens.identify(r.Context(), credentials)
	default:
		way, no = "", refuse(Malformed, "This way to log in is not offered here")
	}
	if no != nil {
		g.counts.add(way, no.result)
		return db.Caller{}, nil, g.word(way, no)
	}
	g.counts.add(way, Accepted)
	return caller, roles, nil
}

// wayOf gives the way to log in that a request has chosen, and its credentials.
func wayOf(header http.Header) (way, credentials string, no *refusal) {
	given := header.Values("Authorization")
	if len(given) == 0 {
		return "", "", refuse(Missing, "A log-in is needed here")
	}
	scheme, credentials, _ := strings.Cut(strings.TrimSpace(given[0]), " ")
	credentials = strings.TrimSpace(credentials)
	switch {
	case len(given) > 1:
		return "", "", refuse(Malformed, "There is more than one Authorization header")
	case strings.EqualFold(scheme, "Basic"):
		return Basic, credentials, nil
	case strings.EqualFold(scheme, "Bearer"):
		return JWT, credentials, nil
	}
	return "", credentials, nil
}

// refusal is why nobody is believed to be calling.
type refusal struct {
	result  Result
	message string
	wait    time.Duration // of Slowed
	err     error         // when it is nobody's fault who calls
}

func refuse(result Result, message string) *refusal {
	return &refusal{result: result, message: message}
}

func slowed(wait time.Duration) *refusal { return &refusal{result: Slowed, wait: wait} }

func failed(err error) *refusal { return &refusal{result: Unavailable, err: err} }

// word gives a refusal as an error that a client may see.
func (g *Guard) word(way string, no *refusal) error {
	switch {
	case no.err != nil:
		return no.err
	case no.result == Slowed:
		seconds := int64((no.wait + time.Second - 1) / time.Second)
		return fault.New(fault.TooMany, fault.Rest, "Log-ins from this address have failed too often. Please try again in %d s.", seconds)
	}
	e := fault.New(fault.Unauthorized, fault.NotAuthorized, "%s", no.message)
	for _, challenge := range g.challenges {
		if challenge == bearerChallenge && way == JWT {
			challenge = fmt.Sprintf(`%s, error="invalid_token", error_description="%s"`, challenge, no.message)
		}
		e.Challenges = append(e.Challenges, challenge)
	}
	return e
}

// LogIns calls f for every way to log in and every result, with how often it came out so since the start.
func (g *Guard) LogIns(f func(way string, result Result, n uint64)) { g.counts.each(f) }
