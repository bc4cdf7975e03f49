package rest

import (
	"context"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// tasks answers what makes, finds and reads external tasks.
type tasks struct {
	engine *engine.Engine
	turns  turns
}

// GetExternalTasks lists tasks.
func (h tasks) GetExternalTasks(ctx context.Context, r gen.GetExternalTasksRequestObject) (gen.GetExternalTasksResponseObject, error) {
	return h.list(ctx, r.Params)
}

// QueryExternalTasks lists the tasks that a body selects.
func (h tasks) QueryExternalTasks(ctx context.Context, r gen.QueryExternalTasksRequestObject) (gen.QueryExternalTasksResponseObject, error) {
	return h.list(ctx, r.Params, r.Body)
}

// GetExternalTasksCount counts tasks.
func (h tasks) GetExternalTasksCount(ctx context.Context, r gen.GetExternalTasksCountRequestObject) (gen.GetExternalTasksCountResponseObject, error) {
	n, err := h.count(ctx, r.Params)
	return gen.GetExternalTasksCount200JSONResponse{Count: n}, err
}

// QueryExternalTasksCount counts the tasks that a body selects.
func (h tasks) QueryExternalTasksCount(ctx context.Context, r gen.QueryExternalTasksCountRequestObject) (gen.QueryExternalTasksCountResponseObject, error) {
	n, err := h.count(ctx, r.Body)
	return gen.QueryExternalTasksCount200JSONResponse{Count: n}, err
}

// GetTopicNames lists the topics that have tasks.
func (h tasks) GetTopicNames(ctx context.Context, r gen.GetTopicNamesRequestObject) (gen.GetTopicNamesResponseObject, error) {
	flags := db.TopicFlags{
		Locked: valueOf(r.Params.WithLockedTasks), Unlocked: valueOf(r.Params.WithUnlockedTasks), WithRetriesLeft: valueOf(r.Params.WithRetriesLeft),
	}
	names, err := h.engine.TopicNames(ctx, caller(ctx), flags)
	return gen.GetTopicNames200JSONResponse(names), err
}

// GetExternalTask reads one task.
func (h tasks) GetExternalTask(ctx context.Context, r gen.GetExternalTaskRequestObject) (gen.GetExternalTaskResponseObject, error) {
	t, err := h.engine.Task(ctx, caller(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return gen.GetExternalTask200JSONResponse(toTask(t)), nil
}

// GetExternalTaskErrorDetails reads the details of the last failure of a task that came with any.
func (h tasks) GetExternalTaskErrorDetails(ctx context.Context, r gen.GetExternalTaskErrorDetailsRequestObject) (gen.GetExternalTaskErrorDetailsResponseObject, error) {
	details, err := h.engine.ErrorDetails(ctx, caller(ctx), r.ID)
	switch {
	case err != nil:
		return nil, err
	case details == nil:
		return gen.GetExternalTaskErrorDetails204Response{}, nil
	}
	return gen.GetExternalTaskErrorDetails200TextResponse(*details), nil
}

// CreateExternalTask creates one task.
func (h tasks) CreateExternalTask(ctx context.Context, r gen.CreateExternalTaskRequestObject) (gen.CreateExternalTaskResponseObject, error) {
	t, err := h.engine.CreateTask(ctx, caller(ctx), toNewTask(r.Body), valueOf(r.Params.IdempotencyKey))
	if err != nil {
		return nil, err
	}
	return gen.CreateExternalTask200JSONResponse(toTask(t)), nil
}

// CreateExternalTasks creates tasks, all or none.
func (h tasks) CreateExternalTasks(ctx context.Context, r gen.CreateExternalTasksRequestObject) (gen.CreateExternalTasksResponseObject, error) {
	list := each(r.Body.ExternalTasks, toNewTask)
	ids, err := h.engine.CreateTasks(ctx, caller(ctx), list, valueOf(r.Params.IdempotencyKey))
	return gen.CreateExternalTasks200JSONResponse{ExternalTaskIds: each(ids, (*db.ID).String)}, err
}

func (h tasks) list(ctx context.Context, sources ...any) (list, error) {
	q, err := read(db.Tasks, sources...)
	return listOf(h.turns, toTask, func(do func(*db.Task) error) error { return h.engine.EachTask(ctx, caller(ctx), q, do) }), err
}

func (h tasks) count(ctx context.Context, source any) (int64, error) {
	q, err := read(db.Tasks, source)
	if err != nil {
		return 0, err
	}
	return h.engine.CountTasks(ctx, caller(ctx), q)
}

func toTask(t *db.Task) gen.ExternalTaskDto {
	return gen.ExternalTaskDto{
		ID: t.ID.String(), TopicName: t.TopicName, Priority: t.Priority, Retries: orNull(t.Retries), WorkerID: orNull(t.WorkerID),
		LockExpirationTime: dateOrNull(t.LockExpiration), Suspended: t.Suspended, CreateTime: date(t.CreateTime), ErrorMessage: orNull(t.ErrorMessage),
		ExecutionID: t.ExecutionID.String(), ActivityID: orNull(t.ActivityID), ActivityInstanceID: valueOf(t.ActivityInstanceID),
		ProcessInstanceID: t.ScopeID, BusinessKey: orNull(t.BusinessKey), ProcessDefinitionID: orNull(t.DefinitionID),
		ProcessDefinitionKey: orNull(t.DefinitionKey), ProcessDefinitionVersionTag: orNull(t.VersionTag), TenantID: orNull(t.TenantID),
	}
}

func toNewTask(d *gen.CreateExternalTaskDto) engine.NewTask {
	return engine.NewTask{
		TopicName: d.TopicName, Priority: orZero(d.Priority), Retries: given(d.Retries), ScopeID: given(d.ProcessInstanceID),
		BusinessKey: given(d.BusinessKey), DefinitionKey: given(d.ProcessDefinitionKey), DefinitionID: given(d.ProcessDefinitionID),
		VersionTag: given(d.ProcessDefinitionVersionTag), TenantID: given(d.TenantID), Variables: toInputs(d.Variables),
		ActivityID: given(d.ActivityID), ExtensionProperties: orZero(d.ExtensionProperties),
	}
}
