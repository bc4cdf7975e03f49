package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// conformance is the folder of the reference's recorded answers and their player, where it is at hand.
const conformance = "../../../shared/conformance"

// suites are the recorded scenarios, with the server that each wants.
var suites = []struct {
	name string
	args []string
}{
	{"headline", nil}, {"workers", nil}, {"scopes", nil}, {"operators", nil},
	{"operators_stepwise", []string{"--job-executor=false"}},
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
				if err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				t.Logf("%.200s", lastLine(out))
			})
		})
	}
}
