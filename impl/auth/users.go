package auth

import (
	"bytes"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"

	"rearm/db"
	"rearm/openapi/wire"
)

// User is one line of the users file, a JSON object. Lines that are empty or begin with # are left alone.
type User struct {
	Name       string      `json:"name"`
	Roles      []wire.Role `json:"roles"`
	Tenants    []string    `json:"tenants,omitzero"`    // absent: every tenant
	Untenanted bool        `json:"untenanted,omitzero"` // with tenants: also what belongs to no tenant
	Hash       string      `json:"hash"`                // argon2id or bcrypt
}

// caller gives the user as the one on whose behalf something is done.
func (u *User) caller() db.Caller {
	return db.Caller{Name: u.Name, Tenants: u.Tenants, Untenanted: u.Untenanted}
}

// check finds what is wrong with a user.
func (u *User) check() error {
	if err := checkName(u.Name); err != nil {
		return err
	}
	if strings.Contains(u.Name, ":") {
		return errors.New("a name must not hold a colon")
	}
	if len(u.Roles) == 0 {
		return fmt.Errorf("%s has no role", u.Name)
	}
	for _, role := range u.Roles {
		if _, err := wire.ParseRole(string(role)); err != nil {
			return err
		}
	}
	for _, tenant := range u.Tenants {
		if tenant == "" {
			return errors.New("a tenant must not be empty")
		}
	}
	return checkHash(u.Hash)
}

// maxName is how many bytes a caller's name may have.
const maxName = 255

// checkName refuses names that are not to be stored and logged.
func checkName(name string) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return fmt.Errorf("a name has 1 to %d bytes and no control characters", maxName)
	}
	return nil
}

// users is what a users file says.
type users struct {
	byName map[string]*User
	list   []*User
	seed   maphash.Seed
}

// readUsers reads a users file. An error names the line.
func readUsers(text []byte) (*users, error) {
	all, lines := &users{byName: map[string]*User{}, seed: maphash.MakeSeed()}, map[string]int{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == '#' {
			continue
		}
		u, err := readUser(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if first := lines[u.Name]; first > 0 {
			return nil, fmt.Errorf("line %d: %s stands on line %d already", number, u.Name, first)
		}
		lines[u.Name], all.byName[u.Name] = number, u
		all.list = append(all.list, u)
	}
	return all, nil
}

func readUser(line []byte) (*User, error) {
	u := &User{}
	if err := json.Unmarshal(line, u, json.RejectUnknownMembers(true)); err != nil {
		return nil, fmt.Errorf("no JSON object of a user: %w", err)
	}
	return u, u.check()
}

// find gives the user of a name. For a name that nobody has it gives somebody else, always the same one, so that looking at the
// password costs what it costs for a name that is there.
func (a *users) find(name string) (u *User, known bool) {
	if u, known = a.byName[name]; known {
		return u, true
	}
	if len(a.list) == 0 {
		return &User{Hash: nobodysHash}, false
	}
	return a.list[maphash.String(a.seed, name)%uint64(len(a.list))], false
}
