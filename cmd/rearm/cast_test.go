package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"rearm/gen"
	"rearm/openapi/wire"
)

// The topics of a chaos: workers fetch from the one, and only batches touch the other.
const (
	liveTopic  = "live"
	stillTopic = "still"
)

// The sizes and paces of a chaos.
const (
	stillTasks = 3000 // on SQLite heavy times fewer
	maxLive    = 400  // as many tasks as workers leave each other
	maxRunning = 3    // batches at a time
	maxBulk    = 40   // tasks that are made at once
)

// cast plays the clients of a chaos until it is told to stop: applications, workers, operators.
type cast struct {
	t      *testing.T
	client *client
	ledger *ledger
	ctx    context.Context // of requests
	stop   chan struct{}
	all    sync.WaitGroup
}

// newCast starts nobody yet.
func newCast(t *testing.T, h *house) *cast {
	p := &cast{t: t, ledger: newLedger(), ctx: t.Context(), stop: make(chan struct{})}
	p.client = newClient(h, p.wrong)
	t.Cleanup(p.all.Wait)
	return p
}

// wrong notes an answer that nobody may get.
func (p *cast) wrong(format string, args ...any) {
	p.ledger.write(func() { p.ledger.wrongs = append(p.ledger.wrongs, fmt.Sprintf(format, args...)) })
}

// play lets somebody act again and again, with short rests, until the cast stops.
func (p *cast) play(act func(n int)) {
	p.all.Go(func() {
		for n := 0; ; n++ {
			select {
			case <-p.stop:
				return
			case <-p.ctx.Done(): // the test has failed
				return
			default:
			}
			act(n)
			rested(p.ctx)
		}
	})
}

// start starts everybody.
func (p *cast) start() {
	p.play(p.create)
	for i := range 3 {
		worker := fmt.Sprintf("worker-%d", i)
		p.play(func(n int) { p.work(worker, n) })
	}
	p.play(p.retryStill)
	p.play(p.retryNamed)
	p.play(p.retryOne)
}

// end stops everybody; each finishes what it is doing.
func (p *cast) end() {
	close(p.stop)
	p.all.Wait()
}

// insist asks until there is an answer, but now and then gives up after the first attempt, whatever came of it.
func (p *cast) insist(r request) reply {
	if rand.IntN(6) == 0 {
		return p.client.try(p.ctx, r)
	}
	return p.client.do(p.ctx, r)
}

// create creates some tasks, all or none.
func (p *cast) create(n int) {
	var live int
	p.ledger.write(func() { live = p.ledger.live })
	if live < maxLive {
		p.createTasks(fmt.Sprintf("order %d", n), liveTopic, 1+rand.IntN(maxBulk))
	}
}

// createTasks creates tasks whose business key is the request's Idempotency-Key.
func (p *cast) createTasks(key, topic string, n int) {
	list := make([]gen.CreateExternalTaskDto, n)
	for i := range list {
		list[i] = gen.CreateExternalTaskDto{TopicName: topic, BusinessKey: nullable.NewNullableWithValue(key)}
		if attempts := rand.Int32N(8); attempts < 5 {
			list[i].Retries = nullable.NewNullableWithValue(attempts)
		}
	}
	r := p.insist(request{method: http.MethodPost, path: "/external-task/create-bulk", key: key, body: gen.CreateExternalTasksDto{ExternalTasks: list}})
	made := &creation{n: n}
	if r.status == http.StatusOK {
		var answer gen.CreatedExternalTasksDto
		r.into(p.t, &answer)
		made.ids = answer.ExternalTaskIds
	} else if r.status != 0 && r.status != http.StatusServiceUnavailable {
		p.wrong("%s: %d %s", key, r.status, r.body)
	}
	p.ledger.write(func() {
		p.ledger.creations[key] = made
		if topic == liveTopic {
			p.ledger.live += len(made.ids)
		}
	})
}

// work is one round of a worker: it fetches a few tasks, and for each says that it is done, or that it failed, or nothing.
func (p *cast) work(worker string, n int) {
	lock := int64(300 + rand.IntN(4000))
	topics := []gen.FetchExternalTaskTopicDto{{TopicName: liveTopic, LockDuration: lock}}
	r := p.client.do(p.ctx, request{method: http.MethodPost, path: "/external-task/fetchAndLock", body: gen.FetchExternalTasksDto{
		WorkerID: worker, MaxTasks: nullable.NewNullableWithValue(int32(1 + rand.IntN(8))), Topics: nullable.NewNullableWithValue(topics),
	}})
	heard := time.Now()
	if r.status != http.StatusOK {
		p.wrong("fetchAndLock: %d %s", r.status, r.body)
		return
	}
	var list []gen.LockedExternalTaskDto
	r.into(p.t, &list)
	for i, task := range list {
		h := hold{task: task.ID, worker: worker, from: heard, until: task.LockExpirationTime.Time}
		if now := time.Now(); now.Before(h.until) {
			p.settle(h, now, fmt.Sprintf("%s, round %d, task %d", worker, n, i))
		} else {
			p.ledger.write(func() { p.ledger.holds = append(p.ledger.holds, h) })
		}
	}
}

// settle says what became of a task; from now on the worker does not count on having it.
func (p *cast) settle(h hold, now time.Time, message string) {
	end := h.until
	h.until = now
	switch luck := rand.IntN(10); {
	case luck < 3:
		p.complete(h, end)
	case luck < 9:
		p.fail(h, end, message)
	default: // it forgets the task
		h.until = end
	}
	p.ledger.write(func() { p.ledger.holds = append(p.ledger.holds, h) })
}

// complete reports success.
func (p *cast) complete(h hold, end time.Time) {
	d := &deed{task: h.task, worker: h.worker}
	d.reply = p.client.do(p.ctx, request{method: http.MethodPost, path: "/external-task/" + h.task + "/complete", body: gen.CompleteExternalTaskDto{WorkerID: h.worker}})
	p.judge("complete", d, end)
	p.ledger.write(func() {
		p.ledger.completions[h.task] = append(p.ledger.completions[h.task], d)
		p.ledger.live--
	})
}

// fail reports a failure, half of them for good.
func (p *cast) fail(h hold, end time.Time, message string) {
	d := &deed{task: h.task, worker: h.worker}
	d.reply = p.client.do(p.ctx, request{method: http.MethodPost, path: "/external-task/" + h.task + "/failure", body: gen.ExternalTaskFailureDto{
		WorkerID: h.worker, ErrorMessage: nullable.NewNullableWithValue(message), Retries: nullable.NewNullableWithValue(max(0, rand.Int32N(6)-2)),
		RetryTimeout: nullable.NewNullableWithValue(rand.Int64N(3) * 200),
	}})
	p.judge("failure", d, end)
	p.ledger.write(func() { p.ledger.failures[message] = d })
}

// judge: while the lock runs a worker's word is taken. Only after it, or when an attempt was lost, may it come too late.
func (p *cast) judge(what string, d *deed, end time.Time) {
	late := d.reply.unclear > 0 || time.Now().After(end)
	if ok := d.reply.status == 204 || late && (d.reply.status == 400 || d.reply.status == 404); !ok {
		p.wrong("%s of %s by %s: %d %s", what, d.task, d.worker, d.reply.status, d.reply.body)
	}
}

// retryStill sets the retries of all tasks that only batches touch.
func (p *cast) retryStill(n int) {
	if p.running() < maxRunning {
		p.retry(fmt.Sprintf("still %d", n), &bulk{}, gen.SetRetriesForExternalTasksDto{
			ExternalTaskQuery: nullable.NewNullableWithValue(gen.ExternalTaskQueryDto{TopicName: nullable.NewNullableWithValue(stillTopic)}),
		})
	}
}

// running counts the batches that run.
func (p *cast) running() int32 {
	var answer gen.CountResultDto
	p.client.do(p.ctx, request{method: http.MethodGet, path: "/batch/count"}).into(p.t, &answer)
	return int32(answer.Count)
}

// retryNamed sets the retries of tasks by their ids; some are gone.
func (p *cast) retryNamed(n int) {
	ids := p.some(200)
	if len(ids) == 0 || p.running() >= maxRunning {
		return
	}
	skip := gen.OnMissingSkip
	p.retry(fmt.Sprintf("named %d", n), &bulk{ids: ids}, gen.SetRetriesForExternalTasksDto{
		ExternalTaskIds: nullable.NewNullableWithValue(wire.NewIDs(ids...)), OnMissing: &skip,
	})
}

// some gives up to n ids of tasks that were made, sorted, the newest creations first.
func (p *cast) some(n int) (ids []string) {
	p.ledger.write(func() {
		for _, c := range p.ledger.creations { // maps are read in any order
			if c.n <= maxBulk {
				ids = append(ids, c.ids...)
			}
			if len(ids) >= n {
				break
			}
		}
	})
	slices.Sort(ids)
	return ids
}

// retry asks for a batch.
func (p *cast) retry(key string, asked *bulk, body gen.SetRetriesForExternalTasksDto) {
	asked.retries = max(0, rand.Int32N(10)-3)
	body.Retries = asked.retries
	r := p.insist(request{method: http.MethodPost, path: "/external-task/retries-async", key: key, body: body})
	if r.status == http.StatusOK {
		var answer gen.BatchDto
		r.into(p.t, &answer)
		asked.id = answer.ID
	} else if r.status != 0 && r.status != http.StatusServiceUnavailable {
		p.wrong("%s: %d %s", key, r.status, r.body)
	}
	p.ledger.write(func() { p.ledger.batches[key] = asked })
}

// retryOne sets the retries of one task at once.
func (p *cast) retryOne(int) {
	ids := p.some(20)
	if len(ids) == 0 {
		return
	}
	id := ids[rand.IntN(len(ids))]
	r := p.client.do(p.ctx, request{method: http.MethodPut, path: "/external-task/" + id + "/retries", body: gen.RetriesDto{Retries: max(0, rand.Int32N(5)-1)}})
	if r.status != 204 && r.status != 404 {
		p.wrong("retries of %s: %d %s", id, r.status, r.body)
	}
}
