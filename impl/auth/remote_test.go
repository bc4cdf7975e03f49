package auth

import (
	"context"
	"crypto"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"rearm/impl/fault"
)

// issuer publishes keys, and may be away.
type issuer struct {
	url string

	mu     sync.Mutex
	text   string
	status int
	asked  int
}

func newIssuer(t *testing.T, text string) *issuer {
	t.Helper()
	i := &issuer{text: text, status: http.StatusOK}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.url = server.URL + "/keys"
	return i
}

// ServeHTTP answers with the keys.
func (i *issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.asked++
	if i.status == http.StatusFound {
		http.Redirect(w, r, "/elsewhere", i.status)
		return
	}
	w.WriteHeader(i.status)
	_, _ = io.WriteString(w, i.text)
}

// becomes changes what the issuer answers.
func (i *issuer) becomes(status int, text string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.status, i.text = status, text
}

// wants checks how often the issuer was asked so far.
func (i *issuer) wants(t *testing.T, what string, n int) {
	t.Helper()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.asked != n {
		t.Errorf("%s: the issuer was asked %d times, want %d", what, i.asked, n)
	}
}

// Keys are read when the first token comes, kept while fresh, and read again for a key that is new.
func TestKeysOfAnIssuer(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	i := newIssuer(t, jwks(t, map[string]crypto.Signer{"old": k.rsa}))
	g := guard(t, tokenSettings(i.url), options(c, io.Discard))
	i.wants(t, "before any token", 0)
	by := func(key any, id string) string {
		algorithm := jose.RS256
		if key == any(k.ec) {
			algorithm = jose.ES256
		}
		return "Bearer " + sign(t, algorithm, key, id, claims(c.Now(), nil))
	}
	for range 3 {
		if _, _, err := ask(g, by(k.rsa, "old")); err != nil {
			t.Fatal(err)
		}
	}
	i.wants(t, "for the first token", 1)

	i.becomes(http.StatusOK, jwks(t, map[string]crypto.Signer{"new": k.ec}))
	_, _, err := ask(g, by(k.ec, "new"))
	refused(t, err, fault.Unauthorized, "a key that is not known")
	i.wants(t, "just after it was asked", 1)
	c.pass(keysPause)
	if _, _, err := ask(g, by(k.ec, "new")); err != nil {
		t.Errorf("the issuer's new key: %v", err)
	}
	i.wants(t, "for a new key", 2)
	_, _, err = ask(g, by(k.rsa, "old"))
	refused(t, err, fault.Unauthorized, "a key that is not known")
	for range 20 {
		_, _, err = ask(g, by(k.ec, "made up"))
		refused(t, err, fault.Unauthorized, "a key that is not known")
	}
	i.wants(t, "for keys that are made up", 2)

	c.pass(keysFresh)
	if _, _, err := ask(g, by(k.ec, "new")); err != nil {
		t.Error(err)
	}
	i.wants(t, "for keys that are no longer fresh", 3)
}

// While the issuer is away its keys hold for an hour; then, and if they were never known, it is a 503.
func TestIssuerAway(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	var log strings.Builder
	set := jwks(t, map[string]crypto.Signer{"r": k.rsa})
	i := newIssuer(t, "")
	g := guard(t, tokenSettings(i.url), options(c, &log))
	try := func() error {
		_, _, err := ask(g, "Bearer "+sign(t, jose.RS256, k.rsa, "r", claims(c.Now(), nil)))
		return err
	}
	for name, answer := range map[string]struct {
		status int
		text   string
	}{
		"broken": {http.StatusInternalServerError, set}, "redirected": {http.StatusFound, set}, "no JSON": {http.StatusOK, "<html>"},
		"no keys": {http.StatusOK, `{"keys":[]}`}, "endless": {http.StatusOK, `{"keys":[], "x": "` + strings.Repeat("x", maxKeys) + `"}`},
	} {
		i.becomes(answer.status, answer.text)
		c.pass(keysPause)
		if f := refused(t, try(), fault.Unavailable, "cannot be read now"); f.Challenges != nil {
			t.Errorf("%s: it asks for another log-in", name)
		}
	}
	if n := counted(g, JWT, Unavailable); n != 5 {
		t.Errorf("%d counted as unavailable", n)
	}
	if !strings.Contains(log.String(), "cannot be read") || !strings.Contains(log.String(), i.url) {
		t.Errorf("the log: %s", log.String())
	}
	i.becomes(http.StatusOK, set)
	refused(t, try(), fault.Unavailable, "cannot be read now") // it was asked just now
	c.pass(keysPause)
	if err := try(); err != nil {
		t.Fatalf("it is back: %v", err)
	}
	i.becomes(http.StatusServiceUnavailable, "")
	c.pass(keysTrusted - time.Second)
	if err := try(); err != nil {
		t.Errorf("away for less than an hour: %v", err)
	}
	c.pass(time.Second)
	refused(t, try(), fault.Unavailable, "cannot be read now")
}

// Who hangs up does not spoil the reading of keys for those who come next.
func TestHangingUpDoesNotStopTheReading(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	i := newIssuer(t, jwks(t, map[string]crypto.Signer{"r": k.rsa}))
	source := newRemoteKeys(i.url, options(c, io.Discard))
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if found, err := source.find(gone, "r", jose.RS256); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	if found, err := source.find(t.Context(), "r", jose.RS256); err != nil || len(found) != 1 {
		t.Errorf("%v, %v", found, err)
	}
	i.wants(t, "in all", 1)
}

// Of many tokens at the same time one reads the keys, and the others wait for it, for as long as their clients do.
func TestKeysAreReadOnce(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	begun, goOn := make(chan struct{}), make(chan struct{})
	text := jwks(t, map[string]crypto.Signer{"r": k.rsa})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		begun <- struct{}{} // blocks for ever if it is asked twice
		<-goOn
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(server.Close)
	source := newRemoteKeys(server.URL, options(c, io.Discard))
	results := make(chan error, 8)
	for range cap(results) {
		go func() {
			found, err := source.find(t.Context(), "r", jose.RS256)
			if err == nil && len(found) != 1 {
				err = errNoKeys
			}
			results <- err
		}()
	}
	<-begun
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, err := source.find(gone, "r", jose.RS256); !errors.Is(err, context.Canceled) {
		t.Errorf("who hung up got %v", err)
	}
	close(goOn)
	for range cap(results) {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}
