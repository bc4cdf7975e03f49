package auth

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
)

// watched is a file that is read again when it has changed. It is asked for when it is needed, so nothing runs meanwhile.
type watched[T any] struct {
	path  string
	parse func([]byte) (T, error)
	log   *slog.Logger

	mu      sync.Mutex
	seen    fs.FileInfo // of the file as it was read last
	value   T
	version int    // counts the values
	problem string // why the file cannot be read now
}

// watch reads a file for the first time, which has to succeed.
func watch[T any](path string, parse func([]byte) (T, error), log *slog.Logger) (*watched[T], error) {
	w := &watched[T]{path: path, parse: parse, log: log}
	info, err := os.Stat(path)
	if err == nil {
		err = w.read(info)
	}
	return w, err
}

// current gives what the file says now, and a number that changes with it. A file that cannot be read any more leaves things as
// they were, and the log says so once.
func (w *watched[T]) current() (value T, version int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	info, err := os.Stat(w.path)
	if err == nil && same(info, w.seen) {
		return w.value, w.version
	}
	if err == nil {
		err = w.read(info)
	}
	problem := ""
	if err != nil {
		problem = err.Error()
	}
	if problem != w.problem {
		w.report(err)
		w.problem = problem
	}
	return w.value, w.version
}

// same tells whether a file is as it was.
func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// read reads the file, which looked like info before. Whether it can be read or not, it is not read again until it looks
// different.
func (w *watched[T]) read(info fs.FileInfo) error {
	w.seen = info
	text, err := os.ReadFile(w.path)
	if err != nil {
		return err
	}
	value, err := w.parse(text)
	if err != nil {
		return fmt.Errorf("%s: %w", w.path, err)
	}
	w.value = value
	w.version++
	return nil
}

// report tells the log that the file went wrong, or is well again.
func (w *watched[T]) report(err error) {
	if err != nil {
		w.log.Error("a file cannot be read any more; what it said before still holds", slog.String("file", w.path), slog.Any("error", err))
		return
	}
	w.log.Info("a file can be read again", slog.String("file", w.path))
}
