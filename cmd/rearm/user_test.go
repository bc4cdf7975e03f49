package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rearm/impl/auth"
	"rearm/openapi/wire"
)

// stdinOf is a standard input that holds a text.
func stdinOf(t *testing.T, text string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stdin")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// changes runs `rearm user` with a standard input and gives what came of it.
func changes(t *testing.T, e env, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = exitCode(changeUsers(program{e.get, &out, &errs}, stdinOf(t, stdin), args), "rearm user", &errs)
	return code, out.String(), errs.String()
}

// adds adds a user to a file, which has to succeed.
func adds(t *testing.T, file, stdin string, args ...string) {
	t.Helper()
	if code, _, stderr := changes(t, nil, stdin, append([]string{"add", "--users-file=" + file}, args...)...); code != 0 {
		t.Fatalf("exit %d\n%s", code, stderr)
	}
}

// users reads a users file.
func users(t *testing.T, file string) (list []auth.User) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b) {
		var u auth.User
		if err := json.Unmarshal(line, &u); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !strings.HasPrefix(u.Hash, "$argon2id$") {
			t.Errorf("%s has the hash %s", u.Name, u.Hash)
		}
		u.Hash = ""
		list = append(list, u)
	}
	return list
}

func TestUserAdd(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "users")
	adds(t, file, "correct horse\n", "mary", "--role", "operator", "--role=worker")
	adds(t, file, "battery staple", "--role=worker", "app", "--tenant=a", "--tenant", "b,c", "--untenanted")
	adds(t, file, "pass wörd\r\nand more", "--untenanted", "--role=viewer,worker", "anna")
	want := []auth.User{
		{Name: "mary", Roles: []wire.Role{wire.Operator, wire.Worker}},
		{Name: "app", Roles: []wire.Role{wire.Worker}, Tenants: []string{"a", "b,c"}, Untenanted: true},
		{Name: "anna", Roles: []wire.Role{wire.Viewer, wire.Worker}, Tenants: []string{}, Untenanted: true},
	}
	if got := users(t, file); !reflect.DeepEqual(got, want) {
		t.Errorf("the file has %+v", got)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	code, stdout, stderr := changes(t, env{"REARM_USERS_FILE": file}, "correct horse", "add", "mary", "--role=admin", "--replace")
	if code != 0 || stdout != "mary is in "+file+"\n" || stderr != "" {
		t.Errorf("exit %d\n%s%s", code, stdout, stderr)
	}
	want[0].Roles = []wire.Role{wire.Admin}
	if got := users(t, file); !reflect.DeepEqual(got, want) {
		t.Errorf("the file has %+v", got)
	}
	if code, stdout, _ := changes(t, nil, "", "remove", "app", "--users-file="+file); code != 0 || stdout != "app is no longer in "+file+"\n" {
		t.Errorf("exit %d\n%s", code, stdout)
	}
	if got := users(t, file); !reflect.DeepEqual(got, []auth.User{want[0], want[2]}) {
		t.Errorf("the file has %+v", got)
	}
}

// What cannot be says so in one line, and changes nothing.
func TestUserRefuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "users")
	adds(t, file, "correct horse", "mary", "--role=viewer")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ args, stdin, says string }{
		{"", "", "rearm user add NAME"},
		{"list", "", "rearm user add NAME"},
		{"add", "long enough", "one name is needed, not 0"},
		{"add a b --role=viewer", "long enough", "one name is needed, not 2"},
		{"add anna", "long enough", "--role is needed: viewer, worker, operator, admin"},
		{"add anna --role=king", "long enough", `there is no role "king"`},
		{"add anna --role=viewer --password=secret", "long enough", "unknown flag: --password"},
		{"add anna --role=viewer", "", "less than 8 characters"},
		{"add anna --role=viewer", "1234567\n89", "less than 8 characters"},
		{"add anna --role=viewer", "wörd\xff123", "no UTF-8"},
		{"add a:b --role=viewer", "long enough", "colon"},
		{"add anna --role=viewer --tenant=", "long enough", "a tenant must not be empty"},
		{"add mary --role=viewer", "long enough", "rearm user: there is a user of this name already"},
		{"remove anna", "", "there is no user of this name"},
		{"remove", "", "one name is needed"},
	} {
		args := strings.Fields(c.args)
		if len(args) > 0 {
			args = append(args, "--users-file="+file)
		}
		code, stdout, stderr := changes(t, nil, c.stdin, args...)
		if code != 2 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, c.says) {
			t.Errorf("%s: exit %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file became %s, %v", after, err)
	}
	for _, args := range [][]string{{"--help"}, {"add", "--help"}, {"remove", "-h"}} {
		if code, stdout, stderr := changes(t, nil, "", args...); code != 0 || !strings.Contains(stdout, "rearm user") || stderr != "" {
			t.Errorf("%v: exit %d\n%s%s", args, code, stdout, stderr)
		}
	}
}
