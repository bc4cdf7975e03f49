package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// conformance is the folder of the reference's recorded answers and their player, where it is at hand.
const conformance = "../../../shared/conformance"

// suites are the recorded scenarios, with the server that each wants, and the steps in which rearm does not answer as they
// expect: of several mistakes in one request it tells another one (README, difference 18).
var suites = []struct {
	name   string
	args   []string
	differ []string
}{
	{"headline", nil, nil},
	{"workers", nil, nil},
	{"scopes", nil, nil},
	{"operators", nil, []string{"o_sync_bad[9]", "o_sync_bad[10]", "o_sync_bad[11]"}},
	{"operators_stepwise", []string{"--job-executor=false"}, nil},
}

// The server answers as the reference was recorded to answer, or as it means to differ.
func TestConformance(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(conformance); err != nil {
		t.Skip("conformance player skipped: the recordings are not beside this repository")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("conformance player skipped: no python3 in PATH")
	}
	for _, suite := range suites {
		t.Run(suite.name, func(t *testing.T) {
			t.Parallel()
			eachDatabase(t, func(t *testing.T, databaseURL string) {
				s := startServer(t, databaseURL, suite.args...)
				cmd := exec.CommandContext(t.Context(), python, filepath.Join(conformance, "run.py"), "--target", "rearm", "--base", s.url+"/engine-rest",
					"--scenarios", filepath.Join(conformance, suite.name+".py"), "--golden", filepath.Join(conformance, "recordings", suite.name+".json"))
				cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
				out, err := cmd.CombinedOutput()
				if got := differences(out); !slices.Equal(got, suite.differ) || err != nil && len(got) == 0 {
					t.Errorf("%v: steps %v differ, and %v should\n%s", err, got, suite.differ, out)
				}
				t.Logf("%.200s", lastLine(out))
			})
		})
	}
}

var difference = regexp.MustCompile(`(?m)^DIFF (\S+)`)

// differences gives the names of the steps that the player reports.
func differences(out []byte) (steps []string) {
	for _, m := range difference.FindAllSubmatch(bytes.TrimSpace(out), -1) {
		steps = append(steps, strings.TrimSpace(string(m[1])))
	}
	return steps
}
