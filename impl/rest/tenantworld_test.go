package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/jmoiron/sqlx"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/contract"
)

// callers are those on whose behalf requests are made. What root makes without saying more belongs to no tenant.
var callers = map[string]db.Caller{
	"root": {Name: "root"},
	"anna": {Name: "anna", Tenants: []string{"a"}},
	"bob":  {Name: "bob", Tenants: []string{"b"}},
	"udo":  {Name: "udo", Tenants: []string{"a"}, Untenanted: true},
	"abel": {Name: "abel", Tenants: []string{"a", "b"}},
	"nina": {Name: "nina", Tenants: []string{}},
}

// callerHeader names the caller of a request of a test. Who logs in how is not asked here.
const callerHeader = "Test-Caller"

// asCaller lets requests be made on behalf of the caller whom their header names.
func asCaller(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := callers[r.Header.Get(callerHeader)]; ok {
			r = r.WithContext(contract.WithCaller(r.Context(), c))
		}
		next.ServeHTTP(w, r)
	})
}

// strangers are pairs of a caller and somebody whose things it may not see; insiders those of one who may.
var (
	strangers = [][2]string{{"anna", "bob"}, {"bob", "root"}, {"udo", "bob"}, {"abel", "root"}, {"nina", "anna"}}
	insiders  = [][2]string{{"anna", "anna"}, {"udo", "root"}, {"abel", "bob"}}
)

// tenants is a world in which anna, bob and root can have things of every kind.
type tenants struct {
	*world
	raw   *sqlx.DB
	made  map[string]string // by kind and maker, the id of what stands there and does not change
	state string            // all that is in the database; "": something may have changed since it was read
}

func newTenants(t *testing.T, s *db.Store) *tenants {
	t.Helper()
	return &tenants{world: newWorld(t, s), raw: dbtest.Raw(t, s), made: map[string]string{}}
}

// thing gives the id of the one thing of a kind that a maker has made and nobody has changed.
func (w *tenants) thing(kind, maker string) string {
	w.t.Helper()
	name := kind + " " + maker
	if w.made[name] == "" {
		w.made[name] = things[kind](w, maker)
	}
	return w.made[name]
}

// as sends a request on behalf of a caller.
func (w *tenants) as(caller, method, path, body string) reply {
	w.t.Helper()
	w.state = ""
	return w.send(method, path, body, callerHeader, caller)
}

// get sends a request that has to succeed, and reads the answer, if there is one, into dest.
func (w *tenants) get(caller, method, path, body string, dest any) {
	w.t.Helper()
	got := w.as(caller, method, path, body)
	if got.status != http.StatusOK && got.status != http.StatusNoContent {
		w.t.Fatalf("%s: %s %s %s: %d %s", caller, method, path, body, got.status, got.text)
	}
	if got.text == "" {
		return
	}
	if err := json.Unmarshal([]byte(got.text), dest); err != nil {
		w.t.Fatalf("%s: %s %s: %v in %s", caller, method, path, err, got.text)
	}
}

// before reads all that is in the database, unless it is known.
func (w *tenants) before() string {
	w.t.Helper()
	if w.state == "" {
		w.state = w.dump()
	}
	return w.state
}

// changed tells whether the database is another one than it was before.
func (w *tenants) changed(before string) bool {
	w.t.Helper()
	w.state = w.dump()
	return w.state != before
}

// dump gives all that is in the database.
func (w *tenants) dump() string {
	w.t.Helper()
	names := "select table_name from information_schema.tables where table_schema = any(current_schemas(false)) order by 1"
	if w.raw.DriverName() == "sqlite" {
		names = "select name from sqlite_master where type = 'table' and name <> 'num' and name not like 'sqlite%' order by 1"
	}
	var tables, all []string
	w.must(w.raw.SelectContext(context.Background(), &tables, names))
	for _, table := range tables {
		lines, err := w.rowsOf(table)
		w.must(err)
		all = append(all, lines...)
	}
	return strings.Join(all, "\n")
}

// rowsOf gives the rows of a table as texts, in their order.
func (w *tenants) rowsOf(table string) (lines []string, err error) {
	rows, err := w.raw.QueryContext(context.Background(), "select * from "+table)
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err says what counts
	columns, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	values, places := make([]any, len(columns)), make([]any, len(columns))
	for i := range places {
		places[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return nil, err
		}
		lines = append(lines, fmt.Sprintf("%s %v", table, values))
	}
	slices.Sort(lines)
	return lines, rows.Err()
}

func (w *tenants) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// unknownLike gives an id that nothing has, of the same kind as another one.
func unknownLike(id string) string {
	parsed, _ := db.ParseID(id)
	_, kind, ordinal := parsed.Split()
	return dbtest.ID().Sub(kind, ordinal).String()
}

// alike tries a request on something that the caller may not see, and on what does not exist: the answers have to be the same, and
// nothing may change. In path and body ID stands for the id.
func (w *tenants) alike(caller, id, method, path, body string) {
	w.t.Helper()
	before := w.before()
	with := func(id string) string {
		got := w.as(caller, method, strings.ReplaceAll(path, "ID", id), strings.ReplaceAll(body, "ID", id))
		return fmt.Sprint(got.status, " ", got.mediaType, " ", strings.ReplaceAll(got.text, id, "ID"))
	}
	foreign, unknown := with(id), with(unknownLike(id))
	if foreign != unknown {
		w.t.Errorf("%s: %s %s %s:\n another's %s\n  nobody's %s", caller, method, path, body, foreign, unknown)
	}
	if w.changed(before) {
		w.t.Errorf("%s: %s %s %s has changed something", caller, method, path, body)
	}
}

// The things that there are, by kind: each makes one on behalf of a caller and gives its id.
var things = map[string]func(w *tenants, maker string) string{
	"locked task": (*tenants).lockedTask,
	"failed task": (*tenants).failedTask,
	"scope":       func(w *tenants, maker string) string { return w.taskOf(maker, w.failedTask(maker)).ProcessInstanceID },
	"execution":   func(w *tenants, maker string) string { return w.taskOf(maker, w.failedTask(maker)).ExecutionID },
	"task entry": func(w *tenants, maker string) string {
		return w.first(maker, "/history/external-task-log?failureLog=true&externalTaskId="+w.failedTask(maker))
	},
	"task incident": func(w *tenants, maker string) string {
		return w.first(maker, "/incident?configuration="+w.failedTask(maker))
	},
	"annotated incident": func(w *tenants, maker string) (id string) {
		id = w.first(maker, "/incident?configuration="+w.failedJob(maker))
		w.get(maker, "PUT", "/incident/"+id+"/annotation", `{"annotation": "seen"}`, nil)
		return id
	},
	"batch":                   (*tenants).batch,
	"seed job":                func(w *tenants, maker string) string { return partOf(w.batch(maker), db.SubSeed) },
	"failed job":              (*tenants).failedJob,
	"definition":              func(w *tenants, maker string) string { return partOf(w.batch(maker), db.SubDefinition) },
	"failed job's definition": func(w *tenants, maker string) string { return partOf(w.failedJob(maker), db.SubDefinition) },
	"job entry":               func(w *tenants, maker string) string { return partOf(w.failedJob(maker), db.SubFailureLog) },
}

// partOf gives the id of the first thing of a kind of the batch to which another thing belongs.
func partOf(id string, kind byte) string {
	parsed, _ := db.ParseID(id)
	return parsed.Sub(kind, 0).String()
}

// first gives the id of the first of a list.
func (w *tenants) first(caller, path string) string {
	w.t.Helper()
	var list []struct{ ID string }
	if w.get(caller, "GET", path, "", &list); len(list) == 0 {
		w.t.Fatalf("%s: nothing at %s", caller, path)
	}
	return list[0].ID
}

func (w *tenants) taskOf(caller, id string) (task gen.ExternalTaskDto) {
	w.t.Helper()
	w.get(caller, "GET", "/external-task/"+id, "", &task)
	return task
}

// newTask makes a task on the topic t, and on one of the maker's own.
func (w *tenants) newTask(maker, topic string) (id string) {
	w.t.Helper()
	var task gen.ExternalTaskDto
	w.get(maker, "POST", "/external-task/create", fmt.Sprintf(`{"topicName": %q, "businessKey": %q}`, topic, maker), &task)
	return task.ID
}

func (w *tenants) lockedTask(maker string) (id string) {
	w.t.Helper()
	id = w.newTask(maker, "t")
	w.get(maker, "POST", "/external-task/"+id+"/lock", `{"workerId": "w", "lockDuration": 60000}`, nil)
	return id
}

// aFile is a variable with content.
const aFile = `{"f": {"type": "File", "value": "aGk=", "valueInfo": {"filename": "f.txt"}}}`

func (w *tenants) failedTask(maker string) (id string) {
	w.t.Helper()
	id = w.lockedTask(maker)
	w.get(maker, "POST", "/external-task/"+id+"/failure",
		`{"workerId": "w", "errorMessage": "m", "errorDetails": "d", "retries": 0, "variables": `+aFile+`, "localVariables": `+aFile+`}`, nil)
	return id
}

// batch makes a batch that waits for somebody to run its seed job.
func (w *tenants) batch(maker string) string {
	w.t.Helper()
	var b gen.BatchDto
	w.get(maker, "POST", "/job/retries", `{"retries": 5, "jobIds": ["nonexistent"]}`, &b)
	return b.ID
}

// failedJob makes a batch whose one job fails for good, and gives the job.
func (w *tenants) failedJob(maker string) string {
	w.t.Helper()
	batch := w.batch(maker)
	w.get(maker, "POST", "/job/"+partOf(batch, db.SubSeed)+"/execute", "", nil)
	job := partOf(batch, db.SubJob)
	for range 3 {
		if got := w.as(maker, "POST", "/job/"+job+"/execute", ""); !strings.Contains(got.text, "ENGINE-13053 No job found with id 'nonexistent'") {
			w.t.Fatalf("%s: a job that cannot be done: %d %s", maker, got.status, got.text)
		}
	}
	return job
}

// operationsOf calls f for every operation of the document.
func operationsOf(t *testing.T, f func(method, path string, o *openapi3.Operation)) {
	t.Helper()
	for path, item := range contractOf(t).Paths.Map() {
		for method, o := range item.Operations() {
			f(method, path, o)
		}
	}
}
