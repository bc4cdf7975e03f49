package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

const (
	maxVerified  = 10_000          // entries
	verifiedLife = 5 * time.Minute // after the last use
)

// verified remembers whose name and password were right a moment ago, so that a hash is not computed for every request. It
// keeps a keyed hash of them, and the key lives and dies with the process.
type verified struct {
	key     []byte
	now     func() time.Time
	entries *lru.Cache[digest, proof]
}

// digest stands for a name and a password.
type digest [sha256.Size]byte

// proof says by which version of the users file they were right, and when they were used last.
type proof struct {
	version int
	at      time.Time
}

func newVerified(key []byte, now func() time.Time) *verified {
	entries, err := lru.New[digest, proof](maxVerified)
	if err != nil { // only a size below 1 is an error
		panic(err)
	}
	return &verified{key: key, now: now, entries: entries}
}

// digest gives what stands for credentials.
func (v *verified) digest(credentials []byte) (d digest) {
	mac := hmac.New(sha256.New, v.key)
	mac.Write(credentials)
	mac.Sum(d[:0])
	return d
}

// holds tells whether credentials were right by this version of the users file, not long ago.
func (v *verified) holds(d digest, version int) bool {
	p, ok := v.entries.Get(d)
	now := v.now()
	if !ok || p.version != version || now.Sub(p.at) >= verifiedLife {
		return false
	}
	v.entries.Add(d, proof{version, now})
	return true
}

// add remembers that credentials are right.
func (v *verified) add(d digest, version int) { v.entries.Add(d, proof{version, v.now()}) }
