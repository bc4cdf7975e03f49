package db_test

import (
	"context"
	"encoding/binary"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
)

// BenchmarkLists reads pages of 50 of every list, with each of its filters and each of its sort keys alone, and gives the
// milliseconds of each: the quickest of some reads, since others may use the machine. There are listRows tasks, each in a scope
// of its own, as many entries of the log, as many incidents, and listBatches batches with a job. ms/1, ms/2 ... are for several
// values, which benchList.values explains; of a sort key the second is the descending order. Meant for -benchtime 1x.
func BenchmarkLists(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.Store{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			fillLists(b, s)
			for _, l := range benchLists {
				b.Run(l.name, func(b *testing.B) { l.run(b, s) })
			}
			b.Run("standing", func(b *testing.B) { measureStanding(b, s) })
		})
	}
}

// benchList is a list that BenchmarkLists measures. id gives the id of its row of a number.
type benchList struct {
	name     string
	resource *db.Resource
	id       func(i int) db.ID
	page     func(*db.Store, *db.Filter) error
}

var benchLists = []benchList{
	{"external-task", db.Tasks, listID, pager(db.Queries.Tasks)},
	{"history/external-task-log", db.TaskLog, listID, pager(db.Queries.TaskLog)},
	{"incident", db.Incidents, listID, pager(db.Queries.Incidents)},
	{"history/incident", db.HistoricIncidents, listID, pager(db.Queries.HistoricIncidents)},
	{"batch", db.Batches, listBatchID, pager(db.Queries.Batches)},
	{"batch/statistics", db.BatchesWithStatistics, listBatchID, pager(db.Queries.BatchStatistics)},
	{"history/batch", db.HistoricBatches, listBatchID, pager(db.Queries.HistoricBatches)},
	{"job", db.Jobs, func(i int) db.ID { return listBatchID(i).Sub(db.SubJob, 0) }, pager(db.Queries.Jobs)},
	{"job-definition", db.JobDefinitions, func(i int) db.ID { return listBatchID(i).Sub(db.SubDefinition, 0) }, pager(db.Queries.JobDefinitions)},
}

// measureStanding reports the milliseconds of counting what operators watch.
func measureStanding(b *testing.B, s *db.Store) {
	best := time.Hour
	for b.Loop() {
		for range 5 {
			start := time.Now()
			if _, err := s.Standing(context.Background()); err != nil {
				b.Fatal(err)
			}
			best = min(best, time.Since(start))
		}
	}
	b.ReportMetric(float64(best.Microseconds())/1000, "ms/1")
	b.ReportMetric(0, "ns/op")
}

func pager[T any](list func(db.Queries, context.Context, *db.Filter) ([]T, error)) func(*db.Store, *db.Filter) error {
	return func(s *db.Store, f *db.Filter) error {
		_, err := list(s.Queries, context.Background(), f)
		return err
	}
}

// run measures a list without a filter, with each filter, and with each sort key.
func (l benchList) run(b *testing.B, s *db.Store) {
	l.measure(b, s, "all", &db.Filter{})
	for _, name := range slices.Sorted(maps.Keys(l.resource.Fields)) {
		l.measure(b, s, name, each(l.values(name), func(v any) *db.Filter { return &db.Filter{Values: map[string]any{name: v}} })...)
	}
	for _, key := range slices.Sorted(maps.Keys(l.resource.Sorts)) {
		l.measure(b, s, "by-"+key, &db.Filter{Sort: []db.Order{{By: key}}}, &db.Filter{Sort: []db.Order{{By: key, Desc: true}}})
	}
}

// measure reports the milliseconds of some queries.
func (l benchList) measure(b *testing.B, s *db.Store, name string, filters ...*db.Filter) {
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			for i, f := range filters {
				f.Now, f.Max = listRows/2, 50
				b.ReportMetric(l.least(b, s, f), "ms/"+strconv.Itoa(i+1))
			}
		}
		b.ReportMetric(0, "ns/op")
	})
}

// least gives the milliseconds of the quickest of some reads of a page. Unless they are slow, the first ones do not count:
// after five, PostgreSQL may settle on one plan for all values.
func (l benchList) least(b *testing.B, s *db.Store, f *db.Filter) float64 {
	b.Helper()
	const slow = 300 * time.Millisecond
	best := time.Hour
	for reads := 0; reads < 10; reads++ {
		start := time.Now()
		if err := l.page(s, f); err != nil {
			b.Fatalf("%s %v: %v", l.name, f.Values, err)
		}
		took := time.Since(start)
		if reads >= 6 || took > slow {
			best = min(best, took)
		}
		reads += int(3 * took / slow)
	}
	return float64(best.Microseconds()) / 1000
}

// values gives the values that a filter is measured with. Of texts: one that every tenth row has, one that few have, all over
// the table, one that only the newest twentieth has, and one that none has. Of dates: in the middle, at both ends, and beyond.
func (l benchList) values(name string) []any {
	field, middle := l.resource.Fields[name], strconv.Itoa(listRows/2)
	ids := []string{l.id(listBatches / 2).String(), l.id(listRows + 7).String()}
	texts := []string{"v3", "rare", "late", "none"}
	switch {
	case strings.HasPrefix(name, "processInstanceId"), name == "activityInstanceIdIn":
		texts = []string{"i" + middle, "none"}
	case name == "incidentType":
		texts = []string{db.FailedExternalTask, db.FailedJob}
	case name == "jobId", name == "jobIds", name == "jobDefinitionId":
		texts = ids
	case name == "incidentMessageLike":
		texts = []string{"v%", "rar%", "lat%", "%none%"}
	case name == "processVariables":
		return each([]string{"many", "few", "none"}, func(variable string) any {
			return []db.Comparison{{Name: &variable, Operator: ptr("eq"), Value: "x"}}
		})
	case field.Comparisons:
		return []any{compare("gt", listBatches/2), compare("lt", 10), compare("gt", listBatches)}
	case field.Kind == db.Date:
		return []any{db.Time(listRows / 2), db.Time(10), db.Time(listRows - 10), db.Time(-1), db.Time(2 * listRows)}
	case field.Kind == db.Long:
		return []any{int64(5), int64(1000), int64(-1), int64(10_000)}
	}
	return samplesOf(field, texts, ids)
}

// samplesOf gives those values that fit a filter.
func samplesOf(field db.Field, texts, ids []string) []any {
	switch field.Kind {
	case db.OneID:
		return each(ids, func(id string) any { return id })
	case db.IDs:
		return []any{ids}
	case db.Text:
		return each(texts, func(text string) any { return text })
	case db.Texts:
		return append(each(texts, func(text string) any { return []string{text} }), []string{texts[len(texts)-2], "other"})
	case db.Choice:
		return []any{true, false}
	case db.Special:
		return slices.DeleteFunc(append([]any{true}, each(texts, func(text string) any { return text })...), func(v any) bool {
			_, _, err := field.Make(&db.Filter{}, v)
			return err != nil
		})
	}
	return []any{true}
}

func each[A, B any](list []A, f func(A) B) (all []B) {
	for _, v := range list {
		all = append(all, f(v))
	}
	return all
}

// listID is the id of the task, the execution, the entry and the incident of a number.
func listID(i int) (id db.ID) {
	binary.BigEndian.PutUint64(id[8:], uint64(i))
	return id
}

// listBatchID is the id of the batch of a number.
func listBatchID(i int) (id db.ID) {
	binary.BigEndian.PutUint64(id[2:], uint64(i))
	return id
}

// How many rows BenchmarkLists has.
const (
	listRows    = 1_000_000
	listBatches = 10_000
)

// fillLists fills all tables inside the database. Every second task is locked until its number, and every second scope has a
// tenant; tasks at 0 retries are among the newest, and every second incident is open.
func fillLists(b *testing.B, s *db.Store) {
	b.Helper()
	conn, expand := dbtest.Raw(b, s), strings.NewReplacer(listWords[s.Dialect()]...)
	for _, statement := range strings.Split(listStatements, ";\n") {
		n := listRows
		if strings.Contains(statement, "BATCH(g)") {
			n = listBatches
		}
		text := strings.ReplaceAll(expand.Replace(statement), "N", strconv.Itoa(n))
		if _, err := conn.ExecContext(context.Background(), text); err != nil {
			b.Fatalf("%v: %s", err, text)
		}
	}
}

// listWords are what listStatements are written with. ROWS is a table with the column g from 0 to N - 1, ID(g) and BATCH(g) are
// ids, LABEL(g) is a text as benchList.values describes, and SETTLE is what PostgreSQL does by itself after a while.
var listWords = map[string][]string{
	"sqlite": {
		"ROWS", "(with recursive c(g) as (select 0 union all select g + 1 from c where g < N - 1) select g from c) r", "NIL", "zeroblob(16)",
		"ID(g)", "unhex(printf('%032x', g))", "BATCH(g)", "unhex(printf('%020x000000000000', g))", "LABEL(g)", listLabel, "SETTLE", "analyze",
	},
	"postgres": {
		"ROWS", "generate_series(0, N - 1) r(g)", "NIL", "cast('00000000-0000-0000-0000-000000000000' as uuid)",
		"ID(g)", "cast(lpad(to_hex(g), 32, '0') as uuid)", "BATCH(g)", "cast(rpad(lpad(to_hex(g), 20, '0'), 32, '0') as uuid)",
		"LABEL(g)", listLabel, "SETTLE", "vacuum analyze",
	},
}

const listLabel = "case when g % 50000 = 49999 then 'rare' when g >= N / 20 * 19 then 'late' else 'v' || (g % 10) end"

const listStatements = `insert into scope (id, business_key, definition_id, definition_key, tenant_id, tasks, start_time)
 select 'i' || g, LABEL(g), LABEL(g), LABEL(g), case when g % 2 = 1 then LABEL(g) end, 1, g from ROWS;
insert into external_task (id, scope_id, execution_id, activity_id, activity_instance_id)
 select ID(g), 'i' || g, ID(g), LABEL(g), 'i' || g from ROWS;
insert into external_task_state (id, rev, create_time, lock_expiration, held, priority, retries, suspended, topic_name, worker_id)
 select ID(g), 1, g, case when g % 2 = 1 then g end, g % 2 = 1, case LABEL(g) when 'rare' then 1000 when 'late' then -1 else g % 10 end,
 case when LABEL(g) = 'late' then 0 when g % 3 > 0 then 3 end, LABEL(g) = 'rare', LABEL(g), case when g % 2 = 1 then LABEL(g) end from ROWS;
insert into variable (scope_id, task_id, name, type, text_value, value_info)
 select 'i' || g, NIL, case LABEL(g) when 'rare' then 'few' else 'many' end, 'String', 'x', '{}' from ROWS;
insert into task_log (id, at, event, task_id, scope_id, execution_id, activity_id, activity_instance_id, topic_name, worker_id, priority, retries, error_message,
 definition_id, definition_key, tenant_id)
 select ID(g), g, case LABEL(g) when 'rare' then 4 when 'late' then 3 when 'v3' then 2 else 1 end, ID(g), 'i' || g, ID(g), LABEL(g), 'i' || g, LABEL(g),
 case when g % 2 = 1 then LABEL(g) end, case LABEL(g) when 'rare' then 1000 when 'late' then -1 else g % 10 end, g % 3,
 case when g % 2 = 1 then LABEL(g) end, LABEL(g), LABEL(g), case when g % 2 = 1 then LABEL(g) end from ROWS;
insert into incident (id, type, state, configuration, scope_id, execution_id, activity_id, tenant_id, create_time, end_time, message, history_configuration)
 select ID(g), 'failedExternalTask', case when g % 50000 = 49999 then 2 else (g / 10) % 2 end, ID(g), 'i' || g, ID(g), LABEL(g), case when g % 2 = 1 then LABEL(g) end, g,
 case when (g / 10) % 2 = 1 then g end, LABEL(g), ID(g) from ROWS;
insert into batch (id, mark, type, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, suspended, start_time, tenant_id, create_user_id)
 select BATCH(g), g, LABEL(g), 1, 1, 1, 1, 1, g % 1000 = 999, g, case when g % 2 = 1 then LABEL(g) end, LABEL(g) from ROWS;
insert into historic_batch (id, type, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, start_time, end_time, tenant_id)
 select BATCH(g), LABEL(g), 1, 1, 1, 1, 1, g, case when g % 1000 < 999 then g end, case when g % 2 = 1 then LABEL(g) end from ROWS;
insert into job (batch_id, kind, first, n, retries, priority, suspended, due_date, create_time, exception_message)
 select BATCH(g), 1, 0, 1, case when g % 1000 = 999 then 0 else 3 end, g % 10, g % 1000 = 999, case when g % 2 = 1 then g end, g,
 case when g % 2 = 1 then LABEL(g) end from ROWS;
SETTLE`
