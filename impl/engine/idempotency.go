package engine

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"rearm/db"
	"rearm/impl/fault"
)

// keyLife is how long an Idempotency-Key is kept (product.md 5).
const keyLife = 24 * time.Hour

// once does something for a request with an Idempotency-Key at most once: the first time do makes the answer that answer points to,
// and it is kept in the same transaction; when the caller comes again within a day with the same operation and input, answer is
// filled from there and do is not called. 400: the key belongs to another request. Without a key do is called.
func (e *Engine) once(ctx context.Context, tx *db.Tx, caller db.Caller, operation, key string, input, answer any, do func() error) error {
	if key == "" {
		return do()
	}
	body, err := json.Marshal(input)
	if err != nil {
		return fmt.Errorf("hash a request: %w", err)
	}
	hash := sha256.Sum256(append([]byte(operation+"\n"), body...))
	claim := e.claim(caller, key)
	claim.Hash = hash[:]
	state, kept, err := tx.ClaimKey(ctx, claim)
	switch {
	case err != nil:
		return err
	case state == db.KeyTaken:
		return fault.BadRequest("The Idempotency-Key '%s' was used for another request within the last 24 hours", key)
	case state == db.KeyDone:
		return json.Unmarshal(kept, answer)
	}
	if err := do(); err != nil {
		return err
	}
	b, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("keep an answer: %w", err)
	}
	return tx.StoreAnswer(ctx, claim, b)
}

// claim is what a request with an Idempotency-Key claims now.
func (e *Engine) claim(caller db.Caller, key string) db.Claim {
	now := e.clock()
	return db.Claim{Caller: caller.Name, Key: key, At: now, Since: now.Add(-keyLife)}
}

// came tells whether a request with this Idempotency-Key came before, so that it has its answer, or is refused. It is a glance: only once
// decides.
func (e *Engine) came(ctx context.Context, caller db.Caller, key string) (bool, error) {
	if key == "" {
		return false, nil
	}
	return e.store.HasKey(ctx, e.claim(caller, key))
}
