package db

import "testing"

func TestLikePattern(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{`a%`: `a%`, `a\%`: `a\%`, `a\`: `a\\`, `a\\`: `a\\`, `a\\\`: `a\\\\`, ``: ``} {
		if got := likePattern(in); got != want {
			t.Errorf("%s: got %s, want %s", in, got, want)
		}
	}
}

func TestFolded(t *testing.T) {
	t.Parallel()
	for cond, want := range map[string]string{
		"v.name = ?":                         "lower(v.name) = lower(?)",
		`v.text_value not like ? escape '\'`: `lower(v.text_value) not like lower(?) escape '\'`,
	} {
		if got := folded(cond, true); got != want || folded(cond, false) != cond {
			t.Errorf("%s: got %s, want %s", cond, got, want)
		}
	}
}

func TestCompareValueRefuses(t *testing.T) {
	t.Parallel()
	if _, _, err := compareValue("eq", []string{"x"}, false); err == nil {
		t.Error("a list was compared")
	}
}
