package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// clock stands until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// options are a Guard's, with a clock and a log.
func options(c *clock, log io.Writer) Options {
	return Options{Now: c.Now, Random: func(b []byte) { copy(b, "no secret at all") }, Log: slog.New(slog.NewTextHandler(log, nil)), Client: &http.Client{}}
}

// written is a file of a test.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	rewrite(t, path, text)
	return path
}

// rewrite replaces a file as a careful program does.
func rewrite(t *testing.T, path, text string) {
	t.Helper()
	if err := replaceFile(path, []byte(text)); err != nil {
		t.Fatal(err)
	}
}

// hashed gives a hash that costs nearly nothing.
func hashed(t *testing.T, password string) string {
	t.Helper()
	hash, err := argon2id.CreateHash(password, &argon2id.Params{Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 8, KeyLength: 16})
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// line gives a user's line.
func line(t *testing.T, u User) string {
	t.Helper()
	b, err := json.Marshal(u)
	if err != nil {
		t.Fatal(err)
	}
	return string(b) + "\n"
}

// keyring has a key of each kind.
type keyring struct {
	rsa, otherRSA *rsa.PrivateKey
	ec            *ecdsa.PrivateKey
	ed            ed25519.PrivateKey
}

// keys are made once, since RSA takes its time.
var keys = sync.OnceValue(func() keyring {
	var k keyring
	var errs [4]error
	k.rsa, errs[0] = rsa.GenerateKey(rand.Reader, 2048)
	k.otherRSA, errs[1] = rsa.GenerateKey(rand.Reader, 2048)
	k.ec, errs[2] = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, k.ed, errs[3] = ed25519.GenerateKey(rand.Reader)
	if err := errors.Join(errs[:]...); err != nil {
		panic(err)
	}
	return k
})

// jwks gives a set of public keys by their ids.
func jwks(t *testing.T, byID map[string]crypto.Signer) string {
	t.Helper()
	set := jose.JSONWebKeySet{}
	for id, key := range byID {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: id})
	}
	b, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// claims are those of a token that is believed, with changes; nil takes a claim away.
func claims(now time.Time, changes map[string]any) map[string]any {
	all := map[string]any{
		"iss": "https://issuer", "aud": "rearm", "sub": "mary", "exp": now.Add(time.Hour).Unix(), "nbf": now.Unix(), "iat": now.Unix(), "roles": []string{"operator"},
	}
	for name, value := range changes {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}

// sign makes a token.
func sign(t *testing.T, algorithm jose.SignatureAlgorithm, key any, id string, all map[string]any) string {
	t.Helper()
	o := (&jose.SignerOptions{}).WithType("JWT")
	if id != "" {
		o = o.WithHeader("kid", id)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, o)
	if err != nil {
		t.Fatal(err)
	}
	token, err := jwt.Signed(signer).Claims(all).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// tokenSettings believe the tokens of sign.
func tokenSettings(keysAt string) Settings {
	s := DefaultSettings()
	s.Ways = []string{JWT}
	s.Tokens.Keys, s.Tokens.Issuer, s.Tokens.Audience = keysAt, "https://issuer", "rearm"
	return s
}

// guard makes a Guard.
func guard(t *testing.T, s Settings, o Options) *Guard {
	t.Helper()
	g, err := New(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// ask asks a guard who sends a request with Authorization headers.
func ask(g *Guard, authorization ...string) (db.Caller, []wire.Role, error) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "192.0.2.1:4711"
	for _, one := range authorization {
		r.Header.Add("Authorization", one)
	}
	return g.Identify(r)
}

// basic gives the header of a name and a password.
func basic(name, password string) string {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(name, password)
	return r.Header.Get("Authorization")
}

// refused checks an error: its kind, and a part of what it says.
func refused(t *testing.T, err error, kind fault.Kind, says string) fault.Error {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || !strings.Contains(f.Message, says) {
		t.Errorf("got %v, want kind %d and %q", err, kind, says)
		return fault.Error{}
	}
	return *f
}

// counted gives how often log-ins have ended in some way.
func counted(g *Guard, way string, result Result) (n uint64) {
	g.LogIns(func(w string, r Result, k uint64) {
		if w == way && r == result {
			n = k
		}
	})
	return n
}

// removed takes a file away.
func removed(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
