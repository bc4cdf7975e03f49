package auth

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	keysFresh    = 10 * time.Minute // then they are read again when a token comes
	keysTrusted  = time.Hour        // then they hold no longer, when they could not be read again
	keysPause    = 10 * time.Second // between attempts, whatever tokens ask for
	keysPatience = 5 * time.Second  // for the issuer's answer
	maxKeys      = 1 << 20          // bytes
)

// errNoKeys: the issuer's keys are not known, or have been known for too long.
var errNoKeys = errors.New("the issuer's keys cannot be read")

// remoteKeys are the keys that an issuer publishes. They are read when a token needs them: for the first time, when they are no
// longer fresh, and when a token names one that is not there, which is how an issuer begins to use a new key.
type remoteKeys struct {
	url    string
	client *http.Client
	now    func() time.Time
	log    *slog.Logger
	turn   chan struct{} // whoever has it may read

	mu    sync.Mutex
	keys  []publicKey
	read  time.Time // when keys was read; zero: never
	tried time.Time
}

func newRemoteKeys(url string, o Options) *remoteKeys {
	client := *o.Client
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &remoteKeys{url: url, client: &client, now: o.Now, log: o.Log, turn: make(chan struct{}, 1)}
}

func (k *remoteKeys) find(ctx context.Context, id string, algorithm jose.SignatureAlgorithm) ([]publicKey, error) {
	found, age := k.look(id, algorithm)
	if len(found) > 0 && age < keysFresh {
		return found, nil
	}
	if err := k.refresh(ctx, len(found) > 0 && age < keysTrusted); err != nil {
		return nil, err
	}
	if found, age = k.look(id, algorithm); age >= keysTrusted {
		return nil, errNoKeys
	}
	return found, nil
}

// look gives what is known of a key, and how old that is.
func (k *remoteKeys) look(id string, algorithm jose.SignatureAlgorithm) (found []publicKey, age time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return fitting(k.keys, id, algorithm), k.now().Sub(k.read)
}

// refresh reads the keys again, unless that was tried just now. While somebody else does, it waits for that, or with optional
// goes without. What a request has begun goes on when its client hangs up.
func (k *remoteKeys) refresh(ctx context.Context, optional bool) error {
	select {
	case k.turn <- struct{}{}:
	default:
		if optional {
			return nil
		}
		select {
		case k.turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() { <-k.turn }()
	if !k.due() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keysPatience)
	defer cancel()
	keys, err := k.fetch(ctx)
	if err != nil {
		k.log.Warn("the keys that tokens are checked with cannot be read", slog.String("url", k.url), slog.Any("error", err))
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys, k.read = keys, k.now()
	return nil
}

// due tells whether it is time for another attempt, and counts it as made.
func (k *remoteKeys) due() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if now.Sub(k.tried) < keysPause {
		return false
	}
	k.tried = now
	return true
}

// fetch asks the issuer.
func (k *remoteKeys) fetch(ctx context.Context) ([]publicKey, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/jwk-set+json, application/json")
	response, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close() //nolint:errcheck // what could not be read is an error already
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer answers %s", response.Status)
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxKeys))
	if err != nil {
		return nil, err
	}
	return readKeys(text)
}
