package auth

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/go-json-experiment/json"
)

// The errors of changes to a users file.
var (
	ErrUserExists = errors.New("there is a user of this name already")
	ErrNoUser     = errors.New("there is no user of this name")
)

// AddUser adds a user to a users file, which is made if it is not there. With replace the user takes the place of the one of the
// same name, if there is one; without it that is ErrUserExists. Other lines stay as they are. The file, which only its owner may
// read, is replaced as a whole, so that a server never sees half of it.
func AddUser(path string, u *User, replace bool) error {
	if err := u.check(); err != nil {
		return err
	}
	line, err := json.Marshal(u)
	if err != nil {
		return fmt.Errorf("write the user: %w", err)
	}
	return change(path, func(lines [][]byte, at int) ([][]byte, error) {
		switch {
		case at < 0:
			return append(lines, line), nil
		case !replace:
			return nil, ErrUserExists
		}
		lines[at] = line
		return lines, nil
	}, u.Name)
}

// RemoveUser removes a user from a users file; ErrNoUser if there is none of the name.
func RemoveUser(path, name string) error {
	return change(path, func(lines [][]byte, at int) ([][]byte, error) {
		if at < 0 {
			return nil, ErrNoUser
		}
		return append(lines[:at], lines[at+1:]...), nil
	}, name)
}

// change rewrites a users file by its lines, of which the one at `at` is the user's with a name; at is -1 if there is none.
func change(path string, edit func(lines [][]byte, at int) ([][]byte, error), name string) error {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if _, err := readUsers(text); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	lines, at := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")), -1
	if len(text) == 0 {
		lines = nil
	}
	for i, line := range lines {
		if u, err := readUser(bytes.TrimSpace(line)); err == nil && u.Name == name {
			at = i
		}
	}
	if lines, err = edit(lines, at); err != nil {
		return err
	}
	return replaceFile(path, append(bytes.Join(lines, []byte("\n")), '\n'))
}

// replaceFile writes a file beside another one and puts it in its place, for the same owner. Where path is a link, its target
// is replaced.
func replaceFile(path string, text []byte) (err error) {
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*") // for its owner alone, mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if before, none := os.Stat(path); none == nil {
		err = keepOwner(f, before)
	}
	if err == nil {
		_, err = f.Write(text)
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
