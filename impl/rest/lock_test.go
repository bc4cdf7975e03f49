package rest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/fault"
)

// The life of a task: it is fetched, fails for good, gets retries again, fails once more, and is done.
func TestLifeOfATask(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		id := w.create(`{"topicName": "t", "variables": {"x": {"value": 1}}}`)
		const ask = `{"workerId": "w", "maxTasks": 5, "topics": [{"topicName": "t", "lockDuration": 60000}]}`
		fails := func(body string) {
			t.Helper()
			if list := w.fetch(ask); len(list) != 1 || list[0].ID != id {
				t.Fatalf("fetched %+v", list)
			}
			w.wants("POST", "/external-task/"+id+"/failure", body, http.StatusNoContent, "")
		}
		fails(`{"workerId": "w", "errorMessage": "boom", "errorDetails": "at line 1"}`)
		w.wants("GET", "/incident/count?configuration="+id, "", http.StatusOK, `{"count": 1}`)
		if list := w.fetch(ask); len(list) != 0 {
			t.Errorf("fetched without retries: %+v", list)
		}
		w.wants("PUT", "/external-task/"+id+"/retries", `{"retries": 2}`, http.StatusNoContent, "")
		w.wants("GET", "/incident/count?configuration="+id, "", http.StatusOK, `{"count": 0}`)
		fails(`{"workerId": "w", "errorMessage": null, "errorDetails": null, "retries": 1, "retryTimeout": 1000, "variables": {"x": {"value": "new"}},
			"localVariables": {"own": {"value": true}}}`)
		if list := w.fetch(ask); len(list) != 0 {
			t.Errorf("fetched before the timeout: %+v", list)
		}
		w.pass(time.Second)
		got := w.send("POST", "/external-task/fetchAndLock", ask)
		for _, part := range []string{`"errorMessage":null`, `"errorDetails":"at line 1"`, `"retries":1`, `"x":{"type":"String","value":"new","valueInfo":{}}`,
			`"own":{"type":"Boolean","value":true,"valueInfo":{}}`} {
			if !strings.Contains(got.text, part) {
				t.Errorf("%s is not in %s", part, got.text)
			}
		}
		w.wants("POST", "/external-task/"+id+"/complete", `{"workerId": "w", "variables": null, "localVariables": {}}`, http.StatusNoContent, "")
		w.wants("GET", "/external-task/"+id, "", http.StatusNotFound, failure(fault.Rest, "External task with id "+id+" does not exist"))
	})
}

func TestBpmnError(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		id := w.create(`{"topicName": "t", "retries": 0}`)
		w.lock(id)
		w.wants("POST", "/external-task/"+id+"/bpmnError", `{"workerId": "w", "errorCode": "declined", "errorMessage": "no", "variables": {"x": {"value": 1}}}`,
			http.StatusNoContent, "")
		w.wants("GET", "/history/incident/count?configuration="+id+"&deleted=true", "", http.StatusOK, `{"count": 1}`)
		w.wants("POST", "/external-task/"+id+"/bpmnError", `{"workerId": "w", "errorCode": "declined"}`, http.StatusNotFound, noTask(id))
	})
}

// What a worker hands over with the end of its task, the other tasks of the scope see.
func TestEndSetsVariables(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(`{"topicName": "rest", "processInstanceId": "p"}`)
		for operation, body := range map[string]string{
			"complete":  `{"workerId": "w", "variables": {"done": {"value": 1}}, "localVariables": {"own": {"value": 1}}}`,
			"bpmnError": `{"workerId": "w", "errorCode": "c", "variables": {"thrown": {"value": 2}}}`,
		} {
			id := w.create(`{"topicName": "t", "processInstanceId": "p"}`)
			w.lock(id)
			w.wants("POST", "/external-task/"+id+"/"+operation, body, http.StatusNoContent, "")
		}
		task := w.fetch(`{"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "rest", "lockDuration": 1}]}`)[0]
		if seen := task.Variables; len(seen) != 2 || string(seen["done"].Value.MustGet()) != "1" || string(seen["thrown"].Value.MustGet()) != "2" {
			t.Errorf("the other task sees %v", seen)
		}
	})
}

func TestLocks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		id := w.create(`{"topicName": "t", "retries": 0}`)
		until := func(after time.Duration) {
			t.Helper()
			task := w.task(id)
			at, err := task.LockExpirationTime.Get()
			if err != nil || !at.Equal(w.clock().Add(after)) || task.WorkerID.MustGet() != "w" {
				t.Errorf("locked until %v, %v", at, err)
			}
		}
		w.lock(id)
		until(time.Minute)
		w.wants("POST", "/external-task/"+id+"/extendLock", `{"workerId": "w", "newDuration": 1000}`, http.StatusNoContent, "")
		until(time.Second)
		w.pass(2 * time.Second)
		w.wants("POST", "/external-task/"+id+"/extendLock", `{"workerId": "w", "newDuration": 1000}`, http.StatusBadRequest,
			coded(fault.Rest, "Cannot extend a lock that expired: lockExpirationTime is not greater than or equal to 1358944967000"))
		w.lock(id)
		until(time.Minute)
		w.wants("POST", "/external-task/"+id+"/unlock", "null", http.StatusNoContent, "")
		if task := w.task(id); !task.WorkerID.IsNull() || !task.LockExpirationTime.IsNull() {
			t.Errorf("unlocked: %+v", task)
		}
	})
}

func TestPriority(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	id := w.create(`{"topicName": "t"}`)
	for text, want := range map[string]int64{"12": 12, "-5": -5, "0": 0, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63} {
		w.wants("PUT", "/external-task/"+id+"/priority", `{"priority": `+text+`}`, http.StatusNoContent, "")
		if got := w.task(id).Priority; got != want {
			t.Errorf("priority %d, want %d", got, want)
		}
	}
	for body, message := range map[string]string{
		`{}`: "/priority: is required", `{"priority": null}`: "/priority: must not be null", `{"priority": 9223372036854775808}`: "/priority: must be an integer of 64 bits",
	} {
		w.wants("PUT", "/external-task/"+id+"/priority", body, http.StatusBadRequest, failure(fault.InvalidRequest, message))
	}
}

// What each operation on one task answers when there is none, when another worker has it, and when the worker says nonsense
// (contract-facts 2.15).
func TestLockErrors(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	id := w.create(`{"topicName": "t"}`)
	w.lock(id)
	noWorker := coded(fault.NullValue, "workerId is null")
	for operation, c := range map[string]struct {
		body, nobody, others string // a good body of the worker v, one without a worker, the error when w has the task
		nonsense             map[string]string
	}{
		"complete": {`{"workerId": "v"}`, `{}`, "External Task ID cannot be completed by worker 'v'. It is locked by worker 'w'.", map[string]string{
			`{"workerId": "w", "variables": {"x": {"type": "Short", "value": 70000}}}`:     failure(fault.InvalidRequest, "Cannot convert value '70000' of type 'Short' to java type java.lang.Short"),
			`{"workerId": "w", "localVariables": {"x": {"type": "Nope", "value": 70000}}}`: failure(fault.Rest, "Unsupported value type 'Nope'"),
		}},
		"failure": {`{"workerId": "v", "retries": 1}`, `{"workerId": null}`, "Failure of External Task ID cannot be reported by worker 'v'. It is locked by worker 'w'.", map[string]string{
			`{"workerId": "w", "retries": -1}`:      coded(fault.ProcessEngine, "retries is not greater than or equal to 0"),
			`{"workerId": "w", "retryTimeout": -1}`: coded(fault.ProcessEngine, "retryDuration is not greater than or equal to 0"),
		}},
		"bpmnError": {`{"workerId": "v", "errorCode": "c"}`, `{"errorCode": "c"}`, "Bpmn error of External Task ID cannot be reported by worker 'v'. It is locked by worker 'w'.", map[string]string{
			`{"workerId": "w"}`:                  coded(fault.NullValue, "errorCode is null"),
			`{"workerId": "w", "errorCode": ""}`: coded(fault.ProcessEngine, "Error Code is empty"),
		}},
		"lock": {`{"workerId": "v", "lockDuration": 1}`, `{"lockDuration": 1}`, "External Task ID cannot be locked by worker 'v'. It is locked by worker 'w'.", map[string]string{
			`{"workerId": "w"}`:                    coded(fault.Rest, "lockDuration is not greater than 0"),
			`{"workerId": "w", "lockDuration": 0}`: coded(fault.Rest, "lockDuration is not greater than 0"),
		}},
		"extendLock": {`{"workerId": "v", "newDuration": 1}`, `{"newDuration": 1}`, "The lock of the External Task ID cannot be extended by worker 'v''. It is locked by worker 'w'.", map[string]string{
			`{}`:                                  coded(fault.Rest, "lockTime is not greater than 0"),
			`{"workerId": "w", "newDuration": 0}`: coded(fault.Rest, "lockTime is not greater than 0"),
		}},
	} {
		w.wants("POST", "/external-task/nope/"+operation, c.body, http.StatusNotFound, noTask("nope"))
		path := "/external-task/" + id + "/" + operation
		w.wants("POST", path, c.nobody, http.StatusBadRequest, noWorker)
		w.wants("POST", path, c.body, http.StatusBadRequest, coded(fault.Rest, strings.ReplaceAll(c.others, "ID", id)))
		for body, want := range c.nonsense {
			w.wants("POST", path, body, http.StatusBadRequest, want)
		}
	}
	w.wants("POST", "/external-task/nope/unlock", "", http.StatusNotFound, noTask("nope"))
	w.wants("PUT", "/external-task/nope/priority", `{"priority": 1}`, http.StatusNotFound, noTask("nope"))
	if task := w.task(id); task.WorkerID.MustGet() != "w" || task.Retries.IsSpecified() && !task.Retries.IsNull() {
		t.Errorf("a refusal changed the task: %+v", task)
	}
}

// Nobody works on a suspended task, but it can be locked and unlocked.
func TestLocksOfASuspendedTask(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	id := w.create(`{"topicName": "t", "processInstanceId": "p"}`)
	if err := w.engine.SuspendScope(t.Context(), db.Caller{}, "p", true); err != nil {
		t.Fatal(err)
	}
	w.lock(id)
	for operation, body := range map[string]string{
		"complete": `{"workerId": "w"}`, "failure": `{"workerId": "w"}`, "bpmnError": `{"workerId": "w", "errorCode": "c"}`, "extendLock": `{"workerId": "w", "newDuration": 1}`,
	} {
		w.wants("POST", "/external-task/"+id+"/"+operation, body, http.StatusBadRequest, coded(fault.Rest, "ENGINE-03043 ExternalTask with id '"+id+"' is suspended."))
	}
	w.wants("POST", "/external-task/"+id+"/unlock", "", http.StatusNoContent, "")
}
