package rest

import (
	"context"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// batches answers /batch and /history/batch.
type batches struct{ engine *engine.Engine }

// GetBatches lists running batches.
func (h batches) GetBatches(ctx context.Context, r gen.GetBatchesRequestObject) (gen.GetBatchesResponseObject, error) {
	q, err := read(db.Batches, r.Params)
	if err != nil {
		return nil, err
	}
	list, err := h.engine.Batches(ctx, caller(ctx), q)
	if err != nil {
		return nil, err
	}
	return gen.GetBatches200JSONResponse(each(list, toBatch)), nil
}

// GetBatchesCount counts running batches.
func (h batches) GetBatchesCount(ctx context.Context, r gen.GetBatchesCountRequestObject) (gen.GetBatchesCountResponseObject, error) {
	q, err := read(db.Batches, r.Params)
	if err != nil {
		return nil, err
	}
	n, err := h.engine.CountBatches(ctx, caller(ctx), q)
	return gen.GetBatchesCount200JSONResponse{Count: n}, err
}

// GetBatchStatistics lists running batches with the numbers of their jobs.
func (h batches) GetBatchStatistics(ctx context.Context, r gen.GetBatchStatisticsRequestObject) (gen.GetBatchStatisticsResponseObject, error) {
	q, err := read(db.BatchesWithStatistics, r.Params)
	if err != nil {
		return nil, err
	}
	list, err := h.engine.BatchStatistics(ctx, caller(ctx), q)
	if err != nil {
		return nil, err
	}
	return gen.GetBatchStatistics200JSONResponse(each(list, toBatchStatistics)), nil
}

// GetBatchStatisticsCount counts what GetBatchStatistics lists.
func (h batches) GetBatchStatisticsCount(ctx context.Context, r gen.GetBatchStatisticsCountRequestObject) (gen.GetBatchStatisticsCountResponseObject, error) {
	q, err := read(db.BatchesWithStatistics, r.Params)
	if err != nil {
		return nil, err
	}
	n, err := h.engine.CountBatchStatistics(ctx, caller(ctx), q)
	return gen.GetBatchStatisticsCount200JSONResponse{Count: n}, err
}

// GetBatch reads one running batch.
func (h batches) GetBatch(ctx context.Context, r gen.GetBatchRequestObject) (gen.GetBatchResponseObject, error) {
	b, err := h.engine.Batch(ctx, caller(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return gen.GetBatch200JSONResponse(toBatch(b)), nil
}

// DeleteBatch ends a running batch; with cascade its history goes too.
func (h batches) DeleteBatch(ctx context.Context, r gen.DeleteBatchRequestObject) (gen.DeleteBatchResponseObject, error) {
	cascade := r.Params.Cascade != nil && *r.Params.Cascade
	if err := h.engine.DeleteBatch(ctx, caller(ctx), r.ID, cascade); err != nil {
		return nil, err
	}
	return gen.DeleteBatch204Response{}, nil
}

// UpdateBatchSuspensionState suspends or activates a running batch.
func (h batches) UpdateBatchSuspensionState(ctx context.Context, r gen.UpdateBatchSuspensionStateRequestObject) (gen.UpdateBatchSuspensionStateResponseObject, error) {
	suspend := r.Body != nil && r.Body.Suspended.IsSpecified() && given(r.Body.Suspended) != nil && *given(r.Body.Suspended)
	if err := h.engine.SuspendBatch(ctx, caller(ctx), r.ID, suspend); err != nil {
		return nil, err
	}
	return gen.UpdateBatchSuspensionState204Response{}, nil
}

// GetHistoricBatches lists batches, running and ended.
func (h batches) GetHistoricBatches(ctx context.Context, r gen.GetHistoricBatchesRequestObject) (gen.GetHistoricBatchesResponseObject, error) {
	q, err := read(db.HistoricBatches, r.Params)
	if err != nil {
		return nil, err
	}
	list, err := h.engine.HistoricBatches(ctx, caller(ctx), q)
	if err != nil {
		return nil, err
	}
	return gen.GetHistoricBatches200JSONResponse(each(list, toHistoricBatch)), nil
}

// GetHistoricBatchesCount counts what GetHistoricBatches lists.
func (h batches) GetHistoricBatchesCount(ctx context.Context, r gen.GetHistoricBatchesCountRequestObject) (gen.GetHistoricBatchesCountResponseObject, error) {
	q, err := read(db.HistoricBatches, r.Params)
	if err != nil {
		return nil, err
	}
	n, err := h.engine.CountHistoricBatches(ctx, caller(ctx), q)
	return gen.GetHistoricBatchesCount200JSONResponse{Count: n}, err
}

// GetHistoricBatch reads one batch, running or ended.
func (h batches) GetHistoricBatch(ctx context.Context, r gen.GetHistoricBatchRequestObject) (gen.GetHistoricBatchResponseObject, error) {
	b, err := h.engine.HistoricBatch(ctx, caller(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return gen.GetHistoricBatch200JSONResponse(toHistoricBatch(b)), nil
}

// DeleteHistoricBatch removes what is kept of a batch.
func (h batches) DeleteHistoricBatch(ctx context.Context, r gen.DeleteHistoricBatchRequestObject) (gen.DeleteHistoricBatchResponseObject, error) {
	if err := h.engine.DeleteHistoricBatch(ctx, caller(ctx), r.ID); err != nil {
		return nil, err
	}
	return gen.DeleteHistoricBatch204Response{}, nil
}

func toBatch(b *db.Batch) gen.BatchDto {
	return gen.BatchDto{
		ID: b.ID.String(), Type: b.Type, TotalJobs: b.TotalJobs, JobsCreated: b.JobsCreated, BatchJobsPerSeed: b.JobsPerSeed,
		InvocationsPerBatchJob: b.ItemsPerJob, SeedJobDefinitionID: db.SeedJob.Definition(b.ID).String(),
		MonitorJobDefinitionID: db.MonitorJob.Definition(b.ID).String(), BatchJobDefinitionID: db.ExecutionJob.Definition(b.ID).String(),
		Suspended: b.Suspended, TenantID: orNull(b.TenantID), CreateUserID: orNull(b.CreateUserID), StartTime: date(b.StartTime),
		ExecutionStartTime: dateOrNull(b.ExecutionStartTime),
	}
}

func toBatchStatistics(s *db.BatchStatistics) gen.BatchStatisticsDto {
	b := toBatch(&s.Batch)
	return gen.BatchStatisticsDto{
		ID: b.ID, Type: b.Type, TotalJobs: b.TotalJobs, JobsCreated: b.JobsCreated, BatchJobsPerSeed: b.BatchJobsPerSeed,
		InvocationsPerBatchJob: b.InvocationsPerBatchJob, SeedJobDefinitionID: b.SeedJobDefinitionID, MonitorJobDefinitionID: b.MonitorJobDefinitionID,
		BatchJobDefinitionID: b.BatchJobDefinitionID, Suspended: b.Suspended, TenantID: b.TenantID, CreateUserID: b.CreateUserID, StartTime: b.StartTime,
		ExecutionStartTime: b.ExecutionStartTime, RemainingJobs: s.Remaining(), CompletedJobs: s.Completed(), FailedJobs: s.Failed,
	}
}

func toHistoricBatch(b *db.HistoricBatch) gen.HistoricBatchDto {
	return gen.HistoricBatchDto{
		ID: b.ID.String(), Type: b.Type, TotalJobs: b.TotalJobs, BatchJobsPerSeed: b.JobsPerSeed, InvocationsPerBatchJob: b.ItemsPerJob,
		SeedJobDefinitionID: db.SeedJob.Definition(b.ID).String(), MonitorJobDefinitionID: db.MonitorJob.Definition(b.ID).String(),
		BatchJobDefinitionID: db.ExecutionJob.Definition(b.ID).String(), TenantID: orNull(b.TenantID), CreateUserID: orNull(b.CreateUserID),
		StartTime: date(b.StartTime), EndTime: dateOrNull(b.EndTime), RemovalTime: dateOrNull(b.RemovalTime),
		ExecutionStartTime: dateOrNull(b.ExecutionStartTime),
	}
}
