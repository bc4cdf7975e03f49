package rest

import (
	"context"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// jobLogs answers /history/job-log.
type jobLogs struct {
	engine *engine.Engine
	turns  turns
}

// GetHistoricJobLogs lists what happened to jobs.
func (h jobLogs) GetHistoricJobLogs(ctx context.Context, r gen.GetHistoricJobLogsRequestObject) (gen.GetHistoricJobLogsResponseObject, error) {
	return h.list(ctx, r.Params)
}

// QueryHistoricJobLogs lists what a body selects of it.
func (h jobLogs) QueryHistoricJobLogs(ctx context.Context, r gen.QueryHistoricJobLogsRequestObject) (gen.QueryHistoricJobLogsResponseObject, error) {
	return h.list(ctx, r.Params, r.Body)
}

// GetHistoricJobLogsCount counts entries.
func (h jobLogs) GetHistoricJobLogsCount(ctx context.Context, r gen.GetHistoricJobLogsCountRequestObject) (gen.GetHistoricJobLogsCountResponseObject, error) {
	n, err := h.count(ctx, r.Params)
	return gen.GetHistoricJobLogsCount200JSONResponse{Count: n}, err
}

// QueryHistoricJobLogsCount counts the entries that a body selects.
func (h jobLogs) QueryHistoricJobLogsCount(ctx context.Context, r gen.QueryHistoricJobLogsCountRequestObject) (gen.QueryHistoricJobLogsCountResponseObject, error) {
	n, err := h.count(ctx, r.Body)
	return gen.QueryHistoricJobLogsCount200JSONResponse{Count: n}, err
}

// GetHistoricJobLog reads one entry.
func (h jobLogs) GetHistoricJobLog(ctx context.Context, r gen.GetHistoricJobLogRequestObject) (gen.GetHistoricJobLogResponseObject, error) {
	l, err := h.engine.JobLogEntry(ctx, caller(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return gen.GetHistoricJobLog200JSONResponse(toJobLog(l)), nil
}

// GetStacktraceHistoricJobLog reads what is known of the failure that an entry tells of.
func (h jobLogs) GetStacktraceHistoricJobLog(ctx context.Context, r gen.GetStacktraceHistoricJobLogRequestObject) (gen.GetStacktraceHistoricJobLogResponseObject, error) {
	trace, err := h.engine.JobLogStacktrace(ctx, caller(ctx), r.ID)
	switch {
	case err != nil:
		return nil, err
	case trace == nil:
		return gen.GetStacktraceHistoricJobLog204Response{}, nil
	}
	return gen.GetStacktraceHistoricJobLog200TextResponse(*trace), nil
}

func (h jobLogs) list(ctx context.Context, sources ...any) (list, error) {
	q, err := read(db.JobLog, sources...)
	return listOf(h.turns, toJobLog, func(do func(*db.LogEntry) error) error { return h.engine.EachLogEntry(ctx, caller(ctx), q, do) }), err
}

func (h jobLogs) count(ctx context.Context, source any) (int64, error) {
	q, err := read(db.JobLog, source)
	if err != nil {
		return 0, err
	}
	return h.engine.CountJobLog(ctx, caller(ctx), q)
}

// toJobLog leaves null what only a process has.
func toJobLog(l *db.LogEntry) gen.HistoricJobLogDto {
	batch, definition := l.BatchID.String(), l.Kind.Definition(l.BatchID)
	return gen.HistoricJobLogDto{
		ID: l.ID().String(), Timestamp: date(l.At), RemovalTime: dateOrNull(l.RemovalTime), JobID: l.JobID().String(), JobDueDate: dateOrNull(l.DueDate),
		JobRetries: l.Retries, JobPriority: l.Priority, JobExceptionMessage: orNull(l.Message), FailedActivityID: orNull[string](nil),
		JobDefinitionID: idOrNull(&definition), JobDefinitionType: orNull(&l.JobType), JobDefinitionConfiguration: orNull(&batch),
		ActivityID: orNull[string](nil), ExecutionID: orNull[string](nil), ProcessInstanceID: orNull[string](nil),
		ProcessDefinitionID: orNull[string](nil), ProcessDefinitionKey: orNull[string](nil), DeploymentID: orNull[string](nil),
		RootProcessInstanceID: orNull[string](nil), TenantID: orNull(l.TenantID), Hostname: orNull(l.Host), BatchID: orNull(&batch),
		CreationLog: l.Event == db.JobCreated, FailureLog: l.Event == db.JobFailed, SuccessLog: l.Event == db.JobSucceeded,
		DeletionLog: l.Event == db.JobDeleted,
	}
}
