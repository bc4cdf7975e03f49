package main

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"rearm/gen"
)

// resting makes n tasks fail and a batch that retries them, which rests: it is suspended before it starts.
func (s *server) resting(t *testing.T, n int) (batch string) {
	t.Helper()
	s.failed(t, n)
	code, stdout, stderr := outcome(t, nil, "retry", s.at(), "--topic=demo", "--retries=3", "--watch=false")
	says(t, code, stdout, stderr, 0, anID+"\n", ``)
	batch = strings.TrimSpace(stdout)
	code, stdout, stderr = outcome(t, nil, "batch", "suspend", batch, s.at())
	says(t, code, stdout, stderr, 0, batch+" is suspended\n", ``)
	return batch
}

// execute runs the first job of a definition by hand.
func (s *server) execute(t *testing.T, definition string) {
	t.Helper()
	one := 1
	res, err := s.client.GetJobsWithResponse(t.Context(), &gen.GetJobsParams{JobDefinitionID: &definition, MaxResults: &one})
	if err != nil || res.JSON200 == nil || len(*res.JSON200) != 1 {
		t.Fatalf("no job of %s: %v, %s", definition, err, res.Body)
	}
	send(t, http.StatusNoContent, http.MethodPost, s.url+"/engine-rest/job/"+(*res.JSON200)[0].ID+"/execute", `{}`)
}

// A batch is listed, shown, suspended, activated, watched to its end, and shown again.
func TestBatchCommands(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--job-executor=false")
	batch := s.resting(t, 5)
	const time = `\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`
	for _, c := range []struct{ args, want string }{
		{"list", `ID +TYPE +STATE +DONE +JOBS +FAILED +STARTED +BY\n` + batch + ` +set-external-task-retries +suspended +0 +5 +0 +` + time + ` +-\n`},
		{"list --suspended --type=set-external-task-retries --max=1", `ID .*\n` + batch + `.*\n`},
		{"list --failed", `ID .*BY\n`},
		{"list --type=set-job-retries", `ID .*BY\n`},
		{"list --ended", `ID +TYPE +JOBS +STARTED +ENDED +BY\n`},
		{"list --json", `\[\n.*"id": "` + batch + `".*\]\n`},
		{"list --ended --json", `\[\]\n`},
		{"show " + batch, `batch    ` + batch + `\ntype     set-external-task-retries\nstate    suspended\njobs     0 of 5 done\nstarted  ` + time + `\n`},
		{"show --json " + batch, `\{\n.*"state": "suspended".*\}\n`},
		{"activate " + batch, batch + ` is active\n`},
		{"show " + batch, `.*state    running\n.*`},
		{"suspend " + batch + " " + batch, batch + " is suspended\n" + batch + " is suspended\n"},
		{"delete " + batch, batch + ` is deleted\n`},
		{"list", `ID .*BY\n`},
		{"list --ended", `ID .*\n` + batch + ` +set-external-task-retries +5 +` + time + ` +` + time + ` +-\n`},
		{"show " + batch, `.*state    deleted\njobs     0 of 5 done\nstarted .*\nended    ` + time + `, after [\d.ms]+\n`},
		{"--help", `Usage: rearm batch COMMAND.*delete ID\.\.\. .*`},
		{"show --help", `Usage: rearm batch show ID \[flags\].*--server url\n +REARM_SERVER\n.*`},
	} {
		code, stdout, stderr := outcome(t, env{"REARM_SERVER": s.url + "/engine-rest"}, append([]string{"batch"}, strings.Fields(c.args)...)...)
		t.Log(c.args)
		says(t, code, stdout, stderr, 0, c.want, ``)
	}
}

func TestBatchCommandsRefuse(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	for args, want := range map[string]string{
		"":                         "say what to do",
		"fly":                      `there is no command "fly"`,
		"list x":                   `"x" is no flag`,
		"list --ended --suspended": "neither suspended nor failed",
		"list --max=0":             "not a number from 1",
		"list --loud":              "unknown flag: --loud",
		"show":                     "the id of one batch is needed",
		"show a b":                 "the id of one batch is needed",
		"watch":                    "the id of one batch is needed",
		"suspend":                  "the id of a batch is needed",
		"show nobody":              "look at the batch: the server answers 404: Historic batch with id 'nobody' does not exist",
		"watch nobody":             "look at the batch: the server answers 404: Historic batch with id 'nobody' does not exist",
		"suspend nobody":           "suspend nobody: the server answers 404: Unable to suspend batch with id 'nobody'",
		"activate nobody":          "activate nobody: the server answers 404: Unable to activate batch with id 'nobody'",
		"delete nobody":            "delete nobody: the server answers 404: Unable to delete batch with id 'nobody'",
	} {
		code, stdout, stderr := outcome(t, env{"REARM_SERVER": s.url + "/engine-rest"}, append([]string{"batch"}, strings.Fields(args)...)...)
		says(t, code, stdout, stderr, 2, ``, `(Usage: .*)?rearm batch: [^\n]*`+want+`[^\n]*\n`)
	}
}

// Whoever watches a suspended batch is told how to let it go on, and sees it end.
func TestWatchSuspended(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		before := startServer(t, databaseURL, "--job-executor=false")
		batch := before.resting(t, 20)
		before.stop()
		s := startServer(t, databaseURL)
		code, said := untilSaid(t, "this lets it go on: rearm batch activate "+batch, func(context.CancelFunc) {
			code, stdout, stderr := outcome(t, nil, "batch", "activate", batch, s.at())
			says(t, code, stdout, stderr, 0, batch+" is active\n", ``)
		}, "batch", "watch", batch, s.at())
		says(t, code, said, "", 0, `.*waiting  the batch is suspended.* 20 of 20 jobs\nended    after .*: all 20 jobs are done\n`, ``)
	})
}

// A batch that is deleted while it is watched has not done its work.
func TestWatchDeleted(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--job-executor=false")
	for _, c := range []struct{ deleting, want string }{
		{"", `the batch was deleted when 2 of 5 jobs were done`},
		{"--cascade", `batch ` + anID + ` was deleted with its history, or ended and was cleaned up`},
	} {
		batch := s.resting(t, 5)
		b, err := s.client.GetBatchWithResponse(t.Context(), batch)
		if err != nil || b.JSON200 == nil {
			t.Fatalf("%v, %s", err, b.Body)
		}
		for _, definition := range []string{b.JSON200.SeedJobDefinitionID, b.JSON200.BatchJobDefinitionID, b.JSON200.BatchJobDefinitionID} {
			s.execute(t, definition)
		}
		code, said := untilSaid(t, "the batch is suspended", func(context.CancelFunc) {
			code, stdout, stderr := outcome(t, nil, append(strings.Fields("batch delete "+c.deleting), batch, s.at())...)
			says(t, code, stdout, stderr, 0, batch+" is deleted\n", ``)
		}, "batch", "watch", batch, s.at())
		says(t, code, said, "", 1, `.* 2 of \d+ jobs\n.*rearm batch: `+c.want+`\n`, ``)
	}
}

// Ctrl-C, or the time that was given, ends the watching and not the batch, and it is said how to watch on.
func TestWatchStopped(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--job-executor=false")
	batch := s.resting(t, 3)
	on := `; this watches on: rearm batch watch ` + batch + ` --server ` + s.url + `/engine-rest\n`
	code, said := untilSaid(t, "the batch is suspended", func(stop context.CancelFunc) { stop() }, "batch", "watch", batch, s.at())
	says(t, code, said, "", 1, `.*rearm batch: batch `+batch+` goes on, unwatched`+on, ``)
	code, stdout, stderr := outcome(t, nil, "batch", "watch", batch, s.at(), "--timeout=1ms", "--json")
	says(t, code, stdout, stderr, 1, ``, `.*rearm batch: batch `+batch+` goes on after 1ms`+on)
	code, said = untilSaid(t, "tasks to 1, by 3 jobs", func(stop context.CancelFunc) { stop() }, "retry", "--all", "--retries=1", s.at())
	says(t, code, said, "", 1, `batch    .*rearm retry: batch `+anID+` goes on, unwatched; this watches on: rearm batch watch .*`, ``)
}

// A batch whose jobs have failed for good is given up: nothing happens to it by itself.
func TestWatchFailed(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	var batch gen.BatchDto
	if err := json.Unmarshal([]byte(send(t, http.StatusOK, http.MethodPost, s.url+"/engine-rest/job/retries", `{"retries": 2, "jobIds": ["nobody"]}`)), &batch); err != nil {
		t.Fatal(err)
	}
	const why = `ENGINE-13053 No job found with id 'nobody'[^\n]*`
	code, stdout, stderr := outcome(t, nil, "batch", "watch", batch.ID, s.at())
	says(t, code, stdout, stderr, 1, `.*\d of 1 jobs\n`, `rearm batch: 1 of 1 jobs failed: `+why+`; the batch stays until somebody gives these jobs new retries or deletes it\n`)
	code, stdout, stderr = outcome(t, nil, "batch", "watch", "--json", batch.ID, s.at())
	says(t, code, stdout, stderr, 1, `\{.*"state": "failed".*"failed": 1.*\}\n`, `.*rearm batch: 1 of 1 jobs failed: `+why+`\n`)
	code, stdout, stderr = outcome(t, nil, "batch", "list", "--failed", s.at())
	says(t, code, stdout, stderr, 0, `ID .*\n`+batch.ID+` +set-job-retries +running +0 +1 +1 .*\n`, ``)
	code, stdout, stderr = outcome(t, nil, "batch", "show", batch.ID, s.at())
	says(t, code, stdout, stderr, 0, `.*state    failed\njobs     0 of 1 done, 1 failed\n.*failure  `+why+`\n`, ``)
}

// A batch that ended without some of its jobs has not done all of its work.
func TestWatchDeletedJobs(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		before := startServer(t, databaseURL, "--job-executor=false")
		batch := before.resting(t, 5)
		b, err := before.client.GetBatchWithResponse(t.Context(), batch)
		if err != nil || b.JSON200 == nil {
			t.Fatalf("%v, %s", err, b.Body)
		}
		before.execute(t, b.JSON200.SeedJobDefinitionID)
		jobs, err := before.client.GetJobsWithResponse(t.Context(), &gen.GetJobsParams{JobDefinitionID: &b.JSON200.BatchJobDefinitionID})
		if err != nil || len(*jobs.JSON200) != 5 {
			t.Fatalf("%v, %s", err, jobs.Body)
		}
		send(t, http.StatusNoContent, http.MethodDelete, before.url+"/engine-rest/job/"+(*jobs.JSON200)[2].ID, "")
		outcome(t, nil, "batch", "activate", batch, before.at())
		before.stop()
		s := startServer(t, databaseURL)
		code, stdout, stderr := outcome(t, nil, "batch", "watch", batch, s.at())
		says(t, code, stdout, stderr, 1, `.*4 of 5 jobs\n`, `rearm batch: 1 of 5 jobs were deleted before they ran\n`)
		code, stdout, stderr = outcome(t, nil, "batch", "show", batch, s.at())
		says(t, code, stdout, stderr, 0, `.*state    ended\njobs     4 of 5 done, 1 deleted\n.*`, ``)
	})
}
