package engine_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// listNow is the time of the engines that lists are read from.
const listNow db.Time = 5000

// listed makes an engine with one batch of tenant t1: a seed job, and execution jobs 0 to 4, of which 3 has failed for good.
func listed(t *testing.T, s *db.Store) (*engine.Engine, db.ID) {
	t.Helper()
	trace, message, tenant := "at line 1", "boom", "t1"
	b := db.Batch{ID: db.BatchBase(dbtest.ID()), Type: "set-external-task-retries", Items: 9, TotalJobs: 9, JobsPerSeed: 5, ItemsPerJob: 1, JobsPerChunk: 1000, TenantID: &tenant}
	due := listNow + 1
	if err := s.Tx(context.Background(), func(tx *db.Tx) error {
		return errors.Join(tx.InsertBatch(context.Background(), &b), tx.InsertRanges(context.Background(),
			db.Range{BatchID: b.ID, Kind: db.ExecutionJob, First: 0, N: 3, Retries: 3, CreateTime: 1000},
			db.Range{BatchID: b.ID, Kind: db.ExecutionJob, First: 3, N: 1, CreateTime: 1000, ExceptionMessage: &message, Stacktrace: &trace},
			db.Range{BatchID: b.ID, Kind: db.ExecutionJob, First: 4, N: 1, Retries: 1, CreateTime: 2000, DueDate: &due},
			db.Range{BatchID: b.ID, Kind: db.SeedJob, First: 1, N: 1, Retries: 3, CreateTime: 2000}))
	}); err != nil {
		t.Fatal(err)
	}
	return engine.New(s, engine.Options{
		Now: func() time.Time { return listNow.Time() }, NewID: dbtest.ID, Log: slog.New(slog.DiscardHandler),
		Wake: func([]string) {}, Run: func() {}, Settings: engine.DefaultSettings(),
	}), b.ID
}

// numbers gives kind and number of jobs.
func numbers(jobs []db.Job) string {
	var list []string
	for _, j := range jobs {
		_, kind, number := j.ID.Split()
		list = append(list, fmt.Sprint(kind, ".", number))
	}
	return strings.Join(list, " ")
}

func sorted(by, order string) engine.Sorting { return engine.Sorting{By: &by, Order: &order} }

func TestJobs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		e, _ := listed(t, s)
		ctx, all := context.Background(), db.Caller{}
		for _, c := range []struct {
			caller db.Caller
			query  engine.Query
			want   string
			count  int64
		}{
			{all, engine.Query{Max: 9}, "1.0 1.1 1.2 1.3 1.4 2.1", 6},
			{all, engine.Query{Max: 2, First: 2}, "1.2 1.3", 6},
			{all, engine.Query{Max: 3, Sorting: sorted("jobId", "desc")}, "2.1 1.4 1.3", 6},
			{all, engine.Query{Max: 3, Sorting: sorted("jobRetries", "asc")}, "1.3 1.4 1.0", 6},
			{all, engine.Query{Max: 9, Values: map[string]any{"executable": true}}, "1.0 1.1 1.2 2.1", 4},
			{all, engine.Query{Max: 9, Values: map[string]any{"timers": true, "messages": false}}, "", 0},
			{db.Caller{Tenants: []string{"t1"}}, engine.Query{Max: 1}, "1.0", 6},
			{db.Caller{Tenants: []string{"t2"}}, engine.Query{Max: 1}, "", 0},
		} {
			jobs, err := e.Jobs(ctx, c.caller, c.query)
			if err != nil || numbers(jobs) != c.want {
				t.Errorf("%+v: %q, %v; want %q", c.query, numbers(jobs), err, c.want)
			}
			if n, err := e.CountJobs(ctx, c.caller, c.query); err != nil || n != c.count {
				t.Errorf("count %+v: %d, %v; want %d", c.query, n, err, c.count)
			}
		}
	})
}

// wantFault checks an error's kind, type, code and words.
func wantFault(t *testing.T, err error, kind fault.Kind, message string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Type != fault.InvalidRequest || f.Code != nil || f.Message != message {
		t.Errorf("error %#v, want kind %d %q", err, kind, message)
	}
}

func TestJobsRefuse(t *testing.T) {
	t.Parallel()
	e, _ := listed(t, dbtest.SQLite(t))
	comparison := func(name, operator string, value any) engine.Query {
		return engine.Query{Values: map[string]any{name: []db.Comparison{{Operator: &operator, Value: value}}}}
	}
	asc := "asc"
	for want, q := range map[string]engine.Query{
		"Parameter timers cannot be used together with parameter messages.":        {Values: map[string]any{"timers": true, "messages": true}},
		"Invalid due date comparator specified: near":                              comparison("dueDates", "near", listNow),
		"Invalid create time comparator specified: eq":                             comparison("createTimes", "eq", listNow),
		"Invalid due date comparator specified: null":                              {Values: map[string]any{"dueDates": []db.Comparison{{Value: listNow}}}},
		"Invalid create time format: a comparison needs a date":                    comparison("createTimes", "gt", nil),
		"Only a single sorting parameter specified. sortBy and sortOrder required": {Sorting: engine.Sorting{Order: &asc}},
		"filter: nope cannot be judged":                                            {Values: map[string]any{"nope": true}},
		"jobDefinitionId: filter: a value of type bool":                            {Values: map[string]any{"jobDefinitionId": true}},
	} {
		_, err := e.Jobs(context.Background(), db.Caller{}, q)
		wantFault(t, err, fault.Invalid, want)
		_, err = e.CountJobs(context.Background(), db.Caller{}, q)
		wantFault(t, err, fault.Invalid, want)
	}
}

func TestJob(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		e, batch := listed(t, s)
		ctx, failed, fresh := context.Background(), batch.Sub(db.SubJob, 3), batch.Sub(db.SubJob, 1)
		j, err := e.Job(ctx, db.Caller{}, failed.String())
		if err != nil || j.ID != failed || j.Retries != 0 || *j.ExceptionMessage != "boom" || *j.TenantID != "t1" {
			t.Errorf("failed job: %+v, %v", j, err)
		}
		if trace, err := e.JobStacktrace(ctx, db.Caller{}, failed.String()); err != nil || *trace != "at line 1" {
			t.Errorf("stack trace: %v, %v", trace, err)
		}
		if trace, err := e.JobStacktrace(ctx, db.Caller{}, fresh.String()); err != nil || trace != nil {
			t.Errorf("stack trace of a job that did not fail: %v, %v", trace, err)
		}
		for id, caller := range map[string]db.Caller{
			"nonexistent": {}, batch.String(): {}, batch.Sub(db.SubJob, 5).String(): {}, fresh.String(): {Tenants: []string{"t2"}},
		} {
			_, err := e.Job(ctx, caller, id)
			wantFault(t, err, fault.NotFound, "Job with id "+id+" does not exist")
			_, err = e.JobStacktrace(ctx, caller, id)
			wantFault(t, err, fault.NotFound, "No job found with id "+id+": job is null")
		}
	})
}
