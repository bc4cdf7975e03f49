package engine

import (
	"context"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// The types of batches (contract-facts 3.6).
const (
	SetExternalTaskRetries = "set-external-task-retries"
	SetBatchRemovalTime    = "batch-set-removal-time"
	SetJobRetries          = "set-job-retries"
)

// carrier is what carries out the execution jobs of one type of batch.
type carrier struct {
	// run does what the type does to items, and says what became of each of them, and on which topics tasks have become
	// fetchable. An error undoes everything, and is the failure of one of the jobs.
	run func(e *Engine, ctx context.Context, tx *db.Tx, b *db.Batch, all *items, now db.Time) (outcomes []db.Outcome, topics []string, err error)
	// hopeless looks before, and says which items cannot be done, and why: a list with an error for each of these, nil for the
	// others. Their jobs fail together, so that many of them cost little. Nil: whatever fails is found by halving.
	hopeless func(e *Engine, ctx context.Context, tx *db.Tx, b *db.Batch, all *items) ([]error, error)
	// locksOthers: it changes the jobs of other batches, which it has to lock. Then its own batch is locked whenever a job of it
	// is claimed, and batches are locked from the youngest to the oldest: nobody who holds jobs of a batch without its lock
	// ever waits for the lock of another.
	locksOthers bool
}

var carriers = map[string]carrier{
	SetExternalTaskRetries: {run: (*Engine).carryTaskRetries},
	SetBatchRemovalTime:    {run: (*Engine).carryRemovalTime},
	SetJobRetries:          {run: (*Engine).carryJobRetries, hopeless: (*Engine).missingJobs, locksOthers: true},
}

// execute carries out execution jobs of a batch that this transaction has claimed, all in one: the items, what the log says of
// them, and the end of the incidents of jobs that had failed, which those that succeed may have whatever their retries are now
// (contract-facts 10.3). It gives the topics on which tasks have become fetchable, and whether execution jobs are left, and counts
// the items.
func (e *Engine) execute(ctx context.Context, tx *db.Tx, b *db.Batch, claimed []db.Range, now db.Time, t *Tally) (topics []string, left bool, err error) {
	c, ok := carriers[b.Type]
	if !ok {
		return nil, false, fault.Coded(fault.Internal, fault.ProcessEngine, "Nothing carries out batches of the type '%s'", b.Type)
	}
	all, err := itemsOf(ctx, tx, b, claimed)
	if err != nil {
		return nil, false, err
	}
	outcomes, topics, err := c.run(e, ctx, tx, b, all, now)
	if err != nil {
		return nil, false, err
	}
	log := e.successLog(b, claimed, all, outcomes, now)
	if left, err = tx.LogSuccess(ctx, log); err != nil {
		return nil, false, err
	}
	t.count(log)
	if b.ExecutionStartTime == nil {
		err = tx.StartExecution(ctx, b.ID, now)
	}
	return topics, left, err
}

// allGone gives the outcomes of n items of which nothing has been found yet.
func allGone(n int) []db.Outcome {
	return slices.Repeat([]db.Outcome{{Gone: true}}, n)
}

// items are the items of claimed jobs, in order.
type items struct {
	ids     []db.ID
	numbers []int32 // their places in the batch
	lengths []int   // how many belong to each of the claimed ranges
}

// itemsOf reads the items of claimed ranges. A range never crosses a chunk; neighbours often share one.
func itemsOf(ctx context.Context, tx *db.Tx, b *db.Batch, claimed []db.Range) (*items, error) {
	all := &items{}
	var chunk []db.ID
	read := int32(-1)
	for _, r := range claimed {
		no := r.First / b.JobsPerChunk
		if no != read {
			var err error
			if chunk, err = tx.Chunk(ctx, b.ID, no); err != nil {
				return nil, err
			}
			read = no
		}
		start := (r.First - no*b.JobsPerChunk) * b.ItemsPerJob
		end := min(start+r.N*b.ItemsPerJob, int32(len(chunk))) //nolint:gosec // a chunk has at most a few thousand items
		all.ids = append(all.ids, chunk[start:end]...)
		for i := start; i < end; i++ {
			all.numbers = append(all.numbers, no*b.JobsPerChunk*b.ItemsPerJob+i)
		}
		all.lengths = append(all.lengths, int(end-start))
	}
	return all, nil
}

// successLog gives the log row of each claimed range, with the outcomes of its items. An item that had the value already is
// unchanged.
func (e *Engine) successLog(b *db.Batch, claimed []db.Range, all *items, outcomes []db.Outcome, now db.Time) []db.LogRange {
	rows := make([]db.LogRange, len(claimed))
	for i := range claimed {
		rows[i] = db.LogOf(&claimed[i], db.JobSucceeded, now, e.NodeName)
		part := outcomes[:all.lengths[i]]
		outcomes = outcomes[all.lengths[i]:]
		rows[i].Outcome = db.EncodeOutcomes(part)
		for _, o := range part {
			switch {
			case o.Gone:
				rows[i].Gone++
			case o.Previous != nil && b.Retries != nil && *o.Previous == *b.Retries:
				rows[i].Same++
			default:
				rows[i].Set++
			}
		}
	}
	return rows
}
