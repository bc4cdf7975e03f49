package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// table is what the benchmark prints: a row for each measurement, with the bare statements' figure, rearm's, and how they compare.
type table struct {
	title string
	rows  [][4]string
}

var heads = [4]string{"what", "bare", "rearm", "ratio"}

// times adds a row of two times; the ratio is how many times as long rearm takes.
func (t *table) times(what string, bare, rearm time.Duration) {
	t.rows = append(t.rows, [4]string{what, short(bare), short(rearm), ratio(rearm.Seconds(), bare.Seconds())})
}

// rates adds a row of two rates; the ratio is how much of the bare rate rearm reaches.
func (t *table) rates(what, unit string, bare, rearm float64) {
	t.rows = append(t.rows, [4]string{what, rate(bare, unit), rate(rearm, unit), ratio(rearm, bare)})
}

// add adds a row as it is.
func (t *table) add(what, bare, rearm, ratio string) {
	t.rows = append(t.rows, [4]string{what, bare, rearm, ratio})
}

func rate(r float64, unit string) string { return fmt.Sprintf("%s %s/s", number(int(r)), unit) }

func ratio(a, b float64) string {
	if b == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f", a/b)
}

// short gives a time with three digits.
func short(d time.Duration) string {
	for _, unit := range []time.Duration{time.Second, time.Millisecond, time.Microsecond} {
		if d >= 100*unit {
			return d.Round(unit).String()
		}
		if d >= unit {
			return d.Round(unit / 100).String()
		}
	}
	return d.String()
}

// number gives a whole number with commas between thousands.
func number(n int) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// many gives a number of things that are called what, one or more.
func many(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return number(n) + " " + what
}

// print prints the table, as markdown or for a terminal.
func (t *table) print(w io.Writer, markdown bool) error {
	if markdown {
		_, err := fmt.Fprintf(w, "%s\n\n| %s |\n|---|---:|---:|---:|\n", t.title, strings.Join(heads[:], " | "))
		for _, r := range t.rows {
			_, err = fmt.Fprintf(w, "| %s |\n", strings.Join(r[:], " | "))
		}
		return err
	}
	tabs := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	fmt.Fprintf(tabs, "%s\n\n%s\n", t.title, strings.Join(heads[:], "\t"))
	for _, r := range t.rows {
		fmt.Fprintf(tabs, "%s\n", strings.Join(r[:], "\t"))
	}
	return tabs.Flush()
}

// machine says on what was measured.
func machine(database string) string {
	return fmt.Sprintf("%s on the same machine as rearm and its clients; %d CPUs, %s/%s, %s", database, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

// median gives the middle one of some values.
func median[T cmp.Ordered](list []T) T { return percentile(list, 50) }

// percentile gives the value that so many percent of a list do not exceed; zero if it is empty.
func percentile[T cmp.Ordered](list []T, percent int) (p T) {
	if len(list) == 0 {
		return p
	}
	sorted := slices.Sorted(slices.Values(list))
	return sorted[min(len(sorted)*percent/100, len(sorted)-1)]
}
