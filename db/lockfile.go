package db

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// ErrLocked: another process has the SQLite file open. SQLite serves one process; several nodes need PostgreSQL (product.md 5).
var ErrLocked = errors.New("the SQLite file is in use by another rearm: one process at a time, several nodes need PostgreSQL")

// lockFile is a lock on a file beside the database. The operating system gives it free when the process ends, however it
// ends. The file itself stays: removing it would let two processes lock two files of one name.
type lockFile struct{ *os.File }

// lockSQLite takes the lock of a SQLite file; ErrLocked, with the holder's process id, when another process has it.
func lockSQLite(file string) (*lockFile, error) {
	f, err := os.OpenFile(trueName(file)+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the SQLite file: %w", err)
	}
	if err := tryLock(f); err != nil {
		holder, _ := io.ReadAll(io.LimitReader(f, 20))
		if errors.Is(err, ErrLocked) {
			err = fmt.Errorf("%s: %w (process %s)", file, err, holder)
		}
		return nil, errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Truncate(0), writeAt(f, fmt.Sprint(os.Getpid()))); err != nil {
		return nil, errors.Join(fmt.Errorf("lock the SQLite file: %w", err), f.Close())
	}
	return &lockFile{f}, nil
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text), 0)
	return err
}

// trueName follows links, so that a database has one lock by whatever name it is opened. The file need not be there yet.
func trueName(file string) string {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		return real
	}
	if dir, err := filepath.EvalSymlinks(filepath.Dir(file)); err == nil {
		return filepath.Join(dir, filepath.Base(file))
	}
	return file
}

// Close gives the lock free. A nil lock has nothing to give.
func (l *lockFile) Close() error {
	if l == nil {
		return nil
	}
	return l.File.Close()
}
