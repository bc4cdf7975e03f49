package main

import (
	"io"
	"net"
	"net/url"
	"sync"
	"testing"

	"rearm/db/dbtest"
)

// lateDatabase is a PostgreSQL behind a door: while the door is shut, connections break, as if it were away.
type lateDatabase struct {
	url    string
	server string // where the real one listens
	mu     sync.Mutex
	open   bool
	conns  []net.Conn
}

// newLateDatabase gives a new database whose door is shut.
func newLateDatabase(t *testing.T) *lateDatabase {
	t.Helper()
	real, err := url.Parse(dbtest.PostgresURL(t))
	if err != nil {
		t.Fatal(err)
	}
	door, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &lateDatabase{server: real.Host}
	real.Host = door.Addr().String()
	l.url = real.String()
	go l.serve(door)
	t.Cleanup(func() { _ = door.Close(); l.leave() })
	return l
}

func (l *lateDatabase) serve(door net.Listener) {
	for {
		in, err := door.Accept()
		if err != nil {
			return
		}
		l.let(in)
	}
}

// let lets a connection in if the door is open.
func (l *lateDatabase) let(in net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.open {
		_ = in.Close()
		return
	}
	out, err := net.Dial("tcp", l.server)
	if err != nil {
		_ = in.Close()
		return
	}
	l.conns = append(l.conns, in, out)
	go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
	go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
}

// come opens the door.
func (l *lateDatabase) come() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = true
}

// leave shuts the door and cuts every connection.
func (l *lateDatabase) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open = false
	for _, c := range l.conns {
		_ = c.Close()
	}
	l.conns = nil
}
