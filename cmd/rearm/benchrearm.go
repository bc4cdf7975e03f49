package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"rearm/db"
)

// timings are the times that one way of measuring took, by its rounds.
type timings map[string][]time.Duration

// take measures what f takes.
func (t timings) take(what string, f func() error) error {
	start := time.Now()
	err := f()
	t[what] = append(t[what], time.Since(start))
	return err
}

// rearm measures batches on a group: half of its tasks lose their retries, all get new ones, by their ids and by a query; and the
// bare statements do the same to the same rows. Each finds the database as tidy as the others do.
func (b *benchmark) rearm(ctx context.Context, g *group) error {
	t := timings{}
	for range g.rounds {
		for _, part := range []func(context.Context, *group, timings) error{b.rearmByQuery, b.rearmBare, b.rearmByIDs} {
			if _, err := b.node.store.Bare().Settle(ctx); err != nil {
				return err
			}
			if err := part(ctx, g, t); err != nil {
				return err
			}
		}
	}
	n := number(len(g.ids))
	g.rearm = median(t["rearm"])
	b.table.times("POST, a batch of "+n+" by ids", median(t["bare body"])+median(t["bare create"]), median(t["post"]))
	b.table.times("POST, a batch of "+n+" by query", median(t["bare select"]), median(t["post query"]))
	b.table.times("re-arm "+n+" by ids, POST to end", median(t["bare rearm"]), g.rearm)
	b.table.times("re-arm "+n+" by query, POST to end", median(t["bare rearm"]), median(t["rearm query"]))
	b.table.times("to zero, "+number(len(g.half()))+" incidents made, POST to end", median(t["bare zero"]), median(t["zero"]))
	return nil
}

// rearmByQuery has rearm lower half of a group by ids, and raise all by a query.
func (b *benchmark) rearmByQuery(ctx context.Context, g *group, t timings) error {
	if err := t.take("zero", func() error { return b.batch(ctx, t, "", byIDs(0, g.half())) }); err != nil {
		return err
	}
	return t.take("rearm query", func() error { return b.batch(ctx, t, "post query", byTopic(5, g.topic)) })
}

// rearmByIDs has rearm lower half of a group, and raise all, by ids.
func (b *benchmark) rearmByIDs(ctx context.Context, g *group, t timings) error {
	if err := t.take("zero", func() error { return b.batch(ctx, t, "", byIDs(0, g.half())) }); err != nil {
		return err
	}
	body := byIDs(5, g.ids)
	return t.take("rearm", func() error { return b.batch(ctx, t, "post", body) })
}

// rearmBare does all of that by the bare statements, with as many connections as rearm writes by.
func (b *benchmark) rearmBare(ctx context.Context, g *group, t timings) error {
	bare, now := b.node.store.Bare(), db.TimeOf(time.Now())
	err := t.take("bare zero", func() error {
		return b.chunks(g.half(), func(part []db.ID) error {
			incidents := make([]db.ID, len(part))
			for i := range incidents {
				incidents[i] = newID()
			}
			return bare.Zero(ctx, part, incidents, now)
		})
	})
	if err != nil {
		return err
	}
	if err := t.take("bare rearm", func() error {
		return b.chunks(g.ids, func(part []db.ID) error { return bare.Rearm(ctx, part, 5, now) })
	}); err != nil {
		return err
	}
	body := byIDs(5, g.ids)
	if err := t.take("bare body", func() error { return b.post(ctx, b.bare.URL+"/ids", strings.NewReader(body), nil) }); err != nil {
		return err
	}
	return b.createBare(ctx, g, t)
}

// createBare keeps the items of a batch by the bare statements, from ids and by a query.
func (b *benchmark) createBare(ctx context.Context, g *group, t timings) error {
	bare, one, other := b.node.store.Bare(), newID(), newID()
	if err := t.take("bare create", func() error { return bare.Create(ctx, one, g.ids) }); err != nil {
		return err
	}
	if err := t.take("bare select", func() error { _, err := bare.CreateOf(ctx, other, g.topic); return err }); err != nil {
		return err
	}
	if err := bare.Forget(ctx, one); err != nil {
		return err
	}
	return bare.Forget(ctx, other)
}

// chunks calls f for a thousand ids at a time, as often at once as rearm would.
func (b *benchmark) chunks(ids []db.ID, f func(part []db.ID) error) error {
	var group errgroup.Group
	group.SetLimit(b.node.store.Writers())
	for part := range slices.Chunk(ids, db.ChunkItems) {
		group.Go(func() error { return f(part) })
	}
	return group.Wait()
}

func byIDs(retries int, ids []db.ID) string {
	var body strings.Builder
	body.Grow(39*len(ids) + 64)
	fmt.Fprintf(&body, `{"retries": %d, "externalTaskIds": [`, retries)
	for i := range ids {
		if i > 0 {
			body.WriteByte(',')
		}
		body.WriteString(`"` + ids[i].String() + `"`)
	}
	body.WriteString("]}")
	return body.String()
}

func byTopic(retries int, topic string) string {
	return fmt.Sprintf(`{"retries": %d, "externalTaskQuery": {"topicName": %q}}`, retries, topic)
}

// batch makes a batch and waits until it has ended. The time of the request alone counts as post.
func (b *benchmark) batch(ctx context.Context, t timings, post, body string) error {
	var made struct{ ID string }
	start := time.Now()
	if err := b.post(ctx, b.api+"/external-task/retries-async", strings.NewReader(body), &made); err != nil {
		return err
	}
	if post != "" {
		t[post] = append(t[post], time.Since(start))
	}
	return b.wait(ctx, made.ID)
}

// glance is how long to wait between two looks at a batch.
const glance = 2 * time.Millisecond

// wait returns when a batch has ended. It asks the database, since a request would take more of the machine.
func (b *benchmark) wait(ctx context.Context, batch string) error {
	id, _ := db.ParseID(batch)
	tick := time.NewTicker(glance)
	defer tick.Stop()
	for {
		h, err := b.node.store.HistoricBatch(ctx, id)
		if err != nil || h.EndTime != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}

// growth compares the time of an item in the smallest and in the largest batch.
func (b *benchmark) growth(context.Context) error {
	small, large := b.groups[0], b.largest()
	each := func(g *group) time.Duration { return g.rearm / time.Duration(len(g.ids)) }
	b.table.add(fmt.Sprintf("an item of %s, of %s", number(len(small.ids)), number(len(large.ids))), short(each(small)), short(each(large)),
		ratio(each(large).Seconds(), each(small).Seconds()))
	return nil
}
