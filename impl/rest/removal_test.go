package rest

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// ended makes a batch on a new task, runs it, and gives its id.
func (w *world) ended() string {
	w.t.Helper()
	ids := []string{w.create(`{"topicName": "t"}`)}
	b, err := w.engine.SetRetriesAsync(context.Background(), db.Caller{}, engine.SetRetriesAsync{Retries: 1, Selection: engine.Selection{IDs: engine.IDsOf(ids...)}})
	if err != nil {
		w.t.Fatal(err)
	}
	w.run()
	return b.ID.String()
}

// run lets an executor do all that there is to do.
func (w *world) run() {
	w.t.Helper()
	r := w.engine.NewRunner()
	for more := true; more; {
		var err error
		if _, more, err = r.Step(context.Background(), time.Second); err != nil {
			w.t.Fatal(err)
		}
	}
}

// removal gives the removal time of a batch, as it is written.
func (w *world) removal(id string) any {
	w.t.Helper()
	return tree(w.t, w.send("GET", "/history/batch/"+id, "").text).(map[string]any)["removalTime"]
}

const removalBatch = `{"id": "*", "type": "batch-set-removal-time", "totalJobs": 1, "jobsCreated": 0, "batchJobsPerSeed": 100, "invocationsPerBatchJob": 1,
 "seedJobDefinitionId": "*", "monitorJobDefinitionId": "*", "batchJobDefinitionId": "*", "suspended": false, "tenantId": null, "createUserId": null,
 "startTime": "2013-01-23T12:42:45.000+0000", "executionStartTime": null}`

func TestSetRemovalTime(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		day := 24 * time.Hour
		w.engine.BatchTTL.ByType = map[string]time.Duration{engine.SetExternalTaskRetries: day}
		id, to := w.ended(), "/history/batch/set-removal-time"
		for _, c := range []struct {
			body string
			want any
		}{
			{`{"historicBatchIds": ["BATCH", "BATCH", "nonexistent"], "absoluteRemovalTime": "2099-01-23T14:42:45.000+0200", "clearedRemovalTime": false}`, "2099-01-23T12:42:45.000+0000"},
			{`{"historicBatchQuery": {"batchId": "BATCH", "completed": true}, "clearedRemovalTime": true, "absoluteRemovalTime": null, "unknown": 1}`, nil},
			{`{"historicBatchIds": ["BATCH"], "historicBatchQuery": {"type": "nope"}, "calculatedRemovalTime": true, "hierarchical": true}`, "2013-01-24T12:42:45.000+0000"},
		} {
			w.wants("POST", to, strings.ReplaceAll(c.body, "BATCH", id), http.StatusOK, removalBatch)
			w.run()
			if got := w.removal(id); got != c.want {
				t.Errorf("%s: %v, want %v", c.body, got, c.want)
			}
		}
	})
}

func TestSetRemovalTimeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	for body, want := range map[string]string{
		`{}`: coded(fault.BadUserRequest, "Neither query nor ids provided."),
		`{"historicBatchIds": null, "historicBatchQuery": null, "clearedRemovalTime": true}`: coded(fault.BadUserRequest, "Neither query nor ids provided."),
		`{"historicBatchIds": ["x"]}`:                               coded(fault.BadUserRequest, "removalTime is null"),
		`{"historicBatchIds": [], "clearedRemovalTime": true}`:      coded(fault.BadUserRequest, "historicBatches is empty"),
		`{"historicBatchQuery": {}, "calculatedRemovalTime": true}`: coded(fault.BadUserRequest, "historicBatches is empty"),
		`{"historicBatchIds": ["x"], "clearedRemovalTime": true, "calculatedRemovalTime": true}`: coded(fault.BadUserRequest,
			"The removal time modes are mutually exclusive: mode is not null"),
		`{"historicBatchQuery": {"sortBy": "batchId"}, "clearedRemovalTime": true}`: failure(fault.InvalidRequest,
			"Only a single sorting parameter specified. sortBy and sortOrder required"),
		`{"historicBatchIds": ["x"], "absoluteRemovalTime": "never"}`:          failure(fault.InvalidRequest, "*"),
		`{"historicBatchIds": ["x"], "clearedRemovalTime": "maybe"}`:           failure(fault.InvalidRequest, "*"),
		`{"historicBatchQuery": {"completed": 1}, "clearedRemovalTime": true}`: failure(fault.InvalidRequest, "*"),
		`{"historicBatchIds": [null], "clearedRemovalTime": true}`:             failure(fault.InvalidRequest, "*"),
	} {
		w.wants("POST", "/history/batch/set-removal-time", body, http.StatusBadRequest, want)
	}
}

func TestCleanableReport(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, path := newWorld(t, s), "/history/batch/cleanable-batch-report"
		w.wants("GET", path, "", http.StatusOK, "[]")
		ttl := 36 * time.Hour
		w.engine.BatchTTL.ByType = map[string]time.Duration{engine.SetExternalTaskRetries: ttl}
		id := w.ended()
		w.pass(ttl)
		w.ended()
		w.wants("POST", "/history/batch/set-removal-time", `{"historicBatchIds": ["`+id+`"], "calculatedRemovalTime": true}`, http.StatusOK,
			strings.ReplaceAll(removalBatch, "2013-01-23T12:42:45.000+0000", "2013-01-25T00:42:45.000+0000"))
		const (
			runs  = `{"batchType": "batch-set-removal-time", "historyTimeToLive": null, "finishedBatchesCount": 0, "cleanableBatchesCount": 0}`
			ended = `{"batchType": "set-external-task-retries", "historyTimeToLive": 2, "finishedBatchesCount": 2, "cleanableBatchesCount": 1}`
		)
		w.wants("GET", path, "", http.StatusOK, "["+runs+","+ended+"]")
		w.wants("GET", path+"?sortBy=finished&sortOrder=desc", "", http.StatusOK, "["+ended+","+runs+"]")
		w.wants("GET", path+"?firstResult=1&maxResults=1", "", http.StatusOK, "["+ended+"]")
		w.wants("GET", path+"?maxResults=0", "", http.StatusOK, "[]")
		w.wants("GET", path+"/count", "", http.StatusOK, `{"count": 2}`)
		for _, p := range []string{path, path + "/count"} {
			w.wants("GET", p+"?sortBy=finished", "", http.StatusBadRequest, failure(fault.InvalidRequest, "Only a single sorting parameter specified. sortBy and sortOrder required"))
			w.wants("GET", p+"?sortBy=nope&sortOrder=asc", "", http.StatusBadRequest, failure(fault.InvalidRequest, "Cannot set query parameter 'sortBy' to value 'nope'"))
		}
	})
}

func TestDeleteHistoricBatch(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	id := w.ended()
	w.wants("DELETE", "/history/batch/"+id, "", http.StatusNoContent, "")
	w.wants("GET", "/history/job-log/count?jobDefinitionConfiguration="+id, "", http.StatusOK, `{"count": 0}`)
	for _, gone := range []string{id, "nonexistent"} {
		w.wants("DELETE", "/history/batch/"+gone, "", http.StatusNotFound, coded(fault.InvalidRequest, "Unable to delete historic batch with id '"+gone+"'"))
	}
}
