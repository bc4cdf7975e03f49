package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"
	"golang.org/x/sync/errgroup"

	"rearm/gen"
)

// What the demo plays with.
const (
	demoTopic  = "demo"
	demoWorker = "demo-worker"
	demoRetry  = `{"retries": 3, "externalTaskQuery": {"topicName": "demo", "noRetriesLeft": true}}`
)

// The sizes and paces of the demo's requests.
const (
	createAtOnce = 10_000
	fetchAtOnce  = 100
	failAtOnce   = 8
	lockMillis   = 5 * 60 * 1000
	look         = 50 * time.Millisecond
)

// troupe plays the demo's parts by the server's own contract: the application that makes tasks, the worker that fails them, the
// operator who retries them.
type troupe struct {
	api    string
	client *gen.ClientWithResponses
}

func newTroupe(url string) (*troupe, error) {
	api := url + "/engine-rest"
	client, err := gen.NewClientWithResponses(api)
	return &troupe{api, client}, err
}

// answer is what every answer of the client can tell.
type answer interface {
	StatusCode() int
	GetBody() []byte
}

// refused makes an error of a request that failed, or whose answer is not the one hoped for; nil when it is.
func refused(doing string, want int, a answer, err error) error {
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", doing, err)
	case a.StatusCode() != want:
		return fmt.Errorf("%s: the server answered %d: %s", doing, a.StatusCode(), a.GetBody())
	}
	return nil
}

// create makes n tasks, in requests of as many as one may have.
func (t *troupe) create(ctx context.Context, n int) error {
	for n > 0 {
		list := make([]gen.CreateExternalTaskDto, min(n, createAtOnce))
		for i := range list {
			list[i].TopicName = demoTopic
		}
		n -= len(list)
		res, err := t.client.CreateExternalTasksWithResponse(ctx, &gen.CreateExternalTasksParams{}, gen.CreateExternalTasksDto{ExternalTasks: list})
		if err := refused("create tasks", 200, res, err); err != nil {
			return err
		}
	}
	return nil
}

// failAll is a worker that fetches tasks and reports a failure without retries for each, until there are none to fetch. It
// gives how many there were.
func (t *troupe) failAll(ctx context.Context) (failed int, err error) {
	for {
		locked, err := t.fetch(ctx)
		if err != nil || len(locked) == 0 {
			return failed, err
		}
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(failAtOnce)
		for _, task := range locked {
			group.Go(func() error { return t.fail(ctx, task.ID) })
		}
		if err := group.Wait(); err != nil {
			return failed, err
		}
		failed += len(locked)
	}
}

func (t *troupe) fetch(ctx context.Context) ([]gen.LockedExternalTaskDto, error) {
	res, err := t.client.FetchAndLockWithResponse(ctx, gen.FetchExternalTasksDto{
		WorkerID: demoWorker, MaxTasks: nullable.NewNullableWithValue(int32(fetchAtOnce)),
		Topics: nullable.NewNullableWithValue([]gen.FetchExternalTaskTopicDto{{TopicName: demoTopic, LockDuration: lockMillis}}),
	})
	if err := refused("fetch tasks", 200, res, err); err != nil {
		return nil, err
	}
	return *res.JSON200, nil
}

func (t *troupe) fail(ctx context.Context, id string) error {
	res, err := t.client.HandleFailureWithResponse(ctx, id, gen.ExternalTaskFailureDto{
		WorkerID: demoWorker, Retries: nullable.NewNullableWithValue(int32(0)),
		ErrorMessage: nullable.NewNullableWithValue("the payment service does not answer"),
	})
	return refused("report a failure", 204, res, err)
}

// retryAll is the one request that this is all about; it gives the id of the batch.
func (t *troupe) retryAll(ctx context.Context) (batch string, err error) {
	res, err := t.client.SetExternalTaskRetriesAsyncOperationWithBodyWithResponse(ctx, &gen.SetExternalTaskRetriesAsyncOperationParams{},
		"application/json", strings.NewReader(demoRetry))
	if err := refused("retry tasks", 200, res, err); err != nil {
		return "", err
	}
	return res.JSON200.ID, nil
}

// watch shows how far a batch is until it has ended.
func (t *troupe) watch(ctx context.Context, w io.Writer, batch string) error {
	shown := newBar(w, "jobs")
	defer shown.end()
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		res, err := t.client.GetBatchStatisticsWithResponse(ctx, &gen.GetBatchStatisticsParams{BatchID: &batch})
		if err := refused("look at the batch", 200, res, err); err != nil {
			return err
		}
		if len(*res.JSON200) == 0 {
			return t.ended(ctx, batch, shown)
		}
		shown.show((*res.JSON200)[0].CompletedJobs, (*res.JSON200)[0].TotalJobs)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// ended shows the end of a batch that is not among the running ones any more.
func (t *troupe) ended(ctx context.Context, batch string, shown *bar) error {
	res, err := t.client.GetHistoricBatchWithResponse(ctx, batch)
	if err := refused("look at the batch", 200, res, err); err != nil {
		return err
	}
	shown.show(res.JSON200.TotalJobs, res.JSON200.TotalJobs)
	return nil
}

// sayIncidents says how many incidents are open.
func (t *troupe) sayIncidents(ctx context.Context, w io.Writer) error {
	res, err := t.client.GetIncidentsCountWithResponse(ctx, &gen.GetIncidentsCountParams{})
	if err := refused("count incidents", 200, res, err); err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "open     %d incidents\n", res.JSON200.Count)
	return err
}
