package rest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"rearm/db"
	"rearm/gen"
)

// retriesByMaker gives the retries of all tasks of each maker, who is told by their business key; -1: none were ever set.
func (w *tenants) retriesByMaker() map[string][]int32 {
	w.t.Helper()
	var list []gen.ExternalTaskDto
	w.get("root", "GET", "/external-task", "", &list)
	retries := map[string][]int32{}
	for _, task := range list {
		maker, left := task.BusinessKey.MustGet(), int32(-1)
		if task.Retries.IsSpecified() && !task.Retries.IsNull() {
			left = task.Retries.MustGet()
		}
		retries[maker] = append(retries[maker], left)
	}
	return retries
}

// only checks that the tasks of some makers have just been given some retries, and those of all others have other ones.
func (w *tenants) only(what string, retries int32, makers ...string) {
	w.t.Helper()
	for maker, list := range w.retriesByMaker() {
		for _, left := range list {
			if slices.Contains(makers, maker) != (left == retries) {
				w.t.Errorf("%s: a task of %s has %d retries, %d are set for %v", what, maker, left, retries, makers)
			}
		}
	}
}

// creates checks whose a new task is, and that nothing is made for others or among theirs.
func (w *tenants) creates() {
	w.t.Helper()
	for caller, want := range map[string]string{"anna": "a", "bob": "b", "udo": "", "root": ""} {
		var tenant string
		if made := w.taskOf(caller, w.newTask(caller, "t")); !made.TenantID.IsNull() {
			tenant = made.TenantID.MustGet()
		}
		if tenant != want {
			w.t.Errorf("%s makes a task of the tenant %q, want %q", caller, tenant, want)
		}
	}
	w.createsElsewhere("/external-task/create", "%s")
}

// createsMany is creates for many at once.
func (w *tenants) createsMany() {
	w.t.Helper()
	var made gen.CreatedExternalTasksDto
	w.get("anna", "POST", "/external-task/create-bulk", `{"externalTasks": [{"topicName": "t"}, {"topicName": "t", "tenantId": "a"}]}`, &made)
	for _, id := range made.ExternalTaskIds {
		if task := w.taskOf("root", id); task.TenantID.MustGet() != "a" {
			w.t.Errorf("made for anna: %+v", task)
		}
	}
	w.createsElsewhere("/external-task/create-bulk", `{"externalTasks": [{"topicName": "t"}, %s]}`)
}

// createsElsewhere checks that a task that belongs elsewhere is refused.
func (w *tenants) createsElsewhere(path, body string) {
	w.t.Helper()
	ended := things["scope"](w, "anna")
	w.get("anna", "DELETE", "/process-instance/"+ended, "", nil)
	foreign := map[string]string{"ended": ended, "bob's": w.thing("scope", "bob"), "nobody's": w.thing("scope", "root")}
	before := w.before()
	for what, scope := range foreign {
		got := w.as("anna", "POST", path, fmt.Sprintf(body, `{"topicName": "t", "processInstanceId": "`+scope+`", "variables": {"x": {"value": 1}}}`))
		if got.status != http.StatusNotFound || got.text != strings.ReplaceAll(`{"type":"InvalidRequestException","message":"Process instance with id ID has ended","code":null}`, "ID", scope) {
			w.t.Errorf("in a scope that is %s: %d %s", what, got.status, got.text)
		}
	}
	for caller, task := range map[string]string{
		"anna": `{"topicName": "t", "tenantId": "b"}`, "udo": `{"topicName": "t", "tenantId": "b"}`, "abel": `{"topicName": "t"}`, "nina": `{"topicName": "t"}`,
	} {
		got := w.as(caller, "POST", path, fmt.Sprintf(body, task))
		if got.status != http.StatusBadRequest || !strings.Contains(got.text, "belongs to") {
			w.t.Errorf("%s creates %s: %d %s", caller, task, got.status, got.text)
		}
	}
	if w.changed(before) {
		w.t.Error("what was refused has left something")
	}
}

// fetches checks that only what a caller may see is locked for it.
func (w *tenants) fetches() {
	w.t.Helper()
	for _, maker := range []string{"anna", "bob", "root"} {
		w.newTask(maker, "t")
		w.newTask(maker, "u")
	}
	const body = `{"workerId": "w", "maxTasks": 9, "topics": [{"topicName": "t", "lockDuration": 60000}, {"topicName": "u", "lockDuration": 60000%s}]}`
	for _, c := range []struct {
		caller, more, want string
	}{
		{"nina", "", ""}, {"anna", `, "tenantIdIn": ["b"]`, "anna"}, {"anna", `, "tenantIdIn": ["a", "b"]`, "anna"}, {"anna", "", ""},
		{"abel", `, "withoutTenantId": true`, "bob"}, {"udo", `, "withoutTenantId": true`, "root root"}, {"root", "", "bob"},
	} {
		var list []gen.LockedExternalTaskDto
		w.get(c.caller, "POST", "/external-task/fetchAndLock", fmt.Sprintf(body, c.more), &list)
		var makers []string
		for _, task := range list {
			makers = append(makers, task.BusinessKey.MustGet())
		}
		if got := strings.Join(makers, " "); got != c.want {
			w.t.Errorf("%s fetches%s what is of %q, want %q", c.caller, c.more, got, c.want)
		}
	}
}

// setsRetries checks the setting of the retries of many tasks at once.
func (w *tenants) setsRetries() {
	w.t.Helper()
	const path = "/external-task/retries"
	for _, pair := range strangers {
		task, scope := w.thing("failed task", pair[1]), w.thing("scope", pair[1])
		for _, body := range []string{`"externalTaskIds": ["ID"]`, `"externalTaskIds": ["ID"], "onMissing": "skip"`, `"externalTaskQuery": {"externalTaskIdIn": ["ID"]}`} {
			w.alike(pair[0], task, "PUT", path, `{"retries": 3, `+body+`}`)
		}
		for _, body := range []string{`"processInstanceIds": ["ID"]`, `"processInstanceQuery": {"processInstanceIds": ["ID"]}`, `"historicProcessInstanceQuery": {"processInstanceId": "ID"}`} {
			w.alike(pair[0], scope, "PUT", path, `{"retries": 3, `+body+`}`)
		}
	}
	ids := `"externalTaskIds": ["` + w.thing("failed task", "anna") + `", "ID"]`
	w.alike("anna", w.thing("failed task", "bob"), "PUT", path, `{"retries": 3, `+ids+`}`)
	for i, all := range []string{`"externalTaskQuery": {}`, `"processInstanceQuery": {}`, `"historicProcessInstanceQuery": {}`} {
		w.get("anna", "PUT", path, fmt.Sprintf(`{"retries": %d, %s}`, 100+i, all), nil)
		w.only(all, int32(100+i), "anna")
		w.get("udo", "PUT", path, fmt.Sprintf(`{"retries": %d, %s}`, 200+i, all), nil)
		w.only(all, int32(200+i), "anna", "root")
	}
}

// setsRetriesAsync checks the headline: a batch takes only what its maker may see, and is the maker's.
func (w *tenants) setsRetriesAsync() {
	w.t.Helper()
	const path = "/external-task/retries-async"
	for _, pair := range strangers {
		w.alike(pair[0], w.thing("failed task", pair[1]), "POST", path, `{"retries": 3, "externalTaskIds": ["ID"]}`)
		w.alike(pair[0], w.thing("failed task", pair[1]), "POST", path, `{"retries": 3, "externalTaskQuery": {"externalTaskId": "ID"}}`)
		for _, body := range []string{`"processInstanceIds": ["ID"]`, `"processInstanceQuery": {"processInstanceIds": ["ID"]}`, `"historicProcessInstanceQuery": {"processInstanceId": "ID"}`} {
			w.alike(pair[0], w.thing("scope", pair[1]), "POST", path, `{"retries": 3, `+body+`}`)
		}
	}
	w.skips(path)
	for i, all := range []string{`"externalTaskQuery": {}`, `"processInstanceQuery": {}`, `"historicProcessInstanceQuery": {}`, `"externalTaskQuery": {}, "processInstanceQuery": {}`} {
		for caller, makers := range map[string][]string{"bob": {"bob"}, "udo": {"anna", "root"}} {
			retries := 10*i + len(makers)
			b := w.batchOf(caller, path, fmt.Sprintf(`{"retries": %d, %s}`, retries, all))
			w.run(caller, b)
			w.only(all, int32(retries), makers...)
		}
	}
	w.keys(path)
}

// skips checks a batch that passes over what is missing: what is another's is.
func (w *tenants) skips(path string) {
	w.t.Helper()
	want := map[string]int32{w.failedTask("anna"): 9, w.failedTask("bob"): 0, w.failedTask("root"): 0}
	ids := strings.Join(slices.Sorted(maps.Keys(want)), `", "`)
	b := w.batchOf("anna", path, `{"retries": 9, "onMissing": "skip", "externalTaskIds": ["`+ids+`"]}`)
	if w.run("anna", b); b.TotalJobs != 3 || b.TenantID.MustGet() != "a" {
		w.t.Errorf("a batch that skips: %+v", b)
	}
	for id, retries := range want {
		if got := w.taskOf("root", id); got.Retries.MustGet() != retries {
			w.t.Errorf("a batch that skips has given %+v other retries, want %d", got, retries)
		}
	}
}

// batchOf makes a batch.
func (w *tenants) batchOf(caller, path, body string) (b gen.BatchDto) {
	w.t.Helper()
	w.get(caller, "POST", path, body, &b)
	return b
}

// run carries out a batch, as its maker; jobs may fail.
func (w *tenants) run(caller string, b gen.BatchDto) {
	w.t.Helper()
	w.get(caller, "POST", "/job/"+partOf(b.ID, db.SubSeed)+"/execute", "", nil)
	id, _ := db.ParseID(b.ID)
	for n := range uint32(b.TotalJobs) {
		w.as(caller, "POST", "/job/"+id.Sub(db.SubJob, n).String()+"/execute", "")
	}
}

// keys checks that an Idempotency-Key is the caller's own.
func (w *tenants) keys(path string) {
	w.t.Helper()
	const body = `{"retries": 3, "externalTaskQuery": {}}`
	answers := map[string]bool{}
	for _, caller := range []string{"anna", "bob", "udo", "anna", "bob", "udo"} {
		got := w.send("POST", path, body, callerHeader, caller, "Idempotency-Key", "key")
		if got.status != http.StatusOK {
			w.t.Errorf("%s, with a key: %+v", caller, got)
		}
		answers[got.text] = true
	}
	if len(answers) != 3 {
		w.t.Errorf("three callers with one key have %d answers", len(answers))
	}
}

// setsJobRetriesAsync checks that jobs of others fail as those do that do not exist, and stay as they are.
func (w *tenants) setsJobRetriesAsync() {
	w.t.Helper()
	for _, pair := range strangers {
		job := w.thing("failed job", pair[1])
		var said [2]string
		for i, id := range []string{job, unknownLike(job)} {
			b := w.batchOf(pair[0], "/job/retries", `{"retries": 7, "jobIds": ["`+id+`"]}`)
			w.run(pair[0], b)
			got := w.as(pair[0], "GET", "/job/"+partOf(b.ID, db.SubJob)+"/stacktrace", "")
			said[i] = strings.ReplaceAll(fmt.Sprint(b.TotalJobs, b.TenantID, got), id, "ID")
		}
		if said[0] != said[1] || !strings.Contains(said[0], "No job found with id 'ID'") {
			w.t.Errorf("%s: another's %s\n nobody's %s", pair[0], said[0], said[1])
		}
		if n := w.retriesOf(job); n != 0 {
			w.t.Errorf("%s has given a job of %s %d retries", pair[0], pair[1], n)
		}
	}
	w.run("anna", w.batchOf("anna", "/job/retries", `{"retries": 8, "jobIds": ["`+w.thing("failed job", "bob")+`", "`+w.thing("failed job", "anna")+`"], "jobQuery": {}}`))
	for maker, want := range map[string]int32{"anna": 8, "bob": 0, "root": 0} {
		if n := w.retriesOf(w.thing("failed job", maker)); n != want {
			w.t.Errorf("all of anna's: a job of %s has %d retries, want %d", maker, n, want)
		}
	}
}

func (w *tenants) retriesOf(job string) int32 {
	w.t.Helper()
	var j gen.JobDto
	w.get("root", "GET", "/job/"+job, "", &j)
	return j.Retries
}

// setsRemovalTime checks that the history of others stays as it is.
func (w *tenants) setsRemovalTime() {
	w.t.Helper()
	const path = "/history/batch/set-removal-time"
	for _, pair := range strangers {
		batch := w.thing("batch", pair[1])
		w.alike(pair[0], batch, "POST", path, `{"clearedRemovalTime": true, "historicBatchIds": ["ID"]}`)
		w.alike(pair[0], batch, "POST", path, `{"clearedRemovalTime": true, "historicBatchQuery": {"batchId": "ID"}}`)
	}
	const at = "2030-01-01T00:00:00.000+0000"
	w.run("anna", w.batchOf("anna", path, `{"absoluteRemovalTime": "`+at+`", "historicBatchQuery": {}, "historicBatchIds": ["`+w.thing("batch", "anna")+`", "`+w.thing("batch", "bob")+`"]}`))
	for maker, want := range map[string]string{"anna": at, "bob": "", "root": ""} {
		var b struct{ RemovalTime *string }
		w.get("root", "GET", "/history/batch/"+w.thing("batch", maker), "", &b)
		if got := valueOf(b.RemovalTime); got != want {
			w.t.Errorf("the batch of %s goes at %q, want %q", maker, got, want)
		}
	}
}

// suspendsJobs checks the suspension of jobs by their definition.
func (w *tenants) suspendsJobs() {
	w.t.Helper()
	const definition, body = "failed job's definition", `{"suspended": true, "jobDefinitionId": "ID"}`
	for _, pair := range strangers {
		w.alike(pair[0], w.thing(definition, pair[1]), "PUT", "/job/suspended", body)
	}
	for _, pair := range insiders {
		id := things[definition](w, pair[1])
		before := w.before()
		w.get(pair[0], "PUT", "/job/suspended", strings.ReplaceAll(body, "ID", id), nil)
		if !w.changed(before) {
			w.t.Errorf("%s has not suspended the jobs of %s", pair[0], pair[1])
		}
	}
}

// suspendsDefinitions checks that job definitions of processes, of which there are none, are nobody's.
func (w *tenants) suspendsDefinitions() {
	w.t.Helper()
	w.thing("definition", "anna")
	before := w.before()
	for caller := range callers {
		w.get(caller, "PUT", "/job-definition/suspended", `{"suspended": true, "processDefinitionKey": "k"}`, nil)
	}
	if w.changed(before) {
		w.t.Error("something was suspended")
	}
}
