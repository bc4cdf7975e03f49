package main

import (
	"context"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"rearm/gen"
)

// language is one for which workers are published, with the programs in testdata/clients that use them.
type language struct {
	name      string
	tools     []string
	install   [][]string // what makes the programs' libraries out of the pinned list
	run       []string   // runs the program whose file follows
	scenarios []string
}

var languages = []language{
	{
		name: "js", tools: []string{"node", "npm"},
		install:   [][]string{{"npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"}},
		run:       []string{"node"},
		scenarios: []string{"scenario.js"},
	},
	{
		name: "java", tools: []string{"java", "javac", "mvn"},
		install:   [][]string{{"mvn", "--quiet", "--batch-mode", "dependency:copy-dependencies", "-DoutputDirectory=lib"}},
		run:       []string{"java", "-XX:TieredStopAtLevel=1", "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", "lib/*"},
		scenarios: []string{"Scenario.java"},
	},
	{
		name: "python", tools: []string{"python3"},
		install:   [][]string{{"python3", "-m", "venv", "venv"}, {"venv/bin/pip", "install", "--quiet", "--require-hashes", "-r", "requirements.txt"}},
		run:       []string{"venv/bin/python", "-B"},
		scenarios: []string{"scenario.py", "sdk.py"},
	},
}

// prepare gives a folder with the language's programs and their libraries.
func (l language) prepare(t *testing.T) (dir string) {
	t.Helper()
	for _, tool := range l.tools {
		if _, err := exec.LookPath(tool); err != nil {
			t.Fatalf("no %s in PATH", tool)
		}
	}
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "clients", l.name))); err != nil {
		t.Fatal(err)
	}
	for _, command := range l.install {
		if out, err := foreign(t.Context(), t, dir, command...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", strings.Join(command, " "), err, out)
		}
	}
	return dir
}

// play runs a scenario against a server, with more of an environment.
func (l language) play(t *testing.T, dir, scenario string, s *server, env ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := foreign(ctx, t, dir, append(l.run[:len(l.run):len(l.run)], scenario, s.url+"/engine-rest")...)
	cmd.Env = append(cmd.Env, env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// foreign makes a command of another language, which runs in dir and keeps temporary files to itself.
func foreign(ctx context.Context, t *testing.T, dir string, command ...string) *exec.Cmd {
	t.Helper()
	name := command[0]
	if strings.Contains(name, "/") {
		name = filepath.Join(dir, name)
	}
	cmd := exec.CommandContext(ctx, name, command[1:]...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "TMPDIR="+t.TempDir())
	cmd.WaitDelay = time.Second // a child that outlives it keeps nobody waiting
	return cmd
}

// Published clients, unmodified, do with this server what they do with the reference. They come from package registries, so
// that these tests run only where they are asked for.
func TestClients(t *testing.T) {
	t.Parallel()
	if os.Getenv("REARM_TEST_CLIENTS") != "1" {
		t.Skip("published clients skipped: REARM_TEST_CLIENTS is not 1")
	}
	for _, l := range languages {
		t.Run(l.name, func(t *testing.T) {
			t.Parallel()
			dir := l.prepare(t)
			for _, scenario := range l.scenarios {
				t.Run(scenario, func(t *testing.T) {
					t.Parallel()
					eachDatabase(t, func(t *testing.T, databaseURL string) { l.play(t, dir, scenario, startServer(t, databaseURL)) })
					t.Run("logged in", func(t *testing.T) {
						t.Parallel()
						s := startServer(t, "sqlite::memory:", "--auth=basic", "--users-file="+usersFile(t))
						l.play(t, dir, scenario, s, "REARM_USER=admin", "REARM_PASSWORD=I am admin")
					})
				})
			}
			t.Run("README", func(t *testing.T) {
				t.Parallel()
				s := startServer(t, "sqlite::memory:")
				file := readmeWorker(t, s, l.name, dir)
				tryWorker(t, s, dir, append(l.run[:len(l.run):len(l.run)], file)...)
			})
		})
	}
}

// The README's worker in Go needs nothing but what builds this program.
func TestReadmeGoWorker(t *testing.T) {
	t.Parallel()
	dir, s := t.TempDir(), startServer(t, "sqlite::memory:")
	file := readmeWorker(t, s, "go", dir)
	if out, err := foreign(t.Context(), t, dir, "go", "build", "-o", "worker", file).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	tryWorker(t, s, dir, "./worker")
}

// readmeWorker writes the README's worker in a language into a file of dir, with the server's address.
func readmeWorker(t *testing.T, s *server, language, dir string) (file string) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(readme), "```"+language+"\n")
	block, _, found := strings.Cut(block, "```")
	const address = "http://127.0.0.1:8080"
	if !found || !strings.Contains(block, address) {
		t.Fatalf("the README has no worker in %s, or it has another address:\n%s", language, block)
	}
	file = "readme." + strings.NewReplacer("python", "py").Replace(language)
	if err := os.WriteFile(filepath.Join(dir, file), []byte(strings.ReplaceAll(block, address, s.url)), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// tryWorker runs a worker until it has completed a task and reported the failure of another one, as the README says.
func tryWorker(t *testing.T, s *server, dir string, command ...string) {
	t.Helper()
	good := mailTask(t, s, map[string]gen.VariableValueDto{"to": {
		Type: nullable.NewNullableWithValue("String"), Value: nullable.NewNullableWithValue(gen.AnyValue(`"ann@example.org"`)),
	}})
	bad := mailTask(t, s, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := foreign(ctx, t, dir, command...)
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	until(t, "the worker is through with both tasks, or ended", func() bool {
		return len(ended) == 1 || task(t, s, good) == nil && !task(t, s, bad).Retries.IsNull()
	})
	cancel()
	err := <-ended
	failed := task(t, s, bad)
	left, _ := failed.Retries.Get()
	if message, _ := failed.ErrorMessage.Get(); task(t, s, good) != nil || left != 2 || message != "no address" {
		t.Errorf("%v, %d retries left, %q\n%s\n%s", err, left, message, stdout.String(), stderr.String())
	}
	if stdout.String() != "mail to ann@example.org\n" {
		t.Errorf("it printed %q\n%s", stdout.String(), stderr.String())
	}
}

// mailTask creates a task for the README's workers.
func mailTask(t *testing.T, s *server, variables map[string]gen.VariableValueDto) (id string) {
	t.Helper()
	res, err := s.client.CreateExternalTaskWithResponse(t.Context(), nil, gen.CreateExternalTaskDto{TopicName: "mail", Variables: nullable.NewNullableWithValue(variables)})
	if err != nil || res.JSON200 == nil {
		t.Fatalf("%v, %+v", err, res)
	}
	return res.JSON200.ID
}

// task gives a task, or nil when it has ended.
func task(t *testing.T, s *server, id string) *gen.ExternalTaskDto {
	t.Helper()
	res, err := s.client.GetExternalTaskWithResponse(t.Context(), id)
	if err != nil || res.JSON200 == nil && res.StatusCode() != http.StatusNotFound {
		t.Fatalf("%v, %+v", err, res)
	}
	return res.JSON200
}

// The lists of pinned libraries say what they are, not where they come from, and every one of them is pinned.
func TestClientsArePinned(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ file, forbidden, pinned string }{
		{"js/package-lock.json", `"resolved"`, `"integrity": "sha512-`},
		{"java/pom.xml", `://|<version>[^<]*[^0-9.<]|LATEST`, `<version>7\.24\.0</version>`},
		{"python/requirements.txt", `://|--index|--find|(?m:^[^ #]+>=)`, `--hash=sha256:`},
	} {
		b, err := os.ReadFile(filepath.Join("testdata", "clients", filepath.FromSlash(c.file)))
		if err != nil {
			t.Fatal(err)
		}
		if found := regexp.MustCompile(c.forbidden).Find(b); found != nil {
			t.Errorf("%s says %s", c.file, found)
		}
		if !regexp.MustCompile(c.pinned).Match(b) {
			t.Errorf("%s pins nothing by %s", c.file, c.pinned)
		}
	}
}
