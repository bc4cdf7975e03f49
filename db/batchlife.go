package db

import "context"

// UpdateSeeded writes what a run of the seed job changed: the jobs made, the runs done. The batch must be locked.
func (t *Tx) UpdateSeeded(ctx context.Context, b *Batch) error {
	_, err := t.exec(ctx, "update batch set jobs_created = ?, seed_runs = ? where id = ?", b.JobsCreated, b.SeedRuns, b.ID)
	return err
}

// UpdateMonitorRuns writes the number of the newest monitor job. The batch must be locked.
func (t *Tx) UpdateMonitorRuns(ctx context.Context, b *Batch) error {
	_, err := t.exec(ctx, "update batch set monitor_runs = ? where id = ?", b.MonitorRuns, b.ID)
	return err
}

// UpdateFailures writes how many failures the batch has had. The batch must be locked.
func (t *Tx) UpdateFailures(ctx context.Context, b *Batch) error {
	_, err := t.exec(ctx, "update batch set failures = ? where id = ?", b.Failures, b.ID)
	return err
}

// StartExecution writes the time of the first execution job that succeeds, on the batch and its history, once.
func (t *Tx) StartExecution(ctx context.Context, id ID, at Time) error {
	for _, table := range []string{"batch", "historic_batch"} {
		if _, err := t.exec(ctx, "update "+table+" set execution_start_time = ? where id = ? and execution_start_time is null", at, id); err != nil {
			return err
		}
	}
	return nil
}

// SuspendBatch writes the suspension of a batch and of its definitions (bits: 1 execution, 2 seed, 4 monitor).
func (t *Tx) SuspendBatch(ctx context.Context, id ID, suspended bool, definitions int32) error {
	_, err := t.exec(ctx, "update batch set suspended = ?, definition_suspended = ? where id = ?", suspended, definitions, id)
	return err
}

const takeJobs = "select " + rangeColumns + " from job j where j.batch_id = ? order by j.kind, j.first {lock}"

// TakeJobs takes all jobs of a batch out of the table and gives them. It waits for those that somebody is running, which are
// done then. The batch must be locked.
func (t *Tx) TakeJobs(ctx context.Context, batch ID) ([]Range, error) {
	var ranges []Range
	if err := t.sel(ctx, &ranges, takeJobs, batch); err != nil {
		return nil, err
	}
	_, err := t.exec(ctx, "delete from job where batch_id = ?", batch)
	return ranges, err
}

// EndBatch takes a batch out of the running ones, forgets what was planned for it, and closes its history; a history that
// somebody deleted meanwhile goes for good. removal is when the history may go; nil leaves what was set before, or never.
func (t *Tx) EndBatch(ctx context.Context, id ID, at Time, removal *Time) error {
	for _, text := range []string{"delete from batch where id = ?", "delete from definition_suspension where batch_id = ?"} {
		if _, err := t.exec(ctx, text, id); err != nil {
			return err
		}
	}
	n, err := t.exec(ctx, "update historic_batch set end_time = ?, removal_time = coalesce(cast(? as bigint), removal_time) where id = ?", at, removal, id)
	switch {
	case err != nil:
		return err
	case n == 0:
		return t.DeleteBatchHistory(ctx, id)
	case removal != nil:
		return t.setJobIncidentRemoval(ctx, []ID{id}, removal)
	}
	return nil
}
