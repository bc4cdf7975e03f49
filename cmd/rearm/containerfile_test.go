package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// instruction is one line of a Containerfile.
type instruction struct{ word, rest string }

// containerfile reads the instructions of each stage. Lines that go on after a backslash are not written there.
func containerfile(t *testing.T) (stages [][]instruction) {
	t.Helper()
	text, err := os.ReadFile("../../Containerfile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		word, rest, _ := strings.Cut(line, " ")
		if word == "FROM" {
			stages = append(stages, nil)
		}
		last := &stages[len(stages)-1]
		*last = append(*last, instruction{word, rest})
	}
	return stages
}

// all gives what stands behind a word in a stage.
func all(stage []instruction, word string) (list []string) {
	for _, i := range stage {
		if i.word == word {
			list = append(list, i.rest)
		}
	}
	return list
}

// words reads the form of ENTRYPOINT and CMD that needs no shell.
func words(t *testing.T, stage []instruction, word string) (list []string) {
	t.Helper()
	if err := json.Unmarshal([]byte(strings.Join(all(stage, word), "")), &list); err != nil {
		t.Fatalf("%s: %v", word, err)
	}
	return list
}

// The image is built with the Go of go.mod, runs as nobody, writes to its volume only, and has all that it starts.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	stages := containerfile(t)
	if len(stages) != 2 {
		t.Fatalf("%d stages", len(stages))
	}
	build, image := stages[0], stages[1]
	module, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	goVersion := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindStringSubmatch(string(module))[1]
	if want := "golang:" + goVersion + " AS build"; build[0].rest != want || image[0].rest != "scratch" {
		t.Errorf("FROM %s and %s, want %s and scratch", build[0].rest, image[0].rest, want)
	}
	if user := all(image, "USER"); len(user) != 1 || !regexp.MustCompile(`^[1-9]\d+:[1-9]\d+$`).MatchString(user[0]) {
		t.Errorf("USER %v, want numbers other than root's", user)
	}
	environment := env{}
	for _, pair := range strings.Fields(strings.Join(all(image, "ENV"), " ")) {
		name, value, _ := strings.Cut(pair, "=")
		environment[name] = value
	}
	known := map[string]bool{}
	c := defaults()
	for _, s := range c.settings() {
		known[prefix+strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))] = true
	}
	for name := range environment {
		if !known[name] {
			t.Errorf("ENV %s is no setting", name)
		}
	}
	if got := all(image, "EXPOSE"); len(got) != 1 || environment["REARM_LISTEN"] != "0.0.0.0:"+got[0] {
		t.Errorf("EXPOSE %v, and it listens on %s", got, environment["REARM_LISTEN"])
	}
	if got := all(image, "VOLUME"); len(got) != 1 || environment["REARM_DATABASE_URL"] != "sqlite:"+got[0]+"/rearm.db" {
		t.Errorf("VOLUME %v, and its database is %s", got, environment["REARM_DATABASE_URL"])
	}
	made := append(all(build, "RUN"), all(image, "COPY")...)
	for _, file := range append(words(t, image, "ENTRYPOINT")[:1], all(image, "VOLUME")...) {
		if !slices.ContainsFunc(made, func(s string) bool { return strings.HasPrefix(s, "--from=build") && strings.HasSuffix(s, " "+file) }) {
			t.Errorf("nothing copies %s into the image", file)
		}
	}
}

// The build's own command builds the program, which takes the settings of the image.
func TestContainerfileBuilds(t *testing.T) {
	t.Parallel()
	stages := containerfile(t)
	dir := t.TempDir()
	built := filepath.Join(dir, "rearm")
	i := slices.IndexFunc(stages[0], func(i instruction) bool { return i.word == "RUN" && strings.Contains(i.rest, "go build") })
	if i < 0 {
		t.Fatal("nothing builds the program")
	}
	command := stages[0][i].rest
	out := regexp.MustCompile(`-o (\S+)`).FindStringSubmatch(command)
	if out == nil || !slices.Contains(all(stages[1], "COPY"), "--from=build "+out[1]+" "+words(t, stages[1], "ENTRYPOINT")[0]) {
		t.Fatalf("%s makes another program than the image starts", command)
	}
	build := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(command, out[1], built, 1))
	build.Dir, build.Env = "../..", append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -p=1") // other tests run beside it
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, text)
	}
	if args := append(words(t, stages[1], "ENTRYPOINT")[1:], words(t, stages[1], "CMD")...); !slices.Equal(args, []string{"serve"}) {
		t.Errorf("it is started with %q", args)
	}
	var environment []string
	for _, pairs := range all(stages[1], "ENV") {
		environment = append(environment, strings.Fields(strings.ReplaceAll(pairs, all(stages[1], "VOLUME")[0], dir))...)
	}
	run := func(stdin string, args ...string) string {
		cmd := exec.CommandContext(t.Context(), built, args...)
		cmd.Env, cmd.Stdin = environment, strings.NewReader(stdin)
		text, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("rearm %s: %v\n%s", strings.Join(args, " "), err, text)
		}
		return string(text)
	}
	run("a long password\n", "user", "add", "mary", "--role", "admin")
	if text := run("", "config"); strings.Count(text, " REARM_") != len(environment) {
		t.Errorf("its settings are\n%s", text)
	}
}
