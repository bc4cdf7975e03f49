package engine_test

import (
	"context"
	"testing"

	"rearm/db/dbtest"
)

// A fetch of several topics looks again when others hold what it found first. If that fails, what it has locked before is given
// all the same: an error would keep it from everybody until the lock ends.
func TestFetchGivesWhatItHasLocked(t *testing.T) {
	t.Parallel()
	const maxTasks, candidates = 10, 10 + 100
	s := dbtest.Postgres(t)
	w := newWorld(t, s)
	w.tasks(candidates, "a")
	tx, err := dbtest.Raw(t, s).BeginTxx(context.Background(), nil)
	w.must(err)
	defer tx.Rollback() //nolint:errcheck // it only holds locks
	_, err = tx.ExecContext(context.Background(), "select from external_task_state for update")
	w.must(err)
	w.pass(1)
	dbtest.Poison(t, s, w.tasks(1, "a")[0])
	free := w.tasks(1, "b")[0]
	got := w.fetch("w", maxTasks, "a", "b")
	if len(got) != 1 || got[0].ID != free {
		t.Errorf("got %d tasks, want the one that nobody holds", len(got))
	}
	if w.read(free).WorkerID == nil {
		t.Error("nothing was locked")
	}
}
