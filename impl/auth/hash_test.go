package auth

import (
	"strings"
	"testing"
)

// The first of each are other programs' test vectors.
func TestMatches(t *testing.T) {
	t.Parallel()
	own, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(own, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("a hash of ours is %s", own)
	}
	for _, c := range []struct{ hash, password string }{
		{"$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4", "password"},
		{"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
		{"$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", "U*U"},
		{own, "correct horse"},
		{hashed(t, ""), ""},
	} {
		if err := checkHash(c.hash); err != nil {
			t.Errorf("%s: %v", c.hash, err)
		}
		if !matches(c.hash, c.password) {
			t.Errorf("%s does not fit %q", c.hash, c.password)
		}
		for _, wrong := range []string{c.password + "x", strings.ToUpper(c.password) + " "} {
			if matches(c.hash, wrong) {
				t.Errorf("%s fits %q", c.hash, wrong)
			}
		}
	}
}

// What stands in for a user when there are none costs what a user costs, and fits nobody.
func TestNobodysHash(t *testing.T) {
	t.Parallel()
	if err := checkHash(nobodysHash); err != nil {
		t.Fatal(err)
	}
	own, err := HashPassword("correct horse")
	if err != nil {
		t.Fatal(err)
	}
	parameters := func(hash string) string { return strings.Join(strings.Split(hash, "$")[:4], "$") }
	if parameters(own) != parameters(nobodysHash) || len(own) != len(nobodysHash) {
		t.Errorf("%s is not like %s", nobodysHash, own)
	}
	for _, password := range []string{"", "password", nobodysHash} {
		if matches(nobodysHash, password) {
			t.Errorf("it fits %q", password)
		}
	}
}

func TestCheckHash(t *testing.T) {
	t.Parallel()
	const salt, key = "$c29tZXNhbHQ", "$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for hash, says := range map[string]string{
		"":            "neither argon2id nor bcrypt",
		"secret":      "neither argon2id nor bcrypt",
		"$apr1$x$y":   "neither argon2id nor bcrypt",
		"{SHA}abc=":   "neither argon2id nor bcrypt",
		"$2a$05$CCCC": "no bcrypt",
		"$2a$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW": "a cost of 17",
		"$argon2i$v=19$m=256,t=2,p=1" + salt + key:                     "neither argon2id nor bcrypt",
		"$argon2id$v=16$m=256,t=2,p=1" + salt + key:                    "neither argon2id nor bcrypt",
		"$argon2id$v=19$m=256,t=2" + salt + key:                        "neither argon2id nor bcrypt",
		"$argon2id$v=19$m=4194304,t=2,p=1" + salt + key:                "costs more",
		"$argon2id$v=19$m=256,t=101,p=1" + salt + key:                  "costs more",
		"$argon2id$v=19$m=256,t=0,p=1" + salt + key:                    "protects too little",
		"$argon2id$v=19$m=256,t=2,p=0" + salt + key:                    "protects too little",
		"$argon2id$v=19$m=256,t=2,p=1$c2FsdA" + key:                    "protects too little",
		"$argon2id$v=19$m=256,t=2,p=1" + salt + "$nf65EOg":             "protects too little",
		"$argon2id$v=19$m=256,t=2,p=1" + salt + "$not base64":          "neither argon2id nor bcrypt",
		"$argon2id$v=19$m=99999999999999999999,t=2,p=1" + salt + key:   "neither argon2id nor bcrypt",
	} {
		if err := checkHash(hash); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", hash, err, says)
		}
	}
}
