package auth

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rearm/openapi/wire"
)

// content gives the text of a users file, which only its owner may read and which is alone in its folder.
func content(t *testing.T, path string) string {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("the file's mode is %o", mode)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
		t.Errorf("beside the file there is more: %v, %v", entries, err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAddAndRemoveUsers(t *testing.T) {
	t.Parallel()
	path, hash := filepath.Join(t.TempDir(), "users"), hashed(t, "x")
	mary := User{Name: "mary", Roles: []wire.Role{wire.Operator}, Hash: hash}
	app := User{Name: "app", Roles: []wire.Role{wire.Worker, wire.Viewer}, Tenants: []string{`a"b`, "c"}, Untenanted: true, Hash: hash}
	none := User{Name: "none", Roles: []wire.Role{wire.Viewer}, Tenants: []string{}, Hash: hash}
	do := func(err error, want error) {
		t.Helper()
		if !errors.Is(err, want) || (err == nil) != (want == nil) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	do(AddUser(path, &mary, false), nil)
	do(AddUser(path, &app, true), nil)
	do(AddUser(path, &none, false), nil)
	want := `{"name":"mary","roles":["operator"],"hash":"` + hash + `"}
{"name":"app","roles":["worker","viewer"],"tenants":["a\"b","c"],"untenanted":true,"hash":"` + hash + `"}
{"name":"none","roles":["viewer"],"tenants":[],"hash":"` + hash + `"}
`
	if got := content(t, path); got != want {
		t.Errorf("the file is\n%s", got)
	}
	rewrite(t, path, "# ours\n\n"+strings.TrimSuffix(want, "\n"))
	mary.Roles = []wire.Role{wire.Admin}
	do(AddUser(path, &mary, false), ErrUserExists)
	do(AddUser(path, &mary, true), nil)
	want = "# ours\n\n" + strings.Replace(want, "operator", "admin", 1)
	if got := content(t, path); got != want {
		t.Errorf("the file is\n%s", got)
	}
	do(RemoveUser(path, "anna"), ErrNoUser)
	do(RemoveUser(path, "app"), nil)
	lines := strings.SplitAfter(want, "\n")
	if got := content(t, path); got != strings.Join(append(lines[:3:3], lines[4:]...), "") {
		t.Errorf("the file is\n%s", got)
	}
}

// What would make the file unreadable, or is wrong in it already, changes nothing.
func TestAddUserRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path, hash := filepath.Join(dir, "users"), hashed(t, "x")
	good := User{Name: "mary", Roles: []wire.Role{wire.Viewer}, Hash: hash}
	for _, spoil := range []func(*User){
		func(u *User) { u.Name = "a:b" }, func(u *User) { u.Roles = nil }, func(u *User) { u.Roles = []wire.Role{"king"} }, func(u *User) { u.Hash = "x" },
		func(u *User) { u.Tenants = []string{""} },
	} {
		u := good
		spoil(&u)
		if err := AddUser(path, &u, true); err == nil {
			t.Errorf("%+v was taken", u)
		}
	}
	if err := RemoveUser(path, "mary"); !errors.Is(err, ErrNoUser) {
		t.Errorf("without a file: %v", err)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file was made")
	}
	rewrite(t, path, "{\n")
	if err := AddUser(path, &good, true); err == nil || !strings.Contains(err.Error(), "line 1: ") {
		t.Errorf("into a broken file: %v", err)
	}
	if got := content(t, path); got != "{\n" {
		t.Errorf("the file became %q", got)
	}
	if err := AddUser(filepath.Join(dir, "no", "users"), &good, true); err == nil {
		t.Error("a folder that is not there was no error")
	}
}

// Where the file is a link, what it points to is replaced.
func TestAddUserThroughALink(t *testing.T) {
	t.Parallel()
	target, link := written(t, ""), filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := AddUser(link, &User{Name: "mary", Roles: []wire.Role{wire.Viewer}, Hash: hashed(t, "x")}, false); err != nil {
		t.Fatal(err)
	}
	if got := content(t, target); !strings.HasPrefix(got, `{"name":"mary"`) {
		t.Errorf("the target is %q", got)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
}
