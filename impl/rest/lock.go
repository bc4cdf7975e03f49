package rest

import (
	"context"

	"rearm/gen"
	"rearm/impl/engine"
	"rearm/impl/poll"
)

// locks answers what workers do with external tasks. How they fetch them is in fetch.go.
type locks struct {
	engine *engine.Engine
	room   *poll.Room
}

// CompleteExternalTaskResource ends a task as done.
func (h locks) CompleteExternalTaskResource(ctx context.Context, r gen.CompleteExternalTaskResourceRequestObject) (gen.CompleteExternalTaskResourceResponseObject, error) {
	in := engine.Result{WorkerID: r.Body.WorkerID, Variables: toInputs(r.Body.Variables), LocalVariables: toInputs(r.Body.LocalVariables)}
	if err := h.engine.Complete(ctx, caller(ctx), r.ID, in); err != nil {
		return nil, err
	}
	return gen.CompleteExternalTaskResource204Response{}, nil
}

// HandleFailure books a failed attempt. Retries that are not given count as 0 (contract-facts 2.8).
func (h locks) HandleFailure(ctx context.Context, r gen.HandleFailureRequestObject) (gen.HandleFailureResponseObject, error) {
	in := engine.Failure{
		WorkerID: r.Body.WorkerID, Message: given(r.Body.ErrorMessage), Details: given(r.Body.ErrorDetails), Retries: orZero(r.Body.Retries),
		RetryTimeout: orZero(r.Body.RetryTimeout), Variables: toInputs(r.Body.Variables), LocalVariables: toInputs(r.Body.LocalVariables),
	}
	if err := h.engine.Fail(ctx, caller(ctx), r.ID, in); err != nil {
		return nil, err
	}
	return gen.HandleFailure204Response{}, nil
}

// HandleExternalTaskBpmnError ends a task by an error of the business. Its message is kept nowhere (contract-facts 2.9).
func (h locks) HandleExternalTaskBpmnError(ctx context.Context, r gen.HandleExternalTaskBpmnErrorRequestObject) (gen.HandleExternalTaskBpmnErrorResponseObject, error) {
	in := engine.BpmnError{WorkerID: r.Body.WorkerID, ErrorCode: r.Body.ErrorCode, Variables: toInputs(r.Body.Variables)}
	if err := h.engine.ThrowBpmnError(ctx, caller(ctx), r.ID, in); err != nil {
		return nil, err
	}
	return gen.HandleExternalTaskBpmnError204Response{}, nil
}

// Lock locks one task for a worker.
func (h locks) Lock(ctx context.Context, r gen.LockRequestObject) (gen.LockResponseObject, error) {
	if err := h.engine.Lock(ctx, caller(ctx), r.ID, r.Body.WorkerID, r.Body.LockDuration); err != nil {
		return nil, err
	}
	return gen.Lock204Response{}, nil
}

// Unlock takes a task away from whoever has it.
func (h locks) Unlock(ctx context.Context, r gen.UnlockRequestObject) (gen.UnlockResponseObject, error) {
	if err := h.engine.Unlock(ctx, caller(ctx), r.ID); err != nil {
		return nil, err
	}
	return gen.Unlock204Response{}, nil
}

// ExtendLock lets the lock of a worker run out later, or sooner.
func (h locks) ExtendLock(ctx context.Context, r gen.ExtendLockRequestObject) (gen.ExtendLockResponseObject, error) {
	if err := h.engine.ExtendLock(ctx, caller(ctx), r.ID, r.Body.WorkerID, r.Body.NewDuration); err != nil {
		return nil, err
	}
	return gen.ExtendLock204Response{}, nil
}

// SetExternalTaskResourcePriority sets the priority of one task.
func (h locks) SetExternalTaskResourcePriority(ctx context.Context, r gen.SetExternalTaskResourcePriorityRequestObject) (gen.SetExternalTaskResourcePriorityResponseObject, error) {
	if err := h.engine.SetPriority(ctx, caller(ctx), r.ID, r.Body.Priority); err != nil {
		return nil, err
	}
	return gen.SetExternalTaskResourcePriority204Response{}, nil
}
