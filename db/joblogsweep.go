package db

import (
	"context"
	"slices"
	"strings"
)

// Sorted by job, the ranges of the log overlap: 1,000 jobs that were made together and done one by one are one range of
// creations and 1,000 of successes. So the ranges are read, few as they are, and cut at all their borders; between two borders
// every job has the same entries.

// logByJob is JobLog for a filter whose sort key of place i is jobId: what is before it sorts the ranges, what is behind it the
// entries of one job.
func (q Queries) logByJob(ctx context.Context, f *Filter, i int, do func(*LogEntry) error) error {
	before, err := JobLog.sortKeys(f.Sort[:i])
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(slices.Clone(f.Sort[i+1:]), func(o Order) bool { return o.By == f.Sort[i].By }) // said once is enough
	behind, err := JobLog.sortKeys(others)
	if err != nil {
		return err
	}
	from, cond, args, err := q.selectLog(f)
	if err != nil {
		return err
	}
	level, direction := "0", ""
	if len(before) > 0 {
		level = "dense_rank() over (order by " + strings.Join(before, ", ") + ")"
	}
	if f.Sort[i].Desc {
		direction = " desc"
	}
	var rows []logRow
	text := "select " + entryColumns + ", " + level + " as level, row_number() over (order by " + strings.Join(append(behind, JobLog.ID), ", ") +
		") as place from " + from + " where " + cond + " order by level, l.batch_id" + direction + ", l.kind" + direction + ", l.first"
	if err := q.sel(ctx, &rows, text, args...); err != nil {
		return err
	}
	return sweep(rows, f, f.Sort[i].Desc, do)
}

// sweep calls do for each entry of the page of a filter, given ranges in the order of level, batch, kind and first; within a level
// and kind of a batch the last job comes first when it goes backwards.
func sweep(rows []logRow, f *Filter, backwards bool, do func(*LogEntry) error) error {
	for skip := int64(0); len(rows) > 0; {
		n := slices.IndexFunc(rows, func(r logRow) bool {
			return r.Level != rows[0].Level || r.BatchID != rows[0].BatchID || r.Kind != rows[0].Kind
		})
		if n < 0 {
			n = len(rows)
		}
		parts := segments(rows[:n])
		if backwards {
			slices.Reverse(parts)
		}
		for _, s := range parts {
			if err := s.eachEntry(f, skip, backwards, do); err != nil {
				return err
			}
			skip += s.entries()
		}
		if rows = rows[n:]; skip >= int64(f.First)+int64(f.Max) {
			break
		}
	}
	return nil
}

// segment is a run of jobs, from lo to before hi, all of which have an entry in each of rows and in no other.
type segment struct {
	lo, hi int32
	rows   []*logRow // in the order of the entries of one job
}

func (s *segment) entries() int64 { return int64(s.hi-s.lo) * int64(len(s.rows)) }

// eachEntry calls do for each of those entries of the segment that are on the page of a filter, when there are skip before it.
func (s *segment) eachEntry(f *Filter, skip int64, backwards bool, do func(*LogEntry) error) error {
	from, to := onPage(f, skip, s.entries())
	for i := from; i < to; i++ {
		job, row := int32(i/int64(len(s.rows))), i%int64(len(s.rows)) //nolint:gosec // below hi - lo
		number := s.lo + job
		if backwards {
			number = s.hi - 1 - job
		}
		e := s.rows[row].entry(number)
		if err := do(&e); err != nil {
			return err
		}
	}
	return nil
}

// segments cuts ranges of one kind of a batch, in the order of their first jobs, at all their borders.
func segments(rows []logRow) []segment {
	borders := make([]int32, 0, 2*len(rows))
	for i := range rows {
		borders = append(borders, rows[i].First, rows[i].First+rows[i].N)
	}
	slices.Sort(borders)
	borders = slices.Compact(borders)
	var parts []segment
	var open []*logRow
	for i := 0; i+1 < len(borders); i++ {
		lo := borders[i]
		open = slices.DeleteFunc(open, func(r *logRow) bool { return r.First+r.N <= lo })
		for ; len(rows) > 0 && rows[0].First == lo; rows = rows[1:] {
			at, _ := slices.BinarySearchFunc(open, rows[0].Place, func(r *logRow, place int64) int { return int(r.Place - place) })
			open = slices.Insert(open, at, &rows[0])
		}
		if len(open) > 0 {
			parts = append(parts, segment{lo, borders[i+1], slices.Clone(open)})
		}
	}
	return parts
}
