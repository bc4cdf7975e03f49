package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"rearm/gen"
	"rearm/openapi/wire"
)

// The states of a batch.
const (
	stateRunning   = "running"
	stateSuspended = "suspended"
	stateFailed    = "failed"  // what is left of its jobs has no retries left: nothing happens by itself
	stateEnded     = "ended"   // by itself
	stateDeleted   = "deleted" // before its end
)

// report is what a server tells of a batch, all in all.
type report struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	State   string         `json:"state"`
	Jobs    jobCounts      `json:"jobs"`
	Start   wire.DateTime  `json:"startTime"`
	End     *wire.DateTime `json:"endTime"`
	Creator *string        `json:"createUserId"`
	Message *string        `json:"incidentMessage"` // of a job that failed; nil if none tells
}

// jobCounts are the execution jobs of a batch.
type jobCounts struct {
	Total   int64 `json:"total"`
	Done    int64 `json:"done"` // while the batch runs those that were deleted count too
	Failed  int64 `json:"failed"`
	Deleted int64 `json:"deleted"` // known when the batch has ended
}

// over tells whether nothing will happen to a batch by itself any more.
func (b *report) over() bool { return b.State != stateRunning && b.State != stateSuspended }

// shortfall tells of jobs that have not done their work; nil when all have.
func (b *report) shortfall() error {
	message := ""
	if b.Message != nil {
		message = ": " + *b.Message
	}
	switch {
	case b.State == stateFailed:
		return fmt.Errorf("%d of %d jobs failed%s", b.Jobs.Failed, b.Jobs.Total, message)
	case b.State == stateDeleted:
		return fmt.Errorf("the batch was deleted when %d of %d jobs were done", b.Jobs.Done, b.Jobs.Total)
	case b.Jobs.Deleted > 0:
		return fmt.Errorf("%d of %d jobs were deleted before they ran", b.Jobs.Deleted, b.Jobs.Total)
	}
	return nil
}

// report asks how a batch is. One that has ended is asked of history.
func (r *remote) report(ctx context.Context, id string) (*report, error) {
	res, err := r.client.GetBatchStatisticsWithResponse(ctx, &gen.GetBatchStatisticsParams{BatchID: &id})
	if err := r.judge("look at the batch", http.StatusOK, res, err); err != nil {
		return nil, err
	}
	if list := *res.JSON200; len(list) > 0 {
		return r.reportRunning(ctx, &list[0])
	}
	return r.reportEnded(ctx, id)
}

// reportRunning makes the report of a batch that has not ended.
func (r *remote) reportRunning(ctx context.Context, b *gen.BatchStatisticsDto) (*report, error) {
	out := &report{
		ID: b.ID, Type: b.Type, State: stateRunning, Start: b.StartTime, Creator: orNil(b.CreateUserID.Get()),
		Jobs: jobCounts{Total: int64(b.TotalJobs), Done: int64(b.CompletedJobs), Failed: int64(b.FailedJobs)},
	}
	switch {
	case b.Suspended:
		out.State = stateSuspended
	case b.FailedJobs > 0 && b.FailedJobs == b.RemainingJobs:
		out.State = stateFailed
	}
	if b.FailedJobs == 0 {
		return out, nil
	}
	one := 1
	res, err := r.client.GetIncidentsWithResponse(ctx, &gen.GetIncidentsParams{JobDefinitionIDIn: &b.BatchJobDefinitionID, MaxResults: &one})
	if err := r.judge("look at the incidents of the batch", http.StatusOK, res, err); err != nil {
		return nil, err
	}
	if list := *res.JSON200; len(list) > 0 {
		out.Message = orNil(list[0].IncidentMessage.Get())
	}
	return out, nil
}

// reportEnded makes the report of a batch that runs no more. That it ended by itself is told by its monitor job.
func (r *remote) reportEnded(ctx context.Context, id string) (*report, error) {
	res, err := r.client.GetHistoricBatchWithResponse(ctx, id)
	if err := r.judge("look at the batch", http.StatusOK, res, err); err != nil {
		return nil, err
	}
	b, yes := res.JSON200, true
	out := &report{
		ID: b.ID, Type: b.Type, State: stateDeleted, Start: b.StartTime, End: orNil(b.EndTime.Get()), Creator: orNil(b.CreateUserID.Get()),
		Jobs: jobCounts{Total: int64(b.TotalJobs)},
	}
	var monitored int64
	for _, count := range []struct {
		at    *int64
		asked gen.GetHistoricJobLogsCountParams
	}{
		{&out.Jobs.Done, gen.GetHistoricJobLogsCountParams{JobDefinitionID: &b.BatchJobDefinitionID, SuccessLog: &yes}},
		{&out.Jobs.Deleted, gen.GetHistoricJobLogsCountParams{JobDefinitionID: &b.BatchJobDefinitionID, DeletionLog: &yes}},
		{&monitored, gen.GetHistoricJobLogsCountParams{JobDefinitionID: &b.MonitorJobDefinitionID, SuccessLog: &yes}},
	} {
		res, err := r.client.GetHistoricJobLogsCountWithResponse(ctx, &count.asked)
		if err := r.judge("look at the job log of the batch", http.StatusOK, res, err); err != nil {
			return nil, err
		}
		*count.at = res.JSON200.Count
	}
	if monitored > 0 {
		out.State = stateEnded
	}
	return out, nil
}

// orNil gives a value that may be null; nil when it is.
func orNil[T any](v T, err error) *T {
	if err != nil {
		return nil
	}
	return &v
}

// print writes a report for people, or as JSON.
func (b *report) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return printJSON(w, b)
	}
	_, err := fmt.Fprintf(w, "batch    %s\ntype     %s\nstate    %s\njobs     %s\nstarted  %s\n", b.ID, b.Type, b.State, &b.Jobs, moment(b.Start))
	if b.End != nil {
		_, err2 := fmt.Fprintf(w, "ended    %s, after %s\n", moment(*b.End), b.took())
		err = errors.Join(err, err2)
	}
	if b.Creator != nil {
		_, err2 := fmt.Fprintf(w, "by       %s\n", *b.Creator)
		err = errors.Join(err, err2)
	}
	if b.Message != nil {
		_, err2 := fmt.Fprintf(w, "failure  %s\n", *b.Message)
		err = errors.Join(err, err2)
	}
	return err
}

// took is how long a batch that has ended has run.
func (b *report) took() time.Duration { return b.End.Sub(b.Start.Time) }

// String names the numbers that are not 0.
func (c *jobCounts) String() string {
	s := fmt.Sprintf("%d of %d done", c.Done, c.Total)
	if c.Failed > 0 {
		s += fmt.Sprintf(", %d failed", c.Failed)
	}
	if c.Deleted > 0 {
		s += fmt.Sprintf(", %d deleted", c.Deleted)
	}
	return s
}

// moment writes a time as people of the machine's zone read it.
func moment(t wire.DateTime) string { return t.Local().Format("2006-01-02 15:04:05") }

// printJSON writes a value as indented JSON.
func printJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}
