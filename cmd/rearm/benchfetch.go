package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"rearm/db"
)

// seen has the tasks that were fetched. The locks outlive the benchmark, so that no task may come twice.
type seen struct {
	mu  sync.Mutex
	ids map[string]bool
}

// add notes a task; an error if it has come before.
func (s *seen) add(id string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids[id] {
		return fmt.Errorf("the task %s was fetched twice", id)
	}
	s.ids[id] = true
	return nil
}

// benchLock is for how long workers lock tasks.
const benchLock = 24 * time.Hour

// prepareFetch leaves a tenth of the largest group's tasks fetchable.
func (b *benchmark) prepareFetch(ctx context.Context) error {
	g := b.largest()
	var blocked []db.ID
	for i := range g.ids {
		if i%10 != 0 {
			blocked = append(blocked, g.ids[i])
		}
	}
	if err := b.batch(ctx, nil, "", byIDs(0, blocked)); err != nil {
		return err
	}
	_, err := b.node.store.Bare().Settle(ctx)
	return err
}

// fetch measures how many tasks so many workers get that ask for so many at a time, and by the bare statements.
func (b *benchmark) fetch(ctx context.Context, workers, tasks int) error {
	g := b.largest()
	total := max(tasks, len(g.ids)*map[int]int{1: 2, 10: 5, 100: 8}[tasks]/1000)
	what := fmt.Sprintf("fetchAndLock, %s, %s a request", many(workers, "worker"), many(tasks, "task"))
	if (len(g.ids)+9)/10-len(b.seen.ids) < 2*(total+workers*tasks) {
		b.table.add(what, "", "too few tasks are left", "")
		return nil
	}
	bare, err := race(workers, total, func(worker int) (int, error) {
		list, err := b.node.store.Bare().Fetch(ctx, g.topic, name(worker), tasks, db.TimeOf(time.Now().Add(benchLock)))
		for i := 0; i < len(list) && err == nil; i++ {
			err = b.seen.add(list[i].ID.String())
		}
		return len(list), err
	})
	if err != nil {
		return err
	}
	rearm, err := race(workers, total, func(worker int) (int, error) { return b.fetchOnce(ctx, worker, tasks) })
	b.table.rates(what, "tasks", bare, rearm)
	return err
}

func name(worker int) string { return fmt.Sprintf("bench-%d", worker) }

// fetchOnce fetches and locks tasks by a request, and gives how many.
func (b *benchmark) fetchOnce(ctx context.Context, worker, tasks int) (int, error) {
	body := fmt.Sprintf(`{"workerId": %q, "maxTasks": %d, "topics": [{"topicName": %q, "lockDuration": %d}]}`, name(worker), tasks, b.largest().topic, benchLock.Milliseconds())
	var got []struct{ ID string }
	err := b.post(ctx, b.api+"/external-task/fetchAndLock", strings.NewReader(body), &got)
	for i := 0; i < len(got) && err == nil; i++ {
		err = b.seen.add(got[i].ID)
	}
	return len(got), err
}

// race lets workers do f until they have done total together, or there is nothing more to do, and gives how many they did a second.
func race(workers, total int, f func(worker int) (int, error)) (float64, error) {
	var done atomic.Int64
	var group errgroup.Group
	start := time.Now()
	for worker := range workers {
		group.Go(func() error {
			for done.Load() < int64(total) {
				n, err := f(worker)
				if err != nil || n == 0 {
					return err
				}
				done.Add(int64(n))
			}
			return nil
		})
	}
	err := group.Wait()
	return float64(done.Load()) / time.Since(start).Seconds(), err
}
