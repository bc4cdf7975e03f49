package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// taskLogWorld has two tasks and the entries of their lives: a is created (a), fails (b) and is completed (c), which ends its scope;
// the other one is created (d), of another tenant, without a definition, and is cancelled (e).
type taskLogWorld struct {
	*db.Store
	tasks   [2]db.NewTask
	entries [5]db.ID
}

func newTaskLogWorld(t *testing.T, s *db.Store) *taskLogWorld {
	t.Helper()
	w := &taskLogWorld{Store: s}
	for i := range w.entries {
		w.entries[i] = dbtest.ID()
	}
	w.tasks[0] = db.NewTask{LogID: w.entries[0], Task: db.Task{ID: dbtest.ID(), TopicName: "x", ExecutionID: dbtest.ID(), ScopeID: "p", CreateTime: 1000,
		Priority: 5, ActivityID: ptr("charge"), ActivityInstanceID: ptr("charge:1"), DefinitionID: ptr("order:1"), DefinitionKey: ptr("order")}}
	w.tasks[1] = db.NewTask{LogID: w.entries[3], Task: db.Task{ID: dbtest.ID(), TopicName: "y", ExecutionID: dbtest.ID(), ScopeID: "q", CreateTime: 1000,
		Priority: -2, Retries: ptr(int32(3)), ActivityID: ptr("ship"), ActivityInstanceID: ptr("ship:1"), TenantID: ptr("ten")}}
	ctx := context.Background()
	in(t, s, func(tx *db.Tx) error {
		_, err := tx.OpenScopes(ctx, []db.Scope{{ID: "p", Tasks: 1, DefinitionID: ptr("order:1"), DefinitionKey: ptr("order")}, {ID: "q", Tasks: 1, TenantID: ptr("ten")}})
		return errors.Join(err, tx.InsertTasks(ctx, w.tasks[:]))
	})
	w.live(t, func(tx *db.Tx, k *db.HeldTask) error {
		k.WorkerID = ptr("w")
		return tx.FailTask(ctx, k, db.Failure{At: 2000, Message: ptr("boom"), Details: ptr("trace"), Retries: 2, LogID: w.entries[1], IncidentID: dbtest.ID()})
	})
	w.live(t, func(tx *db.Tx, k *db.HeldTask) error {
		return tx.EndTask(ctx, k, db.End{At: 3000, Event: db.TaskSucceeded, LogID: w.entries[2], Removal: ptr(db.Time(5000))})
	})
	in(t, s, func(tx *db.Tx) error {
		list, err := tx.HoldTasksOf(ctx, "q")
		return errors.Join(err, tx.CancelTasks(ctx, list, w.entries[4:], 4000))
	})
	return w
}

// live changes the first task.
func (w *taskLogWorld) live(t *testing.T, f func(*db.Tx, *db.HeldTask) error) {
	t.Helper()
	in(t, w.Store, func(tx *db.Tx) error {
		k, err := tx.HoldTask(context.Background(), w.tasks[0].ID)
		if err != nil {
			return err
		}
		return f(tx, k)
	})
}

// find gives the letters of the entries that a filter selects, in order, and checks their number.
func (w *taskLogWorld) find(t *testing.T, f *db.Filter) (letters string) {
	t.Helper()
	f.Max = 10
	list, err := w.TaskLog(context.Background(), f)
	if err != nil {
		t.Fatalf("%v: %v", f.Values, err)
	}
	for _, l := range list {
		for i, id := range w.entries {
			if l.ID == id {
				letters += string(rune('a' + i))
			}
		}
	}
	if n, err := w.CountTaskLog(context.Background(), f); err != nil || int(n) != len(list) {
		t.Errorf("%v: counted %d of %d, %v", f.Values, n, len(list), err)
	}
	return letters
}

func TestTaskLogFilters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newTaskLogWorld(t, s)
		x, y := w.tasks[0], w.tasks[1]
		type values = map[string]any
		for _, c := range []struct {
			want   string
			values values
		}{
			{"abcde", nil},
			{"b", values{"logId": w.entries[1].String()}},
			{"", values{"logId": "nonexistent"}},
			{"abc", values{"externalTaskId": x.ID.String()}},
			{"de", values{"topicName": "y"}},
			{"b", values{"workerId": "w"}},
			{"b", values{"errorMessage": "boom"}},
			{"", values{"errorMessage": "BOOM"}},
			{"abc", values{"activityIdIn": []string{"charge", "nope"}}},
			{"de", values{"activityInstanceIdIn": []string{"ship:1"}}},
			{"de", values{"executionIdIn": []string{"x", y.ExecutionID.String()}}},
			{"", values{"executionIdIn": []string{"x"}}},
			{"abc", values{"processInstanceId": "p"}},
			{"abc", values{"processDefinitionId": "order:1"}},
			{"abc", values{"processDefinitionKey": "order"}},
			{"de", values{"tenantIdIn": []string{"ten", "other"}}},
			{"abc", values{"withoutTenantId": true}},
			{"abc", values{"withoutTenantId": true, "tenantIdIn": []string{"ten"}}},
			{"de", values{"withoutTenantId": false, "tenantIdIn": []string{"ten"}}},
			{"ad", values{"creationLog": true}},
			{"b", values{"creationLog": true, "failureLog": true}},
			{"c", values{"failureLog": true, "successLog": true}},
			{"e", values{"deletionLog": true, "creationLog": true, "successLog": true}},
			{"abcde", values{"deletionLog": false, "creationLog": false}},
			{"abc", values{"priorityHigherThanOrEquals": int64(5)}},
			{"de", values{"priorityLowerThanOrEquals": int64(-2)}},
			{"", values{"priorityHigherThanOrEquals": int64(0), "priorityLowerThanOrEquals": int64(4)}},
		} {
			if got := w.find(t, &db.Filter{Values: c.values}); got != c.want {
				t.Errorf("%v: %q, want %q", c.values, got, c.want)
			}
		}
		for free, want := range map[bool]string{true: "abc", false: ""} {
			if got := w.find(t, &db.Filter{Caller: db.Caller{Tenants: []string{}, Untenanted: free}}); got != want {
				t.Errorf("without a tenant of one's own: %q, want %q", got, want)
			}
		}
	})
}

// Every key sorts; equal ones stay in the order of their ids, and nulls are the smallest.
func TestTaskLogSorting(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newTaskLogWorld(t, s)
		want := map[string]string{
			"timestamp": "ecbad", "externalTaskId": "deabc", "topicName": "deabc", "workerId": "bacde", "retries": "decab", "priority": "abcde",
			"activityId": "deabc", "activityInstanceId": "deabc", "executionId": "deabc", "processInstanceId": "deabc", "processDefinitionId": "abcde",
			"processDefinitionKey": "abcde", "tenantId": "deabc",
		}
		for key := range db.TaskLog.Sorts {
			if got := w.find(t, &db.Filter{Sort: []db.Order{{By: key, Desc: true}}}); got != want[key] {
				t.Errorf("by %s: %q, want %q", key, got, want[key])
			}
		}
		if got := w.find(t, &db.Filter{Sort: []db.Order{{By: "topicName", Desc: true}, {By: "timestamp", Desc: true}}}); got != "edcba" {
			t.Errorf("by topic and time: %q", got)
		}
	})
}

// No filter of the log by a text, an id or what went wrong, and no time or id to sort by, reads the log from one end to the other;
// neither do those filters of tasks and open incidents that operators begin with.
func TestPagesComeFromIndexes(t *testing.T) {
	t.Parallel()
	s := dbtest.SQLite(t)
	asks := map[*db.Resource][]string{
		db.Tasks:     {"noRetriesLeft", "suspended", "activityId", "processInstanceId", "executionId"},
		db.Incidents: {"incidentId", "configuration", "activityId", "incidentMessage", "tenantIdIn", "processInstanceId", "jobDefinitionIdIn"},
	}
	for name, field := range db.TaskLog.Fields {
		if field.Kind != db.Long && name != "creationLog" {
			asks[db.TaskLog] = append(asks[db.TaskLog], name)
		}
	}
	for r, names := range asks {
		for _, name := range names {
			value := samples(r.Fields[name])[0]
			if strings.HasSuffix(name, "Log") {
				value = true
			} else if r.Fields[name].Kind == db.Texts {
				value = []string{"one"}
			}
			plan := s.PlanOfPage(t, r, &db.Filter{Values: map[string]any{name: value}})
			if !strings.Contains(plan, "SEARCH") && !strings.Contains(plan, "INDEX external_task_") {
				t.Errorf("%s: %s", name, plan)
			}
		}
	}
	for _, key := range []string{"timestamp", "externalTaskId", "priority", "topicName", "executionId", "processInstanceId"} {
		if plan := s.PlanOfPage(t, db.TaskLog, &db.Filter{Sort: []db.Order{{By: key}}}); strings.Contains(plan, "TEMP B-TREE FOR ORDER BY") {
			t.Errorf("by %s: %s", key, plan)
		}
	}
}

// What an entry keeps is the task as it was; what it has from the scope is as the scope is.
func TestTaskEntry(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newTaskLogWorld(t, s)
		for i, want := range []struct {
			event            db.TaskEvent
			at               db.Time
			retries          *int32
			message, details *string
			removal          *db.Time
		}{
			{db.TaskCreated, 1000, nil, nil, nil, ptr(db.Time(5000))},
			{db.TaskFailed, 2000, nil, ptr("boom"), ptr("trace"), ptr(db.Time(5000))},
			{db.TaskSucceeded, 3000, ptr(int32(2)), nil, nil, ptr(db.Time(5000))},
			{db.TaskCreated, 1000, ptr(int32(3)), nil, nil, nil},
			{db.TaskDeleted, 4000, ptr(int32(3)), nil, nil, nil},
		} {
			l, err := s.TaskEntry(context.Background(), w.entries[i])
			if err != nil || l.Event != want.event || l.At != want.at || !equal(l.Retries, want.retries) || !equal(l.ErrorMessage, want.message) || !equal(l.RemovalTime, want.removal) {
				t.Errorf("%d: %+v, %v", i, l, err)
			}
			details, err := s.TaskEntryDetails(context.Background(), w.entries[i])
			if err != nil || !equal(details, want.details) {
				t.Errorf("details of %d: %v, %v", i, details, err)
			}
		}
		for _, id := range []db.ID{w.tasks[0].ID, db.NilID} {
			_, err := s.TaskEntry(context.Background(), id)
			_, detailsErr := s.TaskEntryDetails(context.Background(), id)
			if !errors.Is(err, db.ErrNotFound) || !errors.Is(detailsErr, db.ErrNotFound) {
				t.Errorf("got %v and %v", err, detailsErr)
			}
		}
	})
}

// equal tells whether two values that may be missing are the same.
func equal[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}
