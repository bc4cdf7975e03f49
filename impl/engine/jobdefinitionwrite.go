package engine

import (
	"context"
	"errors"

	"rearm/db"
	"rearm/impl/fault"
)

// changeDefinition runs f on a job definition, its batch locked, and wakes the executor after it. none, which may be nil, when no
// running batch has it, or it is not the caller's.
func (e *Engine) changeDefinition(ctx context.Context, caller db.Caller, id string, none error, f func(*db.Tx, *db.Batch, db.JobKind) error) error {
	parsed, ok := db.ParseID(id)
	base, sub, _ := parsed.Split()
	kind, is := db.JobKindOf(sub)
	if !ok || !is || kind.Definition(base) != parsed {
		return none
	}
	err := e.store.Tx(ctx, func(tx *db.Tx) error {
		b, err := tx.LockBatch(ctx, base)
		if errors.Is(err, db.ErrNotFound) || err == nil && !caller.SeesBatch(b.TenantID, b.Owner) {
			return none
		}
		if err != nil {
			return err
		}
		return f(tx, b, kind)
	})
	if err == nil {
		e.Run()
	}
	return storeFault(err)
}

// SetDefinitionRetries sets the retries of those jobs of a definition that have none left. Their incidents stay open until they
// succeed or are deleted (contract-facts 7). An unknown definition is no error; negative retries are a 400.
func (e *Engine) SetDefinitionRetries(ctx context.Context, caller db.Caller, id string, in JobRetries) error {
	if in.Retries < 0 {
		return negativeJobRetries(in.Retries)
	}
	return e.changeDefinition(ctx, caller, id, nil, func(tx *db.Tx, b *db.Batch, kind db.JobKind) error {
		return tx.SetFailedRetries(ctx, b.ID, kind, in)
	})
}

// SetDefinitionPriority sets the priority that jobs of a definition get, those that exist included, whatever includeJobs says, as
// the reference does. nil takes it back and leaves existing jobs as they are; with includeJobs that is a 400. 404 when no
// running batch has the definition (contract-facts 7).
func (e *Engine) SetDefinitionPriority(ctx context.Context, caller db.Caller, id string, priority *int64, includeJobs bool) error {
	if priority == nil && includeJobs {
		return fault.BadRequest("Cannot reset priority for job definition %s with includeJobs=true", id)
	}
	none := fault.New(fault.NotFound, fault.InvalidRequest, "Job definition with id '%s' does not exist: jobDefinition is null", id)
	return e.changeDefinition(ctx, caller, id, none, func(tx *db.Tx, b *db.Batch, kind db.JobKind) error {
		b.Override(kind, priority)
		if err := tx.UpdateDefinitions(ctx, b); err != nil || priority == nil {
			return err
		}
		return tx.PrioritizeJobs(ctx, b.ID, kind, *priority)
	})
}

// DefinitionSuspension is the suspension, or activation, of a job definition.
type DefinitionSuspension struct {
	Suspend     bool
	IncludeJobs bool     // the jobs that exist then follow
	At          *db.Time // when; nil, and a time that has passed: at once
}

// SuspendDefinition suspends or activates a job definition: its new jobs are made so. Later, if a time is given: by the executor,
// unless the batch has ended by then. An unknown definition is no error (contract-facts 7).
func (e *Engine) SuspendDefinition(ctx context.Context, caller db.Caller, id string, in DefinitionSuspension) error {
	return e.changeDefinition(ctx, caller, id, nil, func(tx *db.Tx, b *db.Batch, kind db.JobKind) error {
		s := db.Suspension{BatchID: b.ID, ID: e.NewID(), Kind: kind, Suspended: in.Suspend, IncludeJobs: in.IncludeJobs}
		if in.At != nil && *in.At > e.clock() {
			s.At = *in.At
			return tx.InsertSuspension(ctx, s)
		}
		return suspendDefinition(ctx, tx, b, s)
	})
}

// suspendDefinition carries out a suspension on a locked batch.
func suspendDefinition(ctx context.Context, tx *db.Tx, b *db.Batch, s db.Suspension) error {
	b.SuspendDefinition(s.Kind, s.Suspended)
	if err := tx.UpdateDefinitions(ctx, b); err != nil || !s.IncludeJobs {
		return err
	}
	return tx.SuspendJobs(ctx, b.ID, s.Kind, s.Suspended)
}

// suspendIfDue carries out the suspensions of a batch whose time has come; did tells whether there were any.
func (e *Engine) suspendIfDue(ctx context.Context, tx *db.Tx, id db.ID, now db.Time) (did bool, err error) {
	due, err := tx.DueSuspensions(ctx, id, now)
	if err != nil || len(due) == 0 {
		return false, err
	}
	b, err := tx.LockBatch(ctx, id)
	if err != nil {
		return false, err
	}
	if due, err = tx.DueSuspensions(ctx, id, now); err != nil { // somebody else may have done some meanwhile
		return false, err
	}
	for _, s := range due {
		if err := suspendDefinition(ctx, tx, b, s); err != nil {
			return false, err
		}
	}
	return true, tx.DeleteSuspensions(ctx, id, now)
}

// ProcessDefinitions names job definitions by their process definition; nil asks nothing. Those of batches have none.
type ProcessDefinitions struct{ JobDefinitionID, ID, Key *string }

// SuspendDefinitions suspends or activates the job definitions of process definitions, of which there are none: all that it does
// is to refuse a request without exactly one criterion, or with a jobDefinitionId (contract-facts 7).
func (e *Engine) SuspendDefinitions(s ProcessDefinitions) error {
	switch {
	case s.JobDefinitionID != nil:
		return fault.BadRequest("Either processDefinitionId or processDefinitionKey can be set to update the suspension state.")
	case s.ID == nil && s.Key == nil:
		return fault.BadRequest("Either jobDefinitionId, processDefinitionId or processDefinitionKey should be set to update the suspension state.")
	case s.ID != nil && s.Key != nil:
		return fault.BadRequest("Only one of jobDefinitionId, processDefinitionId or processDefinitionKey should be set to update the suspension state.")
	}
	return nil
}
