package rest

import (
	"context"

	"github.com/oapi-codegen/nullable"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
	"rearm/openapi/wire"
)

// jobWrites answers what changes jobs.
type jobWrites struct{ engine *engine.Engine }

// ExecuteJob runs a job before it answers.
func (h jobWrites) ExecuteJob(ctx context.Context, r gen.ExecuteJobRequestObject) (gen.ExecuteJobResponseObject, error) {
	if err := h.engine.ExecuteJob(ctx, caller(ctx), r.ID); err != nil {
		return nil, err
	}
	return gen.ExecuteJob204Response{}, nil
}

// DeleteJob takes a job away.
func (h jobWrites) DeleteJob(ctx context.Context, r gen.DeleteJobRequestObject) (gen.DeleteJobResponseObject, error) {
	if err := h.engine.DeleteJob(ctx, caller(ctx), r.ID); err != nil {
		return nil, err
	}
	return gen.DeleteJob204Response{}, nil
}

// SetJobRetries sets the retries of a job, and its due date if the body names one, be it null.
func (h jobWrites) SetJobRetries(ctx context.Context, r gen.SetJobRetriesRequestObject) (gen.SetJobRetriesResponseObject, error) {
	if err := h.engine.SetJobRetries(ctx, caller(ctx), r.ID, toJobRetries(r.Body.Retries, r.Body.DueDate)); err != nil {
		return nil, err
	}
	return gen.SetJobRetries204Response{}, nil
}

// SetJobRetriesAsyncOperation makes a batch that sets the retries of many jobs.
func (h jobWrites) SetJobRetriesAsyncOperation(ctx context.Context, r gen.SetJobRetriesAsyncOperationRequestObject) (gen.SetJobRetriesAsyncOperationResponseObject, error) {
	query, err := toQuery(db.Jobs, given(r.Body.JobQuery))
	if err != nil {
		return nil, err
	}
	in := engine.SetJobRetriesAsync{JobRetries: toJobRetries(r.Body.Retries, r.Body.DueDate), IDs: texts(r.Body.JobIds), Query: query}
	b, err := h.engine.SetJobRetriesAsync(ctx, caller(ctx), in)
	if err != nil {
		return nil, err
	}
	return gen.SetJobRetriesAsyncOperation200JSONResponse(toBatch(b)), nil
}

// SetJobDuedate sets the due date of a job; without one it is due at once.
func (h jobWrites) SetJobDuedate(ctx context.Context, r gen.SetJobDuedateRequestObject) (gen.SetJobDuedateResponseObject, error) {
	var due *db.Time
	if r.Body != nil {
		due = timeOf(r.Body.Duedate)
	}
	if err := h.engine.SetJobDueDate(ctx, caller(ctx), r.ID, due); err != nil {
		return nil, err
	}
	return gen.SetJobDuedate204Response{}, nil
}

// RecalculateDuedate refuses every job, since none is a timer.
func (h jobWrites) RecalculateDuedate(ctx context.Context, r gen.RecalculateDuedateRequestObject) (gen.RecalculateDuedateResponseObject, error) {
	return nil, h.engine.RecalculateDueDate(ctx, caller(ctx), r.ID)
}

// SetJobPriority sets the priority of a job.
func (h jobWrites) SetJobPriority(ctx context.Context, r gen.SetJobPriorityRequestObject) (gen.SetJobPriorityResponseObject, error) {
	if err := h.engine.SetJobPriority(ctx, caller(ctx), r.ID, r.Body.Priority); err != nil {
		return nil, err
	}
	return gen.SetJobPriority204Response{}, nil
}

// UpdateJobSuspensionState suspends or activates a job.
func (h jobWrites) UpdateJobSuspensionState(ctx context.Context, r gen.UpdateJobSuspensionStateRequestObject) (gen.UpdateJobSuspensionStateResponseObject, error) {
	body := valueOf(r.Body)
	others := engine.JobSelection{DefinitionID: given(body.JobDefinitionID), ScopeID: given(body.ProcessInstanceID),
		ProcessDefinitionID: given(body.ProcessDefinitionID), ProcessDefinitionKey: given(body.ProcessDefinitionKey)}
	if err := h.engine.SuspendJob(ctx, caller(ctx), r.ID, others, orZero(body.Suspended)); err != nil {
		return nil, err
	}
	return gen.UpdateJobSuspensionState204Response{}, nil
}

// UpdateSuspensionStateBy suspends or activates the jobs that one criterion selects.
func (h jobWrites) UpdateSuspensionStateBy(ctx context.Context, r gen.UpdateSuspensionStateByRequestObject) (gen.UpdateSuspensionStateByResponseObject, error) {
	s := engine.JobSelection{JobID: given(r.Body.JobID), DefinitionID: given(r.Body.JobDefinitionID), ScopeID: given(r.Body.ProcessInstanceID),
		ProcessDefinitionID: given(r.Body.ProcessDefinitionID), ProcessDefinitionKey: given(r.Body.ProcessDefinitionKey)}
	if err := h.engine.SuspendJobs(ctx, caller(ctx), s, orZero(r.Body.Suspended)); err != nil {
		return nil, err
	}
	return gen.UpdateSuspensionStateBy204Response{}, nil
}

// toJobRetries reads what is set on jobs. A due date is set if there is one, be it null.
func toJobRetries(retries int32, due nullable.Nullable[wire.DateTime]) engine.JobRetries {
	return engine.JobRetries{Retries: retries, SetDueDate: due.IsSpecified(), DueDate: timeOf(due)}
}

// timeOf gives an optional date; nil when it is absent or null.
func timeOf(date nullable.Nullable[wire.DateTime]) *db.Time {
	if d := given(date); d != nil {
		return new(db.TimeOf(d.Time))
	}
	return nil
}
