package engine

import (
	"context"
	"errors"

	"rearm/db"
	"rearm/impl/fault"
)

// Batches lists the running batches that a query selects.
func (e *Engine) Batches(ctx context.Context, caller db.Caller, q Query) ([]db.Batch, error) {
	f, err := e.filter(caller, db.Batches, q)
	if err != nil {
		return nil, err
	}
	list, err := e.store.Batches(ctx, f)
	return list, storeFault(err)
}

// CountBatches counts the running batches that a query selects.
func (e *Engine) CountBatches(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.filter(caller, db.Batches, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountBatches(ctx, f)
	return n, storeFault(err)
}

// BatchStatistics lists running batches with the numbers of their jobs.
func (e *Engine) BatchStatistics(ctx context.Context, caller db.Caller, q Query) ([]db.BatchStatistics, error) {
	f, err := e.filter(caller, db.BatchesWithStatistics, q)
	if err != nil {
		return nil, err
	}
	list, err := e.store.BatchStatistics(ctx, f)
	return list, storeFault(err)
}

// CountBatchStatistics counts what BatchStatistics lists.
func (e *Engine) CountBatchStatistics(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.filter(caller, db.BatchesWithStatistics, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountBatchStatistics(ctx, f)
	return n, storeFault(err)
}

// HistoricBatches lists batches, running and ended.
func (e *Engine) HistoricBatches(ctx context.Context, caller db.Caller, q Query) ([]db.HistoricBatch, error) {
	f, err := e.filter(caller, db.HistoricBatches, q)
	if err != nil {
		return nil, err
	}
	list, err := e.store.HistoricBatches(ctx, f)
	return list, storeFault(err)
}

// CountHistoricBatches counts what HistoricBatches lists.
func (e *Engine) CountHistoricBatches(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.filter(caller, db.HistoricBatches, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountHistoricBatches(ctx, f)
	return n, storeFault(err)
}

// Batch reads a running batch; 404 when there is none of that id (contract-facts 3.4).
func (e *Engine) Batch(ctx context.Context, caller db.Caller, id string) (*db.Batch, error) {
	none := fault.New(fault.NotFound, fault.InvalidRequest, "Batch with id '%s' does not exist", id)
	parsed, ok := db.ParseID(id)
	if !ok {
		return nil, none
	}
	b, err := e.store.Batch(ctx, parsed)
	if errors.Is(err, db.ErrNotFound) || err == nil && !caller.SeesBatch(b.TenantID, b.Owner) {
		return nil, none
	}
	return b, storeFault(err)
}

// HistoricBatch reads a batch, running or ended; 404 when there is none of that id (contract-facts 4.2).
func (e *Engine) HistoricBatch(ctx context.Context, caller db.Caller, id string) (*db.HistoricBatch, error) {
	none := fault.New(fault.NotFound, fault.InvalidRequest, "Historic batch with id '%s' does not exist", id)
	parsed, ok := db.ParseID(id)
	if !ok {
		return nil, none
	}
	b, err := e.store.HistoricBatch(ctx, parsed)
	if errors.Is(err, db.ErrNotFound) || err == nil && !caller.SeesBatch(b.TenantID, b.Owner) {
		return nil, none
	}
	return b, storeFault(err)
}

// BatchOutcomes counts the items of a batch, running or ended, by what became of them; 404 as HistoricBatch.
func (e *Engine) BatchOutcomes(ctx context.Context, caller db.Caller, id string) (db.Outcomes, error) {
	b, err := e.HistoricBatch(ctx, caller, id)
	if err != nil {
		return db.Outcomes{}, err
	}
	o, err := e.store.CountOutcomes(ctx, b.ID)
	return o, storeFault(err)
}

// SuspendBatch suspends or activates a batch with all its definitions and jobs, those suspended one by one included
// (contract-facts 3.5). 404 when there is no such running batch (difference 5).
func (e *Engine) SuspendBatch(ctx context.Context, caller db.Caller, id string, suspend bool) error {
	verb, definitions := "activate", int32(0)
	if suspend {
		verb, definitions = "suspend", 7
	}
	err := e.changeBatch(ctx, caller, id, verb, func(tx *db.Tx, b *db.Batch) error {
		if err := tx.SuspendBatch(ctx, b.ID, suspend, definitions); err != nil {
			return err
		}
		return tx.SuspendJobs(ctx, b.ID, 0, suspend)
	})
	if err == nil && !suspend {
		e.Run()
	}
	return err
}

// DeleteBatch ends a running batch with all its jobs, also while they run; what was applied stays (difference 14). With
// cascade all its history goes too. 404 when there is no such running batch (difference 5).
func (e *Engine) DeleteBatch(ctx context.Context, caller db.Caller, id string, cascade bool) error {
	var gone *db.Batch
	err := e.changeBatch(ctx, caller, id, "delete", func(tx *db.Tx, b *db.Batch) error {
		gone = b
		ranges, err := tx.TakeJobs(ctx, b.ID)
		if err != nil {
			return err
		}
		now := e.clock() // jobs that were running have ended by now
		if err := tx.CloseJobIncidents(ctx, b.ID.Sub(db.SubJob, 0), b.ID.Sub(db.SubMonitor, 1<<32-1), db.IncidentDeleted, now); err != nil {
			return err
		}
		if err := tx.InsertLog(ctx, e.logAll(ranges, db.JobDeleted, now)...); err != nil {
			return err
		}
		if err := tx.EndBatch(ctx, b.ID, now, e.batchRemoval(b.Type, now)); err != nil || !cascade {
			return err
		}
		return tx.DeleteBatchHistory(ctx, b.ID)
	})
	if err == nil {
		e.Did(ctx, Deed{What: BatchDeleted, N: 1, IDs: []db.ID{gone.ID}, Batch: gone})
	}
	return err
}

// DeleteHistoricBatch removes what is kept of a batch: itself, its items, its job log and the incidents of its jobs. A batch that
// runs goes on, and leaves no history in the end. 404 when there is none of that id (difference 5).
func (e *Engine) DeleteHistoricBatch(ctx context.Context, caller db.Caller, id string) error {
	none := fault.Coded(fault.NotFound, fault.InvalidRequest, "Unable to delete historic batch with id '%s'", id)
	parsed, ok := db.ParseID(id)
	if !ok {
		return none
	}
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		_, running := tx.LockBatch(ctx, parsed) // first, so that it cannot end meanwhile
		if running != nil && !errors.Is(running, db.ErrNotFound) {
			return running
		}
		b, err := tx.HistoricBatch(ctx, parsed)
		switch {
		case errors.Is(err, db.ErrNotFound), err == nil && !caller.SeesBatch(b.TenantID, b.Owner):
			return none
		case err != nil:
			return err
		case running == nil:
			return tx.DeleteRunningHistory(ctx, parsed)
		}
		return tx.DeleteBatchHistory(ctx, parsed)
	})
	return storeFault(err)
}

// changeBatch runs f on a locked batch; 404 with the reference's words when it is not there.
func (e *Engine) changeBatch(ctx context.Context, caller db.Caller, id, verb string, f func(*db.Tx, *db.Batch) error) error {
	none := fault.Coded(fault.NotFound, fault.InvalidRequest, "Unable to %s batch with id '%s'", verb, id)
	parsed, ok := db.ParseID(id)
	if !ok {
		return none
	}
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		b, err := tx.LockBatch(ctx, parsed)
		if errors.Is(err, db.ErrNotFound) || err == nil && !caller.SeesBatch(b.TenantID, b.Owner) {
			return none
		}
		if err != nil {
			return err
		}
		return f(tx, b)
	})
	return storeFault(err)
}

// logAll gives the log rows of one event that happens to all of ranges.
func (e *Engine) logAll(ranges []db.Range, event db.JobEvent, at db.Time) []db.LogRange {
	rows := make([]db.LogRange, len(ranges))
	for i := range ranges {
		rows[i] = db.LogOf(&ranges[i], event, at, e.NodeName)
	}
	return rows
}

// batchRemoval gives when an ended batch of a type may be cleaned up; nil: never.
func (e *Engine) batchRemoval(batchType string, end db.Time) *db.Time {
	ttl, ok := e.BatchTTL.Of(batchType)
	if !ok {
		return nil
	}
	t := end.Add(ttl)
	return &t
}
