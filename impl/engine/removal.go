package engine

import (
	"context"
	"slices"
	"time"

	"rearm/db"
	"rearm/impl/fault"
)

// CleanableBatches is a row of the report of what can be cleaned up.
type CleanableBatches struct {
	db.CleanableBatches
	TTL *time.Duration // how long batches of the type are kept after their end; nil: for ever
}

// CleanableBatches reports for each type how many batches have ended, and how many of these may be cleaned up
// (contract-facts 4.3).
func (e *Engine) CleanableBatches(ctx context.Context, caller db.Caller, q Query) ([]CleanableBatches, error) {
	f, err := e.filter(caller, db.CleanableReport, q)
	if err != nil {
		return nil, err
	}
	list, err := e.store.CleanableBatches(ctx, f)
	report := make([]CleanableBatches, len(list))
	for i := range list {
		report[i].CleanableBatches = list[i]
		if ttl, ok := e.BatchTTL.Of(list[i].Type); ok {
			report[i].TTL = &ttl
		}
	}
	return report, storeFault(err)
}

// CountCleanableBatches counts the rows of the report.
func (e *Engine) CountCleanableBatches(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.filter(caller, db.CleanableReport, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountCleanableBatches(ctx, f)
	return n, storeFault(err)
}

// SetRemovalTime is the setting of the removal time of batches in the background. What IDs and Query name is united.
type SetRemovalTime struct {
	IDs        []string // nil: not given
	Query      *Query   // of historic batches
	Absolute   *db.Time // this mode, or
	Cleared    bool     // this, or
	Calculated bool     // this; exactly one
}

// mode gives the mode that is asked for; 400 when it is none, or several.
func (in *SetRemovalTime) mode() (mode string, err error) {
	for _, m := range [...]struct {
		name  string
		asked bool
	}{{db.RemovalAbsolute, in.Absolute != nil}, {db.RemovalCleared, in.Cleared}, {db.RemovalCalculated, in.Calculated}} {
		switch {
		case m.asked && mode != "":
			return "", badUser("The removal time modes are mutually exclusive: mode is not null")
		case m.asked:
			mode = m.name
		}
	}
	switch {
	case in.IDs == nil && in.Query == nil:
		return "", badUser("Neither query nor ids provided.")
	case mode == "":
		return "", badUser("removalTime is null")
	}
	return mode, nil
}

func badUser(message string) error {
	return fault.Coded(fault.Invalid, fault.BadUserRequest, "%s", message)
}

// SetRemovalTime makes a batch that sets when the history of batches may go (contract-facts 4.4). Ids that name none are left
// out. 400: not exactly one mode, or no batch is selected.
func (e *Engine) SetRemovalTime(ctx context.Context, caller db.Caller, in SetRemovalTime) (*db.Batch, error) {
	mode, err := in.mode()
	if err != nil {
		return nil, err
	}
	var b *db.Batch
	err = e.store.Tx(ctx, func(tx *db.Tx) error {
		b = e.newBatch(ctx, caller, SetBatchRemovalTime)
		b.RemovalMode, b.RemovalTime = &mode, in.Absolute
		return e.createBatch(ctx, tx, b, "historicBatches", func() (int, error) { return e.putBatches(ctx, tx, caller, b, in) })
	})
	if err != nil {
		return nil, storeFault(err)
	}
	e.madeBatch(ctx, b)
	return b, nil
}

// putBatches writes the items of a batch that are batches themselves, and gives their number.
func (e *Engine) putBatches(ctx context.Context, tx *db.Tx, caller db.Caller, b *db.Batch, in SetRemovalTime) (int, error) {
	var named, ids []db.ID
	for _, text := range in.IDs {
		if id, ok := db.ParseID(text); ok {
			named = append(named, id)
		}
	}
	for part := range slices.Chunk(named, lookedUpAtOnce) {
		found, err := tx.ExistingHistoricBatches(ctx, caller, part)
		if err != nil {
			return 0, err
		}
		ids = append(ids, found...)
	}
	if in.Query != nil {
		f, err := e.selecting(caller, db.HistoricBatches, *in.Query)
		if err != nil {
			return 0, err
		}
		found, err := tx.HistoricBatchIDs(ctx, f)
		if err != nil {
			return 0, err
		}
		ids = append(ids, found...)
	}
	slices.SortFunc(ids, db.ID.Compare)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return 0, badUser("historicBatches is empty")
	}
	return len(ids), tx.InsertChunks(ctx, b.ID, ids, int(b.JobsPerChunk*b.ItemsPerJob))
}

// carryRemovalTime carries out batch-set-removal-time: the items are batches. One that is not there any more is gone.
func (e *Engine) carryRemovalTime(ctx context.Context, tx *db.Tx, b *db.Batch, all *items, _ db.Time) (outcomes []db.Outcome, topics []string, err error) {
	there, err := tx.LockHistoricBatches(ctx, all.ids)
	if err != nil {
		return nil, nil, err
	}
	outcomes = allGone(len(all.ids))
	byTime := map[db.Time][]db.ID{}
	for i := range there {
		place, _ := slices.BinarySearchFunc(all.ids, there[i].ID, db.ID.Compare)
		outcomes[place] = db.Outcome{}
		at := never
		if t := e.removalOf(b, &there[i]); t != nil {
			at = *t
		}
		byTime[at] = append(byTime[at], there[i].ID)
	}
	for at, ids := range byTime {
		removal := &at
		if at == never {
			removal = nil
		}
		if err := tx.SetRemovalTime(ctx, ids, removal); err != nil {
			return nil, nil, err
		}
	}
	return outcomes, nil, nil
}

// never stands for no removal time among others.
const never db.Time = -1 << 63

// removalOf gives the removal time that a batch sets on another; nil: none.
func (e *Engine) removalOf(b *db.Batch, other *db.HistoricBatch) *db.Time {
	switch {
	case *b.RemovalMode == db.RemovalAbsolute:
		return b.RemovalTime
	case *b.RemovalMode == db.RemovalCalculated && other.EndTime != nil:
		return e.batchRemoval(other.Type, *other.EndTime)
	}
	return nil
}
