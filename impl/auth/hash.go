package auth

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alexedwards/argon2id"
	"golang.org/x/crypto/bcrypt"
)

// cost is what a password costs to hash: OWASP's first choice for argon2id, which needs 19 MB for about 30 ms.
var cost = &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// The most that a hash in a users file may cost, so that a slip of the pen does not stop the server.
const (
	maxMemory     = 1 << 20 // KiB
	maxIterations = 100
	maxBcryptCost = 16
	minKeyLength  = 16 // bytes
	minSaltLength = 8  // bytes
)

// nobodysHash has the cost of others and fits no password; it is compared with when there are no users at all.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// HashPassword gives the argon2id hash of a password, as the users file takes it.
func HashPassword(password string) (string, error) {
	hash, err := argon2id.CreateHash(password, cost)
	if err != nil {
		return "", fmt.Errorf("hash the password: %w", err)
	}
	return hash, nil
}

// matches compares a password with a hash that checkHash took. How long it takes depends on the hash alone.
func matches(hash, password string) bool {
	if isBcrypt(hash) {
		return bcrypt.CompareHashAndPassword([]byte(hash), []byte(password)) == nil
	}
	ok, err := argon2id.ComparePasswordAndHash(password, hash)
	return ok && err == nil
}

func isBcrypt(hash string) bool { return strings.HasPrefix(hash, "$2") }

// checkHash refuses what matches cannot read, and what would cost too much or protect too little.
func checkHash(hash string) error {
	if isBcrypt(hash) {
		n, err := bcrypt.Cost([]byte(hash))
		if err != nil {
			return fmt.Errorf("the hash is no bcrypt: %w", err)
		}
		if n > maxBcryptCost {
			return fmt.Errorf("the hash has a cost of %d, more than %d", n, maxBcryptCost)
		}
		return nil
	}
	p, salt, key, err := argon2id.DecodeHash(hash)
	switch {
	case err != nil:
		return errors.New("the hash is neither argon2id nor bcrypt")
	case p.Memory > maxMemory || p.Iterations > maxIterations:
		return fmt.Errorf("the hash costs more than m=%d,t=%d", maxMemory, maxIterations)
	case p.Iterations == 0 || p.Parallelism == 0 || len(salt) < minSaltLength || len(key) < minKeyLength:
		return errors.New("the hash protects too little")
	}
	return nil
}
