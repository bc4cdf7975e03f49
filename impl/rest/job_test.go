package rest

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// shop is an engine with one batch that is not seeded yet, and whose execution jobs 0 and 1 wait; 2 has failed for good.
type shop struct {
	engine *engine.Engine
	batch  db.ID
}

func newShop(t *testing.T, s *db.Store) shop {
	t.Helper()
	ctx, trace, message := context.Background(), "at line 1", "boom"
	b := db.Batch{ID: db.BatchBase(dbtest.ID()), Type: "set-external-task-retries", Items: 3, TotalJobs: 3, JobsPerSeed: 100, ItemsPerJob: 1, JobsPerChunk: 1000,
		JobsCreated: 3, StartTime: 1000}
	failed := db.Range{BatchID: b.ID, Kind: db.ExecutionJob, First: 2, N: 1, CreateTime: 1000, ExceptionMessage: &message, Stacktrace: &trace}
	if err := s.Tx(ctx, func(tx *db.Tx) error {
		return errors.Join(tx.InsertBatch(ctx, &b), tx.InsertRanges(ctx, failed,
			db.Range{BatchID: b.ID, Kind: db.ExecutionJob, First: 0, N: 2, Retries: 3, CreateTime: 1000},
			db.Range{BatchID: b.ID, Kind: db.MonitorJob, First: 0, N: 1, Retries: 3, CreateTime: 1000, DueDate: ptr(db.TimeOf(someDate))}),
			tx.UpdateSeeded(ctx, &b),
			tx.OpenJobIncident(ctx, db.JobIncident{ID: b.ID.Sub(db.SubJobIncident, 0), Job: failed.ID(2), Definition: db.ExecutionJob.Definition(b.ID),
				At: 1000, Message: &message, FailureLog: ptr(b.ID.Sub(db.SubFailureLog, 0))}))
	}); err != nil {
		t.Fatal(err)
	}
	e := engine.New(s, engine.Options{
		Now: func() time.Time { return someDate.Add(time.Hour) }, NewID: dbtest.ID, Log: slog.New(slog.DiscardHandler),
		Wake: func([]string) {}, Run: func() {}, Settings: engine.DefaultSettings(),
	})
	return shop{e, b.ID}
}

// id gives the id of something that belongs to the shop's batch.
func (s shop) id(kind byte, ordinal uint32) string { return s.batch.Sub(kind, ordinal).String() }

// answer writes what a handler returned as the server does, and gives status, content type and body.
func answer(t *testing.T, response any, err error) (status int, contentType, text string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	if err := visit(response, w); err != nil {
		t.Fatal(err)
	}
	return w.Code, w.Header().Get("Content-Type"), w.Body.String()
}

// visit writes an answer, by the first of its methods that does.
func visit(response any, w http.ResponseWriter) error {
	v := reflect.ValueOf(response)
	for i := range v.NumMethod() {
		if strings.HasPrefix(v.Type().Method(i).Name, "Visit") {
			err, _ := v.Method(i).Call([]reflect.Value{reflect.ValueOf(w)})[0].Interface().(error)
			return err
		}
	}
	return nil
}

// wantJSON checks an answer of 200 against a document, in which BATCH stands for the first 23 digits of all ids.
func (s shop) wantJSON(t *testing.T, want string, response any, err error) {
	t.Helper()
	status, contentType, got := answer(t, response, err)
	want = strings.ReplaceAll(want, "BATCH", s.batch.String()[:27])
	var a, b any
	if err := errors.Join(json.Unmarshal([]byte(got), &a), json.Unmarshal([]byte(want), &b)); err != nil {
		t.Fatal(err, got)
	}
	if status != http.StatusOK || contentType != "application/json" || !reflect.DeepEqual(a, b) {
		t.Errorf("answer %d %s %s; want %s", status, contentType, got, want)
	}
}

// wantStatus checks an answer without a body.
func wantStatus(t *testing.T, want int, response any, err error) {
	t.Helper()
	if status, _, got := answer(t, response, err); status != want || got != "" {
		t.Errorf("answer %d %q, want %d", status, got, want)
	}
}

// wantFault checks an error's kind and words.
func wantFault(t *testing.T, err error, kind fault.Kind, message string) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != kind || f.Message != message {
		t.Errorf("error %v, want kind %d %q", err, kind, message)
	}
}

const failedJob = `{"id": "BATCH100000002", "jobDefinitionId": "BATCH500000000", "batchId": "BATCH000000000", "retries": 0, "exceptionMessage": "boom",
 "failedActivityId": null, "dueDate": null, "suspended": false, "priority": 0, "tenantId": null, "createTime": "1970-01-01T00:00:01.000+0000",
 "processInstanceId": null, "executionId": null, "processDefinitionId": null, "processDefinitionKey": null}`

const monitorJob = `{"id": "BATCH300000000", "jobDefinitionId": "BATCH700000000", "batchId": "BATCH000000000", "retries": 3, "exceptionMessage": null,
 "failedActivityId": null, "dueDate": "2013-01-23T12:42:45.000+0000", "suspended": false, "priority": 0, "tenantId": null,
 "createTime": "1970-01-01T00:00:01.000+0000", "processInstanceId": null, "executionId": null, "processDefinitionId": null, "processDefinitionKey": null}`

func TestJobReads(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		s, ctx := newShop(t, store), context.Background()
		h := jobs{s.engine, newTurns()}
		one, err := h.GetJob(ctx, gen.GetJobRequestObject{ID: s.id(db.SubMonitor, 0)})
		s.wantJSON(t, monitorJob, one, err)
		list, err := h.GetJobs(ctx, gen.GetJobsRequestObject{Params: gen.GetJobsParams{SortBy: ptr(gen.JobSortBy("jobDueDate")), SortOrder: ptr(gen.SortOrder("desc")),
			JobIds: ptr(s.id(db.SubMonitor, 0) + "," + s.id(db.SubJob, 2))}})
		s.wantJSON(t, "["+monitorJob+","+failedJob+"]", list, err)
		query := body[gen.JobQueryDto](t, `{"noRetriesLeft": true, "dueDates": []}`)
		posted, err := h.QueryJobs(ctx, gen.QueryJobsRequestObject{Body: query})
		s.wantJSON(t, "["+failedJob+"]", posted, err)
		posted, err = h.QueryJobs(ctx, gen.QueryJobsRequestObject{Params: gen.QueryJobsParams{FirstResult: ptr(4)}})
		s.wantJSON(t, "[]", posted, err)
		count, err := h.GetJobsCount(ctx, gen.GetJobsCountRequestObject{})
		s.wantJSON(t, `{"count": 4}`, count, err)
		counted, err := h.QueryJobsCount(ctx, gen.QueryJobsCountRequestObject{Body: query})
		s.wantJSON(t, `{"count": 1}`, counted, err)
	})
}

func TestJobReadsRefuse(t *testing.T) {
	t.Parallel()
	s, ctx := newShop(t, dbtest.SQLite(t)), context.Background()
	h := jobs{s.engine, newTurns()}
	bad := gen.JobQueryDto{Timers: some(true), Messages: some(true)}
	const words = "Parameter timers cannot be used together with parameter messages."
	list, err := h.QueryJobs(ctx, gen.QueryJobsRequestObject{Body: &bad})
	if err != nil {
		t.Fatal(err)
	}
	wantFault(t, visit(list, httptest.NewRecorder()), fault.Invalid, words) // a list is read while it is written
	_, err = h.QueryJobsCount(ctx, gen.QueryJobsCountRequestObject{Body: &bad})
	wantFault(t, err, fault.Invalid, words)
	const date = `Invalid due date format: Cannot convert value "x" to java type java.util.Date`
	_, err = h.GetJobs(ctx, gen.GetJobsRequestObject{Params: gen.GetJobsParams{DueDates: ptr("gt_x")}})
	wantFault(t, err, fault.Invalid, date)
	_, err = h.GetJobsCount(ctx, gen.GetJobsCountRequestObject{Params: gen.GetJobsCountParams{DueDates: ptr("gt_x")}})
	wantFault(t, err, fault.Invalid, date)
	_, err = h.GetJob(ctx, gen.GetJobRequestObject{ID: "?"})
	wantFault(t, err, fault.NotFound, "Job with id ? does not exist")
	_, err = h.GetStacktrace(ctx, gen.GetStacktraceRequestObject{ID: "?"})
	wantFault(t, err, fault.NotFound, "No job found with id ?: job is null")
	_, err = jobWrites{s.engine}.ExecuteJob(ctx, gen.ExecuteJobRequestObject{ID: "?"})
	wantFault(t, err, fault.NotFound, "ENGINE-14026 No job found with id '?'")
	_, err = jobWrites{s.engine}.SetJobRetries(ctx, gen.SetJobRetriesRequestObject{ID: "?", Body: &gen.JobRetriesDto{}})
	wantFault(t, err, fault.NotFound, "ENGINE-13053 No job found with id '?'.'")
}

func TestStacktrace(t *testing.T) {
	t.Parallel()
	s, ctx := newShop(t, dbtest.SQLite(t)), context.Background()
	h := jobs{s.engine, newTurns()}
	response, err := h.GetStacktrace(ctx, gen.GetStacktraceRequestObject{ID: s.id(db.SubJob, 2)})
	if status, contentType, text := answer(t, response, err); status != http.StatusOK || contentType != "text/plain" || text != "at line 1" {
		t.Errorf("stack trace: %d %s %q", status, contentType, text)
	}
	response, err = h.GetStacktrace(ctx, gen.GetStacktraceRequestObject{ID: s.id(db.SubJob, 0)})
	wantStatus(t, http.StatusNoContent, response, err)
}

func TestJobWrites(t *testing.T) {
	t.Parallel()
	s, ctx := newShop(t, dbtest.SQLite(t)), context.Background()
	h, id := jobWrites{s.engine}, s.id(db.SubJob, 1)
	for _, c := range []struct {
		body    string
		retries int32
		due     *db.Time
	}{
		{`{"retries": 7}`, 7, nil},
		{`{"retries": 6, "dueDate": "` + someDateText + `"}`, 6, ptr(db.TimeOf(someDate))},
		{`{"retries": 5}`, 5, ptr(db.TimeOf(someDate))},
		{`{"retries": 4, "dueDate": null}`, 4, nil},
	} {
		response, err := h.SetJobRetries(ctx, gen.SetJobRetriesRequestObject{ID: id, Body: body[gen.JobRetriesDto](t, c.body)})
		wantStatus(t, http.StatusNoContent, response, err)
		if j, err := s.engine.Job(ctx, db.Caller{}, id); err != nil || j.Retries != c.retries || !reflect.DeepEqual(j.DueDate, c.due) {
			t.Errorf("%s: %+v, %v", c.body, j, err)
		}
	}
	response, err := h.ExecuteJob(ctx, gen.ExecuteJobRequestObject{ID: s.id(db.SubMonitor, 0)})
	wantStatus(t, http.StatusNoContent, response, err)
	if _, err := (jobs{s.engine, newTurns()}).GetJob(ctx, gen.GetJobRequestObject{ID: s.id(db.SubMonitor, 0)}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the check is done, but its job is there: %v", err)
	}
}
