package dbtest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// Environment names the variable that points the tests at a PostgreSQL of yours instead of one of their own.
const Environment = "REARM_TEST_POSTGRES_URL"

var shared = sync.OnceValues(start)

var databases atomic.Int64

// running keeps hold of the shared cluster: a pipe that nobody points at any more is closed, and the guard ends the server.
var running *Cluster //nolint:unused // it is held, not read

// PostgresURL gives the URL of a new, empty database. It skips the test where PostgreSQL is not installed.
func PostgresURL(t testing.TB) string {
	t.Helper()
	server, err := shared()
	if errors.Is(err, ErrNoPostgres) {
		t.Skipf("PostgreSQL half skipped: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close() //nolint:errcheck // it was for one statement
	name := fmt.Sprintf("t%d_%d_%d", os.Getpid(), time.Now().UnixNano(), databases.Add(1))
	if _, err := admin.ExecContext(context.Background(), "create database "+name+" template template0"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { drop(server, name) })
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/" + name
	return u.String()
}

// CutConnections cuts every connection to the database that a URL names, as a failing network would.
func CutConnections(t testing.TB, url string) {
	t.Helper()
	conn, err := sql.Open("pgx", url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // it was for one statement
	const cut = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
	if _, err := conn.ExecContext(context.Background(), cut); err != nil {
		t.Fatal(err)
	}
}

func drop(server, name string) {
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return
	}
	defer admin.Close()                                                    //nolint:errcheck // it was for one statement
	_, _ = admin.Exec("drop database if exists " + name + " with (force)") //nolint:noctx // a clean-up has no context
}

// start gives the URL of a server: the one that the environment names, or a cluster of this process's own.
func start() (string, error) {
	if u := os.Getenv(Environment); u != "" {
		return u, nil
	}
	c, err := NewCluster()
	if err != nil {
		return "", err
	}
	running = c
	return c.URL(), nil
}

// Cluster is a PostgreSQL server of the tests' own, in a temporary folder, on a free loopback port. It ends with the
// process that made it, or with Stop.
type Cluster struct {
	bin, dir string
	port     int
	as       *syscall.Credential
	watch    *exec.Cmd
	held     *os.File // closing it, as the end of this process does, ends the cluster
}

// ErrNoPostgres: the machine has no PostgreSQL binaries.
var ErrNoPostgres = errors.New("no PostgreSQL binaries (initdb, postgres) on this machine, and " + Environment + " is not set")

// NewCluster makes and starts a cluster. When the tests run as root it runs as the user postgres, since PostgreSQL
// refuses root.
func NewCluster() (*Cluster, error) {
	bin, err := binaries()
	if err != nil {
		return nil, err
	}
	c := &Cluster{bin: bin}
	if os.Geteuid() == 0 {
		if c.as, err = credential("postgres"); err != nil {
			return nil, err
		}
	}
	if c.dir, err = os.MkdirTemp("", "rearm-postgres-"); err != nil {
		return nil, err
	}
	if c.as != nil {
		if err := os.Chown(c.dir, int(c.as.Uid), int(c.as.Gid)); err != nil {
			return nil, err
		}
	}
	if err := c.run("initdb", "-D", c.data(), "-U", "rearm", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"); err != nil {
		return nil, err
	}
	if c.port, err = freePort(); err != nil {
		return nil, err
	}
	if err := c.guard(); err != nil {
		return nil, err
	}
	return c, c.Start()
}

// URL names the cluster's own database "postgres".
func (c *Cluster) URL() string {
	return fmt.Sprintf("postgres://rearm@127.0.0.1:%d/postgres?sslmode=disable", c.port)
}

// Start starts the server, which must not run, and waits until it answers.
func (c *Cluster) Start() error {
	settings := fmt.Sprintf("-p %d -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300 -c max_wal_size=4GB "+
		"-c shared_buffers=256MB -c log_min_messages=fatal -c log_min_error_statement=fatal", c.port)
	return c.run("pg_ctl", "-D", c.data(), "-l", filepath.Join(c.dir, "log"), "-w", "-t", "60", "-o", settings, "start")
}

// Kill stops the server at once, as a power loss would (pg_ctl stop -m immediate). Start brings it back.
func (c *Cluster) Kill() error {
	return c.run("pg_ctl", "-D", c.data(), "-w", "-m", "immediate", "stop")
}

// Stop ends the cluster for good and removes its folder.
func (c *Cluster) Stop() error {
	return errors.Join(c.held.Close(), c.watch.Wait())
}

// guard starts a small process that ends the cluster when this process has gone, however it went: it notices that nobody
// holds the other end of its input any more.
func (c *Cluster) guard() error {
	input, held, err := os.Pipe()
	if err != nil {
		return err
	}
	defer input.Close() //nolint:errcheck // the guard has its own
	script := `cat >/dev/null; "$1/pg_ctl" -D "$2" -m immediate stop >/dev/null 2>&1; rm -rf "$3"`
	cmd := exec.Command("sh", "-c", script, "guard", c.bin, c.data(), c.dir) //nolint:noctx // outlives every context
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true}
	cmd.Dir, cmd.Stdin = "/", input
	if err := cmd.Start(); err != nil {
		return errors.Join(err, held.Close())
	}
	c.watch, c.held = cmd, held
	return nil
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

func (c *Cluster) run(name string, args ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(c.bin, name), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setpgid: true}
	cmd.Dir = "/"
	var out strings.Builder
	if name != "pg_ctl" || args[len(args)-1] != "start" { // a server that inherits a pipe would keep it open
		cmd.Stdout, cmd.Stderr = &out, &out
	}
	if err := cmd.Run(); err != nil {
		log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
		return fmt.Errorf("%s: %w: %s%s", name, err, out.String(), log)
	}
	return nil
}

// binaries finds the folder of PostgreSQL's programs: Debian keeps them out of PATH.
func binaries() (string, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	if p, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(p), nil
	}
	return "", ErrNoPostgres
}

func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once
	if err != nil {
		return 0, err
	}
	defer l.Close() //nolint:errcheck // only its port was wanted
	return l.Addr().(*net.TCPAddr).Port, nil
}
