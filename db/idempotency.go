package db

import (
	"bytes"
	"context"
)

// Claim is a request with an Idempotency-Key.
type Claim struct {
	Caller string // "" when nobody is logged in
	Key    string
	Hash   []byte // of the operation and its input
	At     Time
	Since  Time // what was asked before this is forgotten
}

// KeyState is what became of a claim.
type KeyState int

// The states of a claim.
const (
	KeyNew   KeyState = iota // ours now: do it, then StoreAnswer
	KeyDone                  // done before: here is the answer
	KeyTaken                 // another request has the key
)

const claimKey = `insert into idempotency (caller, name, hash, answer, create_time) values (?, ?, ?, '', ?)
 on conflict (caller, name) do update set hash = excluded.hash, answer = '', create_time = excluded.create_time where idempotency.create_time <= ?`

const forgetKeys = `delete from idempotency where create_time <= ? and (caller, name) in
 (select i.caller, i.name from idempotency i where i.create_time <= ? order by i.create_time limit 100 {skip})`

// ClaimKey claims a key for a request. Two that claim the same one at the same moment take turns: the second one waits for
// the first to commit, and then has its answer. On the way some forgotten keys are removed.
func (t *Tx) ClaimKey(ctx context.Context, c Claim) (state KeyState, answer []byte, err error) {
	n, err := t.exec(ctx, claimKey, c.Caller, c.Key, c.Hash, c.At, c.Since)
	if err != nil {
		return KeyNew, nil, err
	}
	if n == 1 {
		_, err := t.exec(ctx, forgetKeys, c.Since, c.Since)
		return KeyNew, nil, err
	}
	var row struct {
		Hash   []byte `db:"hash"`
		Answer string `db:"answer"`
	}
	if err := t.get(ctx, &row, "select i.hash, i.answer from idempotency i where i.caller = ? and i.name = ?", c.Caller, c.Key); err != nil {
		return KeyNew, nil, err
	}
	if !bytes.Equal(row.Hash, c.Hash) {
		return KeyTaken, nil, nil
	}
	return KeyDone, []byte(row.Answer), nil
}

// HasKey tells whether a key was claimed, by the same caller, after what is forgotten.
func (q Queries) HasKey(ctx context.Context, c Claim) (has bool, err error) {
	const text = "select exists (select 1 from idempotency i where i.caller = ? and i.name = ? and i.create_time > ?)"
	return has, q.get(ctx, &has, text, c.Caller, c.Key, c.Since)
}

// StoreAnswer keeps the answer to a request that has claimed its key.
func (t *Tx) StoreAnswer(ctx context.Context, c Claim, answer []byte) error {
	_, err := t.exec(ctx, "update idempotency set answer = ? where caller = ? and name = ?", string(answer), c.Caller, c.Key)
	return err
}
