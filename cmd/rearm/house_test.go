package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"unicode"

	"go.yaml.in/yaml/v3"

	"rearm/gen"
)

// mayImport says for each package what it may import of ours: imports only go down, from cmd over impl to db. cmd may import
// all. What is not listed may import nothing, and a new package has to be entered here.
var mayImport = map[string][]string{
	"db":                         nil,
	"db/dbtest":                  {"db"},
	"gen":                        {"openapi/wire"},
	"impl/auth":                  {"impl/fault", "db", "openapi/wire"},
	"impl/console":               {"impl/engine"},
	"impl/contract":              {"impl/fault", "gen", "openapi/wire", "db"},
	"impl/engine":                {"impl/variable", "impl/fault", "db"},
	"impl/executor":              nil,
	"impl/fault":                 nil,
	"impl/observe":               {"impl/contract", "impl/engine", "db"},
	"impl/poll":                  {"impl/engine", "impl/fault", "db"},
	"impl/rest":                  {"impl/contract", "impl/poll", "impl/engine", "impl/variable", "impl/fault", "db", "gen", "openapi/wire"},
	"impl/variable":              {"impl/fault"},
	"openapi":                    nil,
	"openapi/merge":              {"openapi/wire"},
	"openapi/wire":               nil,
	"impl/contract/contracttest": {"impl/contract", "impl/fault", "gen", "openapi/wire", "db"},
}

func TestImportsOnlyGoDown(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, "rearm/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		names := strings.Fields(line)
		from := strings.TrimPrefix(names[0], "rearm/")
		allowed, known := mayImport[from]
		if strings.HasPrefix(from, "cmd/") {
			continue
		}
		if !known {
			t.Errorf("%s is not in the table of what may be imported", from)
		}
		seen++
		for _, name := range names[1:] {
			if to, ours := strings.CutPrefix(name, "rearm/"); ours && !slices.Contains(allowed, to) {
				t.Errorf("%s must not import %s", from, to)
			}
		}
	}
	if seen < 8 {
		t.Errorf("only %d packages were looked at", seen)
	}
}

// reference is the document of the contract's origin, where it is at hand. Its words are not ours to copy.
const reference = "../../../shared/reference/reference.json"

func TestDescriptionsAreOurOwn(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(reference)
	if err != nil {
		t.Skip("the reference's document is not beside this repository")
	}
	var theirs, ours any
	if err := json.Unmarshal(b, &theirs); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(gen.Document, &ours); err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	descriptions(theirs, func(text string) {
		for _, run := range runs(text) {
			known[run] = true
		}
	})
	if len(known) < 1000 {
		t.Fatalf("only %d runs of words in the reference", len(known))
	}
	descriptions(ours, func(text string) {
		for _, run := range runs(text) {
			if known[run] {
				t.Errorf("the reference's words %q in %q", run, text)
				return
			}
		}
	})
}

// descriptions calls f for every description and summary in a document.
func descriptions(node any, f func(text string)) {
	switch n := node.(type) {
	case map[string]any:
		for key, value := range n {
			if text, ok := value.(string); ok && (key == "description" || key == "summary") {
				f(text)
			}
			descriptions(value, f)
		}
	case []any:
		for _, value := range n {
			descriptions(value, f)
		}
	}
}

// runs gives every eight consecutive words of a text. A date pattern is one word.
func runs(text string) (list []string) {
	const length = 8
	all := strings.Fields(strings.ToLower(text))
	for i, word := range all {
		all[i] = strings.TrimFunc(word, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	}
	for i := 0; i+length <= len(all); i++ {
		list = append(list, strings.Join(all[i:i+length], " "))
	}
	return list
}
