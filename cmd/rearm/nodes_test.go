package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"rearm/db/dbtest"
	"rearm/gen"
)

// send sends a request and gives the answer, which must be of a status.
func send(t *testing.T, want int, method, url, body string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it was read to its end
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != want {
		t.Fatalf("%s %s: %d %s, %v; want %d", method, url, res.StatusCode, answer, err, want)
	}
	return string(answer)
}

// What a node has answered to is there on every node, the moment it has answered: a batch and its numbers read the same
// everywhere after each step of its life, whoever took it.
func TestEveryNodeReadsTheSame(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	var nodes []*server
	for range 3 {
		nodes = append(nodes, startServer(t, url, "--job-executor=false", "--batch-jobs-per-seed=2"))
	}
	acting := 0
	act := func(want int, method, path, body string) string {
		acting++
		return send(t, want, method, nodes[acting%len(nodes)].url+"/engine-rest"+path, body)
	}
	act(200, http.MethodPost, "/external-task/create-bulk", `{"externalTasks": [{"topicName": "x"}, {"topicName": "x", "retries": 0}, {"topicName": "x"}]}`)
	var batch gen.BatchDto
	if err := json.Unmarshal([]byte(act(200, http.MethodPost, "/external-task/retries-async", `{"retries": 0, "externalTaskQuery": {}}`)), &batch); err != nil {
		t.Fatal(err)
	}
	seen := []string{readByAll(t, nodes, batch.ID)}
	step := func(want int, method, path, body string) {
		t.Helper()
		act(want, method, path, body)
		seen = append(seen, readByAll(t, nodes, batch.ID))
		if last := len(seen) - 1; seen[last] == seen[last-1] {
			t.Errorf("%s %s changed nothing that can be read:\n%s", method, path, seen[last])
		}
	}
	step(204, http.MethodPost, "/job/"+theJob(t, nodes[0], batch.SeedJobDefinitionID)+"/execute", "")
	step(204, http.MethodPut, "/batch/"+batch.ID+"/suspended", `{"suspended": true}`)
	step(204, http.MethodPut, "/batch/"+batch.ID+"/suspended", `{"suspended": false}`)
	step(204, http.MethodPost, "/job/"+theJob(t, nodes[1], batch.SeedJobDefinitionID)+"/execute", "")
	for i := range 3 {
		step(204, http.MethodPost, "/job/"+theJob(t, nodes[i], batch.BatchJobDefinitionID)+"/execute", "")
	}
	step(204, http.MethodPost, "/job/"+theJob(t, nodes[2], batch.MonitorJobDefinitionID)+"/execute", "")
	if last := seen[len(seen)-1]; !strings.Contains(last, "Batch with id '"+batch.ID+"' does not exist") || !strings.Contains(last, `incident/count: {"count":3}`) {
		t.Errorf("in the end there is\n%s", last)
	}
}

// theJob gives the id of the first job of a definition, as a node tells it.
func theJob(t *testing.T, s *server, definition string) string {
	t.Helper()
	var jobs []gen.JobDto
	text := send(t, 200, http.MethodGet, s.url+"/engine-rest/job?sortBy=jobId&sortOrder=asc&jobDefinitionId="+definition, "")
	if err := json.Unmarshal([]byte(text), &jobs); err != nil || len(jobs) == 0 {
		t.Fatalf("%v, %s", err, text)
	}
	return jobs[0].ID
}

// readByAll reads all that a batch shows of itself, on every node, and gives what all of them must agree on.
func readByAll(t *testing.T, nodes []*server, batch string) (said string) {
	t.Helper()
	for i, s := range nodes {
		var all strings.Builder
		for _, path := range []string{"batch/" + batch, "batch/statistics?batchId=" + batch, "history/batch/" + batch, "job/count", "external-task?sortBy=id&sortOrder=asc",
			"incident/count"} {
			_, body := fetched(t, s.url+"/engine-rest/"+path)
			fmt.Fprintf(&all, "%s: %s\n", path, body)
		}
		if said == "" {
			said = all.String()
		}
		if all.String() != said {
			t.Errorf("node %d reads\n%s\nnode 0 reads\n%s", i, all.String(), said)
		}
	}
	return said
}
