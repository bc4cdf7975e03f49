package rest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/contract"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/poll"
)

// FetchAndLock gives a worker tasks that are locked for it, and lets it wait for some if it wants to.
func (h locks) FetchAndLock(ctx context.Context, r gen.FetchAndLockRequestObject) (gen.FetchAndLockResponseObject, error) {
	in, err := toFetch(r.Body)
	if err != nil {
		return nil, err
	}
	list, ticket, err := h.room.Ask(ctx, caller(ctx), in, patienceOf(r.Body))
	switch {
	case err != nil:
		return nil, err
	case ticket != nil:
		return waiting{ticket}, nil
	}
	return toLockedTasks(list)
}

// waiting is the answer of a fetch that waits for tasks.
type waiting struct{ ticket *poll.Ticket }

// VisitFetchAndLockResponse writes the answer when there is one.
func (x waiting) VisitFetchAndLockResponse(w http.ResponseWriter) error {
	var list []db.LockedTask
	var err error
	return contract.Later(w, func() { list, err = x.ticket.Wait() }, func(w http.ResponseWriter) error {
		if err != nil {
			return err
		}
		out, err := toLockedTasks(list)
		if err != nil {
			return err
		}
		return out.VisitFetchAndLockResponse(w)
	})
}

// toLockedTasks gives fetched tasks as a list, which is empty rather than absent.
func toLockedTasks(list []db.LockedTask) (out gen.FetchAndLock200JSONResponse, err error) {
	out = make(gen.FetchAndLock200JSONResponse, len(list))
	for i := range list {
		if out[i], err = toLockedTask(&list[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// patienceOf gives how long a worker waits; the contract bounds it above, and below 0 it is none.
func patienceOf(d *gen.FetchExternalTasksDto) time.Duration {
	return time.Duration(max(0, orZero(d.AsyncResponseTimeout))) * time.Millisecond
}

func toFetch(d *gen.FetchExternalTasksDto) (engine.Fetch, error) {
	created, err := toCreated(levels(orZero(d.Sorting)))
	return engine.Fetch{
		WorkerID: d.WorkerID, MaxTasks: int(orZero(d.MaxTasks)), UsePriority: orZero(d.UsePriority), Created: created,
		Topics: each(orZero(d.Topics), toFetchTopic),
	}, err
}

// toCreated reads the sorting of a fetch as engine.Fetch.Created. There is one key to sort by, so that the first level decides;
// all have to be whole (contract-facts 2.3).
func toCreated(levels []engine.Level) (int, error) {
	for _, l := range levels {
		if l.By == nil {
			return 0, fault.BadRequest("Each level of the sorting must have a sortBy")
		}
	}
	orders, err := engine.Sorting{Levels: levels}.Orders(map[string]string{string(gen.FetchExternalTaskSortByCreateTime): ""})
	switch {
	case len(orders) == 0:
		return 0, err
	case orders[0].Desc:
		return -1, nil
	}
	return 1, nil
}

func toFetchTopic(d *gen.FetchExternalTaskTopicDto) engine.FetchTopic {
	return engine.FetchTopic{
		TopicName: d.TopicName, LockDuration: d.LockDuration, Variables: orZero(d.Variables), LocalVariables: orZero(d.LocalVariables),
		DeserializeValues: orZero(d.DeserializeValues), IncludeExtensionProperties: orZero(d.IncludeExtensionProperties),
		BusinessKey: given(d.BusinessKey), DefinitionID: given(d.ProcessDefinitionID), DefinitionIDIn: orZero(d.ProcessDefinitionIDIn),
		DefinitionKey: given(d.ProcessDefinitionKey), DefinitionKeyIn: orZero(d.ProcessDefinitionKeyIn), VersionTag: given(d.ProcessDefinitionVersionTag),
		WithoutTenantID: orZero(d.WithoutTenantID), TenantIDIn: orZero(d.TenantIDIn), ProcessVariables: toValues(orZero(d.ProcessVariables)),
	}
}

// toValues reads values without types; a null is nil.
func toValues(in map[string]*gen.AnyValue) map[string]json.RawMessage {
	values := make(map[string]json.RawMessage, len(in))
	for name, value := range in {
		values[name] = valueOf(value)
	}
	return values
}

// toLockedTask gives a fetched task. Suspended is false even for a task that was suspended since (contract-facts 2.3).
func toLockedTask(t *db.LockedTask) (gen.LockedExternalTaskDto, error) {
	d := toTask(&t.Task)
	variables, err := toVariables(t.Variables)
	if err != nil {
		return gen.LockedExternalTaskDto{}, err
	}
	properties := map[string]string{}
	if t.ExtensionProperties != nil {
		if err := json.Unmarshal([]byte(*t.ExtensionProperties), &properties); err != nil {
			return gen.LockedExternalTaskDto{}, fmt.Errorf("read the extension properties of %s: %w", t.ID, err)
		}
	}
	return gen.LockedExternalTaskDto{
		ID: d.ID, TopicName: d.TopicName, Priority: d.Priority, Retries: d.Retries, WorkerID: valueOf(t.WorkerID),
		LockExpirationTime: date(valueOf(t.LockExpiration)), CreateTime: d.CreateTime, ErrorMessage: d.ErrorMessage, ErrorDetails: orNull(t.ErrorDetails),
		ExecutionID: d.ExecutionID, ActivityID: d.ActivityID, ActivityInstanceID: d.ActivityInstanceID, ProcessInstanceID: d.ProcessInstanceID,
		BusinessKey: d.BusinessKey, ProcessDefinitionID: d.ProcessDefinitionID, ProcessDefinitionKey: d.ProcessDefinitionKey,
		ProcessDefinitionVersionTag: d.ProcessDefinitionVersionTag, TenantID: d.TenantID, Variables: variables, ExtensionProperties: properties,
	}, nil
}
