package main

import (
	"strings"
	"testing"
	"time"

	"rearm/db/dbtest"
)

// cutTimes is how often TestLostConnections cuts all connections to the database.
const cutTimes = 15

// A lost connection is an error of the requests that had it: 503, and when to come again. Batches go on, nothing is half done, and
// all is well again without a restart.
func TestLostConnections(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	h := newHouse(t, url, 1)
	h.dial(t)
	conn := dbtest.Connect(t, url)
	startAudit(t, conn)
	p := newCast(t, h)
	p.createTasks("still", stillTopic, stillTasks)
	p.start()
	for range cutTimes {
		before := p.client.answers.Load()
		dbtest.CutConnections(t, url)
		until(t, "answers after the cut", func() bool { return p.client.answers.Load() >= before+20 })
	}
	p.end()
	calm := p.client.busy.Load()
	until(t, "the end of all batches", func() bool { return p.running() == 0 })
	c := h.seats[0].now
	if status, body := fetched(t, c.url+"/readyz"); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	if n := p.client.busy.Load() - calm; n > 0 {
		t.Errorf("%d requests were refused when nothing was cut any more", n)
	}
	c.terminate(t)
	t.Logf("%d cuts; %s", cutTimes, p.client)
	if p.client.broken.Load() > 0 {
		t.Errorf("%d connections of clients broke", p.client.broken.Load())
	}
	if text := c.log.String(); strings.Contains(text, "panic") {
		t.Errorf("a panic:\n%s", text)
	}
	obey(t, conn)
	batches := allEnded(t, conn)
	appliedOnce(t, conn, batches)
	p.ledger.check(t, conn, batches)
}

// A server that waits for its database says so, each time after a longer pause, and answers 503 until it is there; so it does when
// the database goes away and comes back.
func TestServerBeforeItsDatabase(t *testing.T) {
	t.Parallel()
	cluster := ownCluster(t)
	c := spawn(t, cluster.URL())
	until(t, "three attempts", func() bool { return len(c.log.all("waiting for the database")) >= 3 })
	for i, want := range []time.Duration{firstPause, 2 * firstPause, 4 * firstPause} {
		if got := c.log.all("waiting for the database")[i]["again_in"]; got != float64(want) {
			t.Errorf("pause %d is %v, want %v", i, got, want)
		}
	}
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	c.dial(t)
	for range 2 {
		if status, body := fetched(t, c.url+"/engine-rest/batch/count"); status != 200 {
			t.Errorf("with the database: %d %s", status, body)
		}
		if err := cluster.Kill(); err != nil {
			t.Fatal(err)
		}
		until(t, "503 without the database", func() bool { status, _ := fetched(t, c.url+"/engine-rest/batch/count"); return status == 503 })
		if err := cluster.Start(); err != nil {
			t.Fatal(err)
		}
		until(t, "all well with the database", func() bool { status, _ := fetched(t, c.url+"/readyz"); return status == 200 })
	}
	c.terminate(t)
}
