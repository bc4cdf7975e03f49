package engine

import (
	"context"
	"encoding/json"
	"slices"
	"unicode/utf8"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// NewTask describes a task to create (product.md 3).
type NewTask struct {
	TopicName           string
	Priority            int64
	Retries             *int32  // nil: not set; 0: the task starts with an incident
	ScopeID             *string // the processInstanceId; nil: a new scope
	BusinessKey         *string // of a new scope, as are the next five
	DefinitionKey       *string
	DefinitionID        *string // nil: made from the key
	VersionTag          *string
	TenantID            *string
	Variables           map[string]variable.Input // set in the scope, new or not
	ActivityID          *string
	ExtensionProperties map[string]string
}

// MaxNewTasks is how many tasks one request may create.
const MaxNewTasks = 10000

// maxName is how long texts from outside may be that name something, in characters.
const maxName = 255

// CreateTask creates a task. key is the request's Idempotency-Key, or "". The errors are those of CreateTasks.
func (e *Engine) CreateTask(ctx context.Context, caller db.Caller, task NewTask, key string) (*db.Task, error) {
	made := &db.Task{}
	err := e.create(ctx, caller, "create", []NewTask{task}, key, made, func(tx *db.Tx, ids []db.ID) error {
		t, err := tx.Task(ctx, ids[0])
		if err == nil {
			*made = *t
		}
		return err
	})
	return made, err
}

// CreateTasks creates tasks, all or none, and gives their ids in the same order. key is the request's Idempotency-Key, or "":
// the same key with the same tasks gives the same answer again for a day. 400: more than MaxNewTasks, a bad value; 404: a
// scope that has ended, or is not the caller's.
func (e *Engine) CreateTasks(ctx context.Context, caller db.Caller, list []NewTask, key string) ([]db.ID, error) {
	var made []db.ID
	err := e.create(ctx, caller, "create-bulk", list, key, &made, func(_ *db.Tx, ids []db.ID) error {
		made = ids
		return nil
	})
	return made, err
}

// create creates tasks once for a key. answer points to what finish makes of their ids.
func (e *Engine) create(ctx context.Context, caller db.Caller, operation string, list []NewTask, key string, answer any,
	finish func(*db.Tx, []db.ID) error) error {
	c, err := e.plan(caller, list)
	if err != nil {
		return err
	}
	var ids []db.ID
	err = e.store.Tx(ctx, func(tx *db.Tx) error {
		ids = nil
		return e.once(ctx, tx, caller, operation, key, list, answer, func() error {
			if err := e.writeTasks(ctx, tx, caller, c); err != nil {
				return err
			}
			for i := range c.tasks {
				ids = append(ids, c.tasks[i].ID)
			}
			return finish(tx, ids)
		})
	})
	if err == nil && len(ids) > 0 {
		e.Wake(topicsOf(c.tasks))
	}
	if err == nil {
		e.did(ctx, TasksCreated, ids...) // none, where a key had its answer already
	}
	return storeFault(err)
}

func topicsOf(tasks []db.NewTask) []string {
	var topics []string
	seen := map[string]bool{}
	for i := range tasks {
		if name := tasks[i].TopicName; !seen[name] {
			seen[name] = true
			topics = append(topics, name)
		}
	}
	return topics
}

// creation is what a request creates, ready to be written.
type creation struct {
	tasks     []db.NewTask
	scopes    []db.Scope // in the order of their first tasks
	variables []db.Variable
	now       db.Time
}

// plan checks tasks and gives all that is to be written. The first task of a scope describes it.
func (e *Engine) plan(caller db.Caller, list []NewTask) (*creation, error) {
	if len(list) > MaxNewTasks {
		return nil, fault.BadRequest("At most %d tasks can be created at once, not %d.", MaxNewTasks, len(list))
	}
	c := &creation{now: e.clock(), tasks: make([]db.NewTask, 0, len(list))}
	places := map[string]int{}
	for i := range list {
		in := &list[i]
		if err := in.check(); err != nil {
			return nil, err
		}
		tenant, err := tenantOf(caller, in)
		if err != nil {
			return nil, err
		}
		scope := e.NewID().String()
		if in.ScopeID != nil {
			scope = *in.ScopeID
		}
		values, err := parse(in.Variables)
		if err != nil {
			return nil, err
		}
		place, known := places[scope]
		if !known {
			place, places[scope] = len(c.scopes), len(c.scopes)
			c.scopes = append(c.scopes, in.scope(scope, tenant, c.now))
		}
		c.scopes[place].Tasks++
		c.variables = append(c.variables, stored(values, scope, db.NilID)...)
		c.tasks = append(c.tasks, e.newTask(in, scope, c.now))
	}
	return c, nil
}

// check refuses values that cannot be kept.
func (in *NewTask) check() error {
	if in.TopicName == "" {
		return fault.BadRequest("topicName must not be empty")
	}
	if in.Retries != nil && *in.Retries < 0 {
		return fault.BadRequest("The number of retries cannot be negative: retries is not greater than or equal to 0")
	}
	if in.ScopeID != nil && *in.ScopeID == "" {
		return fault.BadRequest("processInstanceId must not be empty")
	}
	for _, t := range []struct {
		name  string
		value *string
	}{{"topicName", &in.TopicName}, {"processInstanceId", in.ScopeID}, {"businessKey", in.BusinessKey}, {"processDefinitionKey", in.DefinitionKey},
		{"processDefinitionId", in.DefinitionID}, {"processDefinitionVersionTag", in.VersionTag}, {"tenantId", in.TenantID}, {"activityId", in.ActivityID}} {
		if t.value != nil && utf8.RuneCountInString(*t.value) > maxName {
			return fault.BadRequest("%s is longer than %d characters", t.name, maxName)
		}
	}
	return nil
}

// tenantOf gives the tenant of a task to create, if it has to have a scope of its own; 400 when it is not the caller's, in the
// reference's words (contract-facts 1.10). Who has exactly one tenant, and nothing without a tenant, need not name it.
func tenantOf(caller db.Caller, in *NewTask) (*string, error) {
	switch {
	case in.TenantID != nil && !caller.Sees(in.TenantID):
		return nil, fault.Coded(fault.Invalid, fault.ProcessEngine,
			"ENGINE-13034 Cannot create a task of the tenant '%s' because it belongs to no authenticated tenant.", *in.TenantID)
	case in.TenantID == nil && len(caller.Tenants) == 1 && !caller.Untenanted:
		return &caller.Tenants[0], nil
	}
	return in.TenantID, nil
}

// scope gives the scope that a task of a tenant describes. A definition without an id is called after its key, as its first version.
func (in *NewTask) scope(id string, tenant *string, now db.Time) db.Scope {
	definition := in.DefinitionID
	if definition == nil && in.DefinitionKey != nil {
		made := *in.DefinitionKey + ":1:rearm"
		definition = &made
	}
	return db.Scope{ID: id, BusinessKey: in.BusinessKey, DefinitionID: definition, DefinitionKey: in.DefinitionKey, VersionTag: in.VersionTag,
		TenantID: tenant, StartTime: now}
}

// newTask gives a task as it is written, with ids of its own.
func (e *Engine) newTask(in *NewTask, scope string, now db.Time) db.NewTask {
	instance := e.NewID().String()
	t := db.NewTask{LogID: e.NewID(), Task: db.Task{ID: e.NewID(), TopicName: in.TopicName, Priority: in.Priority, Retries: in.Retries, CreateTime: now,
		ExecutionID: e.NewID(), ActivityID: in.ActivityID, ActivityInstanceID: &instance, ScopeID: scope}}
	if len(in.ExtensionProperties) > 0 {
		b, err := json.Marshal(in.ExtensionProperties)
		if err != nil { // texts always can
			panic(err)
		}
		properties := string(b)
		t.ExtensionProperties = &properties
	}
	return t
}

// writeTasks writes a creation: scopes first, since they decide whether the tasks may join them, and are suspended.
func (e *Engine) writeTasks(ctx context.Context, tx *db.Tx, caller db.Caller, c *creation) error {
	if err := e.openScopes(ctx, tx, caller, c); err != nil || len(c.tasks) == 0 {
		return err
	}
	if err := tx.InsertTasks(ctx, c.tasks); err != nil {
		return err
	}
	if err := tx.SetVariables(ctx, c.variables); err != nil {
		return err
	}
	var blocked, incidents []db.ID
	for i := range c.tasks {
		if !db.Left(c.tasks[i].Retries) {
			blocked, incidents = append(blocked, c.tasks[i].ID), append(incidents, e.NewID())
		}
	}
	return e.openIncidents(ctx, tx, blocked, incidents, c.now)
}

// openScopes makes the scopes of a creation, or joins those that are there. An ended one cannot be joined, nor can one of another
// tenant. All tenants share the ids of scopes, so that such an id is taken; it answers as if its scope had ended, which is all
// that the caller may know: no tasks can be added there.
func (e *Engine) openScopes(ctx context.Context, tx *db.Tx, caller db.Caller, c *creation) error {
	old, err := tx.OpenScopes(ctx, c.scopes)
	if err != nil {
		return err
	}
	scopes := make(map[string]*db.Scope, len(c.scopes))
	for i := range old {
		if old[i].EndTime != nil || !caller.Sees(old[i].TenantID) {
			return fault.New(fault.NotFound, fault.InvalidRequest, "Process instance with id %s has ended", old[i].ID)
		}
		scopes[old[i].ID] = &old[i]
	}
	for i := range c.scopes {
		s := &c.scopes[i]
		if scopes[s.ID] != nil { // the task joins it, whatever it says of a tenant
			continue
		}
		if !caller.Sees(s.TenantID) {
			return fault.BadRequest("tenantId must be given: the caller belongs to %d tenants, and may not create tasks without a tenant", len(caller.Tenants))
		}
		scopes[s.ID] = s
	}
	for i := range c.tasks {
		t := &c.tasks[i].Task
		s := scopes[t.ScopeID]
		t.Suspended, t.DefinitionID, t.DefinitionKey, t.TenantID = s.Suspended, s.DefinitionID, s.DefinitionKey, s.TenantID
	}
	return nil
}

// incidentsAtOnce bounds the incidents that one statement opens or closes.
const incidentsAtOnce = 1000

// openIncidents opens the incidents of tasks.
func (e *Engine) openIncidents(ctx context.Context, tx *db.Tx, tasks, incidents []db.ID, now db.Time) error {
	for part := range slices.Chunk(tasks, incidentsAtOnce) {
		if err := tx.OpenTaskIncidents(ctx, part, incidents[:len(part)], now); err != nil {
			return err
		}
		incidents = incidents[len(part):]
	}
	return nil
}
