package engine

import (
	"context"

	"rearm/db"
	"rearm/impl/fault"
)

// JobSelection names jobs by one criterion; nil asks nothing. The jobs of batches belong to no process, so that three of the
// criteria find nothing.
type JobSelection struct {
	JobID, DefinitionID, ScopeID, ProcessDefinitionID, ProcessDefinitionKey *string
}

// criteria counts the criteria that are given.
func (s *JobSelection) criteria() (n int) {
	for _, criterion := range []*string{s.JobID, s.DefinitionID, s.ScopeID, s.ProcessDefinitionID, s.ProcessDefinitionKey} {
		if criterion != nil {
			n++
		}
	}
	return n
}

const tooManyCriteria = "Only one of jobId, jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey should be set to update the suspension state."

// SuspendJob suspends or activates one job. others are the criteria that the request names beside its id: any is a 400. 404 when
// there is no such job (difference 5).
func (e *Engine) SuspendJob(ctx context.Context, caller db.Caller, id string, others JobSelection, suspend bool) error {
	if others.criteria() > 0 {
		return fault.BadRequest(tooManyCriteria)
	}
	return e.writeJob(ctx, caller, id, jobIsNull(id), func(tx *db.Tx, _ *db.Batch, job *db.Range) error {
		job.Suspended = suspend
		return tx.UpdateRange(ctx, job)
	})
}

// SuspendJobs suspends or activates the jobs that a selection names and that exist now; their definition stays as it is
// (contract-facts 6.7). What does not exist is no error. 400 when not exactly one criterion is given, or a jobId.
func (e *Engine) SuspendJobs(ctx context.Context, caller db.Caller, s JobSelection, suspend bool) error {
	switch n := s.criteria(); {
	case s.JobID != nil:
		return fault.BadRequest("Either jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey can be set to update the suspension state.")
	case n == 0:
		return fault.BadRequest("Either jobId, jobDefinitionId, processInstanceId, processDefinitionId or processDefinitionKey should be set to update the suspension state.")
	case n > 1:
		return fault.BadRequest(tooManyCriteria)
	case s.DefinitionID == nil:
		return nil
	}
	return e.changeDefinition(ctx, caller, *s.DefinitionID, nil, func(tx *db.Tx, b *db.Batch, kind db.JobKind) error {
		return tx.SuspendJobs(ctx, b.ID, kind, suspend)
	})
}
