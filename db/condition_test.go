package db

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

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

// What no database plans, or takes, is refused before it is asked.
func TestFiltersHaveBounds(t *testing.T) {
	t.Parallel()
	name, eq, gt := "x", "eq", "gt"
	compare, dates := compareVariables("c.id", ownVariables), compareDates("j.due_date", "<")
	for _, n := range []int{maxComparisons, maxComparisons + 1} {
		_, _, err := compare(&Filter{}, slices.Repeat([]Comparison{{Name: &name, Operator: &eq, Value: "y"}}, n))
		_, _, err2 := dates(&Filter{}, slices.Repeat([]Comparison{{Operator: &gt, Value: Time(1)}}, n))
		if refused := n > maxComparisons; errors.Is(err, ErrFilter) != refused || errors.Is(err2, ErrFilter) != refused {
			t.Errorf("%d comparisons: %v, %v", n, err, err2)
		}
	}
	for _, n := range []int{MaxPattern, MaxPattern + 1} {
		pattern := strings.Repeat("x", n)
		_, _, err := like("c like ?").Make(&Filter{}, pattern)
		_, _, err2 := compareValue("notLike", pattern, false)
		if refused := n > MaxPattern; errors.Is(err, ErrFilter) != refused || errors.Is(err2, ErrFilter) != refused {
			t.Errorf("a pattern of %d bytes: %v, %v", n, err, err2)
		}
	}
}
