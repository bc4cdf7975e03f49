package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// family is a metric as it was scraped: its help, its type, and the values of each of its labels.
type family struct {
	help, kind string
	labels     map[string][]string
	samples    map[string]float64 // by name and labels, as written
}

var (
	sampleLine = regexp.MustCompile(`^([a-zA-Z_][a-zA-Z0-9_]*)(?:\{(.*)\})? (\S+)$`)
	labelPair  = regexp.MustCompile(`([a-z_]+)="([^"]*)"`)
)

// scrape reads the metrics at a URL.
func scrape(t *testing.T, url string) map[string]*family {
	t.Helper()
	status, text := fetched(t, url)
	if status != 200 {
		t.Fatalf("%s: %d %.300s", url, status, text)
	}
	all := map[string]*family{}
	var now *family
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if rest, ok := strings.CutPrefix(line, "# HELP "); ok {
			name, help, _ := strings.Cut(rest, " ")
			now = &family{help: help, labels: map[string][]string{}, samples: map[string]float64{}}
			all[name] = now
			continue
		}
		if rest, ok := strings.CutPrefix(line, "# TYPE "); ok {
			_, now.kind, _ = strings.Cut(rest, " ")
			continue
		}
		parts := sampleLine.FindStringSubmatch(line)
		if parts == nil {
			t.Fatalf("no sample: %q", line)
		}
		var value float64
		if _, err := fmt.Sscan(parts[3], &value); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		now.samples[strings.TrimSuffix(line, " "+parts[3])] = value
		for _, pair := range labelPair.FindAllStringSubmatch(parts[2], -1) {
			if !slices.Contains(now.labels[pair[1]], pair[2]) {
				now.labels[pair[1]] = append(now.labels[pair[1]], pair[2])
			}
		}
	}
	return all
}

// familyOf finds the metric to which a series belongs.
func familyOf(all map[string]*family, series string) *family {
	if f := all[series]; f != nil {
		return f
	}
	for _, end := range []string{"_bucket", "_sum", "_count"} {
		if f := all[strings.TrimSuffix(series, end)]; f != nil && f.kind == "histogram" && strings.HasSuffix(series, end) {
			return f
		}
	}
	return nil
}

// exercise does a bit of everything that is counted.
func exercise(t *testing.T, s *server) {
	t.Helper()
	batch := bulkRetry(t, s, 120)
	for _, c := range []struct {
		method, path, body string
		status             int
	}{
		{"POST", "/external-task/fetchAndLock", `{"workerId": "w", "maxTasks": 2, "topics": [{"topicName": "` + demoTopic + `", "lockDuration": 600000}]}`, 200},
		{"POST", "/external-task/retries-async", `{"retries": 2, "externalTaskQuery": {"topicName": "nobody's"}}`, 400},
		{"POST", "/external-task/nobody/complete", `{"workerId": "w"}`, 404},
		{"GET", "/history/batch/" + batch, "", 200},
	} {
		if res := s.ask(t, c.method, c.path, c.body); res.StatusCode != c.status {
			t.Errorf("%s %s: %s", c.method, c.path, res.Status)
		}
	}
}

// expressions gives all expressions of the dashboard and of the alerts, by where they stand.
func expressions(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	b, err := os.ReadFile("operations/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ RefID, Expr string }
		}
	}
	if err := json.Unmarshal(b, &dashboard); err != nil {
		t.Fatal(err)
	}
	ids := map[int]bool{}
	for _, p := range dashboard.Panels {
		if ids[p.ID] {
			t.Errorf("two panels have the id %d", p.ID)
		}
		ids[p.ID] = true
		for _, target := range p.Targets {
			all[p.Title+" "+target.RefID] = target.Expr
		}
	}
	if b, err = os.ReadFile("operations/alerts.yaml"); err != nil {
		t.Fatal(err)
	}
	var alerts struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(b, &alerts); err != nil {
		t.Fatal(err)
	}
	for _, r := range alerts.Groups[0].Rules {
		if r.Alert == "" || all[r.Alert] != "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" || r.Annotations["description"] == "" {
			t.Errorf("the alert %q is not whole, or there twice", r.Alert)
		}
		all[r.Alert] = r.Expr
	}
	if len(all) < 40 {
		t.Fatalf("only %d expressions", len(all))
	}
	return all
}

var (
	seriesWord = regexp.MustCompile(`\b(?:rearm|go|process)_[a-z0-9_]+`)
	selector   = regexp.MustCompile(`([a-z_][a-z0-9_]*)\{([^}]*)\}`)
	matcher    = regexp.MustCompile(`([a-z_]+)\s*(=~|!~|!=|=)\s*"([^"]*)"`)
	grouping   = regexp.MustCompile(`by \(([a-z_, ]*)\)`)
)

// scraper are the labels that Prometheus adds by itself.
var scraper = []string{"instance", "job"}

// The dashboard and the alerts speak of metrics, labels and values that a server really has.
func TestOperationsKnowTheMetrics(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	exercise(t, s)
	all := scrape(t, s.url+"/metrics")
	used := map[string]bool{}
	for where, expr := range expressions(t) {
		labels := slices.Clone(scraper)
		for _, series := range seriesWord.FindAllString(expr, -1) {
			f := familyOf(all, series)
			if f == nil {
				t.Errorf("%s: there is no metric %s", where, series)
				continue
			}
			used[series] = true
			labels = append(labels, slices.Collect(maps.Keys(f.labels))...)
		}
		for _, by := range grouping.FindAllStringSubmatch(expr, -1) {
			for _, label := range strings.Split(by[1], ", ") {
				if !slices.Contains(labels, label) {
					t.Errorf("%s: there is no label %s", where, label)
				}
			}
		}
		checkSelectors(t, all, where, expr)
	}
	if len(used) < 20 {
		t.Errorf("only %d series are used", len(used))
	}
	checkTable(t, all)
}

// checkSelectors checks the labels of the selectors of an expression, and the values that have to be met exactly.
func checkSelectors(t *testing.T, all map[string]*family, where, expr string) {
	t.Helper()
	for _, found := range selector.FindAllStringSubmatch(expr, -1) {
		f := familyOf(all, found[1])
		for _, m := range matcher.FindAllStringSubmatch(found[2], -1) {
			switch {
			case slices.Contains(scraper, m[1]):
			case f == nil || f.labels[m[1]] == nil:
				t.Errorf("%s: %s has no label %s", where, found[1], m[1])
			case !strings.HasSuffix(m[2], "~") && !slices.Contains(f.labels[m[1]], m[3]):
				t.Errorf("%s: the label %s of %s has no value %q, only %v", where, m[1], found[1], m[3], f.labels[m[1]])
			}
		}
	}
}

var tableRow = regexp.MustCompile("(?m)^\\| `(rearm_[a-z_]+)` \\| ([a-z, ]*) \\| (.*) \\|$")

// checkTable compares the README's table of metrics with those that there are.
func checkTable(t *testing.T, all map[string]*family) {
	t.Helper()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]bool{}
	for _, row := range tableRow.FindAllStringSubmatch(string(readme), -1) {
		told[row[1]] = true
		f := all[row[1]]
		if f == nil {
			t.Errorf("README tells of %s, which is not there", row[1])
			continue
		}
		delete(f.labels, "le")
		if labels := strings.Join(slices.Sorted(maps.Keys(f.labels)), ", "); labels != row[2] || f.help != row[3] {
			t.Errorf("| `%s` | %s | %s |", row[1], labels, f.help)
		}
	}
	for name, f := range all {
		if strings.HasPrefix(name, "rearm_") && !told[name] {
			delete(f.labels, "le")
			t.Errorf("README has no row | `%s` | %s | %s |", name, strings.Join(slices.Sorted(maps.Keys(f.labels)), ", "), f.help)
		}
	}
}
