package db

import (
	"context"
	"slices"
)

// The modes of a batch that sets removal times (contract-facts 4.4).
const (
	RemovalAbsolute   = "absolute"   // to a date
	RemovalCleared    = "cleared"    // to none
	RemovalCalculated = "calculated" // to the end of each batch and the time to live of its type
)

// CleanableBatches says how many batches of a type have ended, and how many of these may be cleaned up.
type CleanableBatches struct {
	Type      string `db:"type"`
	Finished  int64  `db:"finished"`
	Cleanable int64  `db:"cleanable"`
}

// CleanableReport is the report of CleanableBatches, with the sort key of /history/batch/cleanable-batch-report
// (contract-facts 4.3). It has no filters.
var CleanableReport = &Resource{
	From: "historic_batch b", ID: "r.type", Tenant: "b.tenant_id", Owner: "b.owner", Fields: map[string]Field{}, Sorts: map[string]string{"finished": "r.finished"},
}

const cleanableBatches = `select b.type, count(b.end_time) as finished,
 count(case when b.end_time is not null and b.removal_time <= ? then 1 end) as cleanable from historic_batch b where `

// CleanableBatches reads a page of the report, as it is at the filter's time: a row for each type that a batch has.
func (q Queries) CleanableBatches(ctx context.Context, f *Filter) ([]CleanableBatches, error) {
	order, err := CleanableReport.orderBy(f)
	if err != nil {
		return nil, err
	}
	cond, args, err := q.where(CleanableReport, f)
	if err != nil {
		return nil, err
	}
	list := []CleanableBatches{}
	text := "select r.type, r.finished, r.cleanable from (" + cleanableBatches + cond + " group by b.type) r" + order + " limit ? offset ?"
	return list, q.sel(ctx, &list, text, append(append([]any{f.Now}, args...), f.Max, f.First)...)
}

// CountCleanableBatches counts the rows of the report.
func (q Queries) CountCleanableBatches(ctx context.Context, f *Filter) (n int64, err error) {
	if _, err := CleanableReport.orderBy(f); err != nil {
		return 0, err
	}
	cond, args, err := q.where(CleanableReport, f)
	if err != nil {
		return 0, err
	}
	return n, q.get(ctx, &n, "select count(distinct b.type) from historic_batch b where "+cond, args...)
}

// HistoricBatchIDs gives the ids of all batches, running and ended, that a filter selects, whatever its page.
func (q Queries) HistoricBatchIDs(ctx context.Context, f *Filter) ([]ID, error) {
	cond, args, err := q.where(HistoricBatches, f)
	if err != nil {
		return nil, err
	}
	return q.selectIDs(ctx, "select b.id from "+HistoricBatches.From+" where "+cond, args...)
}

// ExistingHistoricBatches gives those of some ids, at most idsAtOnce, that are of batches which the caller may see.
func (q Queries) ExistingHistoricBatches(ctx context.Context, caller Caller, ids []ID) ([]ID, error) {
	cond, args, err := q.where(HistoricBatches, &Filter{Caller: caller})
	if err != nil {
		return nil, err
	}
	return q.selectIDs(ctx, "select b.id from "+HistoricBatches.From+" where b.id {ids} and "+cond, append([]any{q.ids(ids)}, args...)...)
}

const lockHistoricBatches = "select " + historicBatchColumns + " from historic_batch b where b.id {ids} order by b.id {lock}"

// LockHistoricBatches reads those of some batches that are there, at most idsAtOnce, and keeps everybody else from changing or
// removing them until the transaction ends.
func (t *Tx) LockHistoricBatches(ctx context.Context, ids []ID) ([]HistoricBatch, error) {
	var list []HistoricBatch
	return list, t.sel(ctx, &list, lockHistoricBatches, t.ids(ids))
}

// SetRemovalTime sets when the history of some batches may go, with their job log and the incidents of their jobs; nil: never.
func (t *Tx) SetRemovalTime(ctx context.Context, ids []ID, removal *Time) error {
	if _, err := t.exec(ctx, "update historic_batch set removal_time = ? where id {ids}", removal, t.ids(ids)); err != nil {
		return err
	}
	return t.setJobIncidentRemoval(ctx, ids, removal)
}

// setJobIncidentRemoval sets the removal time of the incidents of all jobs of some batches.
func (t *Tx) setJobIncidentRemoval(ctx context.Context, batches []ID, removal *Time) error {
	for part := range slices.Chunk(batches, idsAtOnce/3) {
		definitions := make([]ID, 0, 3*len(part))
		for _, id := range part {
			definitions = append(definitions, ExecutionJob.Definition(id), SeedJob.Definition(id), MonitorJob.Definition(id))
		}
		if _, err := t.exec(ctx, "update incident set removal_time = ? where job_definition_id {ids}", removal, t.ids(definitions)); err != nil {
			return err
		}
	}
	return nil
}

// DeleteBatchHistory removes all that is kept of a batch that does not run: its history, items, job log and failedJob incidents.
// Incidents that it made on tasks belong to the tasks and stay.
func (t *Tx) DeleteBatchHistory(ctx context.Context, id ID) error {
	for _, text := range []string{
		"delete from historic_batch where id = ?", "delete from batch_chunk where batch_id = ?",
		"delete from batch_text where batch_id = ?", "delete from job_log where batch_id = ?",
	} {
		if _, err := t.exec(ctx, text, id); err != nil {
			return err
		}
	}
	return t.deleteJobIncidents(ctx, id, "")
}

// DeleteRunningHistory is DeleteBatchHistory for a batch that runs, and must be locked. What it needs stays: its items, and the
// incidents that are open. EndBatch removes that too.
func (t *Tx) DeleteRunningHistory(ctx context.Context, id ID) error {
	for _, text := range []string{"delete from historic_batch where id = ?", "delete from job_log where batch_id = ?"} {
		if _, err := t.exec(ctx, text, id); err != nil {
			return err
		}
	}
	return t.deleteJobIncidents(ctx, id, " and state <> 0")
}

func (t *Tx) deleteJobIncidents(ctx context.Context, batch ID, cond string) error {
	_, err := t.exec(ctx, "delete from incident where configuration between ? and ?"+cond, batch.Sub(SubJob, 0), batch.Sub(SubMonitor, 1<<32-1))
	return err
}
