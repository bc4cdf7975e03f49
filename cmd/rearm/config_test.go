package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

// env is an environment of a test.
type env map[string]string

func (e env) get(name string) string { return e[name] }

// parsed gives the settings that args and an environment make, by name.
func parsed(t *testing.T, e env, args ...string) (map[string]string, error) {
	t.Helper()
	c := defaults()
	err := c.parse(program{e.get, io.Discard, io.Discard}, c.flags("serve"), args)
	all := map[string]string{}
	for _, s := range c.settings() {
		all[s.name] = s.value.String()
	}
	return all, err
}

// Every setting can be set by its flag and by its variable, and the flag wins.
func TestSettings(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, is, text, becomes string }{
		{"listen", "127.0.0.1:8080", "localhost:9", "localhost:9"},
		{"database-url", "sqlite:rearm.db", "postgres://me:secret@db/x?password=secret&sslmode=disable", "postgres://me:xxxxx@db/x?password=xxxxx&sslmode=disable"},
		{"job-executor", "true", "false", "false"},
		{"batch-jobs-per-seed", "100", "50", "50"},
		{"batch-jobs-per-seed", "100", "set-external-task-retries=7", "100,set-external-task-retries=7"},
		{"invocations-per-batch-job", "1", "2,set-external-task-retries=5000", "2,set-external-task-retries=5000"},
		{"lock-time", "10s", "PT1M", "1m0s"},
		{"batch-poll-time", "30s", "250ms", "250ms"},
		{"max-waiting", "20000", "200", "200"},
		{"unique-worker-request", "false", "true", "true"},
		{"max-body", "64MB", "1kb", "1KB"},
		{"max-body", "64MB", "1500", "1500B"},
		{"max-body-retries-async", "256MB", "2 GB", "2GB"},
		{"max-requests", "1000", "7", "7"},
		{"max-results", "none", "1000", "1000"},
		{"max-results", "none", "none", "none"},
		{"rate", "none", "20", "20"},
		{"cors-origins", "none", "https://a.example, http://localhost:3000", "https://a.example,http://localhost:3000"},
		{"cors-origins", "none", "none", "none"},
		{"tls-cert", "none", "none", "none"},
		{"tls-key", "none", "none", "none"},
		{"tls-client-ca", "none", "none", "none"},
		{"history-ttl", "P180D", "P1W", "P7D"},
		{"history-ttl", "P180D", "none", "none"},
		{"batch-history-ttl", "none", "P5D", "P5D"},
		{"batch-history-ttl", "none", "batch-set-removal-time=P5D", "none,batch-set-removal-time=P5D"},
		{"batch-history-ttl", "none", "P5D,set-external-task-retries=P1DT12H", "P5D,set-external-task-retries=36h0m0s"},
		{"node-name", "", "west", "west"},
		{"log-level", "info", "debug", "debug"},
		{"log-format", "text", "json", "json"},
		{"auth", "none", "basic", "basic"},
		{"insecure", "false", "true", "true"},
		{"users-file", "rearm.users", "/etc/rearm/users", "/etc/rearm/users"},
		{"jwt-keys", "none", "https://issuer/keys", "https://issuer/keys"},
		{"jwt-issuer", "none", "https://issuer", "https://issuer"},
		{"jwt-audience", "none", "rearm", "rearm"},
		{"jwt-skew", "1m0s", "0s", "0s"},
		{"jwt-name-claim", "sub", "preferred_username", "preferred_username"},
		{"jwt-roles-claim", "roles", "realm_access.roles", "realm_access.roles"},
		{"jwt-tenants-claim", "none", "tenants", "tenants"},
		{"jwt-untenanted-claim", "untenanted", "un", "un"},
		{"audit", "true", "false", "false"},
		{"metrics-listen", "none", "127.0.0.1:9464", "127.0.0.1:9464"},
		{"otlp-endpoint", "none", "https://me:hush@collector:4318", "https://me:xxxxx@collector:4318"},
	}
	for _, c := range cases {
		t.Run(c.name+"/"+c.text, func(t *testing.T) {
			t.Parallel()
			variable := "REARM_" + strings.ToUpper(strings.ReplaceAll(c.name, "-", "_"))
			if all, err := parsed(t, nil); err != nil || (all[c.name] != c.is && c.is != "") {
				t.Errorf("default %q, %v; want %q", all[c.name], err, c.is)
			}
			if all, err := parsed(t, nil, "--"+c.name+"="+c.text); err != nil || all[c.name] != c.becomes {
				t.Errorf("by flag %q, %v; want %q", all[c.name], err, c.becomes)
			}
			if all, err := parsed(t, env{variable: c.text}); err != nil || all[c.name] != c.becomes {
				t.Errorf("by variable %q, %v; want %q", all[c.name], err, c.becomes)
			}
			if all, err := parsed(t, env{variable: c.text}, "--"+c.name+"="+c.is); c.is != "" && (err != nil || all[c.name] != c.is) {
				t.Errorf("by both %q, %v; want the flag's %q", all[c.name], err, c.is)
			}
		})
	}
	var none Config
	for _, s := range none.settings() {
		if !slices.ContainsFunc(cases, func(c struct{ name, is, text, becomes string }) bool { return c.name == s.name }) {
			t.Errorf("--%s has no case here", s.name)
		}
	}
}

// The files of TLS only make sense together.
func TestSettingsOfTLS(t *testing.T) {
	t.Parallel()
	all, err := parsed(t, env{"REARM_TLS_KEY": "key.pem"}, "--tls-cert=cert.pem", "--tls-client-ca=ca.pem")
	if err != nil || all["tls-cert"] != "cert.pem" || all["tls-key"] != "key.pem" || all["tls-client-ca"] != "ca.pem" {
		t.Errorf("%v, %v", all, err)
	}
}

func TestSettingsRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, says string }{
		{"listen", "8080", "missing port"},
		{"listen", "", "must not be empty"},
		{"job-executor", "maybe", "invalid syntax"},
		{"batch-jobs-per-seed", "0", "from 1 to"},
		{"batch-jobs-per-seed", "many", "from 1 to"},
		{"batch-jobs-per-seed", "delete-everything=3", "no type of batch"},
		{"invocations-per-batch-job", "5001", "from 1 to 5000"},
		{"invocations-per-batch-job", "set-external-task-retries=5001", "from 1 to 5000"},
		{"lock-time", "0s", "less than a millisecond"},
		{"lock-time", "-1s", "not a duration"},
		{"batch-poll-time", "P", "not a duration"},
		{"batch-poll-time", "P1DT", "not a duration"},
		{"batch-poll-time", "P1M", "not a duration"},
		{"batch-poll-time", "P110000D", "292 years"},
		{"max-waiting", "0", "from 1 to"},
		{"unique-worker-request", "sometimes", "invalid syntax"},
		{"max-body", "64XB", "not a size"},
		{"max-body", "0MB", "not a size"},
		{"max-body", "9999999999GB", "not a size"},
		{"max-body", "512MB", "must not be less"},
		{"max-requests", "0", "from 1 to"},
		{"max-results", "0", "from 1 to"},
		{"max-results", "2147483647", "from 1 to 2147483646"},
		{"rate", "-1", "from 1 to"},
		{"rate", "1.5", "from 1 to"},
		{"cors-origins", "*", "not an origin"},
		{"cors-origins", "https://a.example/", "not an origin"},
		{"cors-origins", "https://a.example,b.example", "not an origin"},
		{"cors-origins", "https://A.example", "not an origin"},
		{"cors-origins", "https://me@a.example", "not an origin"},
		{"tls-cert", "cert.pem", "need each other"},
		{"tls-key", "key.pem", "need each other"},
		{"tls-client-ca", "ca.pem", "needs --tls-cert"},
		{"history-ttl", "P0D", "more than nothing"},
		{"batch-history-ttl", "soon", "not a duration"},
		{"log-level", "loud", "loud"},
		{"log-format", "xml", "not one of text, json"},
		{"auth", "ldap", "not one of none, basic, jwt"},
		{"insecure", "perhaps", "invalid syntax"},
		{"users-file", "", "must not be empty"},
		{"jwt-keys", "", "must not be empty"},
		{"jwt-skew", "-1s", "not a duration"},
		{"jwt-name-claim", "", "must not be empty"},
		{"audit", "perhaps", "invalid syntax"},
		{"metrics-listen", "9464", "missing port"},
		{"otlp-endpoint", "localhost:4318", "no URL of http or https"},
	} {
		t.Run(c.name+"/"+c.text, func(t *testing.T) {
			t.Parallel()
			if _, err := parsed(t, nil, "--"+c.name+"="+c.text); !errors.Is(err, errConfig) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("by flag: %v; want %q", err, c.says)
			}
			variable := "REARM_" + strings.ToUpper(strings.ReplaceAll(c.name, "-", "_"))
			_, err := parsed(t, env{variable: c.text})
			if c.text == "" {
				if err != nil {
					t.Errorf("an empty variable is none, but: %v", err)
				}
			} else if !errors.Is(err, errConfig) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("by variable: %v; want %q", err, c.says)
			}
		})
	}
	for _, args := range [][]string{{"--nope"}, {"word"}, {"--listen"}} {
		if _, err := parsed(t, nil, args...); !errors.Is(err, errConfig) {
			t.Errorf("%v: %v", args, err)
		}
	}
}

// The help names every setting, its variable and its default, and goes to the standard output.
func TestHelpListsAllSettings(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	c := defaults()
	if err := c.parse(program{env{"REARM_LISTEN": "nonsense"}.get, &out, io.Discard}, c.flags("serve"), []string{"--help"}); !errors.Is(err, pflag.ErrHelp) {
		t.Fatal(err)
	}
	help := out.String()
	fresh := defaults()
	for _, s := range fresh.settings() {
		variable := "REARM_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
		for _, part := range []string{"--" + s.name + " ", variable + "\n", s.usage + " (default " + s.value.String() + ")"} {
			if !strings.Contains(help, part) {
				t.Errorf("the help lacks %q", part)
			}
		}
	}
}

func TestMasked(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{
		"sqlite:a:b@c.db":           "sqlite:a:b@c.db",
		"postgres://u:secret@h:1/d": "postgres://u:xxxxx@h:1/d",
		"postgres://u@h/d":          "postgres://u@h/d",
		"postgres:///d?user=u&password=secret&sslpassword=secret": "postgres:///d?password=xxxxx&sslpassword=xxxxx&user=u",
		"postgres://u:se%cret@h/d":                                "postgres:...",
		"postgres://u:#secret@h/d":                                "postgres:...",
		"postgres://u:1/secret@h/d":                               "postgres:...",
		"secret":                                                  "secret",
	} {
		if got := masked(from); got != to {
			t.Errorf("masked(%q) = %q, want %q", from, got, to)
		}
	}
}

// The README's table of settings is the program's.
func TestReadmeListsSettings(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	c := defaults()
	c.Engine.NodeName = "the host's name"
	rows := 0
	for _, s := range c.settings() {
		variable := "REARM_" + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
		row := fmt.Sprintf("| `--%s` | `%s` | %s | %s |\n", s.name, variable, s.value, s.usage)
		if !strings.Contains(string(readme), row) {
			t.Errorf("the README lacks the row\n%s", row)
		}
		rows++
	}
	if listed := strings.Count(string(readme), "| `--"); listed != rows {
		t.Errorf("the README lists %d settings, there are %d", listed, rows)
	}
}
