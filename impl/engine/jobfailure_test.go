package engine_test

import (
	"errors"
	"fmt"
	"testing"

	"rearm/db"
	"rearm/impl/engine"
)

// Jobs with an item that cannot be done are parted from the others, which stay in ranges as long as they are.
func TestPartJobs(t *testing.T) {
	t.Parallel()
	a, b := errors.New("a"), errors.New("b")
	for _, c := range []struct {
		claimed       [][2]int32 // first and n
		lengths       []int
		perJob        int
		causes        []error
		others, fails string
		why           []error
	}{
		{[][2]int32{{0, 3}}, []int{3}, 1, []error{nil, nil, nil}, "[[0 3]]", "[]", nil},
		{[][2]int32{{4, 3}}, []int{3}, 1, []error{a, nil, b}, "[[5 1]]", "[[4 1] [6 1]]", []error{a, b}},
		{[][2]int32{{0, 5}}, []int{5}, 1, []error{nil, nil, a, nil, nil}, "[[0 2] [3 2]]", "[[2 1]]", []error{a}},
		{[][2]int32{{0, 2}, {2, 2}}, []int{2, 2}, 1, []error{nil, nil, nil, a}, "[[0 2] [2 1]]", "[[3 1]]", []error{a}},
		{[][2]int32{{0, 2}, {7, 2}}, []int{4, 3}, 2, []error{nil, b, nil, nil, nil, nil, a}, "[[1 1] [7 1]]", "[[0 1] [8 1]]", []error{b, a}},
	} {
		var claimed []db.Range
		for _, r := range c.claimed {
			claimed = append(claimed, db.Range{First: r[0], N: r[1], Retries: 3})
		}
		others, fails, why := engine.PartJobs(claimed, c.lengths, c.perJob, c.causes)
		expect(t, "others", pairs(others), c.others)
		expect(t, "failed", pairs(fails), c.fails)
		expect(t, "reasons", fmt.Sprint(why), fmt.Sprint(c.why))
	}
}

func pairs(ranges []db.Range) string {
	list := [][2]int32{}
	for _, r := range ranges {
		list = append(list, [2]int32{r.First, r.N})
	}
	return fmt.Sprint(list)
}
