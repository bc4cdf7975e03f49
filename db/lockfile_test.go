package db_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"rearm/db"
)

func TestOneProcessPerFile(t *testing.T) {
	t.Parallel()
	ctx, dir := context.Background(), t.TempDir()
	file := filepath.Join(dir, "a.db")
	first, err := db.Open(ctx, "sqlite:"+file, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "b.db")
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, link, filepath.Join(dir, ".", "x", "..", "a.db")} {
		_, err := db.Open(ctx, "sqlite:"+name, db.Options{})
		if !errors.Is(err, db.ErrLocked) || !strings.Contains(err.Error(), fmt.Sprintf("(process %d)", os.Getpid())) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want one line of ErrLocked with the process", name, err)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := db.Open(ctx, "sqlite:"+link, db.Options{})
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
}

// A database in memory is nobody else's.
func TestMemoryIsNotLocked(t *testing.T) {
	t.Parallel()
	for range 2 {
		s, err := db.Open(context.Background(), "sqlite::memory:", db.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
	}
}

// held names the file that a process started by TestLockEndsWithTheProcess holds.
const held = "REARM_TEST_HOLD"

// TestHold is that process: it holds the file until it is killed.
func TestHold(t *testing.T) {
	file := os.Getenv(held)
	if file == "" {
		t.Skip("only a part of TestLockEndsWithTheProcess")
	}
	if _, err := db.Open(context.Background(), "sqlite:"+file, db.Options{}); err != nil {
		t.Fatal(err)
	}
	fmt.Println("held")
	select {}
}

func TestLockEndsWithTheProcess(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "a.db")
	other := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHold$")
	other.Env = append(os.Environ(), held+"="+file)
	out, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("%q, %v", line, err)
	}
	if _, err := db.Open(context.Background(), "sqlite:"+file, db.Options{}); !errors.Is(err, db.ErrLocked) {
		t.Fatalf("while it runs: %v; want ErrLocked", err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait() // it was killed
	s, err := db.Open(context.Background(), "sqlite:"+file, db.Options{})
	if err != nil {
		t.Fatalf("after kill -9: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestLockNeedsItsFolder(t *testing.T) {
	t.Parallel()
	_, err := db.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "no", "a.db"), db.Options{})
	if !errors.Is(err, os.ErrNotExist) || errors.Is(err, db.ErrLocked) {
		t.Fatalf("%v; want that the folder is not there", err)
	}
}
