package engine_test

import (
	"context"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// sortings makes levels of `key direction,...`; an empty word is left out.
func sortings(text string) (list []engine.Level) {
	if text == "" {
		return nil
	}
	for level := range strings.SplitSeq(text, ",") {
		by, order, _ := strings.Cut(level, " ")
		var l engine.Level
		if by != "" {
			l.By = &by
		}
		if order != "" {
			l.Order = &order
		}
		list = append(list, l)
	}
	return list
}

// A sorting is refused in the reference's words, or the database can sort by it.
func FuzzSorting(f *testing.F) {
	for _, s := range []string{
		"", "id asc", "createTime desc,id asc", "taskPriority asc", "jobId desc,timestamp asc,jobId asc", "jobRetries", "jobDueDate asc,nope asc", " asc", "nope", "jobId asc, desc",
		"timestamp asc,occurrence desc,hostname asc", "processInstanceId desc", "batchId asc,tenantId desc", strings.Repeat("id asc,taskPriority desc,", 2000) + "id asc",
	} {
		f.Add(s)
	}
	w := newWorld(f, dbtest.Open(f, "sqlite::memory:"))
	w.tasks(3, "t")
	ctx := context.Background()
	lists := map[string]func(engine.Query) error{
		"tasks":     func(q engine.Query) error { _, err := w.Tasks(ctx, everybody, q); return err },
		"task log":  func(q engine.Query) error { _, err := w.TaskLog(ctx, everybody, q); return err },
		"batches":   func(q engine.Query) error { _, err := w.Batches(ctx, everybody, q); return err },
		"incidents": func(q engine.Query) error { _, err := w.Incidents(ctx, everybody, q); return err },
		"jobs":      func(q engine.Query) error { _, err := w.Jobs(ctx, everybody, q); return err },
		"job log":   func(q engine.Query) error { _, err := w.JobLog(ctx, everybody, q); return err },
	}
	f.Fuzz(func(t *testing.T, text string) {
		for name, list := range lists {
			q := engine.Query{Sorting: engine.Sorting{Levels: sortings(text)}, Max: 10}
			if err := list(q); err != nil && fault.KindOf(err) != fault.Invalid {
				t.Errorf("%s by %q: %v", name, text, err)
			}
		}
	})
}

// What is accepted names keys of the resource, each once.
func TestSortingSaysEachKeyOnce(t *testing.T) {
	t.Parallel()
	orders, err := engine.Sorting{Levels: sortings("id asc,taskPriority desc,id desc,nope,taskPriority desc")}.Orders(db.Tasks.Sorts)
	if err != nil || len(orders) != 2 || orders[0] != (db.Order{By: "id"}) || orders[1] != (db.Order{By: "taskPriority", Desc: true}) {
		t.Errorf("%v, %v", orders, err)
	}
}
