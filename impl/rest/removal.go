package rest

import (
	"context"
	"time"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// removals answers what is about the removal time of batches.
type removals struct{ engine *engine.Engine }

// GetCleanableHistoricBatchesReport reports how many batches of each type can be cleaned up.
func (h removals) GetCleanableHistoricBatchesReport(ctx context.Context, r gen.GetCleanableHistoricBatchesReportRequestObject) (gen.GetCleanableHistoricBatchesReportResponseObject, error) {
	q, err := read(db.CleanableReport, r.Params)
	if err != nil {
		return nil, err
	}
	list, err := h.engine.CleanableBatches(ctx, caller(ctx), q)
	return gen.GetCleanableHistoricBatchesReport200JSONResponse(each(list, toCleanable)), err
}

// GetCleanableHistoricBatchesReportCount counts the rows of the report.
func (h removals) GetCleanableHistoricBatchesReportCount(ctx context.Context, r gen.GetCleanableHistoricBatchesReportCountRequestObject) (gen.GetCleanableHistoricBatchesReportCountResponseObject, error) {
	q, err := read(db.CleanableReport, r.Params)
	if err != nil {
		return nil, err
	}
	n, err := h.engine.CountCleanableBatches(ctx, caller(ctx), q)
	return gen.GetCleanableHistoricBatchesReportCount200JSONResponse{Count: n}, err
}

// SetRemovalTimeAsyncHistoricBatch makes a batch that sets the removal time of batches.
func (h removals) SetRemovalTimeAsyncHistoricBatch(ctx context.Context, r gen.SetRemovalTimeAsyncHistoricBatchRequestObject) (gen.SetRemovalTimeAsyncHistoricBatchResponseObject, error) {
	query, err := toQuery(db.HistoricBatches, given(r.Body.HistoricBatchQuery))
	if err != nil {
		return nil, err
	}
	in := engine.SetRemovalTime{IDs: texts(r.Body.HistoricBatchIds), Query: query, Cleared: orZero(r.Body.ClearedRemovalTime), Calculated: orZero(r.Body.CalculatedRemovalTime)}
	if at := given(r.Body.AbsoluteRemovalTime); at != nil {
		removal := db.TimeOf(at.Time)
		in.Absolute = &removal
	}
	b, err := h.engine.SetRemovalTime(ctx, caller(ctx), in)
	if err != nil {
		return nil, err
	}
	return gen.SetRemovalTimeAsyncHistoricBatch200JSONResponse(toBatch(b)), nil
}

// toCleanable gives the time to live in days, a part of a day counted whole.
func toCleanable(c *engine.CleanableBatches) gen.CleanableHistoricBatchReportResultDto {
	const day = 24 * time.Hour
	var days *int32
	if c.TTL != nil {
		whole := int32((*c.TTL + day - 1) / day) //nolint:gosec // a duration is at most 106,752 days
		days = &whole
	}
	return gen.CleanableHistoricBatchReportResultDto{
		BatchType: c.Type, HistoryTimeToLive: orNull(days), FinishedBatchesCount: c.Finished, CleanableBatchesCount: c.Cleanable,
	}
}
