package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// step is one command of the README's session, and the answer shown under it.
type step struct{ command, answer string }

// session reads the steps of the README's console block: commands begin with a dollar sign and go on after a backslash at the
// end of a line; what follows is the answer.
func session(t *testing.T) (steps []step) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "```console\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		t.Fatal("the README has no console block")
	}
	more := false
	for line := range strings.Lines(block) {
		command, is := strings.CutPrefix(line, "$ ")
		switch last := len(steps) - 1; {
		case is:
			steps = append(steps, step{command: command})
			more = strings.HasSuffix(line, "\\\n")
		case more:
			steps[last].command += line
			more = strings.HasSuffix(line, "\\\n")
		default:
			steps[last].answer += line
		}
	}
	return steps
}

// lastLine gives the last line of an output.
func lastLine(out []byte) string {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return string(lines[len(lines)-1])
}

// changing is what differs from run to run in an answer: ids and dates.
var changing = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}[+-]\d{4}`)

// fits tells whether an answer is the one shown, in which `...` stands for anything and ids and dates for any others.
func fits(shown, got string) bool {
	parts := strings.Split(changing.ReplaceAllString(strings.Join(strings.Fields(shown), " "), "#"), "...")
	for i, part := range parts {
		parts[i] = regexp.QuoteMeta(part)
	}
	pattern := regexp.MustCompile("^" + strings.Join(parts, ".*") + "$")
	return pattern.MatchString(changing.ReplaceAllString(strings.Join(strings.Fields(got), " "), "#"))
}

// The README's first session works as it is shown.
func TestReadmeSession(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"sh", "curl", "sed", "grep"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("README session skipped: no %s in PATH", tool)
		}
	}
	steps := session(t)
	if len(steps) < 8 {
		t.Fatalf("only %d commands in the README's session", len(steps))
	}
	s := startServer(t, "sqlite::memory:")
	var script strings.Builder
	for i, one := range steps {
		fmt.Fprintf(&script, "echo; echo '<step %d>'\n%s", i, strings.ReplaceAll(one.command, "http://127.0.0.1:8080", s.url))
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-s")
	cmd.Stdin = strings.NewReader(script.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rest := string(out)
	for i, one := range steps {
		_, rest, _ = strings.Cut(rest, fmt.Sprintf("<step %d>\n", i))
		got, _, _ := strings.Cut(rest, fmt.Sprintf("<step %d>\n", i+1))
		if !fits(one.answer, got) {
			t.Errorf("$ %sshown: %sgot:   %s", one.command, one.answer, got)
		}
	}
}

func TestFits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		shown, got string
		want       bool
	}{
		{"", "\n", true},
		{`{"count":0}`, `{"count":0}` + "\n", true},
		{`{"count":0}`, `{"count":1}`, false},
		{`{"a":1, ...}`, `{"a":1, "b":2}`, true},
		{`{"a":1, ...}`, `{"a":2, "b":2}`, false},
		{`"0189f7a0-0000-7000-8000-000000000000"`, `"0189f7a0-0000-7000-8000-00000000000a"`, true},
		{`"0189f7a0-0000-7000-8000-000000000000"`, `"x"`, false},
		{`"2013-01-23T14:42:45.000+0200"`, `"2026-01-01T00:00:00.001+0000"`, true},
	} {
		if got := fits(c.shown, c.got); got != c.want {
			t.Errorf("fits(%q, %q) = %v", c.shown, c.got, got)
		}
	}
}
