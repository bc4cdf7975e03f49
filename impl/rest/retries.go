package rest

import (
	"context"

	"github.com/oapi-codegen/nullable"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// retries answers what sets the retries of external tasks.
type retries struct{ engine *engine.Engine }

// SetExternalTaskRetriesAsyncOperation makes a batch that sets the retries of many tasks.
func (h retries) SetExternalTaskRetriesAsyncOperation(ctx context.Context, r gen.SetExternalTaskRetriesAsyncOperationRequestObject) (gen.SetExternalTaskRetriesAsyncOperationResponseObject, error) {
	s, err := toSelection(r.Body)
	if err != nil {
		return nil, err
	}
	in := engine.SetRetriesAsync{Retries: r.Body.Retries, Selection: s}
	if r.Params.IdempotencyKey != nil {
		in.IdempotencyKey = *r.Params.IdempotencyKey
	}
	b, err := h.engine.SetRetriesAsync(ctx, caller(ctx), in)
	if err != nil {
		return nil, err
	}
	return gen.SetExternalTaskRetriesAsyncOperation200JSONResponse(toBatch(b)), nil
}

// SetExternalTaskRetries sets the retries of many tasks at once.
func (h retries) SetExternalTaskRetries(ctx context.Context, r gen.SetExternalTaskRetriesRequestObject) (gen.SetExternalTaskRetriesResponseObject, error) {
	s, err := toSelection(r.Body)
	if err != nil {
		return nil, err
	}
	if err := h.engine.SetRetries(ctx, caller(ctx), engine.SetRetries{Retries: r.Body.Retries, Selection: s}); err != nil {
		return nil, err
	}
	return gen.SetExternalTaskRetries204Response{}, nil
}

// SetExternalTaskResourceRetries sets the retries of one task.
func (h retries) SetExternalTaskResourceRetries(ctx context.Context, r gen.SetExternalTaskResourceRetriesRequestObject) (gen.SetExternalTaskResourceRetriesResponseObject, error) {
	if err := h.engine.SetTaskRetries(ctx, caller(ctx), r.ID, r.Body.Retries); err != nil {
		return nil, err
	}
	return gen.SetExternalTaskResourceRetries204Response{}, nil
}

// toSelection reads the criteria by which a request names tasks.
func toSelection(body *gen.SetRetriesForExternalTasksDto) (s engine.Selection, err error) {
	s.IDs = toIDs(body)
	s.ScopeIDs = texts(body.ProcessInstanceIds)
	s.SkipMissing = body.OnMissing != nil && *body.OnMissing == gen.OnMissingSkip
	if s.Query, err = toQuery(db.Tasks, given(body.ExternalTaskQuery)); err != nil {
		return s, err
	}
	if s.ScopeQuery, err = toQuery(db.RunningScopes, given(body.ProcessInstanceQuery)); err != nil {
		return s, err
	}
	s.HistoricScopeQuery, err = toQuery(db.HistoricScopes, given(body.HistoricProcessInstanceQuery))
	return s, err
}

// toIDs takes the ids of tasks out of a body, which lets them go: there may be a million.
func toIDs(body *gen.SetRetriesForExternalTasksDto) (ids engine.IDs) {
	list, _ := body.ExternalTaskIds.Get()
	body.ExternalTaskIds.SetUnspecified()
	ids.Grow(len(list.UUIDs))
	list.All(func(id [16]byte, text string) {
		if db.ID(id) == db.NilID {
			ids.AddText(text)
			return
		}
		ids.Add(id)
	})
	return ids
}

// toQuery reads a query in a body; nil when it is not there.
func toQuery[T any](r *db.Resource, body *T) (*engine.Query, error) {
	if body == nil {
		return nil, nil //nolint:nilnil // no query is no error
	}
	q, err := read(r, body)
	return &q, err
}

// texts gives a list of a body; nil when it is absent or null.
func texts(n nullable.Nullable[[]string]) []string {
	list, _ := n.Get()
	return list
}
