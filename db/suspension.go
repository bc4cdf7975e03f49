package db

import "context"

// Suspension is the suspension, or activation, of a job definition that waits for its time.
type Suspension struct {
	BatchID     ID      `db:"batch_id"`
	At          Time    `db:"at"`
	ID          ID      `db:"id"` // orders those of one moment
	Kind        JobKind `db:"kind"`
	Suspended   bool    `db:"suspended"`    // false: activate
	IncludeJobs bool    `db:"include_jobs"` // whether the jobs that exist then follow
}

const insertSuspension = "insert into definition_suspension (batch_id, at, id, kind, suspended, include_jobs) values (?, ?, ?, ?, ?, ?)"

// InsertSuspension keeps a suspension for later. The batch must be locked, so that it does not end meanwhile.
func (t *Tx) InsertSuspension(ctx context.Context, s Suspension) error {
	_, err := t.exec(ctx, insertSuspension, s.BatchID, s.At, s.ID, s.Kind, s.Suspended, s.IncludeJobs)
	return err
}

const dueSuspensions = "select batch_id, at, id, kind, suspended, include_jobs from definition_suspension where batch_id = ? and at <= ? order by at, id"

const batchAt = "select " + batchColumns + `, exists (select 1 from definition_suspension d where d.batch_id = b.id and d.at <= ?) as due
 from batch b where b.id = ?`

// BatchAt is Batch, and tells whether it has suspensions whose time has come.
func (q Queries) BatchAt(ctx context.Context, id ID, now Time) (b *Batch, due bool, err error) {
	var row struct {
		Batch
		Due bool `db:"due"`
	}
	err = q.get(ctx, &row, batchAt, now, id)
	return &row.Batch, row.Due, err
}

// DueSuspensions gives the suspensions of a batch whose time has come, in the order in which they are to be carried out.
func (q Queries) DueSuspensions(ctx context.Context, batch ID, now Time) ([]Suspension, error) {
	var list []Suspension
	return list, q.sel(ctx, &list, dueSuspensions, batch, now)
}

// DeleteSuspensions forgets the suspensions of a batch up to a time.
func (t *Tx) DeleteSuspensions(ctx context.Context, batch ID, upTo Time) error {
	_, err := t.exec(ctx, "delete from definition_suspension where batch_id = ? and at <= ?", batch, upTo)
	return err
}

const updateDefinitions = "update batch set definition_suspended = ?, priority_job = ?, priority_seed = ?, priority_monitor = ? where id = ?"

// UpdateDefinitions writes what can change of a batch's three job definitions. The batch must be locked.
func (t *Tx) UpdateDefinitions(ctx context.Context, b *Batch) error {
	_, err := t.exec(ctx, updateDefinitions, b.DefinitionSuspended, b.PriorityJob, b.PrioritySeed, b.PriorityMonitor, b.ID)
	return err
}
