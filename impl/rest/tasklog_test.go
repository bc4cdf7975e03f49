package rest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/fault"
)

const taskLog = "/history/external-task-log"

// loggedTask is a task with all that an entry shows of it.
const loggedTask = `{"topicName": "t", "priority": 7, "processInstanceId": "p", "processDefinitionKey": "order", "activityId": "charge"}`

const loggedFailure = `{"id": "*", "timestamp": "2013-01-23T12:42:45.000+0000", "removalTime": null, "externalTaskId": "TASK", "topicName": "t", "workerId": "w",
 "priority": 7, "retries": null, "errorMessage": "boom", "activityId": "charge", "activityInstanceId": "*", "executionId": "*", "processInstanceId": "p",
 "rootProcessInstanceId": "p", "processDefinitionId": "order:1:rearm", "processDefinitionKey": "order", "tenantId": null,
 "creationLog": false, "failureLog": true, "successLog": false, "deletionLog": false}`

const loggedBareCreation = `{"id": "*", "timestamp": "2013-01-23T12:42:45.000+0000", "removalTime": null, "externalTaskId": "TASK", "topicName": "u", "workerId": null,
 "priority": 0, "retries": 2, "errorMessage": null, "activityId": null, "activityInstanceId": "*", "executionId": "*", "processInstanceId": "*",
 "rootProcessInstanceId": "*", "processDefinitionId": null, "processDefinitionKey": null, "tenantId": null,
 "creationLog": true, "failureLog": false, "successLog": false, "deletionLog": false}`

// fails locks a task and lets it fail.
func (w *world) fails(id string) {
	w.t.Helper()
	w.lock(id)
	w.wants("POST", "/external-task/"+id+"/failure", `{"workerId": "w", "errorMessage": "boom", "errorDetails": "line 1\nline 2 é", "retries": 1}`, http.StatusNoContent, "")
}

// entry gives the id of the one entry that a query selects.
func (w *world) entry(query string) string {
	w.t.Helper()
	list := tree(w.t, w.send("GET", taskLog+"?"+query, "").text).([]any)
	if len(list) != 1 {
		w.t.Fatalf("%s: %v", query, list)
	}
	return list[0].(map[string]any)["id"].(string)
}

func TestTaskLogReads(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		id, bare := w.create(loggedTask), w.create(`{"topicName": "u", "retries": 2}`)
		w.fails(id)
		failure, created := w.entry("failureLog=true"), w.entry("externalTaskId="+id+"&creationLog=true")
		want := strings.ReplaceAll(loggedFailure, "TASK", id)
		w.wants("GET", taskLog+"/"+failure, "", http.StatusOK, want)
		w.wants("GET", taskLog+"?errorMessage=boom", "", http.StatusOK, "["+want+"]")
		w.wants("POST", taskLog, `{"topicName": "u", "errorMessage": null}`, http.StatusOK, "["+strings.ReplaceAll(loggedBareCreation, "TASK", bare)+"]")
		w.wants("POST", taskLog+"/count", "", http.StatusOK, `{"count": 3}`)
		if got := w.send("GET", taskLog+"/"+failure+"/error-details", "", "Accept", "text/plain"); got != (reply{http.StatusOK, "text/plain", "line 1\nline 2 é"}) {
			t.Errorf("details %+v", got)
		}
		w.wants("GET", taskLog+"/"+created+"/error-details", "", http.StatusNoContent, "")
		if got := w.send("GET", taskLog+"/"+failure+"/error-details", "", "Accept", "application/json"); got.status != http.StatusNotAcceptable {
			t.Errorf("for JSON alone: %+v", got)
		}
		w.pass(time.Hour)
		w.wants("POST", "/external-task/"+id+"/complete", `{"workerId": "w"}`, http.StatusNoContent, "")
		if got := w.send("GET", taskLog+"/"+failure, ""); !strings.Contains(got.text, `"removalTime":"2013-07-22T13:42:45.000+0000"`) {
			t.Errorf("after the end: %s", got.text)
		}
	})
}

// kinds gives the kinds of the entries in a list, in its order: creation, failure, success, deletion.
func kinds(t *testing.T, list reply) (letters string) {
	t.Helper()
	if list.status != http.StatusOK {
		return list.text
	}
	for _, l := range tree(t, list.text).([]any) {
		for _, kind := range []string{"creation", "failure", "success", "deletion"} {
			if l.(map[string]any)[kind+"Log"] == true {
				letters += kind[:1]
			}
		}
	}
	return letters
}

// Each filter is asked by GET and by POST, of the list and of the count.
func TestTaskLogFilters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		id := w.create(loggedTask)
		made := w.task(id)
		w.create(`{"topicName": "u", "tenantId": "ten", "priority": -1}`)
		w.pass(time.Second)
		w.fails(id)
		w.pass(time.Second)
		w.wants("POST", "/external-task/"+id+"/complete", `{"workerId": "w"}`, http.StatusNoContent, "")
		for _, x := range []struct{ query, body, want string }{
			{"", `{}`, "ccfs"},
			{"externalTaskId=" + id, `{"externalTaskId": "` + id + `"}`, "cfs"},
			{"logId=x", `{"logId": "x"}`, ""},
			{"topicName=u", `{"topicName": "u"}`, "c"},
			{"workerId=w", `{"workerId": "w"}`, "fs"},
			{"errorMessage=boom", `{"errorMessage": "boom"}`, "f"},
			{"activityIdIn=charge,x", `{"activityIdIn": ["charge", "x"]}`, "cfs"},
			{"", `{"activityIdIn": []}`, "ccfs"},
			{"activityInstanceIdIn=" + made.ActivityInstanceID, `{"activityInstanceIdIn": ["` + made.ActivityInstanceID + `"]}`, "cfs"},
			{"executionIdIn=" + made.ExecutionID, `{"executionIdIn": ["` + made.ExecutionID + `"]}`, "cfs"},
			{"processInstanceId=p", `{"processInstanceId": "p"}`, "cfs"},
			{"processDefinitionId=order:1:rearm", `{"processDefinitionId": "order:1:rearm"}`, "cfs"},
			{"processDefinitionKey=x", `{"processDefinitionKey": "x"}`, ""},
			{"tenantIdIn=ten", `{"tenantIdIn": ["ten"]}`, "c"},
			{"tenantIdIn=", `{"tenantIdIn": [""]}`, ""},
			{"tenantIdIn=ten&withoutTenantId=True", `{"tenantIdIn": ["ten"], "withoutTenantId": true}`, "cfs"},
			{"priorityHigherThanOrEquals=7", `{"priorityHigherThanOrEquals": 7}`, "cfs"},
			{"priorityLowerThanOrEquals=6", `{"priorityLowerThanOrEquals": 6}`, "c"},
			{"successLog=true&failureLog=true", `{"successLog": true, "failureLog": true}`, "s"},
			{"deletionLog=true&creationLog=true", `{"deletionLog": true, "creationLog": true}`, ""},
			{"creationLog=false", `{"creationLog": false}`, "ccfs"},
			{"nope=1", `{"nope": 1}`, "ccfs"},
		} {
			const byTime = "&sortBy=timestamp&sortOrder=asc"
			posted := strings.TrimSuffix(x.body, "}") + `, "sorting": [{"sortBy": "timestamp", "sortOrder": "asc"}]}`
			for _, list := range []reply{w.send("GET", taskLog+"?"+x.query+byTime, ""), w.send("POST", taskLog, strings.Replace(posted, "{, ", "{", 1))} {
				if got := kinds(t, list); got != x.want {
					t.Errorf("%s %s: %q, want %q", x.query, x.body, got, x.want)
				}
			}
			count := fmt.Sprintf(`{"count": %d}`, len(x.want))
			w.wants("GET", taskLog+"/count?"+x.query, "", http.StatusOK, count)
			w.wants("POST", taskLog+"/count", x.body, http.StatusOK, count)
		}
		for query, want := range map[string]string{"?maxResults=1": "s", "?firstResult=1&maxResults=2": "fc", "?firstResult=9": ""} {
			if got := kinds(t, w.send("POST", taskLog+query, `{"sortBy": "timestamp", "sortOrder": "desc", "maxResults": 1}`)); got != want {
				t.Errorf("%s: %q, want %q", query, got, want)
			}
		}
	})
}

func TestTaskLogRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	for _, x := range []struct{ query, body, want string }{
		{"activityIdIn=", `{"activityIdIn": [""]}`, coded(fault.NotValid, "activityIds contains empty string")},
		{"activityIdIn=a,,b", `{"activityIdIn": ["a", "", "b"]}`, coded(fault.NotValid, "activityIds contains empty string")},
		{"activityInstanceIdIn=", `{"activityInstanceIdIn": [""]}`, coded(fault.NotValid, "activityInstanceIds contains empty string")},
		{"executionIdIn=", `{"executionIdIn": [""]}`, coded(fault.NotValid, "executionIds contains empty string")},
		{"", `{"activityIdIn": [null]}`, coded(fault.NotValid, "activityIds contains null value")},
		{"", `{"executionIdIn": ["a", null]}`, coded(fault.NotValid, "activityIds contains null value")},
		{"", `null`, failure(fault.InvalidRequest, "The body: must not be null")},
		{"", `{"creationLog": "true"}`, failure(fault.InvalidRequest, "/creationLog: must be a boolean")},
		{"", `{"sorting": [{"sortBy": "nope", "sortOrder": "asc"}]}`,
			coded(fault.NotValid, "You should call any of the orderBy methods first before specifying a direction: currentOrderingProperty is null")},
		{"sortBy=timestamp", `{"sortBy": "timestamp"}`, failure(fault.InvalidRequest, "Only a single sorting parameter specified. sortBy and sortOrder required")},
		{"creationLog=x", "", failure(fault.InvalidRequest, "Cannot set query parameter 'creationLog' to value 'x': Cannot convert value x to java type java.lang.Boolean")},
	} {
		for _, path := range []string{taskLog, taskLog + "/count"} {
			if x.query != "" {
				w.wants("GET", path+"?"+x.query, "", http.StatusBadRequest, x.want)
			}
			if x.body != "" {
				w.wants("POST", path, x.body, http.StatusBadRequest, x.want)
			}
		}
	}
	w.wants("GET", taskLog+"/nope", "", http.StatusNotFound, failure(fault.InvalidRequest, "Historic external task log with id nope does not exist"))
	w.wants("GET", taskLog+"/nope/error-details", "", http.StatusNotFound,
		failure(fault.InvalidRequest, "No historic external task log found with id nope: historicExternalTaskLog is null"))
}
