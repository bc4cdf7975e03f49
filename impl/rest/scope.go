package rest

import (
	"context"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// scopes answers /process-instance and /execution.
type scopes struct{ engine *engine.Engine }

// GetProcessInstance reads a scope that has not ended.
func (h scopes) GetProcessInstance(ctx context.Context, r gen.GetProcessInstanceRequestObject) (gen.GetProcessInstanceResponseObject, error) {
	c, err := h.engine.Scope(ctx, caller(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return gen.GetProcessInstance200JSONResponse(toScope(c)), nil
}

// DeleteProcessInstance cancels a scope. What the other parameters name does not exist here.
func (h scopes) DeleteProcessInstance(ctx context.Context, r gen.DeleteProcessInstanceRequestObject) (gen.DeleteProcessInstanceResponseObject, error) {
	cancel := h.engine.CancelScope
	if r.Params.FailIfNotExists != nil && !*r.Params.FailIfNotExists {
		cancel = h.engine.CancelScopeIfThere
	}
	if err := cancel(ctx, caller(ctx), r.ID); err != nil {
		return nil, err
	}
	return gen.DeleteProcessInstance204Response{}, nil
}

// UpdateSuspensionStateByID suspends or activates a scope.
func (h scopes) UpdateSuspensionStateByID(ctx context.Context, r gen.UpdateSuspensionStateByIDRequestObject) (gen.UpdateSuspensionStateByIDResponseObject, error) {
	if err := h.engine.SuspendScope(ctx, caller(ctx), r.ID, orZero(valueOf(r.Body).Suspended)); err != nil {
		return nil, err
	}
	return gen.UpdateSuspensionStateByID204Response{}, nil
}

// ModifyProcessInstanceVariables sets and deletes variables.
func (h scopes) ModifyProcessInstanceVariables(ctx context.Context, r gen.ModifyProcessInstanceVariablesRequestObject) (gen.ModifyProcessInstanceVariablesResponseObject, error) {
	body := valueOf(r.Body)
	changes := engine.VariableChanges{Set: toInputs(body.Modifications), Delete: orZero(body.Deletions)}
	if err := h.engine.ChangeVariables(ctx, caller(ctx), r.ID, changes); err != nil {
		return nil, err
	}
	return gen.ModifyProcessInstanceVariables204Response{}, nil
}

// GetProcessInstanceVariable reads one variable.
func (h scopes) GetProcessInstanceVariable(ctx context.Context, r gen.GetProcessInstanceVariableRequestObject) (gen.GetProcessInstanceVariableResponseObject, error) {
	deserialize := r.Params.DeserializeValue == nil || *r.Params.DeserializeValue
	v, err := h.engine.Variable(ctx, caller(ctx), r.ID, r.VarName, deserialize)
	if err != nil {
		return nil, err
	}
	d, err := toVariable(v)
	return gen.GetProcessInstanceVariable200JSONResponse(d), err
}

// GetProcessInstanceVariableBinary reads the content of a variable.
func (h scopes) GetProcessInstanceVariableBinary(ctx context.Context, r gen.GetProcessInstanceVariableBinaryRequestObject) (gen.GetProcessInstanceVariableBinaryResponseObject, error) {
	c, err := h.engine.VariableContent(ctx, caller(ctx), r.ID, r.VarName)
	if err != nil {
		return nil, err
	}
	return content{c}, nil
}

// GetLocalExecutionVariableBinary reads the content of a variable of one place.
func (h scopes) GetLocalExecutionVariableBinary(ctx context.Context, r gen.GetLocalExecutionVariableBinaryRequestObject) (gen.GetLocalExecutionVariableBinaryResponseObject, error) {
	c, err := h.engine.LocalVariableContent(ctx, caller(ctx), r.ID, r.VarName)
	if err != nil {
		return nil, err
	}
	return content{c}, nil
}

// toScope gives a scope that has not ended; it is a root, and belongs to no case.
func toScope(c *db.Scope) gen.ProcessInstanceDto {
	return gen.ProcessInstanceDto{
		ID: c.ID, DefinitionID: orNull(c.DefinitionID), DefinitionKey: orNull(c.DefinitionKey), BusinessKey: orNull(c.BusinessKey),
		CaseInstanceID: orNull[string](nil), Suspended: c.Suspended, TenantID: orNull(c.TenantID), Links: []gen.AtomLink{},
	}
}
