package engine

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// Fetch is what a worker asks for (contract-facts 2.3).
type Fetch struct {
	WorkerID    string
	MaxTasks    int // over all topics; 0: none
	UsePriority bool
	Created     int // 1 the oldest first, -1 the newest first, 0 as it comes; after the priority
	Topics      []FetchTopic
}

// FetchTopic is a topic to fetch from; nil and empty lists ask nothing.
type FetchTopic struct {
	TopicName                  string
	LockDuration               int64    // milliseconds
	Variables                  []string // nil: all; empty: none
	LocalVariables             bool     // only the task's own
	DeserializeValues          bool     // Objects kept as JSON are given as JSON
	IncludeExtensionProperties bool
	BusinessKey                *string
	DefinitionID               *string
	DefinitionIDIn             []string
	DefinitionKey              *string
	DefinitionKeyIn            []string
	VersionTag                 *string // a pattern of LIKE
	WithoutTenantID            bool
	TenantIDIn                 []string
	ProcessVariables           map[string]json.RawMessage // one of them has to be there, equal in value and type
}

// rounds bounds how often a fetch looks for tasks when it has found too few, and spare is how many candidates it looks at more than
// it takes, at first: others may hold some.
const (
	rounds = 3
	spare  = 100
)

// FetchAndLock locks tasks for a worker and gives them in the order asked for, as many as there are up to MaxTasks. Each task
// goes to one worker only. When there is nothing it costs two looks into an index for each topic and locks nothing, so that a
// poller may call it again and again. 400: a value that the contract refuses.
func (e *Engine) FetchAndLock(ctx context.Context, caller db.Caller, in Fetch) ([]db.LockedTask, error) {
	now := e.clock()
	topics, err := in.check()
	if err != nil {
		return nil, err
	}
	f := &db.Fetch{Caller: caller, Seen: wanted(topics), WorkerID: in.WorkerID, Spare: spare, Order: db.FetchOrder{ByPriority: in.UsePriority, Created: in.Created}}
	if f.Topics, err = conditions(topics, now); err != nil {
		return nil, err
	}
	got := []db.LockedTask{}
	for range rounds {
		if f.Max = in.MaxTasks - len(got); f.Max == 0 || len(topics) == 0 {
			break
		}
		more, again, err := e.fetch(ctx, f, topics, now)
		if err != nil && len(got) == 0 {
			return nil, storeFault(err)
		}
		if err != nil { // what an earlier round has locked is the worker's, and must not be kept from it
			e.Log.WarnContext(ctx, "a fetch gave less than there may be", slog.String("worker_id", in.WorkerID), slog.Any("error", err))
			break
		}
		got = append(got, more...)
		e.holdAll(more)
		if !again {
			break
		}
		f.Spare *= 8
	}
	slices.SortStableFunc(got, f.Order.Compare)
	e.didFetch(ctx, got)
	return got, nil
}

// didFetch tells of tasks that were locked. Who finds nothing has done nothing.
func (e *Engine) didFetch(ctx context.Context, got []db.LockedTask) {
	d := Deed{What: TasksLocked, N: len(got)}
	for i := range got[:min(len(got), fewIDs)] {
		d.IDs = append(d.IDs, got[i].ID)
	}
	e.Did(ctx, d)
}

// holdAll tells of the locks of tasks. Those of one topic run out together.
func (e *Engine) holdAll(got []db.LockedTask) {
	for i := range got {
		if until := got[i].LockExpiration; until != nil && (i == 0 || got[i-1].TopicName != got[i].TopicName) {
			e.Hold(got[i].TopicName, *until)
		}
	}
}

// What a fetch may ask for at most: the database looks at each topic, and at each variable of all topics, by itself.
const (
	maxTopics           = 100
	maxProcessVariables = 100
)

// check judges a fetch and gives its topics by name; of two with one name the later one counts.
func (in *Fetch) check() (map[string]*FetchTopic, error) {
	if in.MaxTasks < 0 {
		return nil, fault.Coded(fault.Invalid, fault.ProcessEngine, "maxResults is not greater than or equal to 0")
	}
	topics, variables := make(map[string]*FetchTopic, len(in.Topics)), 0
	for i := range in.Topics {
		if err := in.Topics[i].check(); err != nil {
			return nil, err
		}
		variables += len(in.Topics[i].ProcessVariables)
		topics[in.Topics[i].TopicName] = &in.Topics[i]
	}
	if len(topics) > maxTopics {
		return nil, fault.BadRequest("A request fetches from at most %d topics, not %d.", maxTopics, len(topics))
	}
	if variables > maxProcessVariables {
		return nil, fault.BadRequest("A request compares with at most %d process variables, not %d.", maxProcessVariables, variables)
	}
	return topics, nil
}

// check judges one topic.
func (t *FetchTopic) check() error {
	switch {
	case t.LockDuration <= 0:
		return fault.Coded(fault.Invalid, fault.ProcessEngine, "lockTime is not greater than 0")
	case t.VersionTag != nil && len(*t.VersionTag) >= db.MaxPattern:
		return fault.BadRequest("A pattern has at most %d bytes.", db.MaxPattern)
	}
	return nil
}

// fetch fetches once. again says that there may be more: locks that had run out are set free in portions, and of several topics
// only the first candidates are looked at, which others may hold.
func (e *Engine) fetch(ctx context.Context, f *db.Fetch, topics map[string]*FetchTopic, now db.Time) (got []db.LockedTask, again bool, err error) {
	if e.lively.any(f.Topics) {
		got, err = e.store.FetchAtOnce(ctx, f, now)
	}
	if len(got) == 0 && err == nil {
		got, again, err = e.lookAndFetch(ctx, f, now)
	}
	if err == nil {
		e.lively.note(f.Topics, got)
	}
	sendAlong(got, topics)
	return got, again || len(f.Topics) > 1 && len(got) > 0, err
}

// lookAndFetch fetches after a look for work, so that nothing is locked when there is none, and after locks that have run out were set
// free; again says that it was so.
func (e *Engine) lookAndFetch(ctx context.Context, f *db.Fetch, now db.Time) (got []db.LockedTask, again bool, err error) {
	names := make([]string, len(f.Topics))
	for i := range f.Topics {
		names[i] = f.Topics[i].Name
	}
	work, err := e.store.LookForWork(ctx, names, now)
	if err != nil || !work.Ready && !work.Expired {
		return nil, false, err
	}
	if work.Expired {
		if err := e.store.Tx(ctx, func(tx *db.Tx) error { return tx.ReleaseExpired(ctx, names, now) }); err != nil {
			return nil, false, err
		}
	}
	err = e.store.Tx(ctx, func(tx *db.Tx) (err error) {
		got, err = tx.FetchTasks(ctx, f)
		return err
	})
	return got, work.Expired || len(names) > 1, err
}

// conditions gives topics as the database takes them, in the order of their names.
func conditions(topics map[string]*FetchTopic, now db.Time) ([]db.FetchTopic, error) {
	list := make([]db.FetchTopic, 0, len(topics))
	for _, name := range slices.Sorted(maps.Keys(topics)) {
		c, err := topics[name].condition(now)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

// condition gives a topic as the database takes it.
func (t *FetchTopic) condition(now db.Time) (db.FetchTopic, error) {
	c := db.FetchTopic{Name: t.TopicName, Until: now.AddMillis(t.LockDuration), BusinessKey: t.BusinessKey, DefinitionID: t.DefinitionID,
		DefinitionIDIn: t.DefinitionIDIn, DefinitionKey: t.DefinitionKey, DefinitionKeyIn: t.DefinitionKeyIn, VersionTagLike: t.VersionTag,
		WithoutTenant: t.WithoutTenantID, TenantIn: t.TenantIDIn}
	in := make(map[string]variable.Input, len(t.ProcessVariables))
	for name, value := range t.ProcessVariables {
		in[name] = variable.Input{Value: value}
	}
	values, err := parse(in)
	if err != nil {
		return c, err
	}
	for _, v := range values {
		if v.Type == "Object" {
			return c, fault.BadRequest("The variable '%s' cannot be compared with an object or a list.", v.name)
		}
	}
	c.Variables = stored(values, "", db.NilID)
	return c, nil
}
