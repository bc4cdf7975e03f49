package engine

import (
	"context"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// SetJobRetriesAsync is the setting of the retries of many jobs in the background: of those that the ids and the query name.
type SetJobRetriesAsync struct {
	JobRetries
	IDs   []string
	Query *Query // nil: none; an empty one selects every job that the caller may see
}

// SetJobRetriesAsync makes a batch that sets the retries of all selected jobs (contract-facts 6.6). Ids that name no job of the
// caller's are accepted: the job that comes to one fails. 400: no ids and no query, a selection of nothing, negative retries.
func (e *Engine) SetJobRetriesAsync(ctx context.Context, caller db.Caller, in SetJobRetriesAsync) (*db.Batch, error) {
	switch {
	case len(in.IDs) == 0 && in.Query == nil:
		return nil, fault.Coded(fault.Invalid, fault.ProcessEngine, "ENGINE-13050 You must specify at least one of jobIds or jobQuery.")
	case in.Retries < 0:
		return nil, fault.Coded(fault.Invalid, fault.ProcessEngine, "Retries count is not greater than or equal to 0")
	}
	var b *db.Batch
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		b = e.newBatch(ctx, caller, SetJobRetries)
		b.Retries, b.SetsDueDate, b.DueDate = &in.Retries, in.SetDueDate, in.DueDate
		return e.createBatch(ctx, tx, b, "jobIds", func() (int, error) { return e.putJobs(ctx, tx, caller, b, in) })
	})
	if err != nil {
		return nil, storeFault(err)
	}
	e.madeBatch(ctx, b)
	return b, nil
}

// putJobs writes the items of a batch on jobs, each once, and gives their number. Those whose id is no UUID come first.
func (e *Engine) putJobs(ctx context.Context, tx *db.Tx, caller db.Caller, b *db.Batch, in SetJobRetriesAsync) (int, error) {
	ids, texts, err := namedJobs(ctx, tx.Queries, caller, in.IDs)
	if err != nil {
		return 0, err
	}
	if in.Query != nil {
		f, err := e.jobFilter(caller, *in.Query)
		if err != nil {
			return 0, err
		}
		found, err := tx.SelectJobIDs(ctx, f)
		if err != nil {
			return 0, err
		}
		ids = append(ids, found...)
	}
	slices.SortFunc(ids, db.ID.Compare)
	items := append(make([]db.ID, len(texts)), slices.Compact(ids)...)
	if err := tx.InsertTexts(ctx, b.ID, 0, texts); err != nil {
		return 0, err
	}
	return len(items), tx.InsertChunks(ctx, b.ID, items, int(b.JobsPerChunk*b.ItemsPerJob))
}

// namedJobs parts a list into ids and texts that name no job of the caller's; of the texts each once, in order.
func namedJobs(ctx context.Context, q db.Queries, caller db.Caller, list []string) (ids []db.ID, texts []string, err error) {
	ids, texts = sortOut(list)
	if caller.Tenants != nil {
		var others []string
		if ids, others, err = ownJobs(ctx, q, caller, ids); err != nil {
			return nil, nil, err
		}
		texts = append(texts, others...)
	}
	slices.Sort(texts)
	return ids, slices.Compact(texts), nil
}

// ownJobs parts ids of jobs into those whose batch the caller may see, and, as texts, those whose batch is another tenant's or
// nobody's: what is a text is never looked for when the work is done, so that both fail alike.
func ownJobs(ctx context.Context, q db.Queries, caller db.Caller, ids []db.ID) (there []db.ID, others []string, err error) {
	batches := make([]db.ID, len(ids))
	for i, id := range ids {
		batches[i], _, _ = id.Split()
	}
	slices.SortFunc(batches, db.ID.Compare)
	seen := map[db.ID]bool{}
	for part := range slices.Chunk(slices.Compact(batches), lookedUpAtOnce) {
		found, err := q.ExistingBatches(ctx, caller, part)
		if err != nil {
			return nil, nil, err
		}
		for _, id := range found {
			seen[id] = true
		}
	}
	there, foreign := split(ids, func(id db.ID) bool {
		batch, _, _ := id.Split()
		return seen[batch]
	})
	return there, textsOf(foreign), nil
}

// sortOut parts a list into ids and texts that are none.
func sortOut(list []string) (ids []db.ID, texts []string) {
	for _, text := range list {
		if id, ok := db.ParseID(text); ok {
			ids = append(ids, id)
		} else {
			texts = append(texts, text)
		}
	}
	return ids, texts
}
