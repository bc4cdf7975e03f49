package main

import (
	"context"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// browser finds a Chromium on this machine.
func browser() (string, bool) {
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path, true
		}
	}
	return "", false
}

// page gives what a browser that reaches no host but this one has made of a page after its scripts have run.
func page(t *testing.T, url string) string {
	t.Helper()
	chromium, ok := browser()
	if !ok {
		t.Skip("browser test skipped: no chromium, chromium-browser or google-chrome in PATH")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, chromium, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--user-data-dir="+t.TempDir(),
		"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1", "--virtual-time-budget=20000", "--dump-dom", url)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, stderr.String())
	}
	return string(out)
}

// The API reference is shown by a real browser, without any other host.
func TestDocsInABrowser(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	for _, path := range []string{"/docs", "/"} {
		shown := page(t, s.url+path)
		for _, part := range []string{
			`id="operations-External_Task-setExternalTaskRetriesAsyncOperation"`, `id="operations-Batch-getBatches"`, "gives failed work a second chance",
		} {
			if !strings.Contains(shown, part) {
				t.Errorf("%s does not show %s:\n%.2000s", path, part, shown)
			}
		}
		if strings.Contains(shown, "Failed to load") || strings.Contains(shown, "Unable to render") {
			t.Errorf("%s shows an error:\n%.2000s", path, shown)
		}
	}
}
