package rest

import (
	"context"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// jobDefinitions answers /job-definition.
type jobDefinitions struct{ engine *engine.Engine }

// GetJobDefinitions lists the job definitions of running batches.
func (h jobDefinitions) GetJobDefinitions(ctx context.Context, r gen.GetJobDefinitionsRequestObject) (gen.GetJobDefinitionsResponseObject, error) {
	list, err := h.list(ctx, r.Params)
	return gen.GetJobDefinitions200JSONResponse(list), err
}

// QueryJobDefinitions lists the job definitions that a body selects.
func (h jobDefinitions) QueryJobDefinitions(ctx context.Context, r gen.QueryJobDefinitionsRequestObject) (gen.QueryJobDefinitionsResponseObject, error) {
	list, err := h.list(ctx, r.Params, r.Body)
	return gen.QueryJobDefinitions200JSONResponse(list), err
}

// GetJobDefinitionsCount counts job definitions.
func (h jobDefinitions) GetJobDefinitionsCount(ctx context.Context, r gen.GetJobDefinitionsCountRequestObject) (gen.GetJobDefinitionsCountResponseObject, error) {
	n, err := h.count(ctx, r.Params)
	return gen.GetJobDefinitionsCount200JSONResponse{Count: n}, err
}

// QueryJobDefinitionsCount counts the job definitions that a body selects.
func (h jobDefinitions) QueryJobDefinitionsCount(ctx context.Context, r gen.QueryJobDefinitionsCountRequestObject) (gen.QueryJobDefinitionsCountResponseObject, error) {
	n, err := h.count(ctx, r.Body)
	return gen.QueryJobDefinitionsCount200JSONResponse{Count: n}, err
}

// GetJobDefinition reads one job definition.
func (h jobDefinitions) GetJobDefinition(ctx context.Context, r gen.GetJobDefinitionRequestObject) (gen.GetJobDefinitionResponseObject, error) {
	d, err := h.engine.JobDefinition(ctx, caller(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return gen.GetJobDefinition200JSONResponse(toJobDefinition(d)), nil
}

func (h jobDefinitions) list(ctx context.Context, sources ...any) ([]gen.JobDefinitionDto, error) {
	q, err := read(db.JobDefinitions, sources...)
	if err != nil {
		return nil, err
	}
	list, err := h.engine.JobDefinitions(ctx, caller(ctx), q)
	return each(list, toJobDefinition), err
}

func (h jobDefinitions) count(ctx context.Context, source any) (int64, error) {
	q, err := read(db.JobDefinitions, source)
	if err != nil {
		return 0, err
	}
	return h.engine.CountJobDefinitions(ctx, caller(ctx), q)
}

func toJobDefinition(d *db.JobDefinition) gen.JobDefinitionDto {
	batch := d.BatchID.String()
	return gen.JobDefinitionDto{
		ID: d.ID().String(), ProcessDefinitionID: orNull[string](nil), ProcessDefinitionKey: orNull[string](nil), ActivityID: orNull[string](nil),
		JobType: d.Type, JobConfiguration: orNull(&batch), OverridingJobPriority: orNull(d.Priority), Suspended: d.Suspended,
		TenantID: orNull(d.TenantID), DeploymentID: orNull[string](nil),
	}
}
