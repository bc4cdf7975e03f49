package contract

import (
	"testing"

	"rearm/gen"
)

// The order of paths is one order, whatever two of them are compared first, and in it no path hides a more literal one.
func TestOrderOfPaths(t *testing.T) {
	t.Parallel()
	doc, err := Load(gen.Document)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range newRouter(doc).templates {
		for _, a := range list {
			for _, b := range list {
				if byLiterals(a, b) != -byLiterals(b, a) || a != b && byLiterals(a, b) == 0 {
					t.Errorf("%s and %s have no order", a.path, b.path)
				}
				for _, c := range list {
					if byLiterals(a, b) < 0 && byLiterals(b, c) < 0 && byLiterals(a, c) >= 0 {
						t.Fatalf("%s comes before %s, that before %s, and that before the first", a.path, b.path, c.path)
					}
				}
			}
			if found := newRouter(doc).find(a.segments); found == nil || found.path != a.path {
				t.Errorf("%s is taken for %v", a.path, found)
			}
		}
	}
}
