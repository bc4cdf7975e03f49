package main

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"rearm/db/dbtest"
)

// crashes is how often the database itself dies in a chaos.
const crashes = 3

// chaos is a house full of clients to which everything happens that may.
type chaos struct {
	house   *house
	cluster *dbtest.Cluster // nil: SQLite
	conn    *sqlx.DB
	cast    *cast
	still   int // tasks that only batches touch
	kills   int
	inside  int // kills while a batch ran
	cuts    int
	crashed int // while a batch ran
}

// Three servers on one PostgreSQL, or one on SQLite, are killed and killed again, PostgreSQL too; its connections are cut. Servers are
// there before their database, and all of them make its schema. What clients were told is what is there.
func TestChaos(t *testing.T) {
	t.Parallel()
	t.Run("postgres", func(t *testing.T) { t.Parallel(); postgresChaos(t) })
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		url := "sqlite:" + filepath.Join(t.TempDir(), "rearm.db")
		(&chaos{house: newHouse(t, url, 1), still: stillTasks / heavy, kills: killsOr(10)}).play(t)
	})
}

// ownCluster gives a PostgreSQL that no other test has, and that does not run yet.
func ownCluster(t *testing.T) *dbtest.Cluster {
	t.Helper()
	cluster, err := dbtest.NewCluster()
	if errors.Is(err, dbtest.ErrNoPostgres) {
		t.Skipf("PostgreSQL half skipped: %v", err)
	}
	if err == nil {
		t.Cleanup(func() { _ = cluster.Stop() })
		err = cluster.Kill()
	}
	if err != nil {
		t.Fatal(err)
	}
	return cluster
}

func postgresChaos(t *testing.T) {
	t.Helper()
	cluster := ownCluster(t)
	h := newHouse(t, cluster.URL(), 3, "--lock-time=2s")
	for _, s := range h.seats {
		s.now.log.wait(t, "waiting for the database")
	}
	if err := cluster.Start(); err != nil {
		t.Fatal(err)
	}
	(&chaos{house: h, cluster: cluster, still: stillTasks, kills: killsOr(20)}).play(t)
}

// play plays it all and checks what is left.
func (c *chaos) play(t *testing.T) {
	t.Helper()
	c.house.dial(t)
	c.conn = dbtest.Connect(t, c.house.database)
	startAudit(t, c.conn)
	c.cast = newCast(t, c.house)
	c.cast.createTasks("still", stillTopic, c.still)
	c.cast.start()
	start := time.Now()
	for i := range c.kills {
		c.kill(t, i)
		if c.cluster != nil {
			c.strike(t, i)
		}
	}
	until(t, "three batches", func() bool { return c.ask("select count(*) from historic_batch") >= 3 })
	c.cast.end()
	until(t, "the end of all batches", func() bool { return c.ask("select count(*) from batch") == 0 })
	c.house.terminate(t)
	t.Logf("%v: %d kills, %d of them while a batch ran; connections cut %d times; %d crashes of the database in a batch; %s",
		time.Since(start).Round(time.Second), c.kills, c.inside, c.cuts, c.crashed, c.cast.client)
	if c.inside < c.kills/2 || c.cluster != nil && c.crashed < min(crashes, c.kills) {
		t.Errorf("only %d of %d kills, and %d of %d crashes, came while a batch ran", c.inside, c.kills, c.crashed, crashes)
	}
	c.check(t)
}

// kill kills a server at a random moment, the i'th time, but lets the clients get a few answers first, and as much done as proves something.
func (c *chaos) kill(t *testing.T, i int) {
	t.Helper()
	enough := c.cast.client.answers.Load() + 10 + rand.Int64N(50)
	until(t, "a few answers", func() bool { return c.cast.client.answers.Load() >= enough })
	until(t, "a hold for each kill, and now and then a failure and a completion", func() bool { return c.cast.ledger.worth(i + 1) })
	time.Sleep(rand.N(300 * time.Millisecond))
	if c.ask("select count(*) from batch") > 0 {
		c.inside++
	}
	c.house.replace(t, c.house.any())
}

// strike strikes at the database after a kill: it loses its connections, or dies in the middle of a batch.
func (c *chaos) strike(t *testing.T, i int) {
	t.Helper()
	if i%3 == 0 {
		dbtest.CutConnections(t, c.house.database)
		c.cuts++
	}
	if (i+1)*crashes/c.kills == i*crashes/c.kills {
		return
	}
	until(t, "a batch that runs", func() bool { return c.ask("select count(*) from job where kind = 1") > 0 })
	if err := c.cluster.Kill(); err != nil {
		t.Fatal(err)
	}
	c.crashed++
	time.Sleep(rand.N(300 * time.Millisecond))
	if err := c.cluster.Start(); err != nil {
		t.Fatal(err)
	}
}

// ask asks for a number while the database may be away: then it is -1.
func (c *chaos) ask(query string) (n int) {
	if err := c.conn.GetContext(context.Background(), &n, query); err != nil {
		return -1
	}
	return n
}

// check checks what is left, by itself and against what the clients were told.
func (c *chaos) check(t *testing.T) {
	t.Helper()
	obey(t, c.conn)
	batches := allEnded(t, c.conn)
	set := appliedOnce(t, c.conn, batches)
	l := c.cast.ledger
	l.check(t, c.conn, batches)
	const still = `select count(*) from external_task_state s left join (select task_id, count(*) as n from audit group by task_id) a on a.task_id = s.id
 where s.topic_name = ? and s.rev <> 1 + coalesce(a.n, 0)`
	if n := counted(t, c.conn, still, stillTopic); n > 0 {
		t.Errorf("%d tasks that only batches touch were written by something else", n)
	}
	t.Logf("%d batches that set %d items, %d creations, %d holds, %d failures, %d completions", len(batches), set, len(l.creations), len(l.holds),
		len(l.failures), len(l.completions))
}
