package rest

import (
	"strings"
	"testing"

	"rearm/impl/fault"
)

// A text of comparisons is refused with a 400, or it is as many comparisons as it has parts.
func FuzzComparisons(f *testing.F) {
	for _, s := range []string{"", "x_eq_1", "x_eq_1,y_like_%a", "gt_2013-01-23T14:42:45.000+0200", "_", "__", "a_b_c_d", "lt_9999-12-31T23:59:59-2300", ","} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"processVariables", "dueDates", "createTimes"} {
			list, err := parseComparisons(name, text)
			if err != nil && fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s %q: %v", name, text, err)
			}
			if err == nil && len(list) != 1+strings.Count(text, ",") {
				t.Errorf("%s %q: %d comparisons", name, text, len(list))
			}
			for _, c := range list {
				if err == nil && (c.Operator == nil || (c.Name != nil) != (name == "processVariables") || c.Value == nil) {
					t.Errorf("%s %q: %+v", name, text, c)
				}
			}
		}
	})
}
