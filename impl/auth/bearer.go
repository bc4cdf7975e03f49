package auth

import (
	"context"
	"errors"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// algorithms are those that a token may be signed by. All have a key that is secret and one that is public: neither `none` nor
// one whose key would be known to everybody who can check it.
var algorithms = []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.EdDSA}

// tokens checks tokens.
type tokens struct {
	settings TokenSettings
	keys     keySource
	now      func() time.Time
}

// identify gives the caller that a token names.
func (t *tokens) identify(ctx context.Context, text string) (db.Caller, []wire.Role, *refusal) {
	token, err := jwt.ParseSigned(text, algorithms)
	if err != nil {
		return db.Caller{}, nil, refuse(Malformed, "The token cannot be read, or is not signed by RS256, ES256 or EdDSA")
	}
	standard, all, no := t.verify(ctx, token)
	if no == nil {
		no = t.judge(standard)
	}
	if no != nil {
		return db.Caller{}, nil, no
	}
	caller, roles, err := t.settings.read(all)
	if err != nil {
		return db.Caller{}, nil, refuse(Wrong, err.Error())
	}
	return caller, roles, nil
}

// verify gives the claims of a token whose signature one of the keys fits that it may be signed by.
func (t *tokens) verify(ctx context.Context, token *jwt.JSONWebToken) (*jwt.Claims, map[string]any, *refusal) {
	header := token.Headers[0]
	keys, err := t.keys.find(ctx, header.KeyID, jose.SignatureAlgorithm(header.Algorithm))
	if err != nil {
		return nil, nil, failed(&fault.Error{Kind: fault.Unavailable, Type: fault.Rest, Message: "The keys that tokens are checked with cannot be read now. Please try again later."})
	}
	for _, key := range keys {
		var standard jwt.Claims
		var all map[string]any
		switch err := token.Claims(key.key, &standard, &all); {
		case err == nil:
			return &standard, all, nil
		case !errors.Is(err, jose.ErrCryptoFailure):
			return nil, nil, refuse(Malformed, "The token's claims cannot be read")
		}
	}
	if len(keys) == 0 {
		return nil, nil, refuse(Wrong, "The token is signed by a key that is not known here")
	}
	return nil, nil, refuse(Wrong, "The token's signature is wrong")
}

// judge says what is wrong with the claims that every token has.
func (t *tokens) judge(c *jwt.Claims) *refusal {
	if c.Expiry == nil {
		return refuse(Wrong, "The token never expires")
	}
	expected := jwt.Expected{Issuer: t.settings.Issuer, AnyAudience: jwt.Audience{t.settings.Audience}, Time: t.now()}
	err := c.ValidateWithLeeway(expected, t.settings.Skew)
	for _, known := range []struct {
		err     error
		message string
	}{
		{jwt.ErrExpired, "The token has expired"},
		{jwt.ErrNotValidYet, "The token is not valid yet"},
		{jwt.ErrIssuedInTheFuture, "The token was issued in the future"},
		{jwt.ErrInvalidIssuer, "The token is of another issuer"},
		{jwt.ErrInvalidAudience, "The token is meant for another audience"},
	} {
		if errors.Is(err, known.err) {
			return refuse(Wrong, known.message)
		}
	}
	if err != nil {
		return refuse(Wrong, "The token is not valid")
	}
	return nil
}
