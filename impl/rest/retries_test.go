package rest

import (
	"net/http"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/fault"
)

func TestReadAlternatives(t *testing.T) {
	t.Parallel()
	q, err := read(db.RunningScopes, body[gen.ProcessInstanceQueryDto](t, `{"active": true, "orQueries": [{"businessKey": "a", "suspended": true}, null, {"orQueries": [{}]}]}`))
	if err != nil || len(q.Values) != 1 || len(q.Or) != 2 || len(q.Or[0].Values) != 2 || q.Or[0].Values["businessKey"] != "a" || len(q.Or[1].Or) != 1 {
		t.Errorf("%+v, %v", q, err)
	}
	if _, err := read(db.RunningScopes, body[gen.ProcessInstanceQueryDto](t, `{"orQueries": []}`)); err != nil {
		t.Error(err)
	}
}

// Of each of orQueries one filter is enough, in both kinds of queries for process instances, now and in the background.
func TestAlternatives(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		ids := map[string]string{}
		for _, key := range []string{"a", "b", "c"} {
			ids[key] = w.create(`{"topicName": "t", "processInstanceId": "p-` + key + `", "businessKey": "` + key + `"}`)
		}
		w.wants("PUT", "/process-instance/p-c/suspended", `{"suspended": true}`, http.StatusNoContent, "")
		w.wants("PUT", "/external-task/retries", `{"retries": 7, "processInstanceQuery": {"orQueries": [
			{"businessKey": "a", "suspended": true}, {"processInstanceIds": ["p-a", "p-b"], "sorting": []}, null, {}]}}`, http.StatusNoContent, "")
		for key, id := range ids {
			if retries := w.task(id).Retries; retries.IsNull() != (key != "a") {
				t.Errorf("%s has the retries %v", key, retries)
			}
		}
		var batch gen.BatchDto
		w.decode(w.send("POST", "/external-task/retries-async", `{"retries": 0, "historicProcessInstanceQuery": {"unfinished": true, "orQueries": [
			{"processInstanceBusinessKeyIn": ["a"], "processInstanceId": "p-b"}]}}`), &batch)
		if batch.TotalJobs != 2 {
			t.Errorf("%d jobs", batch.TotalJobs)
		}
		for query, message := range map[string]string{
			`{"orQueries": [{"orQueries": [{}]}]}`:                      "orQueries cannot be used inside of orQueries",
			`{"orQueries": [{"businessKey": "d", "suspended": false}]}`: "externalTaskIds is empty",
			`{"orQueries": [{"sortBy": "businessKey"}]}`:                "Only a single sorting parameter specified. sortBy and sortOrder required",
			`{"orQueries": {}}`:                                         "*",
		} {
			body := `{"retries": 1, "processInstanceQuery": ` + query + `}`
			w.wants("PUT", "/external-task/retries", body, http.StatusBadRequest, failure(fault.InvalidRequest, message))
			w.wants("POST", "/external-task/retries-async", body, http.StatusBadRequest, failure(fault.InvalidRequest, message))
		}
	})
}
