package db

import (
	"cmp"
	"context"
	"slices"
	"strings"
)

// FetchOrder is the order in which tasks are fetched. Where it leaves a choice, the highest priority and then the oldest come first.
type FetchOrder struct {
	ByPriority bool // the highest first
	Created    int  // after that: 1 the oldest first, -1 the newest first, 0 as it comes
}

// FetchTopic is one topic of a fetch, and what its tasks have to match; nil and empty lists ask nothing (contract-facts 2.3).
type FetchTopic struct {
	Name            string
	Until           Time // when the lock runs out
	BusinessKey     *string
	DefinitionID    *string
	DefinitionIDIn  []string
	DefinitionKey   *string
	DefinitionKeyIn []string
	VersionTagLike  *string
	WithoutTenant   bool
	TenantIn        []string   // wins over WithoutTenant
	Variables       []Variable // of the scope; one of them has to be there, equal in type and value
}

// Fetch is what a worker asks for. Names of topics must differ.
type Fetch struct {
	Caller   Caller
	WorkerID string
	Max      int // > 0
	Order    FetchOrder
	Topics   []FetchTopic
	Seen     *Seen // the variables that are read with the tasks; nil: none
	Spare    int   // how many candidates more than Max are looked at when there are several topics: others may hold some
}

// LockedTask is a task as a fetch gives it.
type LockedTask struct {
	Task
	ErrorDetails        *string             `db:"error_details"`
	ExtensionProperties *string             `db:"extension_properties"` // a JSON object; nil: none, or not asked for
	Seen                SeenVariables       `db:"seen"`                 // those of Fetch.Seen
	Variables           map[string]Variable `db:"-"`
}

const (
	// fetchable is what the indexes external_task_ready and external_task_held have in common; it is written as they have it.
	fetchable = "not s.suspended and (s.retries is null or s.retries > 0)"
	ready     = "not s.held and " + fetchable
	expired   = "s.held and " + fetchable + " and s.lock_expiration <= ?"
)

// Work tells what is there for a fetch.
type Work struct {
	Ready   bool `db:"ready"`
	Expired bool `db:"expired"` // locks that have run out: ReleaseExpired makes the tasks ready
}

// The order and the limit of each look have PostgreSQL use the index. Without them, where it believes that many tasks are ready,
// it reads the table until it meets one; and when there is none any more, all of it.
const (
	lookForWork = "select exists (select 1 from {names} n where (select true from external_task_state s where s.topic_name = n.name and " + ready +
		" order by s.priority desc, s.create_time limit 1)) as ready, " + anyExpired + " as expired"
	anyExpired = "exists (select 1 from {names} n where (select true from external_task_state s where s.topic_name = n.name and " + expired +
		" order by s.lock_expiration limit 1))"
)

// LookForWork tells whether there may be something to fetch from topics. It costs two looks into an index a topic, and locks
// nothing.
func (q Queries) LookForWork(ctx context.Context, topics []string, now Time) (Work, error) {
	var w Work
	return w, q.get(ctx, &w, lookForWork, q.texts(topics), q.texts(topics), now)
}

const releaseExpired = "update external_task_state set held = false where id {oneof} select s.id from external_task_state s where s.topic_name {texts} and " +
	expired + " order by s.lock_expiration limit ? {skips} {end}"

// releasedAtOnce bounds what one call of ReleaseExpired writes.
const releasedAtOnce = 2000

// ReleaseExpired lets tasks whose lock has run out join those that are ready, so that all can be fetched in order by one index,
// however many they are; the ones that ran out first go first. To clients nothing changes, hence it counts as no write of the
// task. Those who do it at the same moment take turns, so that afterwards each of them finds all of the tasks; tasks that are
// being changed otherwise are passed over.
func (t *Tx) ReleaseExpired(ctx context.Context, topics []string, now Time) error {
	if turns := t.d.words["turns"]; turns != "" { // SQLite's transactions take turns anyway
		if _, err := t.exec(ctx, turns, t.texts(topics)); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, releaseExpired, t.texts(topics), now, releasedAtOnce)
	return err
}

// FetchTasks locks up to Max tasks that are ready, for the worker, and gives them in the order asked for. Tasks that others are
// about to lock are passed over, so that nobody waits, and each task goes to one worker only.
func (t *Tx) FetchTasks(ctx context.Context, f *Fetch) (list []LockedTask, err error) {
	choice, lock, args := t.fetchSQL(f, "")
	if t.d.fused {
		list, err = t.lockAndRead(ctx, f, choice, lock, args)
	} else {
		list, err = t.lockThenRead(ctx, f, choice, lock, args)
	}
	slices.SortFunc(list, f.Order.Compare)
	return list, err
}

// FetchAtOnce is FetchTasks by one statement that is a transaction of its own: a fifth of the round trips of a look and a transaction
// around it. It gives nothing while the lock of a task has run out at now, since that one may come before others; and nothing on a
// database that cannot do it.
func (s *Store) FetchAtOnce(ctx context.Context, f *Fetch, now Time) (list []LockedTask, err error) {
	if !s.d.fused {
		return nil, nil
	}
	names := make([]string, len(f.Topics))
	for i := range f.Topics {
		names[i] = f.Topics[i].Name
	}
	choice, lock, args := s.fetchSQL(f, " and not "+anyExpired, s.texts(names), now)
	err = s.again(ctx, func() error {
		list = nil
		list, err = s.lockAndRead(ctx, f, choice, lock, args)
		return err
	})
	slices.SortFunc(list, f.Order.Compare)
	return list, err
}

const selectLocked = "select " + taskColumns + ", t.error_details, t.extension_properties, "

// lockAndRead locks and reads in one statement.
func (q Queries) lockAndRead(ctx context.Context, f *Fetch, choice, lock string, args []any) (list []LockedTask, err error) {
	seen, more := q.seenSQL(f.Seen)
	from := strings.TrimPrefix(tasksWithScope, "external_task_state ")
	return list, q.sel(ctx, &list, "with "+choice+", s as ("+lock+" returning *) "+selectLocked+seen+" from "+from, append(args, more...)...)
}

// lockThenRead locks and reads in two statements.
func (q Queries) lockThenRead(ctx context.Context, f *Fetch, choice, lock string, args []any) (list []LockedTask, err error) {
	ids, err := q.selectIDs(ctx, "with "+choice+" "+lock+" returning id", args...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	seen, args := q.seenSQL(f.Seen)
	return list, q.sel(ctx, &list, selectLocked+seen+" from "+tasksWithScope+" where s.id {ids}", append(args, q.ids(ids))...)
}

// Compare orders tasks as a fetch does.
func (o FetchOrder) Compare(a, b LockedTask) int {
	created := cmp.Or(cmp.Compare(a.CreateTime, b.CreateTime), a.ID.Compare(b.ID))
	if o.Created < 0 {
		created = -created
	}
	if o.ByPriority || o.Created == 0 {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), created)
	}
	return created
}
