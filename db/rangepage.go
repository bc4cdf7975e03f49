package db

// pageOfRanges gives the query, and its arguments, of the ranges that have a part of the page of a filter, of all that a condition
// selects. Each counts as many entries as its column n says, and gets the number of entries before it as skip. The page is cut
// from the running sum of n, so that its cost is that of the ranges, not of the entries (jobs.md 6f). table is the name of the
// ranges in from.
func pageOfRanges(table, columns, from, cond, order string, args []any, f *Filter) (string, []any) {
	text := "select r.* from (select " + columns + ", sum(" + table + ".n) over (" + order + " rows unbounded preceding) - " + table + ".n as skip from " +
		from + " where " + cond + ") r where r.skip < ? and r.skip + r.n > ? order by r.skip"
	return text, append(args, int64(f.First)+int64(f.Max), f.First)
}

// onPage tells which of n entries, before which there are skip, are on the page of a filter: those from one place to before
// another, counted from 0. There is none if to is not greater.
func onPage(f *Filter, skip, n int64) (from, to int64) {
	return max(0, int64(f.First)-skip), min(n, int64(f.First)+int64(f.Max)-skip)
}
