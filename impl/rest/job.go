package rest

import (
	"context"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// jobs answers /job.
type jobs struct {
	engine *engine.Engine
	turns  turns
}

// GetJobs lists the jobs that exist.
func (h jobs) GetJobs(ctx context.Context, r gen.GetJobsRequestObject) (gen.GetJobsResponseObject, error) {
	return h.list(ctx, r.Params)
}

// QueryJobs lists the jobs that a body selects.
func (h jobs) QueryJobs(ctx context.Context, r gen.QueryJobsRequestObject) (gen.QueryJobsResponseObject, error) {
	return h.list(ctx, r.Params, r.Body)
}

// GetJobsCount counts jobs.
func (h jobs) GetJobsCount(ctx context.Context, r gen.GetJobsCountRequestObject) (gen.GetJobsCountResponseObject, error) {
	n, err := h.count(ctx, r.Params)
	return gen.GetJobsCount200JSONResponse{Count: n}, err
}

// QueryJobsCount counts the jobs that a body selects.
func (h jobs) QueryJobsCount(ctx context.Context, r gen.QueryJobsCountRequestObject) (gen.QueryJobsCountResponseObject, error) {
	n, err := h.count(ctx, r.Body)
	return gen.QueryJobsCount200JSONResponse{Count: n}, err
}

// GetJob reads one job.
func (h jobs) GetJob(ctx context.Context, r gen.GetJobRequestObject) (gen.GetJobResponseObject, error) {
	j, err := h.engine.Job(ctx, caller(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return gen.GetJob200JSONResponse(toJob(j)), nil
}

// GetStacktrace reads what is known of the last failure of a job.
func (h jobs) GetStacktrace(ctx context.Context, r gen.GetStacktraceRequestObject) (gen.GetStacktraceResponseObject, error) {
	trace, err := h.engine.JobStacktrace(ctx, caller(ctx), r.ID)
	switch {
	case err != nil:
		return nil, err
	case trace == nil:
		return gen.GetStacktrace204Response{}, nil
	}
	return gen.GetStacktrace200TextResponse(*trace), nil
}

func (h jobs) list(ctx context.Context, sources ...any) (list, error) {
	q, err := read(db.Jobs, sources...)
	return listOf(h.turns, toJob, func(do func(*db.Job) error) error { return h.engine.EachJob(ctx, caller(ctx), q, do) }), err
}

func (h jobs) count(ctx context.Context, source any) (int64, error) {
	q, err := read(db.Jobs, source)
	if err != nil {
		return 0, err
	}
	return h.engine.CountJobs(ctx, caller(ctx), q)
}

// toJob leaves null what only a process has.
func toJob(j *db.Job) gen.JobDto {
	batch, definition := j.BatchID.String(), j.Kind.Definition(j.BatchID).String()
	return gen.JobDto{
		ID: j.ID.String(), JobDefinitionID: orNull(&definition), DueDate: dateOrNull(j.DueDate), ProcessInstanceID: orNull[string](nil),
		ExecutionID: orNull[string](nil), ProcessDefinitionID: orNull[string](nil), ProcessDefinitionKey: orNull[string](nil),
		Retries: j.Retries, ExceptionMessage: orNull(j.ExceptionMessage), FailedActivityID: orNull[string](nil), Suspended: j.Suspended,
		Priority: j.Priority, TenantID: orNull(j.TenantID), CreateTime: date(j.CreateTime), BatchID: orNull(&batch),
	}
}
