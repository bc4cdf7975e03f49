package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rearm/db/dbtest"
)

// unit reads the settings of the unit for systemd, by their names.
func unit(t *testing.T) (text string, settings map[string][]string) {
	t.Helper()
	b, err := os.ReadFile("operations/rearm.service")
	if err != nil {
		t.Fatal(err)
	}
	settings = map[string][]string{}
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			settings[name] = append(settings[name], value)
		}
	}
	return string(b), settings
}

// What the unit starts can be started, and what it says of the program is so.
func TestUnit(t *testing.T) {
	t.Parallel()
	text, settings := unit(t)
	command := strings.Fields(settings["ExecStart"][0])
	variables := env{}
	for _, variable := range settings["Environment"] {
		name, value, _ := strings.Cut(variable, "=")
		variables[name] = value
	}
	all, err := parsed(t, variables, command[2:]...)
	if err != nil || filepath.Base(command[0]) != "rearm" || command[1] != "serve" {
		t.Errorf("%v cannot be started: %v", command, err)
	}
	if state := "sqlite:/var/lib/" + settings["StateDirectory"][0] + "/"; !strings.HasPrefix(all["database-url"], state) {
		t.Errorf("the database %s is not in %s, and nothing else can be written", all["database-url"], state)
	}
	if status := settings["RestartPreventExitStatus"]; !slices.Equal(status, []string{strconv.Itoa(exitRefused)}) {
		t.Errorf("no use in starting again after %v", status)
	}
	if patient, err := time.ParseDuration(settings["TimeoutStopSec"][0]); err != nil || patient < 2*grace {
		t.Errorf("a stop may take longer than %v, %v", patient, err)
	}
	verify(t, strings.Replace(text, command[0], "/bin/true", 1))
}

// verify has systemd judge a unit, where it is installed.
func verify(t *testing.T, text string) {
	t.Helper()
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Logf("the unit is not verified: %v", err)
		return
	}
	file := filepath.Join(t.TempDir(), "rearm.service")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), program, "verify", file).CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}

// A balancer is more patient than the longest poll, and HAProxy, where it is installed, takes what is written for it.
func TestBalancer(t *testing.T) {
	t.Parallel()
	const file, longestPoll = "operations/haproxy.cfg", 30 * time.Minute // contract-facts 2.3
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, side := range []string{"client", "server"} {
		_, rest, _ := strings.Cut(string(b), "timeout "+side+" ")
		text, _, _ := strings.Cut(rest, "\n")
		if patient, err := time.ParseDuration(text); err != nil || patient <= longestPoll {
			t.Errorf("the balancer waits %v for a %s, %v", patient, side, err)
		}
	}
	program, err := exec.LookPath("haproxy")
	if err != nil {
		t.Logf("the configuration is not checked: %v", err)
		return
	}
	if out, err := exec.CommandContext(t.Context(), program, "-c", "-f", file).CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// The role of the README, which owns its database and may do nothing else, is enough.
func TestPlainRole(t *testing.T) {
	t.Parallel()
	server := dbtest.PostgresURL(t)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("plain_%d_%d", os.Getpid(), time.Now().UnixNano())
	admin := dbtest.Connect(t, server)
	statements := 0
	for line := range strings.Lines(string(readme)) {
		if _, statement, ok := strings.Cut(line, "=# "); ok {
			statements++
			if _, err := admin.ExecContext(t.Context(), strings.ReplaceAll(statement, "rearm", name)); err != nil {
				t.Fatalf("%s: %v", statement, err)
			}
		}
	}
	if statements != 2 {
		t.Fatalf("the README has %d statements", statements)
	}
	t.Cleanup(func() {
		for _, statement := range []string{"drop database " + name + " with (force)", "drop role " + name} {
			if _, err := admin.ExecContext(context.Background(), statement); err != nil {
				t.Error(err)
			}
		}
	})
	u, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	u.Path, u.User = "/"+name, url.UserPassword(name, "secret")
	s := startServer(t, u.String())
	s.failed(t, 3)
	code, stdout, stderr := outcome(t, nil, "retry", s.at(), "--all", "--retries=1")
	says(t, code, stdout, stderr, 0, `.*all 3 jobs are done\n`, ``)
}
