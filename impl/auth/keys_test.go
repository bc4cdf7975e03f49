package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rearm/impl/fault"
)

// must gives a value that cannot fail here.
func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func block(kind string, b []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: b}))
}

func TestReadKeys(t *testing.T) {
	t.Parallel()
	k, bytes := keys(), must[[]byte](t)
	pkix := func(key any) string { return block("PUBLIC KEY", bytes(x509.MarshalPKIXPublicKey(key))) }
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)}
	certificate := block("CERTIFICATE", bytes(x509.CreateCertificate(rand.Reader, template, template, k.rsa.Public(), k.rsa)))
	weak := must[*rsa.PrivateKey](t)(rsa.GenerateKey(rand.Reader, 1024))
	p384 := must[*ecdsa.PrivateKey](t)(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	jwk := func(key any, algorithm, use string) string {
		return string(bytes(json.Marshal(jose.JSONWebKey{Key: key, KeyID: "k", Algorithm: algorithm, Use: use})))
	}
	set := func(keys ...string) string { return `{"keys": [` + strings.Join(keys, ",") + `]}` }
	for _, row := range []struct {
		name, text, want, says string
	}{
		{"PKIX", pkix(k.rsa.Public()), "RS256", ""},
		{"several, with words between", "# ours\n" + pkix(k.ec.Public()) + "and\n" + pkix(k.ed.Public()), "ES256 EdDSA", ""},
		{"PKCS 1", block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey)), "RS256", ""},
		{"certificate", certificate, "RS256", ""},
		{"private", block("PRIVATE KEY", bytes(x509.MarshalPKCS8PrivateKey(k.rsa))), "", "PRIVATE KEY: only public keys"},
		{"broken", block("PUBLIC KEY", []byte("x")), "", "PUBLIC KEY: "},
		{"weak", pkix(weak.Public()), "", "no key for RS256"},
		{"another curve", pkix(p384.Public()), "", "no key for RS256"},
		{"nothing", " \n", "", "no key for RS256"},
		{"text", "to do", "", "no key for RS256"},
		{"JWKS", set(jwk(k.rsa.Public(), "", ""), jwk(k.ec.Public(), "ES256", "sig"), jwk(k.ed.Public(), "EdDSA", "")), "RS256 ES256 EdDSA", ""},
		{"JWKS with what we do not know", set(`{"kty":"XYZ","kid":"x"}`, `{"kty":"RSA"}`, `7`, jwk(k.rsa.Public(), "RS256", "")), "RS256", ""},
		{"JWKS with keys for other uses", set(jwk(k.rsa.Public(), "", "enc"), jwk(k.rsa.Public(), "RS512", ""), jwk(k.rsa.Public(), "RSA-OAEP", "")), "", "no key for RS256"},
		{"JWKS with a secret", set(jwk([]byte("sixteen bytes or more"), "HS256", "")), "", "no key for RS256"},
		{"JWKS with a private key", set(jwk(k.rsa, "", "")), "", "no key for RS256"},
		{"broken JWKS", `{"keys": [`, "", "no JWKS"},
	} {
		list, err := readKeys([]byte(row.text))
		var got []string
		for _, one := range list {
			got = append(got, string(one.algorithm))
		}
		if strings.Join(got, " ") != row.want || (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, %v", row.name, got, err)
		}
	}
}

// A file of keys is read again when it changes; while it is broken, the keys before hold.
func TestKeyFileChanges(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	path := written(t, jwks(t, map[string]crypto.Signer{"r": k.rsa}))
	g := guard(t, tokenSettings(path), options(c, io.Discard))
	old, fresh := "Bearer "+sign(t, jose.RS256, k.rsa, "r", claims(c.now, nil)), "Bearer "+sign(t, jose.ES256, k.ec, "c", claims(c.now, nil))
	if _, _, err := ask(g, old); err != nil {
		t.Fatal(err)
	}
	rewrite(t, path, `{"keys": []}`)
	if _, _, err := ask(g, old); err != nil {
		t.Errorf("while the file is broken: %v", err)
	}
	rewrite(t, path, jwks(t, map[string]crypto.Signer{"c": k.ec}))
	if _, _, err := ask(g, fresh); err != nil {
		t.Errorf("the new key: %v", err)
	}
	_, _, err := ask(g, old)
	refused(t, err, fault.Unauthorized, "a key that is not known")
}
