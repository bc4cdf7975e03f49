package engine

import (
	"context"
	"time"

	"rearm/db"
)

// What names what a rule has done.
type What int

// What rules do. Tasks that are deleted end without being completed: by an error of the business, or with their scope.
const (
	Changed What = iota // whatever has no name of its own
	TasksCreated
	TasksLocked
	TasksCompleted
	TasksFailed
	TasksDeleted
	BatchCreated
	BatchDeleted
	JobExecuted
)

// fewIDs is how many ids a deed names at most.
const fewIDs = 10

// Deed is what a rule has done on behalf of a request.
type Deed struct {
	What  What
	N     int       // to how many: tasks, jobs, or the items of a batch
	IDs   []db.ID   // to which, or to the first few of them
	Batch *db.Batch // of BatchCreated, BatchDeleted and JobExecuted
	Tally *Tally    // of JobExecuted
}

// did tells of what was done to some things by their ids.
func (e *Engine) did(ctx context.Context, what What, ids ...db.ID) {
	e.Did(ctx, Deed{What: what, N: len(ids), IDs: ids[:min(len(ids), fewIDs)]})
}

// didOne tells of what was done to the one thing that a text names.
func (e *Engine) didOne(ctx context.Context, what What, id string) {
	if parsed, ok := db.ParseID(id); ok {
		e.did(ctx, what, parsed)
	}
}

// Chunk is one transaction's worth of a batch, as it went.
type Chunk struct {
	Type     string        // of the batch; "" when it was not found
	Took     time.Duration // from begin to commit, or until it failed
	Jobs     int           // that it carried out
	Lag      time.Duration // how long the first of them had been due
	Tally                  // what became of them
	TookOver bool          // it is this engine's first of a batch that another process had begun
	Err      error         // nothing of it has happened; nil: all has
}

// Tally counts what became of jobs of a batch and of their items, and tells whether the batch has ended with them.
type Tally struct {
	Set, Unchanged, Gone int // items that were carried out
	Failed               int // items whose job has lost its last retry
	Failures             int // attempts of jobs that failed
	Ended                bool
}

// count adds the items that rows of the log tell of.
func (t *Tally) count(rows []db.LogRange) {
	for i := range rows {
		t.Set += int(rows[i].Set)
		t.Unchanged += int(rows[i].Same)
		t.Gone += int(rows[i].Gone)
	}
}

// fail adds the failure of a job, by which it may have lost its last retry.
func (t *Tally) fail(b *db.Batch, job *db.Range, last bool) {
	t.Failures++
	if last && job.Kind == db.ExecutionJob {
		t.Failed += int(min(b.ItemsPerJob, b.Items-job.First*b.ItemsPerJob))
	}
}

// lagOf counts claimed jobs, and gives how long the one that had to wait longest had been due.
func lagOf(claimed []db.Range, now db.Time) (jobs int, lag time.Duration) {
	for i := range claimed {
		due := claimed[i].CreateTime
		if d := claimed[i].DueDate; d != nil {
			due = max(due, *d)
		}
		jobs, lag = jobs+int(claimed[i].N), max(lag, now.Time().Sub(due.Time()))
	}
	return jobs, lag
}
