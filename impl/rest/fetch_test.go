package rest

import (
	"net/http"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/fault"
)

const fetched = `{"id": "*", "topicName": "t", "priority": 9007199254740993, "retries": 3, "processInstanceId": "order-1", "businessKey": "bk",
 "processDefinitionKey": "order", "processDefinitionId": "order:7:x", "processDefinitionVersionTag": "v1", "activityId": "charge", "tenantId": "ten",
 "activityInstanceId": "*", "executionId": "*", "errorMessage": null, "errorDetails": null, "suspended": false, "workerId": "w",
 "createTime": "2013-01-23T12:42:45.000+0000", "lockExpirationTime": "2013-01-23T12:43:45.000+0000",
 "variables": {"n": {"type": "Integer", "value": 1, "valueInfo": {}}}, "extensionProperties": {}}`

func TestFetchAndLock(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		id := w.create(fullTask)
		const path = "/external-task/fetchAndLock"
		const ask = `{"workerId": "w", "maxTasks": 5, "topics": [{"topicName": "t", "lockDuration": 60000}]}`
		w.wants("POST", path, `{"workerId": "w", "maxTasks": 5}`, http.StatusOK, `[]`)
		w.wants("POST", path, `{"workerId": "w", "topics": [{"topicName": "t", "lockDuration": 60000}]}`, http.StatusOK, `[]`)
		w.wants("POST", path, ask, http.StatusOK, `[`+fetched+`]`)
		w.wants("POST", path, ask, http.StatusOK, `[]`)
		w.wants("POST", "/external-task/"+id+"/unlock", "", http.StatusNoContent, "")
		nulls := `{"workerId": "w", "maxTasks": 5, "usePriority": null, "asyncResponseTimeout": null, "sorting": [], "topics": [{"topicName": "t", "lockDuration": 60000,
			"variables": null, "localVariables": null, "deserializeValues": null, "includeExtensionProperties": null, "businessKey": null, "processDefinitionId": null,
			"processDefinitionIdIn": null, "processDefinitionKey": null, "processDefinitionKeyIn": null, "processDefinitionVersionTag": null, "withoutTenantId": null,
			"tenantIdIn": null, "processVariables": null}]}`
		w.wants("POST", path, nulls, http.StatusOK, `[`+fetched+`]`)
	})
}

// Each topic is asked for the one task that fullTask describes; found tells whether it matches.
func TestFetchFilters(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	id := w.create(fullTask)
	for options, found := range map[string]bool{
		`"businessKey": "bk"`:                                           true,
		`"businessKey": "other"`:                                        false,
		`"processDefinitionId": "order:7:x"`:                            true,
		`"processDefinitionId": "order"`:                                false,
		`"processDefinitionIdIn": ["a", "order:7:x"]`:                   true,
		`"processDefinitionIdIn": ["a"]`:                                false,
		`"processDefinitionIdIn": []`:                                   true,
		`"processDefinitionKey": "order"`:                               true,
		`"processDefinitionKey": "x"`:                                   false,
		`"processDefinitionKeyIn": ["order"]`:                           true,
		`"processDefinitionKeyIn": ["x"]`:                               false,
		`"processDefinitionVersionTag": "v%"`:                           true,
		`"processDefinitionVersionTag": "v"`:                            false,
		`"withoutTenantId": true`:                                       false,
		`"tenantIdIn": ["ten"]`:                                         true,
		`"tenantIdIn": ["x"]`:                                           false,
		`"tenantIdIn": ["ten"], "withoutTenantId": true`:                true,
		`"processVariables": {"n": 1}`:                                  true,
		`"processVariables": {"n": 1.0}`:                                false,
		`"processVariables": {"n": "1"}`:                                false,
		`"processVariables": {"n": null}`:                               false,
		`"processVariables": {"n": 2, "absent": 1}`:                     false,
		`"processVariables": {"absent": 2, "n": 1}, "businessKey": "b"`: false,
	} {
		list := w.fetch(`{"workerId": "w", "maxTasks": 5, "topics": [{"topicName": "t", "lockDuration": 60000, ` + options + `}]}`)
		if (len(list) == 1) != found {
			t.Errorf("%s: %d tasks", options, len(list))
		}
		w.wants("POST", "/external-task/"+id+"/unlock", "", http.StatusNoContent, "")
	}
}

// What a topic wants sent along of a task with variables of its scope and of its own.
func TestFetchSendsAlong(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		id := w.create(`{"topicName": "t", "extensionProperties": {"colour": "green"}, "variables": {"long": {"value": 9223372036854775807},
			"object": {"value": {"a": [1, 2.50]}}, "file": {"type": "File", "value": "AAEC", "valueInfo": {"filename": "f.bin"}}, "gone": {"value": 1, "valueInfo": {"transient": true}}}}`)
		w.lock(id)
		w.wants("POST", "/external-task/"+id+"/failure", `{"workerId": "w", "retries": 1, "localVariables": {"own": {"type": "date", "value": "2013-01-23T12:42:45Z"}}}`,
			http.StatusNoContent, "")
		const own = `"own": {"type": "Date", "value": "2013-01-23T12:42:45.000+0000", "valueInfo": {}}`
		const long = `"long": {"type": "Long", "value": 9223372036854775807, "valueInfo": {}}`
		const file = `"file": {"type": "File", "value": null, "valueInfo": {"filename": "f.bin"}}`
		const info = `"valueInfo": {"objectTypeName": "java.util.LinkedHashMap", "serializationDataFormat": "application/json"}`
		for options, want := range map[string][2]string{
			``:                         {own + `, ` + long + `, ` + file + `, "object": {"type": "Object", "value": "{\"a\":[1,2.50]}", ` + info + `}`, ``},
			`, "variables": []`:        {``, ``},
			`, "variables": ["long"]`:  {long, ``},
			`, "localVariables": true`: {own, ``},
			`, "variables": ["object", "absent"], "deserializeValues": true`: {`"object": {"type": "Object", "value": {"a": [1, 2.50]}, ` + info + `}`, ``},
			`, "variables": [], "includeExtensionProperties": true`:          {``, `"colour": "green"`},
		} {
			got := w.send("POST", "/external-task/fetchAndLock", `{"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "t", "lockDuration": 60000`+options+`}]}`)
			list, _ := tree(t, got.text).([]any)
			if len(list) != 1 {
				t.Fatalf("%s: %+v", options, got)
			}
			task := list[0].(map[string]any)
			if !fitting(tree(t, `{`+want[0]+`}`), task["variables"]) || !fitting(tree(t, `{`+want[1]+`}`), task["extensionProperties"]) {
				t.Errorf("%s: got %s", options, got.text)
			}
			w.wants("POST", "/external-task/"+id+"/unlock", "", http.StatusNoContent, "")
		}
	})
}

func TestFetchOrder(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		for _, task := range []string{`"activityId": "a", "priority": 1`, `"activityId": "b", "priority": 5`, `"activityId": "c", "priority": 1`} {
			w.create(`{"topicName": "t", ` + task + `}`)
			w.pass(1e9)
		}
		for options, want := range map[string]string{
			`"sorting": [{"sortBy": "createTime", "sortOrder": "desc"}]`:                                               "cba",
			`"sorting": [{"sortBy": "createTime", "sortOrder": "asc"}, {"sortBy": "createTime", "sortOrder": "desc"}]`: "abc",
			`"usePriority": true, "sorting": [{"sortBy": "createTime", "sortOrder": "desc"}]`:                          "bca",
			`"usePriority": true`: "bac",
		} {
			list := w.fetch(`{"workerId": "w", "maxTasks": 5, "topics": [{"topicName": "t", "lockDuration": 60000}], ` + options + `}`)
			got := ""
			for _, task := range list {
				got += task.ActivityID.MustGet()
				w.wants("POST", "/external-task/"+task.ID+"/unlock", "", http.StatusNoContent, "")
			}
			if got != want {
				t.Errorf("%s: %s, want %s", options, got, want)
			}
		}
	})
}

func TestFetchRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	const lockTime = "lockTime is not greater than 0"
	for body, want := range map[string]string{
		`{"maxTasks": 1}`:                                                                                coded(fault.NullValue, "workerId is null"),
		`{"workerId": "w", "maxTasks": -1}`:                                                              coded(fault.ProcessEngine, "maxResults is not greater than or equal to 0"),
		`{"workerId": "w", "topics": [{"lockDuration": 1}]}`:                                             coded(fault.NullValue, "topicName is null"),
		`{"workerId": "w", "topics": [{"topicName": "t"}]}`:                                              coded(fault.ProcessEngine, lockTime),
		`{"workerId": "w", "topics": [{"topicName": "t", "lockDuration": 0}]}`:                           coded(fault.ProcessEngine, lockTime),
		`{"workerId": "w", "asyncResponseTimeout": 1800001}`:                                             failure(fault.InvalidRequest, "The asynchronous response timeout cannot be set to a value greater than 1800000 milliseconds"),
		`{"workerId": "w", "sorting": [{"sortBy": "priority", "sortOrder": "asc"}]}`:                     failure(fault.InvalidRequest, "Cannot set query sortBy parameter to value priority"),
		`{"workerId": "w", "sorting": [{"sortBy": "createTime", "sortOrder": "ASC"}]}`:                   failure(fault.InvalidRequest, "Cannot set query sortOrder parameter to value ASC"),
		`{"workerId": "w", "sorting": [{"sortBy": "createTime"}]}`:                                       coded(fault.NotValid, "Invalid query: call asc() or desc() after using orderByXX(): direction is null"),
		`{"workerId": "w", "sorting": [{"sortOrder": "asc"}]}`:                                           failure(fault.InvalidRequest, "Each level of the sorting must have a sortBy"),
		`{"workerId": "w", "sorting": [{"sortBy": "createTime", "sortOrder": "asc"}, {"sortBy": null}]}`: failure(fault.InvalidRequest, "Each level of the sorting must have a sortBy"),
	} {
		w.wants("POST", "/external-task/fetchAndLock", body, http.StatusBadRequest, want)
	}
}

// What our storage holds is read with care all the same.
func TestLockedTaskUnreadable(t *testing.T) {
	t.Parallel()
	for name, task := range map[string]db.LockedTask{
		"properties": {ExtensionProperties: ptr("?")},
		"valueInfo":  {Variables: map[string]db.Variable{"x": {Info: "?"}}},
	} {
		if d, err := toLockedTask(&task); err == nil {
			t.Errorf("%s: %+v", name, d)
		}
	}
	d, err := toLockedTask(&db.LockedTask{Task: db.Task{Suspended: true}})
	if err != nil || d.Suspended || d.Variables == nil || d.ExtensionProperties == nil {
		t.Errorf("%+v, %v", d, err)
	}
}
