package db

import (
	"context"
)

// Batch is a running batch. A historic batch of the same id stands beside it, and stays when it has ended.
type Batch struct {
	ID                  ID      `db:"id"`
	Mark                int64   `db:"mark"`
	Type                string  `db:"type"`
	Retries             *int32  `db:"retries"`
	SetsDueDate         bool    `db:"sets_due_date"` // of set-job-retries: whether DueDate is set too
	DueDate             *Time   `db:"due_date"`      // nil: due at once
	RemovalMode         *string `db:"removal_mode"`  // of batch-set-removal-time: RemovalAbsolute, RemovalCleared or RemovalCalculated
	RemovalTime         *Time   `db:"removal_time"`  // the date of RemovalAbsolute
	Items               int32   `db:"items"`
	TotalJobs           int32   `db:"total_jobs"`
	JobsPerSeed         int32   `db:"jobs_per_seed"`
	ItemsPerJob         int32   `db:"items_per_job"`
	JobsPerChunk        int32   `db:"jobs_per_chunk"`
	JobsCreated         int32   `db:"jobs_created"`
	SeedRuns            int32   `db:"seed_runs"`
	MonitorRuns         int32   `db:"monitor_runs"`
	Failures            int32   `db:"failures"`
	Suspended           bool    `db:"suspended"`
	DefinitionSuspended int32   `db:"definition_suspended"`
	PriorityJob         *int64  `db:"priority_job"`
	PrioritySeed        *int64  `db:"priority_seed"`
	PriorityMonitor     *int64  `db:"priority_monitor"`
	StartTime           Time    `db:"start_time"`
	ExecutionStartTime  *Time   `db:"execution_start_time"`
	TenantID            *string `db:"tenant_id"`
	CreateUserID        *string `db:"create_user_id"`
	Owner               *string `db:"owner"` // the name of the one caller that may see it beside those who see all (Caller.Belonging); nil: go by TenantID
	Trace               *string `db:"trace"` // the traceparent of the request that made it; nil: that was not traced
}

// override gives the place of a definition's overriding priority.
func (b *Batch) override(kind JobKind) **int64 {
	switch kind {
	case ExecutionJob:
		return &b.PriorityJob
	case SeedJob:
		return &b.PrioritySeed
	}
	return &b.PriorityMonitor
}

// Priority gives the priority of new jobs of a kind: the overriding one of their definition, or 0.
func (b *Batch) Priority(kind JobKind) int64 {
	if p := *b.override(kind); p != nil {
		return *p
	}
	return 0
}

// Override sets the overriding priority of the definition of a kind; nil: none.
func (b *Batch) Override(kind JobKind, priority *int64) { *b.override(kind) = priority }

// JobsSuspended tells whether new jobs of a kind are made suspended.
func (b *Batch) JobsSuspended(kind JobKind) bool { return b.DefinitionSuspended&(1<<(kind-1)) != 0 }

// SuspendDefinition suspends or activates the definition of a kind.
func (b *Batch) SuspendDefinition(kind JobKind, suspend bool) {
	if b.DefinitionSuspended &^= 1 << (kind - 1); suspend {
		b.DefinitionSuspended |= 1 << (kind - 1)
	}
}

// Seeded tells whether the seed job has made all execution jobs.
func (b *Batch) Seeded() bool { return b.JobsCreated >= b.TotalJobs }

// HistoricBatch is what is kept of a batch.
type HistoricBatch struct {
	ID                 ID      `db:"id"`
	Type               string  `db:"type"`
	Retries            *int32  `db:"retries"`
	Items              int32   `db:"items"`
	TotalJobs          int32   `db:"total_jobs"`
	JobsPerSeed        int32   `db:"jobs_per_seed"`
	ItemsPerJob        int32   `db:"items_per_job"`
	JobsPerChunk       int32   `db:"jobs_per_chunk"`
	StartTime          Time    `db:"start_time"`
	ExecutionStartTime *Time   `db:"execution_start_time"`
	EndTime            *Time   `db:"end_time"`
	RemovalTime        *Time   `db:"removal_time"`
	TenantID           *string `db:"tenant_id"`
	CreateUserID       *string `db:"create_user_id"`
	Owner              *string `db:"owner"` // as Batch has it
}

// BatchStatistics is a batch with the numbers of its execution jobs.
type BatchStatistics struct {
	Batch
	Existing int32 `db:"existing"` // execution jobs that are there
	Failed   int32 `db:"failed"`   // of these, the ones without retries
}

// Remaining counts the jobs that are not done: not yet made, or there (contract-facts 3.3).
func (s *BatchStatistics) Remaining() int32 { return s.TotalJobs - s.JobsCreated + s.Existing }

// Completed counts the jobs that are done or deleted.
func (s *BatchStatistics) Completed() int32 { return s.TotalJobs - s.Remaining() }

const batchColumns = `b.id, b.mark, b.type, b.retries, b.sets_due_date, b.due_date, b.removal_mode, b.removal_time, b.items, b.total_jobs, b.jobs_per_seed, b.items_per_job, b.jobs_per_chunk,
 b.jobs_created, b.seed_runs, b.monitor_runs, b.failures, b.suspended, b.definition_suspended, b.priority_job, b.priority_seed, b.priority_monitor,
 b.start_time, b.execution_start_time, b.tenant_id, b.create_user_id, b.owner, b.trace`

const historicBatchColumns = `b.id, b.type, b.retries, b.items, b.total_jobs, b.jobs_per_seed, b.items_per_job, b.jobs_per_chunk,
 b.start_time, b.execution_start_time, b.end_time, b.removal_time, b.tenant_id, b.create_user_id, b.owner`

// tenantFields are the tenant filters that all batches share: tenantIdIn wins over withoutTenantId (contract-facts 3.2).
func tenantFields(fields map[string]Field) map[string]Field {
	fields["tenantIdIn"] = Field{Kind: Texts, Cond: "b.tenant_id {texts}"}
	fields["withoutTenantId"] = Field{Kind: Flag, Cond: "b.tenant_id is null", Unless: "tenantIdIn"}
	return fields
}

// Batches are the running batches, with the filters and sort keys of /batch (contract-facts 3.2).
var Batches = &Resource{
	From: "batch b", ID: "b.id", Tenant: "b.tenant_id", Owner: "b.owner",
	Fields: tenantFields(map[string]Field{
		"batchId":   {Kind: OneID, Cond: "b.id = ?"},
		"type":      {Kind: Text, Cond: "b.type = ?"},
		"suspended": {Kind: Choice, Cond: "b.suspended = ?"},
	}),
	Sorts: map[string]string{"batchId": "b.id", "tenantId": "b.tenant_id"},
}

// failedJobs tells whether a batch has an execution job without retries.
const failedJobs = "exists (select 1 from job f where f.batch_id = b.id and f.kind = 1 and f.retries = 0)"

// BatchesWithStatistics are the running batches, with the filters and sort keys of /batch/statistics (contract-facts 3.3).
var BatchesWithStatistics = &Resource{
	From: "batch b", ID: "b.id", Tenant: "b.tenant_id", Owner: "b.owner",
	Fields: tenantFields(map[string]Field{
		"batchId":         {Kind: OneID, Cond: "b.id = ?"},
		"type":            {Kind: Text, Cond: "b.type = ?"},
		"suspended":       {Kind: Choice, Cond: "b.suspended = ?"},
		"createdBy":       {Kind: Text, Cond: "b.create_user_id = ?"},
		"startedBefore":   {Kind: Date, Cond: "b.start_time <= ?"},
		"startedAfter":    {Kind: Date, Cond: "b.start_time >= ?"},
		"withFailures":    {Kind: Flag, Cond: failedJobs, Unless: "withoutFailures"},
		"withoutFailures": {Kind: Flag, Cond: "not " + failedJobs},
	}),
	Sorts: map[string]string{"batchId": "b.id", "tenantId": "b.tenant_id", "startTime": "b.start_time"},
}

// HistoricBatches are all batches, running and ended, with the filters and sort keys of /history/batch (contract-facts 4.1).
var HistoricBatches = &Resource{
	From: "historic_batch b", ID: "b.id", Tenant: "b.tenant_id", Owner: "b.owner",
	Fields: tenantFields(map[string]Field{
		"batchId":   {Kind: OneID, Cond: "b.id = ?"},
		"type":      {Kind: Text, Cond: "b.type = ?"},
		"completed": {Kind: Choice, Cond: "(b.end_time is not null) = ?"},
	}),
	Sorts: map[string]string{"batchId": "b.id", "startTime": "b.start_time", "endTime": "b.end_time", "tenantId": "b.tenant_id"},
}

const insertBatch = `insert into batch (id, mark, type, retries, sets_due_date, due_date, removal_mode, removal_time, items, total_jobs, jobs_per_seed,
 items_per_job, jobs_per_chunk, start_time, tenant_id, create_user_id, owner, trace) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const insertHistoricBatch = `insert into historic_batch (id, type, retries, items, total_jobs, jobs_per_seed, items_per_job, jobs_per_chunk, start_time, removal_time,
 tenant_id, create_user_id, owner) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

// InsertBatch writes a new batch and its historic batch. ErrConflict: another batch has the id.
func (t *Tx) InsertBatch(ctx context.Context, b *Batch) error {
	if _, err := t.exec(ctx, insertBatch, b.ID, b.Mark, b.Type, b.Retries, b.SetsDueDate, b.DueDate, b.RemovalMode, b.RemovalTime, b.Items, b.TotalJobs,
		b.JobsPerSeed, b.ItemsPerJob, b.JobsPerChunk, b.StartTime, b.TenantID, b.CreateUserID, b.Owner, b.Trace); err != nil {
		return err
	}
	_, err := t.exec(ctx, insertHistoricBatch, b.ID, b.Type, b.Retries, b.Items, b.TotalJobs, b.JobsPerSeed, b.ItemsPerJob, b.JobsPerChunk,
		b.StartTime, nil, b.TenantID, b.CreateUserID, b.Owner)
	return err
}

const selectBatch = "select " + batchColumns + " from batch b where b.id = ?"

// Batch reads a running batch; ErrNotFound if there is none of that id.
func (q Queries) Batch(ctx context.Context, id ID) (*Batch, error) {
	var b Batch
	return &b, q.get(ctx, &b, selectBatch, id)
}

// LockBatch reads a running batch and keeps everybody else from changing its ranges until the transaction ends. All that
// splits, inserts or changes ranges locks the batch first, and only then a range.
func (t *Tx) LockBatch(ctx context.Context, id ID) (*Batch, error) {
	var b Batch
	return &b, t.get(ctx, &b, selectBatch+" {lock}", id)
}

// TryLockBatch is LockBatch for one who holds ranges already: ErrNotFound also when somebody else has the lock.
func (t *Tx) TryLockBatch(ctx context.Context, id ID) (*Batch, error) {
	var b Batch
	return &b, t.get(ctx, &b, selectBatch+" {skip}", id)
}

// ExistingBatches gives those of some ids, at most idsAtOnce, that are of running batches which the caller may see.
func (q Queries) ExistingBatches(ctx context.Context, caller Caller, ids []ID) ([]ID, error) {
	cond, args, err := q.where(Batches, &Filter{Caller: caller})
	if err != nil {
		return nil, err
	}
	return q.selectIDs(ctx, "select b.id from "+Batches.From+" where b.id {ids} and "+cond, append([]any{q.ids(ids)}, args...)...)
}

// Batches reads a page of the running batches that a filter selects.
func (q Queries) Batches(ctx context.Context, f *Filter) ([]Batch, error) {
	list := []Batch{}
	return list, q.list(ctx, &list, Batches, batchColumns, f)
}

// CountBatches counts the running batches that a filter selects.
func (q Queries) CountBatches(ctx context.Context, f *Filter) (int64, error) {
	return q.count(ctx, Batches, f)
}

const statisticsColumns = batchColumns + `,
 coalesce((select sum(j.n) from job j where j.batch_id = b.id and j.kind = 1), 0) as existing,
 coalesce((select sum(j.n) from job j where j.batch_id = b.id and j.kind = 1 and j.retries = 0), 0) as failed`

// BatchStatistics reads a page of running batches with the numbers of their jobs.
func (q Queries) BatchStatistics(ctx context.Context, f *Filter) ([]BatchStatistics, error) {
	list := []BatchStatistics{}
	return list, q.list(ctx, &list, BatchesWithStatistics, statisticsColumns, f)
}

// CountBatchStatistics counts what BatchStatistics lists.
func (q Queries) CountBatchStatistics(ctx context.Context, f *Filter) (int64, error) {
	return q.count(ctx, BatchesWithStatistics, f)
}

// HistoricBatch reads a batch, running or ended; ErrNotFound if there is none of that id.
func (q Queries) HistoricBatch(ctx context.Context, id ID) (*HistoricBatch, error) {
	var b HistoricBatch
	return &b, q.get(ctx, &b, "select "+historicBatchColumns+" from historic_batch b where b.id = ?", id)
}

// HistoricBatches reads a page of batches, running and ended.
func (q Queries) HistoricBatches(ctx context.Context, f *Filter) ([]HistoricBatch, error) {
	list := []HistoricBatch{}
	return list, q.list(ctx, &list, HistoricBatches, historicBatchColumns, f)
}

// CountHistoricBatches counts what HistoricBatches lists.
func (q Queries) CountHistoricBatches(ctx context.Context, f *Filter) (int64, error) {
	return q.count(ctx, HistoricBatches, f)
}
