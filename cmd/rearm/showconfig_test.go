package main

import (
	"strings"
	"testing"
)

// rearm config shows every setting, its value without secrets, and where it comes from.
func TestShowConfig(t *testing.T) {
	t.Parallel()
	e := env{"REARM_DATABASE_URL": "postgres://me:hush@db/x", "REARM_LISTEN": "0.0.0.0:1", "REARM_LOG_LEVEL": "debug"}
	code, stdout, stderr := outcome(t, e, "config", "--listen=127.0.0.1:2", "--rate", "7", "--log-format=json")
	if code != 0 || stderr != "" || strings.Contains(stdout, "hush") {
		t.Fatalf("exit %d\n%s%s", code, stdout, stderr)
	}
	got := map[string]string{}
	for line := range strings.Lines(stdout) {
		if f := strings.Fields(line); len(f) == 3 {
			got[f[0]] = f[1] + " " + f[2]
		}
	}
	c := defaults()
	for _, s := range c.settings() {
		if got[s.name] == "" {
			t.Errorf("%s is missing:\n%s", s.name, stdout)
		}
	}
	for name, want := range map[string]string{
		"listen": "127.0.0.1:2 --listen", "database-url": "postgres://me:xxxxx@db/x REARM_DATABASE_URL", "log-level": "debug REARM_LOG_LEVEL",
		"rate": "7 --rate", "log-format": "json --log-format", "max-body": "64MB default", "max-results": "none default",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
}

// Settings that cannot be right end it with 2, also those that only serve would stumble over.
func TestShowConfigRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--rate=0"}, "from 1 to"},
		{[]string{"--database-url=mysql://me:hush@db/x"}, "unknown database URL"},
		{[]string{"--database-url=postgres://me:hush%zz@db/x"}, "unknown database URL"},
		{[]string{"--auth=basic", "--users-file=no/users"}, "no such file"},
		{[]string{"--listen=0.0.0.0:1"}, "without a log-in only this machine is served"},
		{[]string{"--tls-cert=a.pem"}, "need each other"},
		{[]string{"--tls-cert=no.pem", "--tls-key=no.pem"}, "no such file"},
	} {
		code, stdout, stderr := outcome(t, nil, append([]string{"config"}, c.args...)...)
		if code != 2 || stdout != "" || !strings.Contains(stderr, c.says) || strings.Contains(stderr, "hush") {
			t.Errorf("%v: exit %d\n%s%s", c.args, code, stdout, stderr)
		}
	}
}
