//go:build unix

package auth

import (
	"os"
	"syscall"
	"testing"

	"rearm/openapi/wire"
)

// A users file stays with its owner, whoever changes it. Only root can try that with another owner than itself.
func TestAddUserKeepsTheOwner(t *testing.T) {
	t.Parallel()
	path, uid, gid := written(t, ""), os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 12345, 23456
		if err := os.Chown(path, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	if err := AddUser(path, &User{Name: "mary", Roles: []wire.Role{wire.Viewer}, Hash: hashed(t, "x")}, false); err != nil {
		t.Fatal(err)
	}
	content(t, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if is := info.Sys().(*syscall.Stat_t); int(is.Uid) != uid || int(is.Gid) != gid {
		t.Errorf("the file belongs to %d:%d, want %d:%d", is.Uid, is.Gid, uid, gid)
	}
}
