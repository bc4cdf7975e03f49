package auth

import (
	"os"
	"strings"
	"testing"

	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// A users file that breaks, or goes, leaves things as they were, and the log says so once.
func TestUsersFileBreaks(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.wants(t, "mary", "correct horse", right, 1)
	good, err := os.ReadFile(d.path)
	if err != nil {
		t.Fatal(err)
	}
	logged := func(n int, words string) {
		t.Helper()
		if got := strings.Count(d.log.String(), words); got != n {
			t.Errorf("%q stands %d times in the log, want %d:\n%s", words, got, n, d.log)
		}
	}
	rewrite(t, d.path, string(good)+"{\n")
	for range 3 {
		d.wants(t, "mary", "correct horse", right, 0)
	}
	logged(1, "line 3: ")
	removed(t, d.path)
	for range 3 {
		d.wants(t, "mary", "correct horse", right, 0)
	}
	logged(2, "what it said before still holds")
	rewrite(t, d.path, string(good)+line(t, User{Name: "anna", Roles: []wire.Role{wire.Viewer}, Hash: hashed(t, "anna's own")}))
	d.wants(t, "anna", "anna's own", right, 1)
	d.wants(t, "mary", "correct horse", right, 1)
	d.wants(t, "mary", "wrong", fault.Unauthorized, 1)
	logged(1, "a file can be read again")
	logged(2, "what it said before still holds")
}

// Without its file, or with one that cannot be read, a server does not start.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	c := newClock()
	basic := DefaultSettings()
	basic.Ways = []string{Basic}
	for _, row := range []struct {
		settings Settings
		change   func(*Settings)
		says     string
	}{
		{basic, func(s *Settings) { s.UsersFile = t.TempDir() + "/none" }, "--users-file: stat"},
		{basic, func(s *Settings) { s.UsersFile = t.TempDir() }, "--users-file: read"},
		{basic, func(s *Settings) { s.UsersFile = written(t, "\nmary:secret\n") }, "line 2: "},
		{basic, func(s *Settings) { s.Ways = []string{None, Basic} }, "none stands alone"},
		{tokenSettings(t.TempDir() + "/none"), func(*Settings) {}, "--jwt-keys: stat"},
		{tokenSettings(written(t, "no keys")), func(*Settings) {}, "--jwt-keys: "},
		{tokenSettings(""), func(*Settings) {}, "needs --jwt-keys"},
		{tokenSettings("x"), func(s *Settings) { s.Tokens.Issuer = "" }, "needs --jwt-issuer"},
		{tokenSettings("x"), func(s *Settings) { s.Tokens.Audience = "" }, "needs --jwt-audience"},
	} {
		row.change(&row.settings)
		if _, err := New(row.settings, options(c, os.Stderr)); err == nil || !strings.Contains(err.Error(), row.says) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%v, want %q", err, row.says)
		}
	}
}
