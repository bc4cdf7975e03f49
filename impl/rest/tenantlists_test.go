package rest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"rearm/db"
	"rearm/db/dbtest"
)

// answerOf gives the schema of an operation's 200, if that is JSON.
func answerOf(o *openapi3.Operation) *openapi3.Schema {
	res := o.Responses.Value("200")
	if res == nil || res.Value.Content["application/json"] == nil {
		return &openapi3.Schema{}
	}
	return res.Value.Content["application/json"].Schema.Value
}

// listed tells whether an operation lists rows that say whose they are.
func listed(o *openapi3.Operation) bool {
	answer := answerOf(o)
	return others[o.OperationID] == "" && answer.Items != nil && has(answer.Items.Value, "tenantId")
}

// has tells whether an object has a property, of its own or from what it is made of.
func has(s *openapi3.Schema, property string) bool {
	return s.Properties[property] != nil || slices.ContainsFunc(s.AllOf, func(part *openapi3.SchemaRef) bool { return has(part.Value, property) })
}

// counted tells whether an operation counts rows.
func counted(o *openapi3.Operation) bool {
	return others[o.OperationID] == "" && has(answerOf(o), "count")
}

// asks tells whether an operation has a filter, in its query or in its body.
func asks(o *openapi3.Operation, filter string) bool {
	if o.RequestBody != nil {
		return has(o.RequestBody.Value.Content["application/json"].Schema.Value, filter)
	}
	return o.Parameters.GetByInAndName("query", filter) != nil
}

// row is an element of a list.
type row map[string]any

// all makes one thing of every kind for each maker, and a batch of abel's, of which all ids begin with owned.
func (w *tenants) all() (owned string) {
	w.t.Helper()
	for kind := range things {
		for _, maker := range []string{"anna", "bob", "root"} {
			w.thing(kind, maker)
		}
	}
	return w.failedJob("abel")[:27] // without the 36 bits that tell them apart
}

// mine tells whether a caller may see a row.
func mine(caller string, r row, owned string) bool {
	c := callers[caller]
	for _, value := range r {
		if text, _ := value.(string); strings.HasPrefix(text, owned) {
			return caller == "abel" || c.Tenants == nil
		}
	}
	tenant, has := r["tenantId"].(string)
	switch {
	case c.Tenants == nil:
		return true
	case !has:
		return c.Untenanted
	}
	return slices.Contains(c.Tenants, tenant)
}

// ofTenants gives the rows of some tenants; "": of none.
func ofTenants(rows []row, tenants ...string) (some []row) {
	for _, r := range rows {
		tenant, _ := r["tenantId"].(string)
		if slices.Contains(tenants, tenant) {
			some = append(some, r)
		}
	}
	return some
}

// question is what a list is asked, once in a query and once in a body; narrow leaves of all rows those that it means.
type question struct {
	filter, query, body string
	narrow              func(rows []row) []row
}

var questions = []question{
	{"", "", "{}", func(rows []row) []row { return rows }},
	{"tenantIdIn", "?tenantIdIn=b", `{"tenantIdIn": ["b"]}`, func(rows []row) []row { return ofTenants(rows, "b") }},
	{"tenantIdIn", "?tenantIdIn=a,b,c", `{"tenantIdIn": ["a", "b", "c"]}`, func(rows []row) []row { return ofTenants(rows, "a", "b") }},
	{"withoutTenantId", "?withoutTenantId=true", `{"withoutTenantId": true}`, func(rows []row) []row { return ofTenants(rows, "") }},
	{"includeJobsWithoutTenantId", "?tenantIdIn=a&includeJobsWithoutTenantId=true", `{"tenantIdIn": ["a"], "includeJobsWithoutTenantId": true}`,
		func(rows []row) []row { return ofTenants(rows, "a", "") }},
	{"includeJobDefinitionsWithoutTenantId", "?tenantIdIn=a&includeJobDefinitionsWithoutTenantId=true",
		`{"tenantIdIn": ["a"], "includeJobDefinitionsWithoutTenantId": true}`, func(rows []row) []row { return ofTenants(rows, "a", "") }},
}

// ask sends a question to an operation.
func (w *tenants) ask(caller, method, path string, q question, dest any) {
	w.t.Helper()
	if method == http.MethodPost {
		w.get(caller, method, path, q.body, dest)
		return
	}
	w.get(caller, method, path+q.query, "", dest)
}

// Every list has, of what there is, just what the caller may see, whatever else it asks; and a count says how many that are.
func TestListsOfTenants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newTenants(t, s)
		owned := w.all()
		operationsOf(t, func(method, path string, o *openapi3.Operation) {
			for _, q := range questions {
				switch known := q.filter == "" || asks(o, q.filter); {
				case known && listed(o):
					w.lists(method, path, q, owned)
				case known && counted(o):
					w.counts(method, path, q)
				}
			}
		})
	})
}

// askers gives those who ask a question: all ask for everything.
func (q *question) askers() []string {
	if q.filter == "" {
		return slices.Sorted(maps.Keys(callers))
	}
	return []string{"anna", "udo", "abel"}
}

// lists checks a list by what those see who see all. They see something of everybody.
func (w *tenants) lists(method, path string, q question, owned string) {
	w.t.Helper()
	var everything []row
	w.ask("root", method, path, question{query: "", body: "{}"}, &everything)
	for _, tenant := range []string{"a", "b", ""} {
		if len(ofTenants(everything, tenant)) == 0 {
			w.t.Errorf("%s has nothing of the tenant %q, and proves nothing", path, tenant)
		}
	}
	for _, caller := range q.askers() {
		want, got := []row{}, []row{}
		for _, r := range q.narrow(everything) {
			if mine(caller, r, owned) {
				want = append(want, r)
			}
		}
		if w.ask(caller, method, path, q, &got); !reflect.DeepEqual(got, want) {
			w.t.Errorf("%s: %s %s%s: has %s\nwant %s", caller, method, path, q.query, brief(got), brief(want))
		}
	}
}

// counts checks a count by the list that it counts.
func (w *tenants) counts(method, path string, q question) {
	w.t.Helper()
	for _, caller := range q.askers() {
		var list []row
		var n struct{ Count int }
		w.ask(caller, method, strings.TrimSuffix(path, "/count"), q, &list)
		if w.ask(caller, method, path, q, &n); n.Count != len(list) {
			w.t.Errorf("%s: %s %s%s: %d, but %d are listed", caller, method, path, q.query, n.Count, len(list))
		}
	}
}

// brief names rows by their ids and tenants.
func brief(rows []row) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "%v of %v, ", r["id"], r["tenantId"])
	}
	return b.String()
}

// reports checks the report of what can be cleaned up by the batches that the caller can list.
func (w *tenants) reports() {
	w.t.Helper()
	for _, maker := range []string{"anna", "bob", "root", "root", "abel"} {
		id := partOf(w.failedJob(maker), db.SubBatch)
		w.get(maker, "DELETE", "/batch/"+id, "", nil)
	}
	for caller, want := range map[string]int64{"root": 5, "anna": 1, "bob": 1, "udo": 3, "abel": 3, "nina": 0} {
		var report []struct{ FinishedBatchesCount int64 }
		var rows, ended struct{ Count int64 }
		w.get(caller, "GET", "/history/batch/cleanable-batch-report", "", &report)
		w.get(caller, "GET", "/history/batch/cleanable-batch-report/count", "", &rows)
		w.get(caller, "GET", "/history/batch/count?completed=true", "", &ended)
		sum := int64(0)
		for i := range report {
			sum += report[i].FinishedBatchesCount
		}
		if sum != want || ended.Count != want || rows.Count != int64(len(report)) || rows.Count != min(want, 1) {
			w.t.Errorf("%s: a report of %d in %d (%d) rows, %d are listed; want %d", caller, sum, rows.Count, len(report), ended.Count, want)
		}
	}
}

// namesTopics checks that a topic is named to those who may see a task of it.
func (w *tenants) namesTopics() {
	w.t.Helper()
	for _, maker := range []string{"anna", "bob", "root"} {
		w.newTask(maker, maker)
		w.newTask(maker, "all")
	}
	for caller, want := range map[string]string{
		"root": `["all","anna","bob","root"]`, "anna": `["all","anna"]`, "bob": `["all","bob"]`, "udo": `["all","anna","root"]`, "abel": `["all","anna","bob"]`, "nina": `[]`,
	} {
		var got json.RawMessage
		if w.get(caller, "GET", "/external-task/topic-names?withUnlockedTasks=true", "", &got); string(got) != want {
			w.t.Errorf("%s: topics %s, want %s", caller, got, want)
		}
	}
}
