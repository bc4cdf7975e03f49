package auth

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// minRSA is how many bits an RSA key has at least.
const minRSA = 2048

// publicKey is a key that tokens are checked with. It belongs to one algorithm, which no token chooses for it.
type publicKey struct {
	id        string // "": it fits any id
	algorithm jose.SignatureAlgorithm
	key       any
}

// keySource gives the keys that a token with a key's id, or none, may be signed by. An error: they cannot be read now.
type keySource interface {
	find(ctx context.Context, id string, algorithm jose.SignatureAlgorithm) ([]publicKey, error)
}

// newKeySource gives the keys of a file, which has to be there, or of a URL, which may be away for now.
func newKeySource(at string, o Options) (keySource, error) {
	if strings.HasPrefix(at, "https://") || strings.HasPrefix(at, "http://") {
		return newRemoteKeys(at, o), nil
	}
	file, err := watch(at, readKeys, o.Log)
	return keyFile{file}, err
}

// keyFile is a file of keys.
type keyFile struct{ *watched[[]publicKey] }

func (f keyFile) find(_ context.Context, id string, algorithm jose.SignatureAlgorithm) ([]publicKey, error) {
	keys, _ := f.current()
	return fitting(keys, id, algorithm), nil
}

// fitting gives those of keys that a token with an id and an algorithm may be signed by.
func fitting(keys []publicKey, id string, algorithm jose.SignatureAlgorithm) (list []publicKey) {
	for _, k := range keys {
		if k.algorithm == algorithm && (id == "" || k.id == "" || k.id == id) {
			list = append(list, k)
		}
	}
	return list
}

// readKeys reads a JWKS, or keys and certificates in PEM. Keys of other kinds are passed over; none at all is an error, and so
// is a private key in PEM, which should not be where a public one does.
func readKeys(text []byte) ([]publicKey, error) {
	read := readPEM
	if text = bytes.TrimSpace(text); len(text) > 0 && text[0] == '{' {
		read = readJWKS
	}
	keys, err := read(text)
	if err == nil && len(keys) == 0 {
		err = errors.New("no key for RS256 (from 2048 bits), ES256 or EdDSA")
	}
	return keys, err
}

// readJWKS reads a set of keys (RFC 7517). Each is read on its own, since the set may hold what we do not know.
func readJWKS(text []byte) (keys []publicKey, err error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return nil, fmt.Errorf("no JWKS: %w", err)
	}
	for _, one := range set.Keys {
		var k jose.JSONWebKey
		if k.UnmarshalJSON(one) != nil || !k.IsPublic() || k.Use == "enc" {
			continue
		}
		algorithm := algorithmOf(k.Key)
		if algorithm != "" && (k.Algorithm == "" || k.Algorithm == string(algorithm)) {
			keys = append(keys, publicKey{k.KeyID, algorithm, k.Key})
		}
	}
	return keys, nil
}

// readPEM reads blocks of PEM.
func readPEM(text []byte) (keys []publicKey, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		key, err := keyOf(block)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", block.Type, err)
		}
		if algorithm := algorithmOf(key); algorithm != "" {
			keys = append(keys, publicKey{"", algorithm, key})
		}
	}
	return keys, nil
}

func keyOf(block *pem.Block) (any, error) {
	switch block.Type {
	case "PUBLIC KEY":
		return x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		return x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		return certificate.PublicKey, nil
	}
	return nil, errors.New("only public keys and certificates belong here")
}

// algorithmOf gives the one algorithm that a key is for; "" for keys that are not taken.
func algorithmOf(key any) jose.SignatureAlgorithm {
	switch k := key.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() >= minRSA {
			return jose.RS256
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() {
			return jose.ES256
		}
	case ed25519.PublicKey:
		return jose.EdDSA
	}
	return ""
}
