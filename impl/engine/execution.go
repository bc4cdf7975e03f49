package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// The two kinds of places of variables, in the words of the reference's errors.
const (
	processInstance = "process instance"
	execution       = "execution"
)

// Variable reads a variable of a scope, or one that a task sees: id is a processInstanceId or an executionId (contract-facts 11).
// With deserialize an Object that is kept as JSON comes as JSON; the content of a file never comes. 404 when there is no such
// place, or no such variable.
func (e *Engine) Variable(ctx context.Context, caller db.Caller, id, name string, deserialize bool) (*db.Variable, error) {
	v, err := e.variable(ctx, caller, processInstance, id, name, e.store.VariableOf)
	if err == nil && deserialize {
		*v = deserialized(*v)
	}
	return v, err
}

// Content is the content of a File or of Bytes. The texts are "" where nothing is known.
type Content struct {
	io.Reader
	Size                          int64 // bytes
	Filename, MediaType, Encoding string
}

// VariableContent reads the content of a File or of Bytes, of a scope or as a task sees it. 400 for a variable of another type,
// else as Variable.
func (e *Engine) VariableContent(ctx context.Context, caller db.Caller, id, name string) (*Content, error) {
	return e.content(ctx, caller, processInstance, id, name)
}

// LocalVariableContent is VariableContent of exactly one place: a scope's own variables, or a task's own.
func (e *Engine) LocalVariableContent(ctx context.Context, caller db.Caller, id, name string) (*Content, error) {
	return e.content(ctx, caller, execution, id, name)
}

func (e *Engine) content(ctx context.Context, caller db.Caller, kind, id, name string) (*Content, error) {
	v, err := e.variable(ctx, caller, kind, id, name, e.store.WholeVariableOf)
	switch {
	case err != nil:
		return nil, err
	case v.Type != "File" && v.Type != "Bytes":
		return nil, fault.BadRequest("Value of variable with id %s is not a binary value.", id)
	}
	var info struct{ Filename, MimeType, Encoding string }
	if err := json.Unmarshal([]byte(v.Info), &info); err != nil {
		return nil, fmt.Errorf("read the valueInfo of the variable %q: %w", name, err)
	}
	c := &Content{Filename: info.Filename, MediaType: info.MimeType, Encoding: info.Encoding}
	c.Reader, c.Size = variable.Content(v.JSON())
	return c, nil
}

// variable reads a variable by one of the store's ways to do so. Of an execution only its own count.
func (e *Engine) variable(ctx context.Context, caller db.Caller, kind, id, name string,
	read func(context.Context, *db.Execution, string, bool) (*db.Variable, error)) (*db.Variable, error) {
	x, err := e.store.Execution(ctx, caller, id)
	if errors.Is(err, db.ErrNotFound) {
		return nil, noExecution(fmt.Sprintf("get %s variable %s", kind, name), id)
	}
	if err != nil {
		return nil, storeFault(err)
	}
	v, err := read(ctx, x, name, kind == execution)
	if errors.Is(err, db.ErrNotFound) {
		return nil, fault.New(fault.NotFound, fault.InvalidRequest, "%s variable with name %s does not exist", kind, name)
	}
	return v, storeFault(err)
}

// noExecution is what an operation on variables answers when there is no place of that id (difference 5).
func noExecution(what, id string) error {
	return fault.Coded(fault.NotFound, fault.Rest, "Cannot %s: execution %s doesn't exist: execution is null", what, id)
}

// VariableChanges are changes of variables: first some are set, then some are deleted.
type VariableChanges struct {
	Set    map[string]variable.Input
	Delete []string // the ones that are not there do no harm
}

// ChangeVariables changes variables of a scope, or as a task sees them: what it has of its own is changed there, all else in
// the scope. id is a processInstanceId or an executionId. 400 for a bad value, 404 when there is no such place (contract-facts 11).
func (e *Engine) ChangeVariables(ctx context.Context, caller db.Caller, id string, c VariableChanges) error {
	values, err := parse(c.Set)
	var bad *fault.Error
	if errors.As(err, &bad) {
		return fault.New(bad.Kind, fault.InvalidRequest, "Cannot modify variables for process instance: %s", bad.Message)
	}
	return storeFault(e.store.Tx(ctx, func(tx *db.Tx) error {
		x, err := holdExecution(ctx, tx, caller, id)
		switch {
		case errors.Is(err, db.ErrNotFound):
			return noExecution("modify variables for process instance "+id, id)
		case err != nil:
			return err
		}
		return change(ctx, tx, x, values, c.Delete)
	}))
}

// holdExecution finds a place of the caller's and keeps it from ending until the transaction ends: a scope itself, or the task.
func holdExecution(ctx context.Context, tx *db.Tx, caller db.Caller, id string) (*db.Execution, error) {
	x, err := tx.Execution(ctx, caller, id)
	switch {
	case err != nil:
		return nil, err
	case x.TaskID == db.NilID:
		_, err = tx.LockScope(ctx, x.ScopeID)
	default:
		_, err = tx.HoldTask(ctx, x.TaskID)
	}
	return x, err
}

// change sets and deletes variables, each where the place has it.
func change(ctx context.Context, tx *db.Tx, x *db.Execution, set []named, remove []string) error {
	names := slices.Clone(remove)
	for _, v := range set {
		names = append(names, v.name)
	}
	if len(names) == 0 {
		return nil
	}
	own, err := tx.OwnNames(ctx, x, names)
	if err != nil {
		return err
	}
	isOwn := func(name string) bool { return own[name] }
	inTask, inScope := split(set, func(v named) bool { return isOwn(v.name) })
	if err := tx.SetVariables(ctx, append(stored(inScope, x.ScopeID, db.NilID), stored(inTask, x.ScopeID, x.TaskID)...)); err != nil {
		return err
	}
	fromTask, fromScope := split(remove, isOwn)
	if err := tx.DeleteVariables(ctx, x.ScopeID, db.NilID, fromScope); err != nil {
		return err
	}
	return tx.DeleteVariables(ctx, x.ScopeID, x.TaskID, fromTask)
}

// split parts a list in what a condition holds for, and the rest.
func split[T any](list []T, holds func(T) bool) (yes, no []T) {
	for _, v := range list {
		if holds(v) {
			yes = append(yes, v)
		} else {
			no = append(no, v)
		}
	}
	return yes, no
}
