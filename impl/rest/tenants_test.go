package rest

import (
	"net/http"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"rearm/db"
	"rearm/db/dbtest"
)

// single is an operation on one thing, which its path names.
type single struct {
	kind   string // of things
	body   string
	status int  // when the caller may see the thing
	still  bool // nothing changes: it reads, or it always refuses
}

// singles are all operations on one thing, by operationId.
var singles = map[string]single{
	"getBatch":                   {kind: "batch", status: 200, still: true},
	"deleteBatch":                {kind: "batch", status: 204},
	"updateBatchSuspensionState": {kind: "batch", body: `{"suspended": true}`, status: 204},
	"getHistoricBatch":           {kind: "batch", status: 200, still: true},
	"deleteHistoricBatch":        {kind: "batch", status: 204},

	"getIncident":             {kind: "task incident", status: 200, still: true},
	"resolveIncident":         {kind: "annotated incident", status: 400, still: true},
	"setIncidentAnnotation":   {kind: "task incident", body: `{"annotation": "x"}`, status: 204},
	"clearIncidentAnnotation": {kind: "annotated incident", status: 204},

	"getJob":                   {kind: "failed job", status: 200, still: true},
	"getStacktrace":            {kind: "failed job", status: 200, still: true},
	"deleteJob":                {kind: "seed job", status: 204},
	"executeJob":               {kind: "seed job", status: 204},
	"setJobDuedate":            {kind: "seed job", body: `{"duedate": "2030-01-01T00:00:00.000+0000"}`, status: 204},
	"recalculateDuedate":       {kind: "failed job", status: 400, still: true},
	"setJobPriority":           {kind: "seed job", body: `{"priority": 7}`, status: 204},
	"setJobRetries":            {kind: "seed job", body: `{"retries": 7}`, status: 204},
	"updateJobSuspensionState": {kind: "seed job", body: `{"suspended": true}`, status: 204},

	"getJobDefinition":                   {kind: "definition", status: 200, still: true},
	"setJobPriorityJobDefinition":        {kind: "definition", body: `{"priority": 7}`, status: 204},
	"setJobRetriesJobDefinition":         {kind: "failed job's definition", body: `{"retries": 7}`, status: 204},
	"updateSuspensionStateJobDefinition": {kind: "definition", body: `{"suspended": true}`, status: 204},

	"getHistoricJobLog":           {kind: "job entry", status: 200, still: true},
	"getStacktraceHistoricJobLog": {kind: "job entry", status: 200, still: true},

	"getExternalTask":                 {kind: "failed task", status: 200, still: true},
	"getExternalTaskErrorDetails":     {kind: "failed task", status: 200, still: true},
	"completeExternalTaskResource":    {kind: "locked task", body: `{"workerId": "w"}`, status: 204},
	"handleFailure":                   {kind: "locked task", body: `{"workerId": "w", "retries": 1}`, status: 204},
	"handleExternalTaskBpmnError":     {kind: "locked task", body: `{"workerId": "w", "errorCode": "e"}`, status: 204},
	"lock":                            {kind: "locked task", body: `{"workerId": "w", "lockDuration": 1}`, status: 204},
	"extendLock":                      {kind: "locked task", body: `{"workerId": "w", "newDuration": 1}`, status: 204},
	"unlock":                          {kind: "locked task", status: 204},
	"setExternalTaskResourcePriority": {kind: "locked task", body: `{"priority": 7}`, status: 204},
	"setExternalTaskResourceRetries":  {kind: "failed task", body: `{"retries": 7}`, status: 204},

	"getProcessInstance":               {kind: "scope", status: 200, still: true},
	"deleteProcessInstance":            {kind: "scope", status: 204},
	"updateSuspensionStateById":        {kind: "scope", body: `{"suspended": true}`, status: 204},
	"modifyProcessInstanceVariables":   {kind: "execution", body: `{"modifications": {"x": {"value": 1}}, "deletions": ["f"]}`, status: 204},
	"getProcessInstanceVariable":       {kind: "scope", status: 200, still: true},
	"getProcessInstanceVariableBinary": {kind: "scope", status: 200, still: true},
	"getLocalExecutionVariableBinary":  {kind: "execution", status: 200, still: true},

	"getHistoricExternalTaskLog":             {kind: "task entry", status: 200, still: true},
	"getErrorDetailsHistoricExternalTaskLog": {kind: "task entry", status: 200, still: true},
}

// others are the operations that neither name one thing nor list or count, each with one of plays.
var others = map[string]string{
	"createExternalTask":                     "create",
	"createExternalTasks":                    "create",
	"fetchAndLock":                           "fetch",
	"getCleanableHistoricBatchesReport":      "look",
	"getCleanableHistoricBatchesReportCount": "look",
	"getProcessEngineNames":                  "look",
	"getRestAPIVersion":                      "look",
	"getTopicNames":                          "look",
	"setExternalTaskRetries":                 "set retries",
	"setExternalTaskRetriesAsyncOperation":   "set retries",
	"setJobRetriesAsyncOperation":            "set retries of jobs",
	"setRemovalTimeAsyncHistoricBatch":       "set removal time",
	"updateSuspensionStateBy":                "suspend",
	"updateSuspensionStateJobDefinitions":    "suspend",
}

// plays are the tests of others.
var plays = map[string][]func(w *tenants){
	"create":              {(*tenants).creates, (*tenants).createsMany},
	"fetch":               {(*tenants).fetches},
	"look":                {(*tenants).namesTopics, (*tenants).reports, (*tenants).asksForTheEngine},
	"set retries":         {(*tenants).setsRetries, (*tenants).setsRetriesAsync},
	"set retries of jobs": {(*tenants).setsJobRetriesAsync},
	"set removal time":    {(*tenants).setsRemovalTime},
	"suspend":             {(*tenants).suspendsJobs, (*tenants).suspendsDefinitions},
}

// An operation without an expectation may show or change what is another tenant's, and nobody would notice.
func TestEveryOperationKnowsTenants(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	operationsOf(t, func(method, path string, o *openapi3.Operation) {
		_, one := singles[o.OperationID]
		other := plays[others[o.OperationID]] != nil
		seen[o.OperationID] = true
		ways := 0
		for _, is := range []bool{one, other, listed(o), counted(o)} {
			if is {
				ways++
			}
		}
		if ways != 1 {
			t.Errorf("%s, %s %s, has %d expectations here of what it does with another tenant's", o.OperationID, method, path, ways)
		}
		if one != strings.Contains(path, "{") {
			t.Errorf("%s, %s %s: does it name one thing?", o.OperationID, method, path)
		}
	})
	for id := range singles {
		if !seen[id] {
			t.Errorf("there is no operation %s", id)
		}
	}
	for id := range others {
		if !seen[id] {
			t.Errorf("there is no operation %s", id)
		}
	}
}

// What is another tenant's answers exactly as what does not exist, and nothing happens to it.
func TestForeignAnswersAsUnknown(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newTenants(t, s)
		operationsOf(t, func(method, path string, o *openapi3.Operation) {
			c, ok := singles[o.OperationID]
			if !ok {
				return
			}
			for _, pair := range strangers {
				w.alike(pair[0], w.thing(c.kind, pair[1]), method, pathOf(path), c.body)
			}
		})
	})
}

// Who may see a thing may do all with it that the contract has.
func TestOwnThings(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newTenants(t, s)
		operationsOf(t, func(method, path string, o *openapi3.Operation) {
			c, ok := singles[o.OperationID]
			if !ok {
				return
			}
			for _, pair := range insiders {
				id := w.thing(c.kind, pair[1])
				if !c.still {
					id = things[c.kind](w, pair[1])
				}
				before := w.before()
				got := w.as(pair[0], method, strings.ReplaceAll(pathOf(path), "ID", id), c.body)
				if got.status != c.status {
					t.Errorf("%s: %s %s of %s: %d %s, want %d", pair[0], method, path, pair[1], got.status, got.text, c.status)
				}
				if c.still == w.changed(before) {
					t.Errorf("%s: %s %s of %s: is something to change? %v", pair[0], method, path, pair[1], !c.still)
				}
			}
		})
	})
}

// pathOf gives a path with ID for the id of what it names, and with the name of the variable that all have.
func pathOf(path string) string {
	return strings.NewReplacer("{id}", "ID", "{varName}", "f").Replace(path)
}

// The operations that name things in their bodies, or none.
func TestTenantsOfOtherOperations(t *testing.T) {
	t.Parallel()
	for name, all := range plays {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.Each(t, func(t *testing.T, s *db.Store) {
				w := newTenants(t, s)
				for _, play := range all {
					play(w)
				}
			})
		})
	}
}

// asksForTheEngine checks that everybody has the same engine.
func (w *tenants) asksForTheEngine() {
	w.t.Helper()
	for _, path := range []string{"/engine", "/version"} {
		want := w.as("root", "GET", path, "")
		for caller := range callers {
			if got := w.as(caller, "GET", path, ""); got != want || got.status != http.StatusOK {
				w.t.Errorf("%s: %s: %+v, root gets %+v", caller, path, got, want)
			}
		}
	}
}
