//go:build unix

package main

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
)

// A few tasks of many chunks, and the topic that has them.
const (
	fewChunks = 4
	fewTopic  = "few"
)

// makeFew makes as many tasks as a few chunks hold, and gives their ids in the order of a batch.
func makeFew(t *testing.T, s *server) (ids []string) {
	t.Helper()
	list := make([]gen.CreateExternalTaskDto, fewChunks*db.ChunkItems)
	for i := range list {
		list[i].TopicName = fewTopic
	}
	res, err := s.client.CreateExternalTasksWithResponse(t.Context(), &gen.CreateExternalTasksParams{}, gen.CreateExternalTasksDto{ExternalTasks: list})
	if err := refused("create tasks", 200, res, err); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(slices.Values(res.JSON200.ExternalTaskIds))
}

// obstruct holds the first task of some chunks, so that whoever claims one waits in the middle of its transaction, until release.
func obstruct(t *testing.T, conn *sqlx.DB, ids []string, chunks ...int) (release func()) {
	t.Helper()
	tx, err := conn.BeginTxx(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, no := range chunks {
		if _, err := tx.ExecContext(context.Background(), "select from external_task_state where id = $1 for update", ids[no*db.ChunkItems]); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
	}
}

// waiting counts the transactions that wait for a lock of another.
const waiting = "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"

// idling counts the transactions whose program does nothing.
const idling = "select count(*) from pg_stat_activity where datname = current_database() and state = 'idle in transaction'"

// proven checks all that must hold of a database at rest and that its only batches were applied once.
func proven(t *testing.T, conn *sqlx.DB, batches int) {
	t.Helper()
	obey(t, conn)
	list := allEnded(t, conn)
	if set := appliedOnce(t, conn, list); len(list) != batches || set != batches*fewChunks*db.ChunkItems {
		t.Errorf("%d batches set %d items, want %d and %d", len(list), set, batches, batches*fewChunks*db.ChunkItems)
	}
}

// A node that freezes while it has claimed jobs keeps them for no longer than the lock time; another one does them. When it
// thaws, what it was doing is void, and it works as before.
func TestFrozenNode(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	const lockTime = 2 * time.Second
	frozen := startChild(t, url, "--node-name=frozen", "--lock-time=2s")
	conn := dbtest.Connect(t, url)
	startAudit(t, conn)
	ids := makeFew(t, frozen.server)
	release := obstruct(t, conn, ids, 1, 2) // the first turn holds the batch too, so it may pass
	batch := retryTopic(t, frozen.server, fewTopic, 5)
	until(t, "both executors in the middle of a chunk", func() bool { return counted(t, conn, waiting) == 2 })
	if err := frozen.process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	release()
	until(t, "transactions that stand still", func() bool { return counted(t, conn, idling) == 2 })
	start := time.Now()
	other := startChild(t, url, "--node-name=other", "--lock-time=2s")
	until(t, "the end of the batch", func() bool { return counted(t, conn, "select count(*) from batch") == 0 })
	if took := time.Since(start); took < lockTime/2 {
		t.Errorf("the batch ended after %v: nothing had been claimed by the frozen node", took)
	}
	if n := counted(t, conn, "select coalesce(sum(n), 0) from job_log where kind = 1 and event = 3 and host = 'other'"); n != (fewChunks-1)*db.ChunkItems {
		t.Errorf("the other node did %d jobs", n)
	}
	if err := frozen.process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	until(t, "the node that has thawed", func() bool { status, _ := fetched(t, frozen.url+"/readyz"); return status == 200 })
	if status, body := fetched(t, frozen.url+"/engine-rest/history/batch/"+batch); status != 200 {
		t.Errorf("%d %s", status, body)
	}
	other.terminate(t)
	retryTopic(t, frozen.server, fewTopic, 0)
	until(t, "the end of a batch by the node that has thawed", func() bool { return counted(t, conn, "select count(*) from batch") == 0 })
	frozen.terminate(t)
	proven(t, conn, 2)
}

// A node that is stopped in the middle of a chunk finishes it, takes no other, and ends with 0.
func TestStopFinishesTheChunk(t *testing.T) {
	t.Parallel()
	url := dbtest.PostgresURL(t)
	c := startChild(t, url)
	conn := dbtest.Connect(t, url)
	startAudit(t, conn)
	release := obstruct(t, conn, makeFew(t, c.server), 0)
	retryTopic(t, c.server, fewTopic, 5)
	until(t, "one executor in the middle of a chunk, the other one behind it", func() bool { return counted(t, conn, waiting) == 2 })
	if err := c.process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.log.wait(t, "rearm stops; a second signal ends it at once")
	release()
	if err := c.wait(); err != nil {
		t.Errorf("%v\n%s", err, c.log)
	}
	done, left := doneAndLeft(t, conn)
	if done != 2*db.ChunkItems || left != (fewChunks-2)*db.ChunkItems {
		t.Errorf("%d jobs done, %d left; want that the two turns that had begun are done", done, left)
	}
	c = startChild(t, url)
	until(t, "the end of the batch", func() bool { return counted(t, conn, "select count(*) from batch") == 0 })
	c.terminate(t)
	proven(t, conn, 1)
}

// doneAndLeft counts the execution jobs that are done and those that are not.
func doneAndLeft(t *testing.T, conn *sqlx.DB) (done, left int) {
	t.Helper()
	return counted(t, conn, "select coalesce(sum(n), 0) from job_log where kind = 1 and event = 3"), counted(t, conn, "select coalesce(sum(n), 0) from job where kind = 1")
}

// quickly is how long a stop may take when no request runs.
const quickly = 10 * time.Second

// A node that is stopped while a batch runs ends soon and with 0, and loses nothing.
func TestStopInABatch(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, url string) {
		c := startChild(t, url)
		conn := dbtest.Connect(t, url)
		startAudit(t, conn)
		makeFew(t, c.server)
		batches := 0
		for midway := false; !midway && batches < 20; batches++ {
			retryTopic(t, c.server, fewTopic, int32(batches%2))
			all := (batches + 1) * fewChunks * db.ChunkItems
			until(t, "the first jobs", func() bool { done, _ := doneAndLeft(t, conn); return done > all-fewChunks*db.ChunkItems })
			if took := c.terminate(t); took > quickly {
				t.Errorf("the stop took %v", took)
			}
			done, left := doneAndLeft(t, conn)
			if midway = left > 0; done+left != all {
				t.Fatalf("%d jobs are done and %d are left, of %d", done, left, all)
			}
			c = startChild(t, url)
			until(t, "the end of the batch", func() bool { return counted(t, conn, "select count(*) from batch") == 0 })
		}
		if batches == 20 {
			t.Error("no stop came in the middle of a batch")
		}
		c.terminate(t)
		proven(t, conn, batches)
	})
}
