package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"time"

	"rearm/db"
)

// benchmark measures a node.
type benchmark struct {
	node   *node
	api    string
	client *http.Client
	bare   *httptest.Server // a server of net/http alone
	table  table
	groups []*group
	seen   seen
}

// group is a number of tasks that a batch takes at once. They have a topic of their own.
type group struct {
	topic  string
	ids    []db.ID // sorted
	rounds int     // how often it is measured; the median counts
	rearm  time.Duration
}

// rounds are how often the groups are measured: what takes long is not as easily disturbed, but never by luck alone.
var rounds = []int{5, 3, 3}

// half gives every second task of a group: those that have an incident.
func (g *group) half() []db.ID { return every(g.ids, 2) }

// every gives each nth id of a list.
func every(ids []db.ID, n int) (list []db.ID) {
	for i := 0; i < len(ids); i += n {
		list = append(list, ids[i])
	}
	return list
}

// newBenchmark plans a benchmark of a node that serves, with groups of so many tasks, the smallest first.
func newBenchmark(ctx context.Context, n *node, sizes ...int) (*benchmark, error) {
	b := &benchmark{node: n, api: n.url() + "/engine-rest", client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	b.bare = httptest.NewServer(bareHandler(n.store))
	for i, size := range sizes {
		b.groups = append(b.groups, &group{topic: fmt.Sprintf("bench-%d", i), ids: make([]db.ID, 0, size), rounds: rounds[min(i, len(rounds)-1)]})
	}
	b.seen.ids = map[string]bool{}
	version, err := n.store.Bare().Settle(ctx)
	b.table.title = machine(version)
	return b, err
}

// steps gives the measurements in the order in which they build on each other.
func (b *benchmark) steps() (list []func(context.Context) error) {
	for _, g := range b.groups {
		list = append(list, func(ctx context.Context) error { return b.create(ctx, g) })
	}
	for _, g := range b.groups {
		list = append(list, func(ctx context.Context) error { return b.rearm(ctx, g) })
	}
	list = append(list, b.growth, b.prepareFetch)
	for _, workers := range []int{1, 4, 16} {
		for _, tasks := range []int{1, 10, 100} {
			list = append(list, func(ctx context.Context) error { return b.fetch(ctx, workers, tasks) })
		}
	}
	return append(list, b.beside, b.get)
}

// largest is the group with the most tasks.
func (b *benchmark) largest() *group { return b.groups[len(b.groups)-1] }

// post sends a request and reads the answer into out, unless it is nil.
func (b *benchmark) post(ctx context.Context, url string, body io.Reader, out any) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	return b.send(r, out)
}

func (b *benchmark) send(r *http.Request, out any) error {
	res, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: the server answered %d: %s", r.Method, r.URL.Path, res.StatusCode, answer)
	}
	if err != nil || out == nil {
		return err
	}
	return json.Unmarshal(answer, out)
}

// create makes the tasks of a group.
func (b *benchmark) create(ctx context.Context, g *group) error {
	var times []time.Duration
	for left := cap(g.ids); left > 0; {
		n := min(left, createAtOnce)
		body := `{"externalTasks": [{"topicName": "` + g.topic + `"}` + string(bytes.Repeat([]byte(`, {"topicName": "`+g.topic+`"}`), n-1)) + `]}`
		var made struct{ ExternalTaskIds []string }
		start := time.Now()
		if err := b.post(ctx, b.api+"/external-task/create-bulk", bytes.NewReader([]byte(body)), &made); err != nil {
			return err
		}
		times = append(times, time.Since(start)/time.Duration(n))
		for _, text := range made.ExternalTaskIds {
			id, _ := db.ParseID(text)
			g.ids = append(g.ids, id)
		}
		left -= n
	}
	if g == b.largest() {
		b.table.add(fmt.Sprintf("create-bulk, %s tasks a request", number(min(createAtOnce, len(g.ids)))), "", rate(1/median(times).Seconds(), "tasks"), "")
	}
	return nil
}
