package engine

import (
	"context"
	"errors"
	"fmt"

	"rearm/db"
	"rearm/impl/fault"
)

// SetRetriesAsync is the setting of the retries of many tasks in the background.
type SetRetriesAsync struct {
	Retries int32
	Selection
	IdempotencyKey string `json:"-"`
}

// SetRetriesAsync makes a batch that sets the retries of all selected tasks (contract-facts 2.17), and returns before the work
// is done; from then on the batch ends without anybody's help. 400: the retries are negative, or nothing is selected; 404: an
// id names no task, unless missing ones are skipped. With an Idempotency-Key the same request again gives the same batch.
func (e *Engine) SetRetriesAsync(ctx context.Context, caller db.Caller, in SetRetriesAsync) (*db.Batch, error) {
	if in.Retries < 0 {
		return nil, fault.BadRequest(negativeRetries)
	}
	var b *db.Batch
	var made bool // not if the key had its answer already
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		b = e.newBatch(ctx, caller, SetExternalTaskRetries)
		b.Retries = &in.Retries
		made = false
		return e.once(ctx, tx, caller, "setExternalTaskRetriesAsyncOperation", in.IdempotencyKey, in, b, func() error {
			made = true
			return e.createBatch(ctx, tx, b, "externalTaskIds", func() (int, error) { return e.putItems(ctx, tx, caller, b, in.Selection) })
		})
	})
	if err != nil {
		return nil, storeFault(err)
	}
	if !made {
		e.did(ctx, Changed)
		return b, nil
	}
	e.madeBatch(ctx, b)
	return b, nil
}

// madeBatch tells of a batch that was made.
func (e *Engine) madeBatch(ctx context.Context, b *db.Batch) {
	e.Run()
	e.Did(ctx, Deed{What: BatchCreated, N: int(b.Items), IDs: []db.ID{b.ID}, Batch: b})
}

// newBatch gives a batch of a type as the settings say, with an id of its own and nothing in it yet. Batches carry no tenant,
// unless their caller is bound to exactly one (contract-facts 1.10).
func (e *Engine) newBatch(ctx context.Context, caller db.Caller, batchType string) *db.Batch {
	b := &db.Batch{Type: batchType, StartTime: e.clock(), Trace: traceOf(ctx)}
	b.ID = db.BatchBase(e.NewID())
	b.Mark = b.ID.Mark()
	b.JobsPerSeed = int32(e.JobsPerSeed.Of(batchType)) //nolint:gosec // checked when the program starts
	b.ItemsPerJob = int32(e.ItemsPerJob.Of(batchType)) //nolint:gosec // at most MaxItemsPerJob
	b.JobsPerChunk = db.JobsPerChunk(b.ItemsPerJob)
	if caller.Name != "" {
		b.CreateUserID = &caller.Name
	}
	b.TenantID, b.Owner = caller.Belonging()
	return b
}

// createBatch writes a batch whose items put writes, and its seed job. An empty batch is a 400 that says what is empty.
func (e *Engine) createBatch(ctx context.Context, tx *db.Tx, b *db.Batch, what string, put func() (int, error)) error {
	n, err := put()
	if err != nil {
		return err
	}
	if n == 0 {
		return fault.BadRequest("%s is empty", what)
	}
	b.Items = int32(n) //nolint:gosec // memory holds no more ids
	b.TotalJobs = (b.Items + b.ItemsPerJob - 1) / b.ItemsPerJob
	if err := tx.InsertBatch(ctx, b); errors.Is(err, db.ErrConflict) {
		return fmt.Errorf("%w: the id %s is taken", db.ErrAgain, b.ID) // draw another one
	} else if err != nil {
		return err
	}
	return e.makeJob(ctx, tx, newJob(b, db.SeedJob, 0, b.StartTime))
}

// putItems writes the items of a selection and gives their number. A selection by one query of tasks never leaves the database.
func (e *Engine) putItems(ctx context.Context, tx *db.Tx, caller db.Caller, b *db.Batch, s Selection) (int, error) {
	size := int(b.JobsPerChunk * b.ItemsPerJob)
	if s.Query != nil && s.IDs.Len()+len(s.ScopeIDs) == 0 && s.ScopeQuery == nil && s.HistoricScopeQuery == nil {
		f, err := e.selecting(caller, db.Tasks, *s.Query)
		if err != nil {
			return 0, err
		}
		selection, args, err := tx.TaskSelection(f)
		if err != nil {
			return 0, err
		}
		n, err := tx.SelectChunks(ctx, b.ID, size, selection, args)
		return int(n), err
	}
	ids, texts, err := e.selectTasks(ctx, tx.Queries, caller, s, allMissing)
	if err != nil {
		return 0, err
	}
	items := ids
	if len(texts) > 0 {
		items = append(make([]db.ID, len(texts), len(texts)+len(ids)), ids...)
	}
	if err := tx.InsertTexts(ctx, b.ID, 0, texts); err != nil {
		return 0, err
	}
	return len(items), tx.InsertChunks(ctx, b.ID, items, size)
}
