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
	p, err := e.pickBefore(ctx, caller, in)
	if err != nil {
		return nil, storeFault(err)
	}
	var b *db.Batch
	var made bool // not if the key had its answer already
	err = e.store.Tx(ctx, func(tx *db.Tx) error {
		b = e.newBatch(ctx, caller, SetExternalTaskRetries)
		b.Retries = &in.Retries
		made = false
		return e.once(ctx, tx, caller, "setExternalTaskRetriesAsyncOperation", in.IdempotencyKey, in, b, func() error {
			made = true
			return e.createBatch(ctx, tx, b, "externalTaskIds", func() (int, error) { return e.putItems(ctx, tx, caller, b, in.Selection, p) })
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

// pickBefore picks the tasks of a request before its transaction, so that on SQLite others may write meanwhile. Nil: it has come before.
func (e *Engine) pickBefore(ctx context.Context, caller db.Caller, in SetRetriesAsync) (*picked, error) {
	came, err := e.came(ctx, caller, in.IdempotencyKey)
	if came || err != nil {
		return nil, err
	}
	return e.pick(ctx, e.store.Queries, caller, in.Selection)
}

// putItems writes the items of a selection and gives their number. p is nil if they are not picked yet.
func (e *Engine) putItems(ctx context.Context, tx *db.Tx, caller db.Caller, b *db.Batch, s Selection, p *picked) (int, error) {
	if p == nil {
		var err error
		if p, err = e.pick(ctx, tx.Queries, caller, s); err != nil {
			return 0, err
		}
	}
	size := int(b.JobsPerChunk * b.ItemsPerJob)
	if p.filter != nil {
		selection, args, err := tx.TaskSelection(p.filter)
		if err != nil {
			return 0, err
		}
		n, err := tx.SelectChunks(ctx, b.ID, size, selection, args)
		return int(n), err
	}
	items := p.ids
	if len(p.texts) > 0 {
		items = append(make([]db.ID, len(p.texts), len(p.texts)+len(items)), items...)
	}
	if err := tx.InsertTexts(ctx, b.ID, 0, p.texts); err != nil {
		return 0, err
	}
	return len(items), tx.InsertChunks(ctx, b.ID, items, size)
}

// picked is what a selection has come to: ids and texts as selectTasks gives them, or a filter that the database shall apply when
// the items are written.
type picked struct {
	ids    []db.ID
	texts  []string
	filter *db.Filter
}

// pick finds out what a selection names. One query of tasks is left to a database that is another process: so its ids never travel.
func (e *Engine) pick(ctx context.Context, q db.Queries, caller db.Caller, s Selection) (*picked, error) {
	if q.Remote() && s.justQuery() {
		f, err := e.selecting(caller, db.Tasks, *s.Query)
		return &picked{filter: f}, err
	}
	ids, texts, err := e.selectTasks(ctx, q, caller, s, allMissing)
	return &picked{ids: ids, texts: texts}, err
}

// justQuery tells whether a selection is one query of tasks and nothing else.
func (s *Selection) justQuery() bool {
	return s.Query != nil && s.IDs.Len()+len(s.ScopeIDs) == 0 && s.ScopeQuery == nil && s.HistoricScopeQuery == nil
}
