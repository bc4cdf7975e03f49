package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/errgroup"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/contract"
	"rearm/impl/contract/contracttest"
)

var (
	oneSeed = flag.Uint64("seed", 0, "with which seed alone the property test of the contract runs; 0: the usual ones, and those by chance")
	chance  = flag.Int("chance", 0, "how many seeds by chance the property test of the contract runs with, too")
	perSeed = flag.Int("requests", 12/heavy, "how many requests of each kind the property test of the contract makes of an operation, for each seed")
)

// seeds are those with which the property test runs. By themselves they are always the same, so that a change that passes is not held
// up by what it did not bring; -chance looks for more.
func seeds() []uint64 {
	if *oneSeed != 0 {
		return []uint64{*oneSeed}
	}
	all := []uint64{1, 2, 3}
	for range *chance {
		all = append(all, rand.Uint64())
	}
	return all
}

// Whatever a request looks like, and whatever it says: the answer fits the document and is never a 5xx, nothing that the server
// logs is an error, and a request that does not fit the document gets the status that the document asks for and changes
// nothing.
func TestContractHolds(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		s := startServer(t, databaseURL, "--batch-poll-time=PT1H", "--node-name=probed")
		p := newProbe(t, s, databaseURL)
		all := seeds()
		t.Logf("seeds %d, %d requests each", all, *perSeed)
		p.populate()
		p.learn()
		for _, seed := range all {
			p.each(seed, "wrong", (*contracttest.Maker).Wrong, p.refuses)
		}
		for _, seed := range all {
			p.populate()
			p.learn()
			p.each(seed, "right", (*contracttest.Maker).Right, p.answers)
		}
		if got := p.statuses; got[200] < 100 || got[204] < 10 || got[400] < 100 || got[404] < 50 || got[405] < 10 || got[406] < 10 || got[415] < 10 {
			t.Errorf("the requests do not try everything: %v", got)
		}
		for _, entry := range s.log.at("ERROR") {
			t.Errorf("the server logged %v", entry)
		}
	})
}

// at gives the entries of a level, so far.
func (b *logBook) at(level string) (list []map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.entries {
		if e["level"] == level {
			list = append(list, e)
		}
	}
	return list
}

// probe asks a server everything.
type probe struct {
	t          *testing.T
	base       string
	client     *http.Client
	conn       *sqlx.DB
	operations []contracttest.Operation
	populated  int // how often
	known      []string
	statuses   map[int]int
}

func newProbe(t *testing.T, s *server, databaseURL string) *probe {
	t.Helper()
	document, err := contract.Load(gen.Document)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: contracttest.Transport(t, document, &http.Transport{MaxIdleConnsPerHost: askers})}
	return &probe{t: t, base: s.url + "/engine-rest", client: client, conn: dbtest.Connect(t, databaseURL),
		operations: contracttest.Operations(document), statuses: map[int]int{}}
}

// askers is how many requests are under way at the same time.
const askers = 4

// each makes requests of every operation, and has each one judged with its answer. What is made depends on the seed and the
// operation alone.
func (p *probe) each(seed uint64, kind string, make func(*contracttest.Maker, contracttest.Operation) contracttest.Request,
	judge func(before string, asked []contracttest.Request, statuses []int),
) {
	p.t.Helper()
	for _, o := range p.operations {
		m := &contracttest.Maker{
			Random: rand.New(rand.NewPCG(seed, uint64(len(o.OperationID))<<32|uint64(o.OperationID[0]))), Known: p.known,
			Most: map[string]int64{"asyncResponseTimeout": 20},
		}
		before := p.state()
		asked, statuses := []contracttest.Request{}, slices.Repeat([]int{0}, *perSeed)
		var group errgroup.Group
		group.SetLimit(askers)
		for i := range *perSeed {
			r := make(m, o)
			asked = append(asked, r)
			group.Go(func() error {
				status, answer := r.Send(p.t, p.client, p.base)
				if status >= 500 {
					p.t.Errorf("seed %d, %s, a request that is %s: %s\n%d %s", seed, o.OperationID, kind, r, status, answer)
				}
				statuses[i] = status
				return nil
			})
		}
		_ = group.Wait() // none of them gives an error
		for _, status := range statuses {
			p.statuses[status]++
		}
		judge(before, asked, statuses)
		if p.t.Failed() {
			p.t.FailNow() // what follows would tell the same
		}
	}
}

// refuses expects that requests were refused as the document asks for, and that all is as before.
func (p *probe) refuses(before string, asked []contracttest.Request, statuses []int) {
	for i, r := range asked {
		if statuses[i] != r.Status {
			p.t.Errorf("%s: %d, want %d", r, statuses[i], r.Status)
		}
	}
	if after := p.state(); after != before {
		p.t.Errorf("one of %v changed\n%s to\n%s", asked, before, after)
	}
}

// answers expects that the document did not refuse requests that fit it.
func (p *probe) answers(_ string, asked []contracttest.Request, statuses []int) {
	for i, r := range asked {
		if slices.Contains([]int{http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType}, statuses[i]) {
			p.t.Errorf("%s: %d", r, statuses[i])
		}
	}
}

// populate makes tasks of all states, and batches of which one has ended, one is suspended and one has failed. Nothing of it moves
// by itself.
func (p *probe) populate() {
	p.t.Helper()
	task := func(topic, scope, more string) string {
		return fmt.Sprintf(`{"topicName": %q, "processInstanceId": "%s %d", "businessKey": "b", "processDefinitionKey": "order", "processDefinitionId": "order:1", "activityId": "a"%s}`,
			topic, scope, p.populated, more)
	}
	p.populated++
	var made struct{ ExternalTaskIDs []string }
	p.post("/external-task/create-bulk", `{"externalTasks": [`+strings.Join([]string{
		task("red", "one", `, "variables": {"x": {"value": 1}, "to": {"value": "ann", "type": "String"}, "file": {"value": "aGVsbG8=", "type": "File", "valueInfo": {"filename": "f.txt"}}}`),
		task("red", "one", `, "retries": 0`), task("red", "two", `, "retries": 0`), task("red", "two", ""), task("green", "three", ""), task("green", "three", `, "priority": 7`),
		task("green", "four", ""), task("blue", "five", ""), task("blue", "five", `, "retries": 3`), task("blue", "six", ""),
	}, ",")+`]}`, &made)
	ids := made.ExternalTaskIDs
	for i, id := range ids[3:6] {
		p.post("/external-task/"+id+"/lock", `{"workerId": "w", "lockDuration": 600000}`, nil)
		if i < 2 {
			p.post("/external-task/"+id+"/failure", `{"workerId": "w", "errorMessage": "boom", "errorDetails": "at X", "retries": 0}`, nil)
		}
	}
	var ends, waits, fails struct{ ID, MonitorJobDefinitionID string }
	p.post("/external-task/retries-async", fmt.Sprintf(`{"retries": 2, "externalTaskIds": [%q, %q]}`, ids[1], ids[3]), &ends)
	p.post("/job/retries", `{"retries": 1, "jobIds": ["nonexistent"]}`, &waits)
	p.put("/batch/"+waits.ID+"/suspended", `{"suspended": true}`)
	p.post("/job/retries", `{"retries": 1, "jobIds": ["nonexistent"]}`, &fails)
	until(p.t, "one batch has ended, and one has failed and been looked at by its monitor", func() bool {
		var history struct{ EndTime *string }
		p.must("GET", "/history/batch/"+ends.ID, "", &history)
		var monitors []struct{ DueDate *string }
		p.must("GET", "/job?jobDefinitionId="+fails.MonitorJobDefinitionID, "", &monitors)
		return history.EndTime != nil && len(monitors) == 1 && monitors[0].DueDate != nil
	})
}

// post asks for what has to work.
func (p *probe) post(path, body string, into any) { p.t.Helper(); p.must("POST", path, body, into) }

func (p *probe) put(path, body string) { p.t.Helper(); p.must("PUT", path, body, nil) }

func (p *probe) must(method, path, body string, into any) {
	p.t.Helper()
	r := contracttest.Request{Method: method, Path: path, Header: http.Header{"Content-Type": {"application/json"}}, Body: body}
	status, answer := r.Send(p.t, p.client, p.base)
	if status >= 300 || into != nil && json.Unmarshal(answer, into) != nil {
		p.t.Fatalf("%s: %d %s", r, status, answer)
	}
}

// learn makes the probe know what is there: every id that a list names, such as a batch could have given to what belongs to it, and
// some words.
func (p *probe) learn() {
	p.t.Helper()
	found, ordinals := map[string]bool{}, []uint32{0, 1, 1<<31 - 1, 1 << 31, 1<<32 - 1}
	for _, path := range []string{"/external-task", "/batch", "/history/batch", "/job", "/job-definition", "/incident", "/history/incident", "/history/external-task-log", "/history/job-log"} {
		var list []map[string]any
		p.must("GET", path+"?maxResults=30", "", &list)
		if len(list) == 0 {
			p.t.Fatalf("%s is empty", path)
		}
		for _, row := range list {
			for name, value := range row {
				if text, is := value.(string); is && (name == "id" || strings.HasSuffix(name, "Id")) {
					found[text] = true
				}
			}
		}
	}
	p.known = []string{"red", "green", "blue", "w", "x", "file", "set-external-task-retries", "failedJob", "failedExternalTask", "order"}
	for text := range found {
		p.known = append(p.known, text)
		if id, ok := db.ParseID(text); ok {
			p.known = append(p.known, id.Sub(byte(rand.IntN(16)), ordinals[rand.IntN(len(ordinals))]).String())
		}
	}
	slices.Sort(p.known)
}

// stateQuery sums up all that requests change.
const stateQuery = `select * from (select count(*) as c1, sum(rev) as c2, sum(priority % 1000003) as c3, sum(case when suspended then 1 else 0 end) as c4 from external_task_state) a,
 (select count(*) as c5, sum(length(value)) as c6 from variable) b, (select count(*) as c7, sum(case when suspended then 1 else 0 end) as c8, count(end_time) as c9 from scope) c,
 (select count(*) as d1, sum(state) as d2, count(annotation) as d3 from incident) d, (select count(*) as d4 from task_log) e, (select count(*) as d5 from idempotency) f,
 (select count(*) as d6, sum(jobs_created) as d7, sum(seed_runs) as d8, sum(case when suspended then 1 else 0 end) as d9, sum(definition_suspended) as e1, count(priority_job) as e2 from batch) g,
 (select count(*) as e3, count(end_time) as e4, count(removal_time) as e5 from historic_batch) h, (select count(*) as e6 from job_log) i, (select count(*) as e7 from definition_suspension) j,
 (select count(*) as e8, sum(n) as e9, sum(retries) as f1, sum(priority % 1000003) as f2, sum(case when suspended then 1 else 0 end) as f3, sum(due_date % 1000003) as f4 from job) k`

// state gives what requests change, in one text.
func (p *probe) state() string {
	p.t.Helper()
	row, err := p.conn.QueryxContext(context.Background(), stateQuery)
	if err != nil {
		p.t.Fatal(err)
	}
	defer row.Close() //nolint:errcheck // it was read to its end
	if !row.Next() {
		p.t.Fatal(row.Err())
	}
	values, err := row.SliceScan()
	if err != nil {
		p.t.Fatal(err)
	}
	for i, v := range values {
		if b, is := v.([]byte); is {
			values[i] = string(b)
		}
	}
	return fmt.Sprint(values)
}

// Lists of any length, and texts of any length, are answered: with what was asked for, or with a 400 that says how much is too much.
func TestLargeRequests(t *testing.T) {
	t.Parallel()
	many := func(n int, one string) string { return strings.TrimSuffix(strings.Repeat(one+",", n), ",") }
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		s := startServer(t, databaseURL)
		p := newProbe(t, s, databaseURL)
		p.populate()
		for _, c := range []struct {
			name, path, body string
		}{
			{"sorting", "/external-task", `{"sorting": [` + many(5000, `{"sortBy": "id", "sortOrder": "asc"}, {"sortBy": "taskPriority", "sortOrder": "desc"}`) + `]}`},
			{"ids", "/external-task", `{"externalTaskIdIn": [` + many(50_000, `"0198f3a2-5c1e-7d10-8a57-3f1c2b6d9e01"`) + `]}`},
			{"tenants", "/external-task", `{"tenantIdIn": [` + many(50_000, `"t"`) + `]}`},
			{"process variables", "/external-task/count", `{"processVariables": [` + many(5000, `{"name": "x", "operator": "eq", "value": 1}`) + `]}`},
			{"a batch by many variables", "/external-task/retries-async", `{"retries": 1, "processInstanceQuery": {"variables": [` + many(5000, `{"name": "x", "operator": "neq", "value": 9}`) + `]}}`},
			{"a long pattern", "/external-task/count", `{"processVariables": [{"name": "x", "operator": "like", "value": "` + strings.Repeat("%a", 40_000) + `"}]}`},
			{"due dates", "/job", `{"dueDates": [` + many(5000, `{"operator": "gt", "value": "2013-01-23T14:42:45.000+0200"}`) + `]}`},
			{"topics", "/external-task/fetchAndLock", `{"workerId": "w", "maxTasks": 1, "topics": [` + manyTopics(2000) + `]}`},
			{"one topic again and again", "/external-task/fetchAndLock", `{"workerId": "w", "maxTasks": 1, "topics": [` + many(5000, `{"topicName": "red", "lockDuration": 1}`) + `]}`},
			{"variables of a topic", "/external-task/fetchAndLock", `{"workerId": "w", "maxTasks": 1, "topics": [{"topicName": "red", "lockDuration": 1, "variables": [` + many(40_000, `"x"`) + `], "processVariables": {"x": 1}}]}`},
			{"variables of a task", "/external-task/create", `{"topicName": "t", "variables": {` + manyVariables(40_000) + `}}`},
			{"instances", "/external-task/retries", `{"retries": 1, "processInstanceIds": [` + many(40_000, `"one"`) + `], "externalTaskIds": []}`},
		} {
			r := contracttest.Request{Method: "POST", Path: c.path, Header: http.Header{"Content-Type": {"application/json"}}, Body: c.body}
			if c.path == "/external-task/retries" {
				r.Method = "PUT"
			}
			start := time.Now()
			status, answer := r.Send(t, p.client, p.base)
			t.Logf("%s: %d in %s %.200s", c.name, status, time.Since(start), answer)
			if status >= 500 {
				t.Errorf("%s: %d %s", c.name, status, answer)
			}
		}
	})
}

func manyTopics(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `, {"topicName": "topic %d", "lockDuration": 1, "processInstanceId": "one"}`, i)
	}
	return b.String()[2:]
}

func manyVariables(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `, "v%d": {"value": %d}`, i, i)
	}
	return b.String()[2:]
}
