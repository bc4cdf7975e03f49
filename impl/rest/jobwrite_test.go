package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/fault"
)

// seeded makes a batch on n new tasks whose seed job has run, and gives it with its execution jobs.
func (w *world) seeded(n int) (b gen.BatchDto, jobs []string) {
	w.t.Helper()
	var ids []string
	for range n {
		ids = append(ids, `"`+w.create(`{"topicName": "t"}`)+`"`)
	}
	w.decode(w.send("POST", "/external-task/retries-async", `{"retries": 5, "externalTaskIds": [`+strings.Join(ids, ", ")+`]}`), &b)
	w.wants("POST", "/job/"+w.jobsOf(b.SeedJobDefinitionID)[0].ID+"/execute", "", http.StatusNoContent, "")
	for _, j := range w.jobsOf(b.BatchJobDefinitionID) {
		jobs = append(jobs, j.ID)
	}
	return b, jobs
}

// jobsOf lists the jobs of a job definition.
func (w *world) jobsOf(definition string) (list []gen.JobDto) {
	w.t.Helper()
	w.decode(w.send("GET", "/job?jobDefinitionId="+definition, ""), &list)
	return list
}

// decode reads the body of an answer of 200.
func (w *world) decode(got reply, dst any) {
	w.t.Helper()
	if err := json.Unmarshal([]byte(got.text), dst); err != nil || got.status != http.StatusOK {
		w.t.Fatalf("%d %s, %v", got.status, got.text, err)
	}
}

func TestWritesOnAJob(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		b, ids := w.seeded(3)
		id := ids[1]
		for _, c := range []struct{ method, path, body, shows string }{
			{"PUT", "duedate", `{"duedate": "` + someDateText + `", "cascade": true}`, `"dueDate":"2013-01-23T12:42:45.000+0000"`},
			{"PUT", "duedate", `{"duedate": null}`, `"dueDate":null`},
			{"PUT", "duedate", `{"duedate": "2030-01-01T00:00:00Z"}`, `"dueDate":"2030-01-01T00:00:00.000+0000"`},
			{"PUT", "duedate", "", `"dueDate":null`},
			{"PUT", "priority", `{"priority": 9223372036854775807}`, `"priority":9223372036854775807`},
			{"PUT", "suspended", `{"suspended": true}`, `"suspended":true`},
			{"PUT", "suspended", "", `"suspended":false`},
			{"PUT", "retries", `{"retries": 0, "dueDate": "` + someDateText + `"}`, `"dueDate":"2013-01-23T12:42:45.000+0000"`},
		} {
			w.wants(c.method, "/job/"+id+"/"+c.path, c.body, http.StatusNoContent, "")
			if got := w.send("GET", "/job/"+id, ""); !strings.Contains(got.text, c.shows) {
				t.Errorf("%s %s: %s is not in %s", c.path, c.body, c.shows, got.text)
			}
		}
		w.wants("POST", "/job/"+id+"/duedate/recalculate?creationDateBased=false", "", http.StatusBadRequest,
			failure(fault.InvalidRequest, "Only timer jobs can be recalculated, but the job with id '"+id+"' is of type 'set-external-task-retries'."))
		w.wants("PUT", "/job/suspended", `{"suspended": true, "jobDefinitionId": "`+b.BatchJobDefinitionID+`"}`, http.StatusNoContent, "")
		w.wants("GET", "/job/count?suspended=true", "", http.StatusOK, `{"count": 3}`)
		w.wants("DELETE", "/job/"+id, "", http.StatusNoContent, "")
		w.wants("DELETE", "/job/"+id, "", http.StatusNotFound, failure(fault.InvalidRequest, "No job found with id '"+id+"': job is null"))
		w.wants("GET", "/history/incident/count?deleted=true", "", http.StatusOK, `{"count": 1}`)
	})
}

func TestJobWritesRefuse(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	one := func(message string) string { return failure(fault.InvalidRequest, message) }
	for _, c := range []struct {
		request, body string
		status        int
		want          string
	}{
		{"PUT /job/x/duedate", `{"duedate": "soon"}`, 400, one("*")},
		{"PUT /job/x/duedate", `{}`, 404, one("No job found with id 'x'.")},
		{"POST /job/x/duedate/recalculate", ``, 404, coded(fault.InvalidRequest, "No job found with id 'x': job is null")},
		{"PUT /job/x/priority", `{}`, 400, failure(fault.Rest, "Priority for job 'x' cannot be null.")},
		{"PUT /job/x/priority", `{"priority": null}`, 400, failure(fault.Rest, "Priority for job 'x' cannot be null.")},
		{"PUT /job/x/priority", `{"priority": 1}`, 404, one("No job found with id 'x': job is null")},
		{"PUT /job/x/suspended", `{"suspended": true}`, 404, one("No job found with id 'x': job is null")},
		{"PUT /job/x/suspended", `{"processDefinitionKey": "y"}`, 400, one("Only one of jobId, jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey should be set to update the suspension state.")},
		{"PUT /job/suspended", `{"jobId": "x"}`, 400, one("Either jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey can be set to update the suspension state.")},
		{"POST /job/retries", `null`, 400, one("setJobRetriesDto is null")},
		{"POST /job/retries", `{"jobQuery": {}}`, 400, one("retries is null")},
		{"POST /job/retries", `{"retries": 1, "jobQuery": {"timers": true, "messages": true}}`, 400, one("Parameter timers cannot be used together with parameter messages.")},
		{"POST /job/retries", `{"retries": 1, "jobQuery": {"dueDates": [{"operator": "eq"}]}}`, 400, one("Invalid due date comparator specified: eq")},
		{"POST /job/retries", `{"retries": -1, "jobIds": []}`, 400, coded(fault.ProcessEngine, "ENGINE-13050 You must specify at least one of jobIds or jobQuery.")},
		{"PUT /job-definition/x/retries", `{"retries": -1}`, 400, one("ENGINE-13054 The number of job retries must be a non-negative Integer, but '-1' has been provided.")},
		{"PUT /job-definition/x/retries", `{}`, 400, one("The number of retries cannot be null.")},
		{"PUT /job-definition/x/suspended", `{"executionDate": "soon"}`, 400, one("*")},
		{"PUT /job-definition/x/suspended", `{"executionDate": "2030-13-01T00:00:00Z"}`, 400, one(`The suspension state of Job Definition with id x could not be updated due to: "2030-13-01T00:00:00Z" is not a date of the form yyyy-MM-dd'T'HH:mm:ss.SSSZ`)},
		{"PUT /job-definition/suspended", `{"processDefinitionId": "x", "executionDate": "2030-13-01T00:00:00Z"}`, 400, one("*")},
		{"PUT /job-definition/suspended", `{}`, 400, one("Either jobDefinitionId, processDefinitionId or processDefinitionKey should be set to update the suspension state.")},
		{"PUT /job-definition/x/jobPriority", ``, 404, one("Job definition with id 'x' does not exist: jobDefinition is null")},
		{"PUT /job-definition/x/jobPriority", `{"includeJobs": true}`, 400, one("Cannot reset priority for job definition x with includeJobs=true")},
	} {
		method, path, _ := strings.Cut(c.request, " ")
		w.wants(method, path, c.body, c.status, c.want)
	}
}

func TestWritesOnAJobDefinition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, dbtest.SQLite(t))
	b, ids := w.seeded(2)
	path := "/job-definition/" + b.BatchJobDefinitionID
	shows := func(part string) {
		t.Helper()
		if got := w.send("GET", path, ""); !strings.Contains(got.text, part) {
			t.Errorf("%s is not in %s", part, got.text)
		}
	}
	w.wants("PUT", path+"/jobPriority", `{"priority": 7, "includeJobs": true}`, http.StatusNoContent, "")
	shows(`"overridingJobPriority":7`)
	w.wants("PUT", path+"/jobPriority", ``, http.StatusNoContent, "")
	shows(`"overridingJobPriority":null`)
	w.wants("GET", "/job/count?priorityHigherThanOrEquals=7", "", http.StatusOK, `{"count": 2}`)
	w.wants("PUT", path+"/suspended", `{"suspended": true, "executionDate": "2099-01-01T00:00:00.000+0000"}`, http.StatusNoContent, "")
	shows(`"suspended":false`)
	w.wants("PUT", path+"/suspended", `{"suspended": true, "executionDate": ""}`, http.StatusNoContent, "")
	shows(`"suspended":true`)
	w.wants("GET", "/job/count?suspended=true", "", http.StatusOK, `{"count": 0}`)
	w.wants("PUT", "/job-definition/suspended", `{"suspended": true, "processDefinitionKey": "x"}`, http.StatusNoContent, "")
	w.wants("PUT", "/job/"+ids[0]+"/retries", `{"retries": 0}`, http.StatusNoContent, "")
	w.wants("PUT", path+"/retries", `{"retries": 4, "dueDate": "`+someDateText+`"}`, http.StatusNoContent, "")
	if j := w.jobsOf(b.BatchJobDefinitionID); j[0].Retries != 4 || j[0].DueDate.IsNull() || j[1].Retries != 3 || !j[1].DueDate.IsNull() {
		t.Errorf("jobs %+v", j)
	}
}

func TestSetRetriesOfManyJobs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		x, ids := w.seeded(4)
		var y gen.BatchDto
		w.decode(w.send("POST", "/job/retries", fmt.Sprintf(`{"retries": 6, "dueDate": null, "jobIds": [%q, %q, "x"], "jobQuery": {"jobId": %q}}`, ids[0], ids[2], ids[0])), &y)
		if y.Type != "set-job-retries" || y.TotalJobs != 3 || y.BatchJobsPerSeed != 100 {
			t.Errorf("the batch is %+v", y)
		}
		w.wants("POST", "/job/"+w.jobsOf(y.SeedJobDefinitionID)[0].ID+"/execute", "", http.StatusNoContent, "")
		jobs := w.jobsOf(y.BatchJobDefinitionID)
		w.wants("POST", "/job/"+jobs[0].ID+"/execute", "", http.StatusNotFound, failure(fault.InvalidRequest, "ENGINE-13053 No job found with id 'x'.'"))
		for _, j := range jobs[1:] {
			w.wants("POST", "/job/"+j.ID+"/execute", "", http.StatusNoContent, "")
		}
		for i, want := range []int32{6, 3, 6, 3} {
			if got := w.jobsOf(x.BatchJobDefinitionID)[i].Retries; got != want {
				t.Errorf("job %d has %d retries, want %d", i, got, want)
			}
		}
	})
}
