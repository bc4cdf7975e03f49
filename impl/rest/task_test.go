package rest

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/fault"
)

const fullTask = `{"topicName": "t", "priority": 9007199254740993, "retries": 3, "processInstanceId": "order-1", "businessKey": "bk", "processDefinitionKey": "order",
 "processDefinitionId": "order:7:x", "processDefinitionVersionTag": "v1", "activityId": "charge", "tenantId": "ten", "variables": {"n": {"value": 1}},
 "extensionProperties": {"colour": "green"}}`

const fullTaskMade = `{"id": "*", "topicName": "t", "priority": 9007199254740993, "retries": 3, "processInstanceId": "order-1", "businessKey": "bk",
 "processDefinitionKey": "order", "processDefinitionId": "order:7:x", "processDefinitionVersionTag": "v1", "activityId": "charge", "tenantId": "ten",
 "activityInstanceId": "*", "executionId": "*", "errorMessage": null, "lockExpirationTime": null, "suspended": false, "workerId": null,
 "createTime": "2013-01-23T12:42:45.000+0000"}`

const bareTaskMade = `{"id": "*", "topicName": "u", "priority": 0, "retries": null, "processInstanceId": "*", "businessKey": null, "processDefinitionKey": null,
 "processDefinitionId": null, "processDefinitionVersionTag": null, "activityId": null, "tenantId": null, "activityInstanceId": "*", "executionId": "*",
 "errorMessage": null, "lockExpirationTime": null, "suspended": false, "workerId": null, "createTime": "2013-01-23T12:42:45.000+0000"}`

func TestCreateTask(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		full := w.wants("POST", "/external-task/create", fullTask, http.StatusOK, fullTaskMade)
		id := tree(t, full.text).(map[string]any)["id"].(string)
		w.wants("GET", "/external-task/"+id, "", http.StatusOK, full.text)
		w.wants("POST", "/external-task/create", `{"topicName": "u", "unknown": 1}`, http.StatusOK, bareTaskMade)
		w.wants("POST", "/external-task/create", `{"topicName": "u", "priority": null, "retries": null, "processInstanceId": null, "businessKey": null,
			"variables": null, "extensionProperties": null}`, http.StatusOK, bareTaskMade)
		w.wants("GET", "/external-task?topicName=t", "", http.StatusOK, "["+full.text+"]")
		w.wants("POST", "/external-task/count", `{"topicName": "u"}`, http.StatusOK, `{"count": 2}`)
	})
}

func TestCreateTasks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		made := w.wants("POST", "/external-task/create-bulk", `{"externalTasks": [{"topicName": "b"}, {"topicName": "a", "processInstanceId": "p"},
			{"topicName": "c", "processInstanceId": "p"}]}`, http.StatusOK, `{"externalTaskIds": ["*", "*", "*"]}`)
		ids := tree(t, made.text).(map[string]any)["externalTaskIds"].([]any)
		for i, topic := range []string{"b", "a", "c"} {
			if task := w.task(ids[i].(string)); task.TopicName != topic {
				t.Errorf("the task at %d has the topic %s", i, task.TopicName)
			}
		}
		w.wants("POST", "/external-task/create-bulk", `{"externalTasks": []}`, http.StatusOK, `{"externalTaskIds": []}`)
		last := w.create(`{"topicName": "x", "processInstanceId": "ended"}`)
		w.lock(last)
		w.wants("POST", "/external-task/"+last+"/complete", `{"workerId": "w"}`, http.StatusNoContent, "")
		w.wants("POST", "/external-task/create-bulk", `{"externalTasks": [{"topicName": "d"}, {"topicName": "d", "processInstanceId": "ended"}]}`, http.StatusNotFound,
			failure(fault.InvalidRequest, "Process instance with id ended has ended"))
		w.wants("GET", "/external-task/count?topicName=d", "", http.StatusOK, `{"count": 0}`)
	})
}

func TestCreateTaskRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	for body, message := range map[string]string{
		`{}`:                                          "/topicName: is required",
		`{"topicName": null}`:                         "/topicName: must not be null",
		`{"topicName": ""}`:                           "/topicName: must have at least 1 character",
		`{"topicName": "t", "retries": -1}`:           "/retries: must be at least 0",
		`{"topicName": "t", "priority": "5"}`:         "/priority: must be an integer of 64 bits",
		`{"topicName": "t", "processInstanceId": ""}`: "processInstanceId must not be empty",
		`{"topicName": "t", "variables": {"x": {"type": "Integer", "value": "y"}}}`: "Cannot convert value 'y' of type 'Integer' to java type java.lang.Integer",
		`{"topicName": "t", "variables": {"x": 1}}`:                                 "/variables/x: must be an object",
	} {
		w.wants("POST", "/external-task/create", body, http.StatusBadRequest, failure(fault.InvalidRequest, message))
	}
	w.wants("POST", "/external-task/create", `{"topicName": "t", "variables": {"x": {"type": "Nope", "value": 1}}}`, http.StatusBadRequest,
		failure(fault.Rest, "Unsupported value type 'Nope'"))
	w.wants("POST", "/external-task/create-bulk", `{"externalTasks": [{"topicName": "t"}, {"topicName": "t", "retries": -1}]}`, http.StatusBadRequest,
		failure(fault.InvalidRequest, "/externalTasks/1/retries: must be at least 0"))
	w.wants("GET", "/external-task/count", "", http.StatusOK, `{"count": 0}`)
}

func TestCreateTaskOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		for path, body := range map[string]string{
			"/external-task/create":      `{"topicName": "t", "variables": {"x": {"value": 1, "type": "Integer"}}}`,
			"/external-task/create-bulk": `{"externalTasks": [{"topicName": "t"}, {"topicName": "t"}]}`,
		} {
			key := path[1:]
			first := w.send("POST", path, body, "Idempotency-Key", key)
			again := w.send("POST", path, body, "Idempotency-Key", key)
			if first.status != http.StatusOK || again != first {
				t.Errorf("%s: first %+v, then %+v", path, first, again)
			}
			other := w.send("POST", path, strings.Replace(body, `"t"`, `"u"`, 1), "Idempotency-Key", key)
			if other.status != http.StatusBadRequest || !strings.Contains(other.text, "was used for another request") {
				t.Errorf("%s: another body: %+v", path, other)
			}
			if empty := w.send("POST", path, body, "Idempotency-Key", ""); empty.status != http.StatusBadRequest {
				t.Errorf("%s: an empty key: %+v", path, empty)
			}
		}
		w.wants("GET", "/external-task/count", "", http.StatusOK, `{"count": 3}`)
	})
}

// Each filter is asked by GET and by POST, of the list and of the count; want are the activities of the tasks.
func TestTaskFilters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(`{"topicName": "one", "activityId": "a", "priority": 1, "processInstanceId": "p", "processDefinitionKey": "k", "variables": {"s": {"value": "x"}}}`)
		b := w.create(`{"topicName": "two", "activityId": "b", "priority": 5, "tenantId": "ten", "variables": {"s": {"value": "y"}}}`)
		w.create(`{"topicName": "two", "activityId": "c", "retries": 0, "priority": -3}`)
		w.lock(b)
		w.pass(1)
		for _, x := range []struct{ query, body, want string }{
			{"", `{}`, "abc"},
			{"topicName=two", `{"topicName": "two"}`, "bc"},
			{"topicName=", `{"topicName": ""}`, ""},
			{"externalTaskId=" + a, `{"externalTaskId": "` + a + `"}`, "a"},
			{"externalTaskIdIn=nope," + a, `{"externalTaskIdIn": ["nope", "` + a + `"]}`, "a"},
			{"workerId=w", `{"workerId": "w"}`, "b"},
			{"locked=True", `{"locked": true}`, "b"},
			{"locked=false", `{"locked": false}`, "abc"},
			{"notLocked=true", `{"notLocked": true}`, "ac"},
			{"noRetriesLeft=true", `{"noRetriesLeft": true}`, "c"},
			{"withRetriesLeft=true", `{"withRetriesLeft": true}`, "ab"},
			{"lockExpirationAfter=" + url.QueryEscape(someDateText), `{"lockExpirationAfter": "` + someDateText + `"}`, "b"},
			{"lockExpirationBefore=2013-01-23T12:42:45Z", `{"lockExpirationBefore": "2013-01-23T12:42:45Z"}`, ""},
			{"activityIdIn=a,c", `{"activityIdIn": ["a", "c"]}`, "ac"},
			{"activityIdIn=", `{"activityIdIn": []}`, "abc"},
			{"processInstanceId=p", `{"processInstanceId": "p"}`, "a"},
			{"processDefinitionKey=k", `{"processDefinitionKey": "k"}`, "a"},
			{"tenantIdIn=ten", `{"tenantIdIn": ["ten"]}`, "b"},
			{"suspended=true", `{"suspended": true}`, ""},
			{"priorityHigherThanOrEquals=1&priorityLowerThanOrEquals=4", `{"priorityHigherThanOrEquals": 1, "priorityLowerThanOrEquals": 4}`, "a"},
			{"processVariables=s_eq_x", `{"processVariables": [{"name": "s", "operator": "eq", "value": "x"}]}`, "a"},
			{"processVariables=S_eq_Y&variableNamesIgnoreCase=true&variableValuesIgnoreCase=true",
				`{"processVariables": [{"name": "S", "operator": "eq", "value": "Y"}], "variableNamesIgnoreCase": true, "variableValuesIgnoreCase": true}`, "b"},
			{"processVariables=s_notLike_x%25", `{"processVariables": [{"name": "s", "operator": "notLike", "value": "x%"}]}`, "b"},
		} {
			for _, list := range []reply{w.send("GET", "/external-task?"+x.query, ""), w.send("POST", "/external-task", x.body)} {
				if got := activities(t, list); got != x.want {
					t.Errorf("%s %s: %q, want %q", x.query, x.body, got, x.want)
				}
			}
			count := fmt.Sprintf(`{"count": %d}`, len(x.want))
			w.wants("GET", "/external-task/count?"+x.query, "", http.StatusOK, count)
			w.wants("POST", "/external-task/count", x.body, http.StatusOK, count)
		}
	})
}

// activities gives the activities of the tasks in a list, in its order.
func activities(t *testing.T, list reply) (names string) {
	t.Helper()
	if list.status != http.StatusOK {
		return list.text
	}
	for _, task := range tree(t, list.text).([]any) {
		names += task.(map[string]any)["activityId"].(string)
	}
	return names
}

func TestTaskOrderAndPage(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		for _, task := range []string{`"activityId": "a", "priority": 1`, `"activityId": "b", "priority": 5`, `"activityId": "c", "priority": 1`} {
			w.create(`{"topicName": "t", ` + task + `}`)
			w.pass(1e9)
		}
		for _, x := range []struct{ method, path, body, want string }{
			{"GET", "?sortBy=taskPriority&sortOrder=desc&maxResults=1", "", "b"},
			{"GET", "?sortBy=createTime&sortOrder=desc", "", "cba"},
			{"GET", "?firstResult=1&maxResults=1", "", "b"},
			{"POST", "?firstResult=1", `{"sorting": [{"sortBy": "taskPriority", "sortOrder": "asc"}, {"sortBy": "createTime", "sortOrder": "desc"}]}`, "ab"},
			{"POST", "?maxResults=2", `{"sortBy": "createTime", "sortOrder": "desc", "firstResult": 2}`, "cb"},
		} {
			if got := activities(t, w.send(x.method, "/external-task"+x.path, x.body)); got != x.want {
				t.Errorf("%s %s %s: %q, want %q", x.method, x.path, x.body, got, x.want)
			}
		}
	})
}

func TestTaskQueryRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	const single = "Only a single sorting parameter specified. sortBy and sortOrder required"
	const noOperator = "Invalid process variable comparator specified: null"
	for _, x := range []struct{ query, body, want string }{
		{"sortBy=id", `{"sortBy": "id"}`, failure(fault.InvalidRequest, single)},
		{"sortOrder=asc", `{"sortOrder": "asc"}`, failure(fault.InvalidRequest, single)},
		{"", `null`, failure(fault.InvalidRequest, "The body: must not be null")},
		{"", `{"processVariables": [{"name": "s", "value": 1}]}`, failure(fault.InvalidRequest, noOperator)},
		{"", `{"processVariables": [{"name": "s", "operator": "equals", "value": 1}]}`, failure(fault.InvalidRequest, "Invalid process variable comparator specified: equals")},
		{"", `{"processVariables": [{"operator": "eq", "value": 1}]}`, coded(fault.NullValue, "name is null")},
		{"", `{"processVariables": [{"name": "s", "operator": "gt", "value": null}]}`, coded(fault.ProcessEngine, "Booleans and null cannot be used in 'greater than' condition")},
		{"", `{"sorting": [{"sortBy": "id"}]}`, coded(fault.NotValid, "Invalid query: call asc() or desc() after using orderByXX(): direction is null")},
		{"locked=maybe", "", failure(fault.InvalidRequest, "Cannot set query parameter 'locked' to value 'maybe': Cannot convert value maybe to java type java.lang.Boolean")},
		{"processVariables=s", "", failure(fault.InvalidRequest, "Cannot set query parameter 'processVariables' to value 's': variable query parameter has to have format KEY_OPERATOR_VALUE.")},
	} {
		for _, path := range []string{"/external-task", "/external-task/count"} {
			if x.query != "" {
				w.wants("GET", path+"?"+x.query, "", http.StatusBadRequest, x.want)
			}
			if x.body != "" {
				w.wants("POST", path, x.body, http.StatusBadRequest, x.want)
			}
		}
	}
}

func TestTopicNames(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.wants("GET", "/external-task/topic-names", "", http.StatusOK, `[]`)
	w.create(`{"topicName": "idle"}`)
	w.create(`{"topicName": "idle"}`)
	w.create(`{"topicName": "stuck", "retries": 0}`)
	w.lock(w.create(`{"topicName": "busy"}`))
	for query, want := range map[string]string{
		"":                       "busy idle stuck",
		"withLockedTasks=TRUE":   "busy",
		"withUnlockedTasks=true": "idle stuck",
		"withUnlockedTasks=true&withRetriesLeft=true": "idle",
		"withLockedTasks=false":                       "busy idle stuck",
	} {
		list, _ := tree(t, w.send("GET", "/external-task/topic-names?"+query, "").text).([]any)
		names := make([]string, len(list))
		for i := range list {
			names[i] = list[i].(string)
		}
		slices.Sort(names)
		if got := strings.Join(names, " "); got != want {
			t.Errorf("%s: %s, want %s", query, got, want)
		}
	}
}

func TestErrorDetails(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		id := w.create(`{"topicName": "t"}`)
		path := "/external-task/" + id + "/errorDetails"
		w.wants("GET", path, "", http.StatusNoContent, "")
		w.lock(id)
		w.wants("POST", "/external-task/"+id+"/failure", `{"workerId": "w", "errorDetails": "line 1\nline 2 é", "retries": 1}`, http.StatusNoContent, "")
		got := w.send("GET", path, "", "Accept", "application/json, text/plain, */*")
		if got != (reply{http.StatusOK, "text/plain", "line 1\nline 2 é"}) {
			t.Errorf("details %+v", got)
		}
		if got := w.send("GET", path, "", "Accept", "application/json"); got.status != http.StatusNotAcceptable {
			t.Errorf("for JSON alone: %+v", got)
		}
		w.wants("GET", "/external-task/nope/errorDetails", "", http.StatusNotFound, coded(fault.NullValue, "No external task found with id nope: externalTask is null"))
		w.wants("GET", "/external-task/nope", "", http.StatusNotFound, failure(fault.Rest, "External task with id nope does not exist"))
	})
}
