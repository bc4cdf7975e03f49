package main

import (
	"context"
	"testing"

	"github.com/jmoiron/sqlx"

	"rearm/db"
)

// rules are what holds of every database at rest, whatever has happened to it: each query counts what breaks one.
var rules = []struct{ broken, query string }{
	{"batches that have not ended", "select count(*) from batch"},
	{"jobs that are left", "select count(*) from job"},
	{"jobs that failed", "select count(*) from job_log where event = 2"},
	{"batches without an end", "select count(*) from historic_batch where end_time is null"},
	{"batches without a beginning", "select count(*) from historic_batch where execution_start_time is null"},
	{"batches that began before they were made", "select count(*) from historic_batch where execution_start_time < start_time"},
	{"batches that ended before they began", "select count(*) from historic_batch where end_time < execution_start_time"},
	{"batches that ended before one of their jobs", `select count(*) from historic_batch h
 where exists (select 1 from job_log l where l.batch_id = h.id and l.event = 3 and l.at > h.end_time)`},
	{"batches that no monitor job has ended", `select count(*) from historic_batch h
 where not exists (select 1 from job_log l where l.batch_id = h.id and l.kind = 3 and l.event = 3)`},
	{"incidents that ended before they began", "select count(*) from incident where end_time < create_time"},
	{"tasks without retries that have no incident", `select count(*) from external_task_state s where s.retries = 0
 and not exists (select 1 from incident i where i.configuration = s.id and i.state = 0)`},
	{"open incidents of no task without retries", `select count(*) from incident i where i.state = 0
 and not exists (select 1 from external_task_state s where s.id = i.configuration and s.retries = 0)`},
	{"tasks with more than one open incident", "select count(*) from (select 1 from incident where state = 0 group by configuration having count(*) > 1) x"},
	{"incidents that are open and ended, or neither", "select count(*) from incident where (state = 0) <> (end_time is null)"},
	{"tasks of which only one half is there", `select (select count(*) from external_task_state s where not exists (select 1 from external_task t where t.id = s.id))
 + (select count(*) from external_task t where not exists (select 1 from external_task_state s where s.id = t.id))`},
	{"scopes that count their tasks wrongly", "select count(*) from scope c where c.tasks <> (select count(*) from external_task t where t.scope_id = c.id)"},
	{"tasks of no scope", "select count(*) from external_task t where not exists (select 1 from scope c where c.id = t.scope_id)"},
	{"scopes that ended with tasks, or did not end without", "select count(*) from scope where (tasks = 0) <> (end_time is not null)"},
	{"tasks that were made twice", "select count(*) from (select 1 from task_log where event = 1 group by task_id having count(*) > 1) x"},
	{"tasks that ended twice", "select count(*) from (select 1 from task_log where event in (3, 4) group by task_id having count(*) > 1) x"},
	{"tasks that nobody made", "select count(*) from external_task t where not exists (select 1 from task_log l where l.task_id = t.id and l.event = 1)"},
	{"tasks that are neither there nor ended, or both", `select count(*) from task_log m where m.event = 1
 and (exists (select 1 from external_task t where t.id = m.task_id)) = (exists (select 1 from task_log e where e.task_id = m.task_id and e.event in (3, 4)))`},
	{"tasks whose last failure is not the one in the log", `select count(*) from external_task t where not exists (select 1 from task_log l
 where l.id = t.failure_log_id and l.task_id = t.id and l.event = 2 and l.error_message = t.error_message
 and not exists (select 1 from task_log n where n.task_id = t.id and n.event = 2 and n.at > l.at))
 and (t.failure_log_id is not null or t.error_message is not null or exists (select 1 from task_log l where l.task_id = t.id and l.event = 2))`},
}

// obey checks all rules.
func obey(t *testing.T, conn *sqlx.DB) {
	t.Helper()
	for _, rule := range rules {
		if n := counted(t, conn, rule.query); n != 0 {
			t.Errorf("%d %s", n, rule.broken)
		}
	}
}

// counted gives the one number that a query asks for.
func counted(t *testing.T, conn *sqlx.DB, query string, args ...any) (n int) {
	t.Helper()
	if err := conn.GetContext(context.Background(), &n, conn.Rebind(query), args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// read reads all rows of a query.
func read[T any](t *testing.T, conn *sqlx.DB, query string, args ...any) (list []T) {
	t.Helper()
	if err := conn.SelectContext(context.Background(), &list, conn.Rebind(query), args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return list
}

// ended is a batch as the database keeps it: its items in order, and what became of each.
type ended struct {
	db.HistoricBatch
	ids    []db.ID
	packed []byte // the outcomes
}

// outcomes gives what became of the items, in their order.
func (b *ended) outcomes(t *testing.T) []db.Outcome {
	t.Helper()
	list, err := db.DecodeOutcomes(b.packed)
	if err != nil || len(list) != len(b.ids) {
		t.Fatalf("batch %s: %d outcomes of %d items, %v", b.ID, len(list), len(b.ids), err)
	}
	return list
}

// allEnded reads all batches, which must have ended, oldest first, and checks that each job of each has been made once and done once.
func allEnded(t *testing.T, conn *sqlx.DB) (list []ended) {
	t.Helper()
	for _, h := range read[db.HistoricBatch](t, conn, "select id, type, retries, items, total_jobs, items_per_job, start_time, end_time from historic_batch order by id") {
		b := ended{HistoricBatch: h}
		for _, chunk := range read[[]byte](t, conn, "select ids from batch_chunk where batch_id = ? order by no", h.ID) {
			b.ids = append(b.ids, db.Unpack(chunk)...)
		}
		once(t, conn, &h, db.JobCreated)
		for _, l := range once(t, conn, &h, db.JobSucceeded) {
			outcomes, err := db.DecodeOutcomes(l.Outcome)
			if err != nil || len(outcomes) != int(l.Set+l.Same+l.Gone) {
				t.Errorf("batch %s from job %d on: %d outcomes, %d counted, %v", h.ID, l.First, len(outcomes), l.Set+l.Same+l.Gone, err)
			}
			b.packed = append(b.packed, l.Outcome...)
		}
		if n := len(b.outcomes(t)); n != int(h.Items) {
			t.Errorf("batch %s of %d items has %d outcomes", h.ID, h.Items, n)
		}
		list = append(list, b)
	}
	return list
}

// once checks that an event happened exactly once to each execution job of a batch, and gives the log's rows of it.
func once(t *testing.T, conn *sqlx.DB, h *db.HistoricBatch, event db.JobEvent) []db.LogRange {
	t.Helper()
	rows := read[db.LogRange](t, conn, "select first, n, outcome, n_set, n_same, n_gone from job_log where batch_id = ? and kind = 1 and event = ? order by first", h.ID, event)
	next := int32(0)
	for _, l := range rows {
		if l.First != next {
			t.Errorf("batch %s, event %d: behind job %d comes job %d", h.ID, event, next-1, l.First)
		}
		next = l.First + l.N
	}
	if next != h.TotalJobs {
		t.Errorf("batch %s, event %d: the last job is %d, of %d", h.ID, event, next-1, h.TotalJobs)
	}
	return rows
}
