package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const base = `openapi: 3.0.3
info: {title: t, version: "1"}
components: {schemas: {A: {type: object}}}
`

func part(t *testing.T, dir, name, text string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestJoin(t *testing.T) {
	t.Parallel()
	op := "{get: {x-rearm-role: viewer, responses: {'200': {description: ok}}}}"
	for name, c := range map[string]struct{ second, wantErr string }{
		"united":         {"paths: {/x: " + op + "}\ncomponents: {schemas: {B: {$ref: '#/components/schemas/A'}}}", ""},
		"schema twice":   {"components: {schemas: {A: {type: string}}}", "schemas A is defined in a.yaml and in b.yaml"},
		"member twice":   {"info: {}", "member info is defined in a.yaml and in b.yaml"},
		"leads nowhere":  {"components: {schemas: {B: {$ref: '#/components/schemas/C'}}}", "schemas/C"},
		"no responses":   {"paths: {/x: {get: {x-rearm-role: viewer}}}", "responses"},
		"no role":        {"paths: {/x: {get: {responses: {'200': {description: ok}}}}}", "GET /x: x-rearm-role"},
		"unknown role":   {"paths: {/x: {get: {x-rearm-role: [king], responses: {'200': {description: ok}}}}}", `no role "king"`},
		"not a mapping":  {"- a", "no YAML mapping"},
		"not even YAML":  {"a: [", "b.yaml"},
		"path not valid": {"paths: {x: " + op + "}", "does not start with"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out := filepath.Join(dir, "out.yaml")
			first := base
			if !strings.Contains(c.second, "paths") {
				first += "paths: {}\n"
			}
			err := run(out, "", []string{part(t, dir, "a.yaml", first), part(t, dir, "b.yaml", c.second)})
			if c.wantErr == "" && err != nil || c.wantErr != "" && (err == nil || !strings.Contains(err.Error(), c.wantErr)) {
				t.Fatalf("error %v, want %q", err, c.wantErr)
			}
			if _, statErr := os.Stat(out); (statErr == nil) != (c.wantErr == "") {
				t.Errorf("the file is there: %v", statErr == nil)
			}
		})
	}
}

// Answers that all operations share come into each, once and in order, and leave the root.
func TestSharedAnswers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	out := filepath.Join(dir, "out.yaml")
	first := base + "x-rearm-answers: {'401': {description: who}, '403': {description: shared}}\n"
	second := `paths:
  /x:
    parameters: [{name: a, in: query, schema: {type: string}}]
    get: {x-rearm-role: viewer, responses: {'200': {description: ok}, '404': {description: none}}}
    put: {x-rearm-role: viewer, responses: {'200': {description: ok}, '403': {description: own}}}
`
	if err := run(out, "", []string{part(t, dir, "a.yaml", first), part(t, dir, "b.yaml", second)}); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"responses: {'200': {description: ok}, '401': {description: who}, '403': {description: shared}, '404': {description: none}}",
		"responses: {'200': {description: ok}, '401': {description: who}, '403': {description: own}}",
	} {
		if !strings.Contains(string(b), want) {
			t.Errorf("no %s in\n%s", want, b)
		}
	}
	if strings.Contains(string(b), "x-rearm-answers") {
		t.Errorf("the shared answers stayed:\n%s", b)
	}
}

func TestEmbed(t *testing.T) {
	t.Parallel()
	out := filepath.Join(t.TempDir(), "x.go")
	if err := run("", out, nil); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(out); !strings.Contains(string(b), "//go:embed openapi.yaml") {
		t.Errorf("wrote %s", b)
	}
}
