package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// The workers that fetch while a batch runs: how many, how many tasks at a time, and how often each.
const (
	besideWorkers = 4
	besideTasks   = 10
	besideEvery   = 25 * time.Millisecond
	besideAlone   = 5 * time.Second // how long they fetch with no batch beside them, at most
	besidePause   = 500 * time.Millisecond
)

// beside measures how long fetches take alone and while the largest batch runs, and how long a small batch takes beside it.
func (b *benchmark) beside(ctx context.Context) error {
	g := b.largest()
	alone, err := b.paced(ctx, func(ctx context.Context) error {
		pause(ctx, min(besideAlone, time.Duration(len(g.ids))*besideAlone/1_000_000))
		return nil
	})
	if err != nil {
		return err
	}
	var small []time.Duration
	busy, err := b.paced(ctx, func(ctx context.Context) error {
		var err error
		small, err = b.smallBatches(ctx, byTopic(7, g.topic))
		return err
	})
	n := number(len(g.ids))
	for _, percent := range []int{50, 99} {
		b.table.times(fmt.Sprintf("a fetch of %d, alone and beside a batch of %s, p%d", besideTasks, n, percent), percentile(alone, percent), percentile(busy, percent))
	}
	b.table.add(fmt.Sprintf("a batch of %d beside a batch of %s, POST to end, median", len(b.few()), n), "", short(median(small)), "")
	b.table.add("the same, the slowest of "+number(len(small)), "", short(percentile(small, 100)), "")
	return err
}

// few are the tasks of a small batch.
func (b *benchmark) few() []string {
	var list []string
	for _, id := range b.groups[0].ids[:min(10, len(b.groups[0].ids))] {
		list = append(list, id.String())
	}
	return list
}

// smallBatches runs a large batch, and small ones beside it until it has ended; it gives how long each of these took.
func (b *benchmark) smallBatches(ctx context.Context, large string) (took []time.Duration, err error) {
	body := fmt.Sprintf(`{"retries": 4, "externalTaskIds": [%q]}`, strings.Join(b.few(), `","`))
	body = strings.ReplaceAll(body, `\"`, `"`)
	ended := make(chan error, 1)
	go func() { ended <- b.batch(ctx, nil, "", large) }()
	for {
		select {
		case err := <-ended:
			return took, err
		case <-time.After(min(besidePause, time.Duration(len(b.largest().ids))*besidePause/1_000_000)):
		}
		start := time.Now()
		if err := b.batch(ctx, nil, "", body); err != nil {
			return took, err
		}
		took = append(took, time.Since(start))
	}
}

// paced has workers fetch at a steady pace as long as meanwhile runs, and gives how long each fetch took from the moment it was due.
func (b *benchmark) paced(ctx context.Context, meanwhile func(context.Context) error) (took []time.Duration, err error) {
	var mu sync.Mutex
	var group errgroup.Group
	pacing, stop := context.WithCancel(ctx)
	defer stop()
	for worker := range besideWorkers {
		group.Go(func() error {
			for due := time.Now(); pause(pacing, time.Until(due)); due = due.Add(besideEvery) {
				if _, err := b.fetchOnce(ctx, worker, besideTasks); err != nil {
					return err
				}
				mu.Lock()
				took = append(took, time.Since(due))
				mu.Unlock()
			}
			return nil
		})
	}
	err = meanwhile(ctx)
	stop()
	if failed := group.Wait(); err == nil {
		err = failed
	}
	return took, err
}
