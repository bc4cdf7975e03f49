package main

import (
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"rearm/db"
)

// ledger is what the clients of a chaos did and were told.
type ledger struct {
	mu          sync.Mutex
	wrongs      []string
	creations   map[string]*creation // by Idempotency-Key, which is the business key too
	batches     map[string]*bulk     // by Idempotency-Key
	holds       []hold
	failures    map[string]*deed // by the message, which is told once only
	completions map[string][]*deed
	live        int // tasks that were made and not ended, as far as one knows
}

// creation is a request to create n tasks.
type creation struct {
	n   int
	ids []string // nil: it was given up without an answer
}

// bulk is a request for a batch.
type bulk struct {
	id      string // "": it was given up without an answer
	retries int32
	ids     []string // the tasks that it named, sorted, each once; nil: it asked for a topic
}

// hold is a time in which a worker had a task, as it knows: from when it heard of it to when it gave it back, or the lock ended.
type hold struct {
	task, worker string
	from, until  time.Time
}

// deed is what a worker said of a task.
type deed struct {
	task, worker string
	reply        reply
}

func newLedger() *ledger {
	return &ledger{creations: map[string]*creation{}, batches: map[string]*bulk{}, failures: map[string]*deed{}, completions: map[string][]*deed{}}
}

// write writes into the ledger.
func (l *ledger) write(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
}

// worth tells whether enough was done for that many kills to prove something.
func (l *ledger) worth(kills int) (ok bool) {
	l.write(func() { ok = len(l.holds) >= kills && len(l.failures) >= kills/4 && len(l.completions) >= kills/8 })
	return ok
}

// check compares what clients were told with what is there.
func (l *ledger) check(t *testing.T, conn *sqlx.DB, batches []ended) {
	t.Helper()
	for _, w := range l.wrongs[:min(len(l.wrongs), 20)] {
		t.Error(w)
	}
	l.checkCreations(t, conn)
	l.checkBatches(t, conn, batches)
	l.checkHolds(t)
	l.checkFailures(t, conn)
	l.checkCompletions(t, conn)
}

// keys gives the Idempotency-Keys under which something was done.
func keys(t *testing.T, conn *sqlx.DB) map[string]bool {
	t.Helper()
	done := map[string]bool{}
	for _, name := range read[string](t, conn, "select name from idempotency") {
		done[name] = true
	}
	return done
}

// checkCreations: what was acknowledged is there once, with the ids that were told; what was given up is there wholly or not at all.
func (l *ledger) checkCreations(t *testing.T, conn *sqlx.DB) {
	t.Helper()
	there := map[string][]string{}
	for _, row := range read[struct {
		Key  string `db:"business_key"`
		Task db.ID  `db:"task_id"`
	}](t, conn, "select c.business_key, l.task_id from task_log l join scope c on c.id = l.scope_id where l.event = 1 and c.business_key is not null") {
		there[row.Key] = append(there[row.Key], row.Task.String())
	}
	done := keys(t, conn)
	for key, c := range l.creations {
		got := there[key]
		delete(there, key)
		slices.Sort(got)
		switch {
		case c.ids != nil && !slices.Equal(got, slices.Sorted(slices.Values(c.ids))):
			t.Errorf("%s: acknowledged were %d tasks, of %d there", key, len(c.ids), len(got))
		case c.ids == nil && (len(got) != 0 && len(got) != c.n || (len(got) > 0) != done[key]):
			t.Errorf("%s: given up, and %d of %d tasks are there; key kept: %v", key, len(got), c.n, done[key])
		}
	}
	if len(there) > 0 {
		t.Errorf("%d creations that nobody asked for", len(there))
	}
}

// checkBatches: each one that was acknowledged is there, as it was asked for; others are there only if their key is.
func (l *ledger) checkBatches(t *testing.T, conn *sqlx.DB, batches []ended) {
	t.Helper()
	there := map[string]ended{}
	for _, b := range batches {
		there[b.ID.String()] = b
	}
	done := keys(t, conn)
	unheard := 0
	for key, asked := range l.batches {
		b, ok := there[asked.id]
		delete(there, asked.id)
		switch {
		case asked.id == "" && done[key]:
			unheard++
		case asked.id == "":
		case !ok:
			t.Errorf("%s: the batch %s was acknowledged and is not there", key, asked.id)
		case *b.Retries != asked.retries || asked.ids != nil && !slices.Equal(textsOf(b.ids), asked.ids):
			t.Errorf("%s: the batch %s sets %d retries of %d tasks; asked were %d of %d", key, asked.id, *b.Retries, len(b.ids), asked.retries, len(asked.ids))
		}
	}
	if len(there) != unheard {
		t.Errorf("%d batches of which nobody was told; %d requests without an answer left their key", len(there), unheard)
	}
}

// textsOf gives ids as clients see them.
func textsOf(ids []db.ID) []string {
	list := make([]string, len(ids))
	for i, id := range ids {
		list[i] = id.String()
	}
	return list
}

// checkHolds: no task had two workers at once.
func (l *ledger) checkHolds(t *testing.T) {
	t.Helper()
	slices.SortFunc(l.holds, func(a, b hold) int { return a.from.Compare(b.from) })
	last := map[string]hold{}
	for _, h := range l.holds {
		if !h.until.After(h.from) { // its lock had ended before the worker heard of it: it never had the task
			continue
		}
		before, known := last[h.task]
		if known && before.worker != h.worker && h.from.Before(before.until) {
			t.Errorf("task %s: %s had it until %s, but %s had it from %s on", h.task, before.worker, before.until, h.worker, h.from)
		}
		if !known || h.until.After(before.until) {
			last[h.task] = h
		}
	}
}

// checkFailures: each failure that was acknowledged is in the log, once unless it had to be told again; one that was refused
// is there only if an attempt before was lost.
func (l *ledger) checkFailures(t *testing.T, conn *sqlx.DB) {
	t.Helper()
	there := map[string]int{}
	for _, row := range read[struct {
		Message string `db:"error_message"`
		Task    db.ID  `db:"task_id"`
		Worker  string `db:"worker_id"`
	}](t, conn, "select error_message, task_id, worker_id from task_log where event = 2") {
		if d := l.failures[row.Message]; d == nil || d.task != row.Task.String() || d.worker != row.Worker {
			t.Errorf("a failure that nobody reported: %+v", row)
		}
		there[row.Message]++
	}
	for message, d := range l.failures {
		least, most := 0, d.reply.unclear
		if d.reply.status == 204 {
			least, most = 1, most+1
		}
		if n := there[message]; n < least || n > most {
			t.Errorf("%s of task %s: answered %d after %d unclear attempts, in the log %d times", message, d.task, d.reply.status, d.reply.unclear, n)
		}
	}
}

// checkCompletions: each task that somebody completed has ended by one of those who said so.
func (l *ledger) checkCompletions(t *testing.T, conn *sqlx.DB) {
	t.Helper()
	by := map[string]string{}
	for _, row := range read[struct {
		Task   db.ID  `db:"task_id"`
		Worker string `db:"worker_id"`
	}](t, conn, "select task_id, worker_id from task_log where event = 3") {
		by[row.Task.String()] = row.Worker
	}
	for task, deeds := range l.completions {
		least, may := false, []string{}
		for _, d := range deeds {
			if d.reply.status == 204 {
				least = true
			}
			if d.reply.status == 204 || d.reply.unclear > 0 {
				may = append(may, d.worker)
			}
		}
		if worker, ended := by[task]; least && !ended || ended && !slices.Contains(may, worker) {
			t.Errorf("task %s: completed %v by %q; those who may have: %v", task, ended, worker, may)
		}
		delete(by, task)
	}
	if len(by) > 0 {
		t.Errorf("%d tasks completed by nobody: %v", len(by), slices.Collect(maps.Values(by)))
	}
}
