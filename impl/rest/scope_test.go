package rest

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/fault"
)

// noScope is what an operation on a scope answers when there is none.
func noScope(id string) string {
	return failure(fault.InvalidRequest, "Process instance with id "+id+" does not exist")
}

func TestScopeLife(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		const fetch = `{"workerId": "w", "maxTasks": 5, "topics": [{"topicName": "t", "lockDuration": 1000}]}`
		id := w.create(`{"topicName": "t", "processInstanceId": "a/b ü", "businessKey": "k", "processDefinitionKey": "d", "tenantId": "ten"}`)
		const path = "/process-instance/a%2Fb%20%C3%BC"
		scope := func(suspended bool) string {
			return fmt.Sprintf(`{"id": "a/b ü", "definitionId": "d:1:rearm", "definitionKey": "d", "businessKey": "k", "caseInstanceId": null, "ended": false,
				"suspended": %t, "tenantId": "ten", "links": []}`, suspended)
		}
		w.wants("GET", path, "", http.StatusOK, scope(false))
		w.wants("PUT", path+"/suspended", `{"suspended": true}`, http.StatusNoContent, "")
		w.wants("GET", path, "", http.StatusOK, scope(true))
		if got := w.fetch(fetch); len(got) != 0 {
			t.Errorf("fetched %d suspended tasks", len(got))
		}
		w.lock(id)
		w.wants("POST", "/external-task/"+id+"/complete", `{"workerId": "w"}`, http.StatusBadRequest, coded(fault.Rest, "ENGINE-03043 ExternalTask with id '"+id+"' is suspended."))
		w.wants("POST", "/external-task/"+id+"/unlock", "", http.StatusNoContent, "")
		for _, activate := range []string{`{}`, `{"suspended": null}`, `{"suspended": false}`, ""} {
			w.wants("PUT", path+"/suspended", `{"suspended": true}`, http.StatusNoContent, "")
			w.wants("PUT", path+"/suspended", activate, http.StatusNoContent, "")
			w.wants("GET", path, "", http.StatusOK, scope(false))
		}
		if got := w.fetch(fetch); len(got) != 1 {
			t.Errorf("fetched %d active tasks", len(got))
		}
		w.wants("DELETE", path+"?skipCustomListeners=true&skipIoMappings=True&skipSubprocesses=false", "", http.StatusNoContent, "")
		w.wants("GET", "/external-task/"+id, "", http.StatusNotFound, failure(fault.Rest, "External task with id "+id+" does not exist"))
	})
}

func TestScopeRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	w.create(`{"topicName": "t", "processInstanceId": "p"}`)
	w.wants("GET", "/process-instance/nope", "", http.StatusNotFound, noScope("nope"))
	w.wants("PUT", "/process-instance/nope/suspended", `{"suspended": false}`, http.StatusNotFound, noScope("nope"))
	w.wants("DELETE", "/process-instance/nope", "", http.StatusNotFound, coded(fault.InvalidRequest, "No process instance found for id 'nope': processInstance is null"))
	w.wants("DELETE", "/process-instance/nope?failIfNotExists=true", "", http.StatusNotFound, coded(fault.InvalidRequest, "No process instance found for id 'nope': processInstance is null"))
	w.wants("DELETE", "/process-instance/nope?failIfNotExists=false", "", http.StatusNoContent, "")
	for _, bad := range [][3]string{
		{"PUT", "/process-instance/p/suspended", `{"suspended": "true"}`}, {"PUT", "/process-instance/p/suspended", `{`}, {"PUT", "/process-instance/p/suspended", `[]`},
		{"DELETE", "/process-instance/p?failIfNotExists=1", ""}, {"GET", "/process-instance/p/variables/x?deserializeValue=yes", ""},
		{"POST", "/process-instance/p/variables", `{"modifications": []}`}, {"POST", "/process-instance/p/variables", `{"modifications": {"x": null}}`},
		{"POST", "/process-instance/p/variables", `{"modifications": {"x": {"value": 1, "type": 5}}}`}, {"POST", "/process-instance/p/variables", `{"deletions": [null]}`},
		{"POST", "/process-instance/p/variables", `{"deletions": "x"}`}, {"POST", "/process-instance/p/variables", `null`},
	} {
		w.wants(bad[0], bad[1], bad[2], http.StatusBadRequest, exception(fault.InvalidRequest, "*", "null"))
	}
	w.wants("GET", "/process-instance/p", "", http.StatusOK, `{"id": "p", "definitionId": null, "definitionKey": null, "businessKey": null, "caseInstanceId": null, "ended": false,
		"suspended": false, "tenantId": null, "links": []}`)
}

// Every type goes in by a change and comes out as it is kept.
func TestScopeVariables(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		task := w.task(w.create(`{"topicName": "t", "processInstanceId": "p"}`))
		for _, c := range []struct{ set, want string }{
			{`{"value": "a \"text\" 😀"}`, `{"value": "a \"text\" 😀", "type": "String", "valueInfo": {}}`},
			{`{"value": "True", "type": "boolean"}`, `{"value": true, "type": "Boolean", "valueInfo": {}}`},
			{`{"value": -32768, "type": "Short"}`, `{"value": -32768, "type": "Short", "valueInfo": {}}`},
			{`{"value": 2147483647, "type": null, "valueInfo": null}`, `{"value": 2147483647, "type": "Integer", "valueInfo": {}}`},
			{`{"value": 9007199254740993}`, `{"value": 9007199254740993, "type": "Long", "valueInfo": {}}`},
			{`{"value": "-9223372036854775808", "type": "Long"}`, `{"value": -9223372036854775808, "type": "Long", "valueInfo": {}}`},
			{`{"value": 1e-300, "type": "Double"}`, `{"value": 1e-300, "type": "Double", "valueInfo": {}}`},
			{`{"value": "2015-10-06T16:34:42Z", "type": "Date"}`, `{"value": "2015-10-06T16:34:42.000+0000", "type": "Date", "valueInfo": {}}`},
			{`{"value": "aGVsbG8", "type": "Bytes"}`, `{"value": "aGVsbG8=", "type": "Bytes", "valueInfo": {}}`},
			{`{"value": "aGVsbG8=", "type": "file", "valueInfo": {"filename": "a", "mimetype": "a/b"}}`, `{"value": null, "type": "File", "valueInfo": {"filename": "a", "mimeType": "a/b"}}`},
			{`{"value": null}`, `{"value": null, "type": "Null", "valueInfo": {}}`},
			{`{}`, `{"value": null, "type": "Null", "valueInfo": {}}`},
			{`{"value": {"a": 1.50}}`, `{"value": {"a": 1.50}, "type": "Object", "valueInfo": {"objectTypeName": "java.util.LinkedHashMap", "serializationDataFormat": "application/json"}}`},
			{`{"value": "{\"a\":1}", "type": "Json"}`, `{"value": "{\"a\":1}", "type": "Json", "valueInfo": {}}`},
			{`{"value": "<a/>", "type": "Xml"}`, `{"value": "<a/>", "type": "Xml", "valueInfo": {}}`},
		} {
			w.wants("POST", "/process-instance/p/variables", `{"workerId": "w", "modifications": {"a/x": `+c.set+`}}`, http.StatusNoContent, "")
			w.wants("GET", "/process-instance/p/variables/a%2Fx", "", http.StatusOK, c.want)
			w.wants("GET", "/process-instance/"+task.ExecutionID+"/variables/a%2Fx?deserializeValue=True", "", http.StatusOK, c.want)
		}
		w.wants("POST", "/process-instance/p/variables", `{"modifications": {"o": {"value": [1]}, "gone": {"value": 1}}, "deletions": ["gone", "a/x", "absent"]}`, http.StatusNoContent, "")
		w.wants("GET", "/process-instance/p/variables/o?deserializeValue=false", "", http.StatusOK,
			`{"value": "[1]", "type": "Object", "valueInfo": {"objectTypeName": "java.util.ArrayList", "serializationDataFormat": "application/json"}}`)
		for _, nothing := range []string{"", `{}`, `{"modifications": {}}`, `{"modifications": null, "deletions": null}`} {
			w.wants("POST", "/process-instance/p/variables", nothing, http.StatusNoContent, "")
		}
		for _, name := range []string{"gone", "a%2Fx"} {
			plain, _ := url.PathUnescape(name)
			w.wants("GET", "/process-instance/p/variables/"+name, "", http.StatusNotFound,
				failure(fault.InvalidRequest, "process instance variable with name "+plain+" does not exist"))
		}
		w.wants("POST", "/process-instance/p/variables", `{"modifications": {"n": {"value": 1, "type": "Nope"}}}`, http.StatusBadRequest,
			failure(fault.InvalidRequest, "Cannot modify variables for process instance: Unsupported value type 'Nope'"))
		w.wants("POST", "/process-instance/nope/variables", `{}`, http.StatusNotFound,
			coded(fault.Rest, "Cannot modify variables for process instance nope: execution nope doesn't exist: execution is null"))
	})
}

// The three ways to the content of a file (clients 19), which all give the bytes that were stored.
func TestContents(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		task := w.task(w.create(`{"topicName": "t", "processInstanceId": "p", "variables": {
			"f": {"value": "aGVsbG8=", "type": "File", "valueInfo": {"filename": "ü.txt", "mimeType": "text/plain", "encoding": "UTF-8"}},
			"png": {"value": "AAEC/w==", "type": "File", "valueInfo": {"filename": "a.png", "mimeType": "image/png"}},
			"json": {"value": "e30=", "type": "File", "valueInfo": {"filename": "a.json", "mimeType": "application/json"}},
			"g": {"value": null, "type": "File", "valueInfo": {"filename": "g"}}, "b": {"value": "AAEC/w==", "type": "Bytes"}, "s": {"value": "x"}}}`))
		for _, c := range []struct{ name, mediaType, disposition, want string }{
			{"f", "text/plain;charset=UTF-8", `attachment; filename="_.txt"; filename*=UTF-8''%C3%BC.txt`, "hello"},
			{"png", "image/png", `attachment; filename="a.png"`, "\x00\x01\x02\xff"}, {"json", "application/json", `attachment; filename="a.json"`, "{}"},
			{"g", "application/octet-stream", `attachment; filename="g"`, ""}, {"b", "application/octet-stream", "", "\x00\x01\x02\xff"},
		} {
			for _, path := range []string{"/process-instance/" + task.ExecutionID + "/variables/", "/execution/p/localVariables/", "/process-instance/p/variables/"} {
				r, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, w.url+path+c.name+"/data", nil)
				res, err := w.client.Do(r)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(res.Body)
				_ = res.Body.Close() // it was read to its end
				h := res.Header
				if err != nil || res.StatusCode != http.StatusOK || string(got) != c.want || h.Get("Content-Type") != c.mediaType || h.Get("Content-Disposition") != c.disposition ||
					res.ContentLength != int64(len(c.want)) || h.Get("X-Content-Type-Options") != "nosniff" {
					t.Errorf("%s%s: %d %q %v, %v", path, c.name, res.StatusCode, got, h, err)
				}
			}
		}
		const notBinary = "Value of variable with id p is not a binary value."
		w.wants("GET", "/process-instance/p/variables/s/data", "", http.StatusBadRequest, failure(fault.InvalidRequest, notBinary))
		w.wants("GET", "/execution/p/localVariables/s/data", "", http.StatusBadRequest, failure(fault.InvalidRequest, notBinary))
		w.wants("GET", "/execution/"+task.ExecutionID+"/localVariables/f/data", "", http.StatusNotFound, failure(fault.InvalidRequest, "execution variable with name f does not exist"))
		w.wants("GET", "/execution/nope/localVariables/f/data", "", http.StatusNotFound,
			coded(fault.Rest, "Cannot get execution variable f: execution nope doesn't exist: execution is null"))
		if got := w.send("GET", "/process-instance/p/variables/nope/data", "", "Accept", "image/png"); got.status != http.StatusNotFound || !strings.Contains(got.text, "variable with name nope") {
			t.Errorf("%+v", got)
		}
	})
}

func TestLargeContent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(`{"topicName": "t", "processInstanceId": "p"}`)
		sent := strings.Repeat("QUJD", 1<<20)
		w.wants("POST", "/process-instance/p/variables", `{"modifications": {"b": {"value": "`+sent+`", "type": "Bytes"}}}`, http.StatusNoContent, "")
		if got := w.send("GET", "/process-instance/p/variables/b/data", ""); got.text != strings.Repeat("ABC", 1<<20) {
			t.Errorf("%d of %d bytes came back", len(got.text), 3<<20)
		}
	})
}
