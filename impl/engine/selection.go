package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"rearm/db"
	"rearm/impl/fault"
)

// Selection names tasks in several ways, all of which are united (contract-facts 2.17). Nil asks nothing; an empty query selects
// every task, or every process instance, that the caller may see.
type Selection struct {
	IDs                IDs      // of tasks
	Query              *Query   // of tasks
	ScopeIDs           []string // processInstanceIds: all tasks of these
	ScopeQuery         *Query   // processInstanceQuery
	HistoricScopeQuery *Query   // historicProcessInstanceQuery
	SkipMissing        bool     // onMissing: skip; ids that name no task are no error
}

// missingError makes the error for ids that name no task, in the order of the request.
type missingError func(ids []string) error

// firstMissing tells of the first id that names no task (contract-facts 2.16).
func firstMissing(ids []string) error {
	return fault.New(fault.NotFound, fault.InvalidRequest, "Cannot find external task with id %s: externalTask is null", ids[0])
}

// namedMissing is how many ids allMissing names.
const namedMissing = 10

// allMissing names the first ten ids that name no task, and counts the rest (product.md 1).
func allMissing(ids []string) error {
	more := ""
	if n := len(ids) - namedMissing; n > 0 {
		ids, more = ids[:namedMissing], fmt.Sprintf(" and %d more", n)
	}
	return fault.New(fault.NotFound, fault.InvalidRequest, "Cannot find external tasks with ids %s%s", strings.Join(ids, ", "), more)
}

// selectTasks gives the ids of all tasks that a selection names, each once, in order. With SkipMissing these may be ids that no
// task has, and texts are those that cannot be one's at all, or whose task may be another tenant's; else they are an error, in
// the words of missing. An empty selection is a 400.
func (e *Engine) selectTasks(ctx context.Context, q db.Queries, caller db.Caller, s Selection, missing missingError) (ids []db.ID, texts []string, err error) {
	named, texts := s.parse()
	switch {
	case !s.SkipMissing:
		err = s.demand(ctx, q, caller, named, texts, missing)
	case caller.Tenants != nil:
		named, texts, err = ownTasks(ctx, q, caller, named, texts)
	}
	if err != nil {
		return nil, nil, err
	}
	found, err := e.selected(ctx, q, caller, s)
	if err != nil {
		return nil, nil, err
	}
	if ids = named; len(found) > 0 {
		ids = append(found, named...)
		slices.SortFunc(ids, db.ID.Compare)
		ids = slices.Compact(ids)
	}
	if len(ids)+len(texts) == 0 {
		return nil, nil, fault.BadRequest("externalTaskIds is empty")
	}
	return ids, texts, nil
}

// parse reads the ids of a selection: sorted, each once. texts are those that are no ids, each once.
func (s *Selection) parse() (ids []db.ID, texts []string) {
	ids = make([]db.ID, 0, s.IDs.Len())
	seen := map[string]bool{}
	s.IDs.all(func(id db.ID, text string) {
		switch {
		case id != db.NilID:
			ids = append(ids, id)
		case !seen[text]:
			seen[text], texts = true, append(texts, text)
		}
	})
	slices.SortFunc(ids, db.ID.Compare)
	return slices.Compact(ids), texts
}

// lookedUpAtOnce is how many ids one statement looks up (limits.md B).
const lookedUpAtOnce = 5000

// ownTasks leaves of ids those of the caller's tasks, and adds the others to the texts: whether they are another tenant's or nobody's,
// they must not be found when the work is done.
func ownTasks(ctx context.Context, q db.Queries, caller db.Caller, ids []db.ID, texts []string) (there []db.ID, others []string, err error) {
	for part := range slices.Chunk(ids, lookedUpAtOnce) {
		found, err := q.Existing(ctx, caller, part)
		if err != nil {
			return nil, nil, err
		}
		_, gone := split(part, isIn(found))
		there, texts = append(there, found...), append(texts, textsOf(gone)...)
	}
	return there, texts, nil
}

// textsOf gives ids as texts.
func textsOf(ids []db.ID) []string {
	texts := make([]string, len(ids))
	for i := range ids {
		texts[i] = ids[i].String()
	}
	return texts
}

// demand refuses ids that name no task of the caller's.
func (s *Selection) demand(ctx context.Context, q db.Queries, caller db.Caller, ids []db.ID, texts []string, missing missingError) error {
	gone, err := absent(ctx, q, caller, ids)
	if err != nil || len(gone)+len(texts) == 0 {
		return err
	}
	for _, text := range texts {
		gone[text] = true
	}
	var list []string
	s.IDs.all(func(id db.ID, text string) {
		if id != db.NilID {
			text = id.String()
		}
		if gone[text] {
			list = append(list, text)
			delete(gone, text)
		}
	})
	return missing(list)
}

// absent gives those of some ids that name no task of the caller's. Outside of a transaction they are looked up side by side.
func absent(ctx context.Context, q db.Queries, caller db.Caller, ids []db.ID) (map[string]bool, error) {
	var lock sync.Mutex
	gone := map[string]bool{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(q.AtOnce())
	for part := range slices.Chunk(ids, lookedUpAtOnce) {
		group.Go(func() error {
			list, err := absentOf(ctx, q, caller, part)
			lock.Lock()
			defer lock.Unlock()
			for _, id := range list {
				gone[id.String()] = true
			}
			return err
		})
	}
	return gone, group.Wait()
}

// absentOf is absent for as many ids as one statement looks up. Counting is cheap, so only if some are missing is it found out which.
func absentOf(ctx context.Context, q db.Queries, caller db.Caller, ids []db.ID) ([]db.ID, error) {
	n, err := q.CountExisting(ctx, caller, ids)
	if err != nil || n == len(ids) {
		return nil, err
	}
	there, err := q.Existing(ctx, caller, ids)
	_, gone := split(ids, isIn(there))
	return gone, err
}

// isIn tells of an id whether a sorted list has it.
func isIn(list []db.ID) func(db.ID) bool {
	return func(id db.ID) bool {
		_, ok := slices.BinarySearchFunc(list, id, db.ID.Compare)
		return ok
	}
}

// selecting is comparing for the queries of a selection, whose sorting is checked too, without effect. That a direction is
// missing is said there by another type of error (contract-facts 2.17).
func (e *Engine) selecting(caller db.Caller, r *db.Resource, q Query) (*db.Filter, error) {
	f, err := e.comparing(caller, r, q)
	var known *fault.Error
	if errors.As(err, &known) && known.Message == noDirection {
		return nil, fault.BadRequest(noDirection)
	}
	return f, err
}

// selected gives the ids of the tasks that the queries of a selection select; some may come more than once.
func (e *Engine) selected(ctx context.Context, q db.Queries, caller db.Caller, s Selection) ([]db.ID, error) {
	var ids []db.ID
	if s.Query != nil {
		f, err := e.selecting(caller, db.Tasks, *s.Query)
		if err != nil {
			return nil, err
		}
		if ids, err = q.SelectTaskIDs(ctx, f); err != nil {
			return nil, err
		}
	}
	if len(s.ScopeIDs) > 0 {
		more, err := q.SelectTaskIDs(ctx, &db.Filter{Caller: caller, Values: map[string]any{"processInstanceIdIn": s.ScopeIDs}})
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	for _, scopes := range []struct {
		resource *db.Resource
		query    *Query
	}{{db.RunningScopes, s.ScopeQuery}, {db.HistoricScopes, s.HistoricScopeQuery}} {
		if scopes.query == nil {
			continue
		}
		f, err := e.selecting(caller, scopes.resource, *scopes.query)
		if err != nil {
			return nil, err
		}
		more, err := q.SelectTasksOfScopes(ctx, scopes.resource, f)
		if err != nil {
			return nil, err
		}
		ids = append(ids, more...)
	}
	return ids, nil
}
