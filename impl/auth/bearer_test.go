package auth

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// tokenGuard believes tokens of the three keys of keys(), by the ids r, c and d.
func tokenGuard(t *testing.T, c *clock, change func(*TokenSettings)) *Guard {
	t.Helper()
	k := keys()
	s := tokenSettings(written(t, jwks(t, map[string]crypto.Signer{"r": k.rsa, "c": k.ec, "d": k.ed})))
	if change != nil {
		change(&s.Tokens)
	}
	return guard(t, s, options(c, io.Discard))
}

func TestTokens(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	g := tokenGuard(t, c, nil)
	for name, token := range map[string]string{
		"RS256":            sign(t, jose.RS256, k.rsa, "r", claims(c.now, nil)),
		"ES256":            sign(t, jose.ES256, k.ec, "c", claims(c.now, nil)),
		"EdDSA":            sign(t, jose.EdDSA, k.ed, "d", claims(c.now, nil)),
		"no id of a key":   sign(t, jose.ES256, k.ec, "", claims(c.now, nil)),
		"many audiences":   sign(t, jose.RS256, k.rsa, "r", claims(c.now, map[string]any{"aud": []string{"else", "rearm"}})),
		"within the skew":  sign(t, jose.RS256, k.rsa, "r", claims(c.now, map[string]any{"exp": c.now.Unix() - 59, "nbf": c.now.Unix() + 59, "iat": c.now.Unix() + 59})),
		"no nbf, no iat":   sign(t, jose.RS256, k.rsa, "r", claims(c.now, map[string]any{"nbf": nil, "iat": nil})),
		"roles of others":  sign(t, jose.RS256, k.rsa, "r", claims(c.now, map[string]any{"roles": []string{"king", "operator"}})),
		"roles as a text":  sign(t, jose.RS256, k.rsa, "r", claims(c.now, map[string]any{"roles": "openid operator"})),
		"roles and commas": sign(t, jose.RS256, k.rsa, "r", claims(c.now, map[string]any{"roles": "openid,operator"})),
	} {
		caller, roles, err := ask(g, "Bearer "+token)
		if err != nil || !reflect.DeepEqual(caller, db.Caller{Name: "mary"}) || !reflect.DeepEqual(roles, []wire.Role{wire.Operator}) {
			t.Errorf("%s: %+v, %v, %v", name, caller, roles, err)
		}
	}
	if n := counted(g, JWT, Accepted); n != 10 {
		t.Errorf("%d were counted as accepted", n)
	}
}

// unsigned makes a token whose header says what it likes, and whose signature is given.
func unsigned(header, payload, signature string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(header)) + "." + encode([]byte(payload)) + "." + encode([]byte(signature))
}

func TestTokensRefused(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	g := tokenGuard(t, c, nil)
	der, err := x509.MarshalPKIXPublicKey(k.rsa.Public())
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	payload := `{"iss":"https://issuer","aud":"rearm","sub":"mary","roles":["admin"],"exp":99999999999}`
	good := strings.Split(sign(t, jose.RS256, k.rsa, "r", claims(c.now, nil)), ".")
	forged := base64.RawURLEncoding.EncodeToString([]byte(payload))
	by := func(changes map[string]any) string { return sign(t, jose.RS256, k.rsa, "r", claims(c.now, changes)) }
	now := c.now.Unix()
	for _, row := range []struct{ name, token, says string }{
		{"nothing", "", "cannot be read"},
		{"no token", "a.b.c", "cannot be read"},
		{"alg none", unsigned(`{"alg":"none","kid":"r"}`, payload, ""), "cannot be read"},
		{"alg None", unsigned(`{"alg":"None","kid":"r"}`, payload, ""), "cannot be read"},
		{"no alg", unsigned(`{"kid":"r"}`, payload, ""), "cannot be read"},
		{"the public key as a secret, PEM", sign(t, jose.HS256, public, "r", claims(c.now, nil)), "cannot be read"},
		{"the public key as a secret, DER", sign(t, jose.HS256, der, "r", claims(c.now, nil)), "cannot be read"},
		{"RS512", sign(t, jose.RS512, k.rsa, "r", claims(c.now, nil)), "cannot be read"},
		{"PS256", sign(t, jose.PS256, k.rsa, "r", claims(c.now, nil)), "cannot be read"},
		{"an algorithm that its key is not for", sign(t, jose.ES256, k.ec, "r", claims(c.now, nil)), "a key that is not known"},
		{"another claim than was signed", good[0] + "." + forged + "." + good[2], "signature is wrong"},
		{"no signature", good[0] + "." + good[1] + ".", "signature is wrong"},
		{"another's key", sign(t, jose.RS256, k.otherRSA, "r", claims(c.now, nil)), "signature is wrong"},
		{"a key with an unknown id", sign(t, jose.RS256, k.rsa, "x", claims(c.now, nil)), "a key that is not known"},
		{"expired", by(map[string]any{"exp": now - 61}), "has expired"},
		{"for ever", by(map[string]any{"exp": nil}), "never expires"},
		{"not yet valid", by(map[string]any{"nbf": now + 61}), "not valid yet"},
		{"of the future", by(map[string]any{"iat": now + 61}), "issued in the future"},
		{"another issuer", by(map[string]any{"iss": "https://issuer/"}), "another issuer"},
		{"no issuer", by(map[string]any{"iss": nil}), "another issuer"},
		{"another audience", by(map[string]any{"aud": "rearm2"}), "another audience"},
		{"other audiences", by(map[string]any{"aud": []string{"a", "b"}}), "another audience"},
		{"no audience", by(map[string]any{"aud": nil}), "another audience"},
		{"a date that is none", by(map[string]any{"exp": "tomorrow"}), "claims cannot be read"},
		{"no name", by(map[string]any{"sub": nil}), "no name"},
		{"an empty name", by(map[string]any{"sub": ""}), "no name"},
		{"a name with a line break", by(map[string]any{"sub": "a\nb"}), "no name"},
		{"a name that is a number", by(map[string]any{"sub": 7}), "cannot be read"},
		{"a name that is too long", by(map[string]any{"sub": strings.Repeat("x", 256)}), "no name"},
		{"roles that are a number", by(map[string]any{"roles": 7}), "roles are neither"},
		{"roles that are numbers", by(map[string]any{"roles": []int{7}}), "roles are neither"},
	} {
		caller, roles, err := ask(g, "Bearer "+row.token)
		f := refused(t, err, fault.Unauthorized, row.says)
		if caller.Name != "" || roles != nil || f.Type != "NotAuthorizedException" {
			t.Errorf("%s: %+v, %v, %+v", row.name, caller, roles, f)
		}
		if len(f.Challenges) != 1 || f.Challenges[0] != `Bearer realm="rearm", error="invalid_token", error_description="`+f.Message+`"` {
			t.Errorf("%s: the challenges are %v", row.name, f.Challenges)
		}
	}
	if counted(g, JWT, Accepted) != 0 || counted(g, JWT, Wrong) == 0 || counted(g, JWT, Malformed) == 0 {
		t.Error("the refused ones were not counted as such")
	}
}

// A token may have no role at all; its caller is known then, and may do nothing.
func TestTokenWithoutRoles(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	g := tokenGuard(t, c, nil)
	for _, value := range []any{nil, []string{}, "", "Operator", []string{"king"}} {
		caller, roles, err := ask(g, "Bearer "+sign(t, jose.RS256, k.rsa, "r", claims(c.now, map[string]any{"roles": value})))
		if err != nil || caller.Name != "mary" || len(roles) != 0 {
			t.Errorf("%v: %+v, %v, %v", value, caller, roles, err)
		}
	}
}

func TestTenantsOfTokens(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	g := tokenGuard(t, c, func(s *TokenSettings) {
		s.NameClaim, s.RolesClaim, s.TenantsClaim, s.UntenantedClaim = "user.name", "realm_access.roles", "https://rearm/tenants", "un"
	})
	for _, row := range []struct {
		tenants, untenanted any
		want                db.Caller
	}{
		{"a", nil, db.Caller{Tenants: []string{"a"}}},
		{"a b", nil, db.Caller{Tenants: []string{"a b"}}},
		{[]string{"a", "b"}, true, db.Caller{Tenants: []string{"a", "b"}, Untenanted: true}},
		{[]string{"a"}, "true", db.Caller{Tenants: []string{"a"}}},
		{nil, nil, db.Caller{Tenants: []string{}}},
		{"", nil, db.Caller{Tenants: []string{}}},
		{[]string{}, true, db.Caller{Tenants: []string{}, Untenanted: true}},
		{"*", nil, db.Caller{}},
		{[]string{"a", "*"}, true, db.Caller{}},
	} {
		token := sign(t, jose.EdDSA, k.ed, "d", claims(c.now, map[string]any{
			"sub": nil, "roles": nil, "user": map[string]any{"name": "anna"}, "realm_access": map[string]any{"roles": []string{"viewer"}},
			"https://rearm/tenants": row.tenants, "un": row.untenanted,
		}))
		row.want.Name = "anna"
		caller, roles, err := ask(g, "Bearer "+token)
		if err != nil || !reflect.DeepEqual(caller, row.want) || !reflect.DeepEqual(roles, []wire.Role{wire.Viewer}) {
			t.Errorf("%v, %v: %+v, %v, %v", row.tenants, row.untenanted, caller, roles, err)
		}
	}
	wrong := sign(t, jose.EdDSA, k.ed, "d", claims(c.now, map[string]any{"user": map[string]any{"name": "anna"}, "https://rearm/tenants": map[string]any{"a": true}}))
	_, _, err := ask(g, "Bearer "+wrong)
	refused(t, err, fault.Unauthorized, "tenants are neither")
	wrong = sign(t, jose.EdDSA, k.ed, "d", claims(c.now, map[string]any{"user": "anna"}))
	_, _, err = ask(g, "Bearer "+wrong)
	refused(t, err, fault.Unauthorized, "no name")
}

// The skew is a setting.
func TestSkew(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	g := tokenGuard(t, c, func(s *TokenSettings) { s.Skew = 0 })
	token := sign(t, jose.ES256, k.ec, "c", claims(c.now, nil))
	c.pass(time.Hour)
	if _, _, err := ask(g, "Bearer "+token); err != nil {
		t.Errorf("at its last moment: %v", err)
	}
	c.pass(time.Second)
	_, _, err := ask(g, "Bearer "+token)
	refused(t, err, fault.Unauthorized, "has expired")
}
