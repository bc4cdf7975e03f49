package rest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/fault"
)

const logFailure = `{"id": "BATCH800000000", "timestamp": "1970-01-01T00:00:03.000+0000", "removalTime": "2013-01-23T12:42:45.000+0000", "jobId": "BATCH100000001",
 "jobDueDate": null, "jobRetries": 3, "jobPriority": 7, "jobExceptionMessage": "boom", "failedActivityId": null, "jobDefinitionId": "BATCH500000000",
 "jobDefinitionType": "set-external-task-retries", "jobDefinitionConfiguration": "BATCH000000000", "activityId": null, "executionId": null,
 "processInstanceId": null, "processDefinitionId": null, "processDefinitionKey": null, "deploymentId": null, "rootProcessInstanceId": null, "tenantId": null,
 "hostname": "n1", "batchId": "BATCH000000000", "creationLog": false, "failureLog": true, "successLog": false, "deletionLog": false}`

const logSeed = `{"id": "BATCHe00000002", "timestamp": "1970-01-01T00:00:02.000+0000", "removalTime": "2013-01-23T12:42:45.000+0000", "jobId": "BATCH200000002",
 "jobDueDate": "2013-01-23T12:42:45.000+0000", "jobRetries": 1, "jobPriority": 0, "jobExceptionMessage": null, "failedActivityId": null,
 "jobDefinitionId": "BATCH600000000", "jobDefinitionType": "batch-seed-job", "jobDefinitionConfiguration": "BATCH000000000", "activityId": null,
 "executionId": null, "processInstanceId": null, "processDefinitionId": null, "processDefinitionKey": null, "deploymentId": null,
 "rootProcessInstanceId": null, "tenantId": null, "hostname": null, "batchId": "BATCH000000000", "creationLog": false, "failureLog": false,
 "successLog": true, "deletionLog": false}`

// logged makes a server whose job log tells of one batch: execution jobs 0 to 2 created, 1 failed, 0 deleted; three runs of the
// seed. It gives what writes the batch's ids into a text.
func logged(t *testing.T, s *db.Store) (*world, func(string) string) {
	t.Helper()
	ctx, id := context.Background(), db.BatchBase(dbtest.ID())
	row := db.LogRange{BatchID: id, Kind: db.ExecutionJob, Event: db.JobCreated, N: 3, At: 1000, Retries: 3}
	failed, deleted, seeded := row, row, row
	failed.Event, failed.First, failed.N, failed.At, failed.Priority = db.JobFailed, 1, 1, 3000, 7
	failed.Message, failed.Stacktrace, failed.Host = ptr("boom"), ptr("at line 1"), ptr("n1")
	deleted.Event, deleted.N = db.JobDeleted, 1
	seeded.Kind, seeded.Event, seeded.At, seeded.Retries, seeded.DueDate = db.SeedJob, db.JobSucceeded, 2000, 1, ptr(db.TimeOf(someDate))
	if err := s.Tx(ctx, func(tx *db.Tx) error {
		b := &db.Batch{ID: id, Mark: id.Mark(), Type: "set-external-task-retries", Items: 3, TotalJobs: 3, JobsPerSeed: 1, ItemsPerJob: 1, JobsPerChunk: 1000}
		return errors.Join(tx.InsertBatch(ctx, b), tx.InsertLog(ctx, row, failed, deleted, seeded), tx.SetRemovalTime(ctx, []db.ID{id}, ptr(db.TimeOf(someDate))))
	}); err != nil {
		t.Fatal(err)
	}
	return newWorld(t, s), func(text string) string { return strings.ReplaceAll(text, "BATCH", id.String()[:27]) }
}

func TestJobLogReads(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, of := logged(t, s)
		for _, c := range []struct{ method, path, body, want string }{
			{"GET", "/history/job-log/BATCH800000000", "", logFailure},
			{"GET", "/history/job-log/BATCHe00000002", "", logSeed},
			{"GET", "/history/job-log?failureLog=true", "", "[" + logFailure + "]"},
			{"GET", "/history/job-log?jobId=BATCH200000002", "", "[" + logSeed + "]"},
			{"GET", "/history/job-log?sortBy=timestamp&sortOrder=desc&maxResults=1", "", "[" + logFailure + "]"},
			{"GET", "/history/job-log?jobPriorityHigherThanOrEquals=7&hostname=n1&jobExceptionMessage=boom&withoutTenantId=true", "", "[" + logFailure + "]"},
			{"GET", "/history/job-log?activityIdIn=a,b", "", "[]"},
			{"GET", "/history/job-log?tenantIdIn=", "", "[]"},
			{"GET", "/history/job-log/count", "", `{"count": 8}`},
			{"GET", "/history/job-log/count?jobDefinitionType=batch-seed-job", "", `{"count": 3}`},
			{"POST", "/history/job-log?firstResult=1&maxResults=1", `{"jobDefinitionId": "BATCH500000000", "sorting": [{"sortBy": "jobId", "sortOrder": "desc"},
				{"sortBy": "occurrence", "sortOrder": "desc"}]}`, "[" + logFailure + "]"},
			{"POST", "/history/job-log", `{"logId": "BATCHe00000002", "tenantIdIn": null, "activityIdIn": []}`, "[" + logSeed + "]"},
			{"POST", "/history/job-log", `{"executionIdIn": ["x"]}`, "[]"},
			{"POST", "/history/job-log/count", `{"jobDefinitionConfiguration": "BATCH000000000", "deletionLog": true}`, `{"count": 1}`},
			{"POST", "/history/job-log/count", "", `{"count": 8}`},
		} {
			w.wants(c.method, of(c.path), of(c.body), http.StatusOK, of(c.want))
		}
	})
}

func TestJobLogStacktrace(t *testing.T) {
	t.Parallel()
	w, of := logged(t, dbtest.SQLite(t))
	got := w.send("GET", of("/history/job-log/BATCH800000000/stacktrace"), "", "Accept", "text/plain")
	if got.status != http.StatusOK || got.text != "at line 1" || !strings.HasPrefix(got.mediaType, "text/plain") {
		t.Errorf("stack trace: %+v", got)
	}
	w.wants("GET", of("/history/job-log/BATCHe00000002/stacktrace"), "", http.StatusNoContent, "")
	w.wants("GET", "/history/job-log/nonexistent/stacktrace", "", http.StatusNotFound,
		failure(fault.InvalidRequest, "No historic job log found with id nonexistent: historicJobLog is null"))
	if got := w.send("GET", of("/history/job-log/BATCH800000000/stacktrace"), "", "Accept", "application/json"); got.status != http.StatusNotAcceptable {
		t.Errorf("a stack trace as JSON: %+v", got)
	}
}

func TestJobLogRefuses(t *testing.T) {
	t.Parallel()
	w, _ := logged(t, dbtest.SQLite(t))
	w.wants("GET", "/history/job-log/nonexistent", "", http.StatusNotFound, failure(fault.InvalidRequest, "Historic job log with id nonexistent does not exist"))
	for query, want := range map[string]string{
		"sortBy=jobId":        failure(fault.InvalidRequest, "Only a single sorting parameter specified. sortBy and sortOrder required"),
		"executionIdIn=a,,b":  coded(fault.NotValid, "executionIds contains empty string"),
		"failedActivityIdIn=": coded(fault.NotValid, "activityIds contains empty string"),
		"sortBy=nope&sortOrder=asc": failure(fault.InvalidRequest, "Cannot set query parameter 'sortBy' to value 'nope'"),
	} {
		w.wants("GET", "/history/job-log?"+query, "", http.StatusBadRequest, want)
		w.wants("GET", "/history/job-log/count?"+query, "", http.StatusBadRequest, want)
	}
	for body, want := range map[string]string{
		`{"activityIdIn": [""]}`:                                      coded(fault.NotValid, "activityIds contains empty string"),
		`{"activityIdIn": [null]}`:                                    coded(fault.NullValue, "activityIds contains null value"),
		`{"failedActivityIdIn": ["a", null]}`:                         coded(fault.NullValue, "activityIds contains null value"),
		`{"executionIdIn": [null]}`:                                   coded(fault.NullValue, "executionIds contains null value"),
		`{"sorting": [{"sortBy": "timestamp"}]}`:                      coded(fault.NotValid, "Invalid query: call asc() or desc() after using orderByXX(): direction is null"),
		`{"sorting": [{"sortBy": "nope", "sortOrder": "asc"}]}`:       coded(fault.NotValid, "You should call any of the orderBy methods first before specifying a direction: currentOrderingProperty is null"),
		`{"sortOrder": "asc"}`:                                        failure(fault.InvalidRequest, "Only a single sorting parameter specified. sortBy and sortOrder required"),
		`{"successLog": "true"}`:                                      failure(fault.InvalidRequest, "*"),
		`{"sortBy": "nope", "sortOrder": "asc", "activityIdIn": "x"}`: failure(fault.InvalidRequest, "*"),
	} {
		w.wants("POST", "/history/job-log", body, http.StatusBadRequest, want)
		w.wants("POST", "/history/job-log/count", body, http.StatusBadRequest, want)
	}
}
