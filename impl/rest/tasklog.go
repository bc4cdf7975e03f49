package rest

import (
	"context"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// taskLogs answers /history/external-task-log.
type taskLogs struct {
	engine *engine.Engine
	turns  turns
}

// GetHistoricExternalTaskLogs lists entries of the task log.
func (h taskLogs) GetHistoricExternalTaskLogs(ctx context.Context, r gen.GetHistoricExternalTaskLogsRequestObject) (gen.GetHistoricExternalTaskLogsResponseObject, error) {
	return h.list(ctx, r.Params)
}

// QueryHistoricExternalTaskLogs lists the entries that a body selects.
func (h taskLogs) QueryHistoricExternalTaskLogs(ctx context.Context, r gen.QueryHistoricExternalTaskLogsRequestObject) (gen.QueryHistoricExternalTaskLogsResponseObject, error) {
	return h.list(ctx, r.Params, r.Body)
}

// GetHistoricExternalTaskLogsCount counts entries of the task log.
func (h taskLogs) GetHistoricExternalTaskLogsCount(ctx context.Context, r gen.GetHistoricExternalTaskLogsCountRequestObject) (gen.GetHistoricExternalTaskLogsCountResponseObject, error) {
	n, err := h.count(ctx, r.Params)
	return gen.GetHistoricExternalTaskLogsCount200JSONResponse{Count: n}, err
}

// QueryHistoricExternalTaskLogsCount counts the entries that a body selects.
func (h taskLogs) QueryHistoricExternalTaskLogsCount(ctx context.Context, r gen.QueryHistoricExternalTaskLogsCountRequestObject) (gen.QueryHistoricExternalTaskLogsCountResponseObject, error) {
	n, err := h.count(ctx, r.Body)
	return gen.QueryHistoricExternalTaskLogsCount200JSONResponse{Count: n}, err
}

// GetHistoricExternalTaskLog reads one entry.
func (h taskLogs) GetHistoricExternalTaskLog(ctx context.Context, r gen.GetHistoricExternalTaskLogRequestObject) (gen.GetHistoricExternalTaskLogResponseObject, error) {
	l, err := h.engine.TaskEntry(ctx, caller(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return gen.GetHistoricExternalTaskLog200JSONResponse(toTaskEntry(l)), nil
}

// GetErrorDetailsHistoricExternalTaskLog reads the details of the failure that an entry tells of.
func (h taskLogs) GetErrorDetailsHistoricExternalTaskLog(ctx context.Context, r gen.GetErrorDetailsHistoricExternalTaskLogRequestObject) (gen.GetErrorDetailsHistoricExternalTaskLogResponseObject, error) {
	details, err := h.engine.TaskEntryDetails(ctx, caller(ctx), r.ID)
	switch {
	case err != nil:
		return nil, err
	case details == nil:
		return gen.GetErrorDetailsHistoricExternalTaskLog204Response{}, nil
	}
	return gen.GetErrorDetailsHistoricExternalTaskLog200TextResponse(*details), nil
}

func (h taskLogs) list(ctx context.Context, sources ...any) (list, error) {
	q, err := read(db.TaskLog, sources...)
	return listOf(h.turns, toTaskEntry, func(do func(*db.TaskEntry) error) error { return h.engine.EachTaskEntry(ctx, caller(ctx), q, do) }), err
}

func (h taskLogs) count(ctx context.Context, source any) (int64, error) {
	q, err := read(db.TaskLog, source)
	if err != nil {
		return 0, err
	}
	return h.engine.CountTaskLog(ctx, caller(ctx), q)
}

// toTaskEntry: a scope is its own root, since no process starts another (contract-facts 8.1).
func toTaskEntry(l *db.TaskEntry) gen.HistoricExternalTaskLogDto {
	return gen.HistoricExternalTaskLogDto{
		ID: l.ID.String(), Timestamp: date(l.At), RemovalTime: dateOrNull(l.RemovalTime), ExternalTaskID: l.TaskID.String(), TopicName: l.TopicName,
		WorkerID: orNull(l.WorkerID), Priority: l.Priority, Retries: orNull(l.Retries), ErrorMessage: orNull(l.ErrorMessage),
		ActivityID: orNull(l.ActivityID), ActivityInstanceID: orNull(l.ActivityInstanceID), ExecutionID: l.ExecutionID.String(),
		ProcessInstanceID: l.ScopeID, RootProcessInstanceID: l.ScopeID, ProcessDefinitionID: orNull(l.DefinitionID),
		ProcessDefinitionKey: orNull(l.DefinitionKey), TenantID: orNull(l.TenantID), CreationLog: l.Event == db.TaskCreated,
		FailureLog: l.Event == db.TaskFailed, SuccessLog: l.Event == db.TaskSucceeded, DeletionLog: l.Event == db.TaskDeleted,
	}
}
