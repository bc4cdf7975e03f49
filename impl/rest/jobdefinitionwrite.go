package rest

import (
	"context"

	"github.com/oapi-codegen/nullable"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// jobDefinitionWrites answers what changes job definitions.
type jobDefinitionWrites struct{ engine *engine.Engine }

// SetJobRetriesJobDefinition sets the retries of the failed jobs of a job definition.
func (h jobDefinitionWrites) SetJobRetriesJobDefinition(ctx context.Context, r gen.SetJobRetriesJobDefinitionRequestObject) (gen.SetJobRetriesJobDefinitionResponseObject, error) {
	if err := h.engine.SetDefinitionRetries(ctx, caller(ctx), r.ID, toJobRetries(r.Body.Retries, r.Body.DueDate)); err != nil {
		return nil, err
	}
	return gen.SetJobRetriesJobDefinition204Response{}, nil
}

// SetJobPriorityJobDefinition sets the priority of the jobs of a job definition, or takes it back.
func (h jobDefinitionWrites) SetJobPriorityJobDefinition(ctx context.Context, r gen.SetJobPriorityJobDefinitionRequestObject) (gen.SetJobPriorityJobDefinitionResponseObject, error) {
	body := valueOf(r.Body)
	if err := h.engine.SetDefinitionPriority(ctx, caller(ctx), r.ID, given(body.Priority), orZero(body.IncludeJobs)); err != nil {
		return nil, err
	}
	return gen.SetJobPriorityJobDefinition204Response{}, nil
}

// UpdateSuspensionStateJobDefinition suspends or activates a job definition, now or later.
func (h jobDefinitionWrites) UpdateSuspensionStateJobDefinition(ctx context.Context, r gen.UpdateSuspensionStateJobDefinitionRequestObject) (gen.UpdateSuspensionStateJobDefinitionResponseObject, error) {
	body := valueOf(r.Body)
	at, err := executionDate("Job Definition with id "+r.ID, body.ExecutionDate)
	if err != nil {
		return nil, err
	}
	in := engine.DefinitionSuspension{Suspend: orZero(body.Suspended), IncludeJobs: orZero(body.IncludeJobs), At: at}
	if err := h.engine.SuspendDefinition(ctx, caller(ctx), r.ID, in); err != nil {
		return nil, err
	}
	return gen.UpdateSuspensionStateJobDefinition204Response{}, nil
}

// UpdateSuspensionStateJobDefinitions suspends or activates the job definitions of process definitions.
func (h jobDefinitionWrites) UpdateSuspensionStateJobDefinitions(_ context.Context, r gen.UpdateSuspensionStateJobDefinitionsRequestObject) (gen.UpdateSuspensionStateJobDefinitionsResponseObject, error) {
	if _, err := executionDate("Job Definitions", r.Body.ExecutionDate); err != nil {
		return nil, err
	}
	s := engine.ProcessDefinitions{JobDefinitionID: given(r.Body.JobDefinitionID), ID: given(r.Body.ProcessDefinitionID), Key: given(r.Body.ProcessDefinitionKey)}
	if err := h.engine.SuspendDefinitions(s); err != nil {
		return nil, err
	}
	return gen.UpdateSuspensionStateJobDefinitions204Response{}, nil
}

// executionDate reads when a suspension of what is to be carried out; nil when it is absent, null or empty. The document calls it
// a text, since it may be empty, so that a date that no calendar has is refused here (contract-facts 7).
func executionDate(what string, date nullable.Nullable[string]) (*db.Time, error) {
	s := orZero(date)
	if s == "" {
		return nil, nil //nolint:nilnil // no date is no error
	}
	d, err := wire.ParseDateTime(s)
	if err != nil {
		return nil, fault.BadRequest("The suspension state of %s could not be updated due to: %s", what, err)
	}
	return new(db.TimeOf(d.Time)), nil
}
