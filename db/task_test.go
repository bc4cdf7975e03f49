package db_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// newTasks writes n tasks of a topic, each in a scope of its own, created at 1000, and gives their ids in order.
func newTasks(t testing.TB, s *db.Store, topic string, n int) []db.ID {
	t.Helper()
	list, scopes, ids := make([]db.NewTask, n), make([]db.Scope, n), make([]db.ID, n)
	for i := range list {
		scope := dbtest.ID().String()
		ids[i] = dbtest.ID()
		scopes[i] = db.Scope{ID: scope, Tasks: 1, StartTime: 1000}
		list[i] = db.NewTask{LogID: dbtest.ID(), Task: db.Task{ID: ids[i], TopicName: topic, ExecutionID: dbtest.ID(), ScopeID: scope, CreateTime: 1000}}
	}
	if err := s.Tx(context.Background(), func(tx *db.Tx) error {
		if _, err := tx.OpenScopes(context.Background(), scopes); err != nil {
			return err
		}
		return tx.InsertTasks(context.Background(), list)
	}); err != nil {
		t.Fatal(err)
	}
	return ids
}

// More rows than SQLite takes in one statement, and none at all.
func TestInsertTasks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		for _, n := range []int{0, 1, 250} {
			ids := newTasks(t, s, fmt.Sprint(n), n)
			f := &db.Filter{Values: map[string]any{"topicName": fmt.Sprint(n)}, Max: 1000}
			list, err := s.Tasks(context.Background(), f)
			if err != nil || len(list) != n {
				t.Fatalf("%d tasks of %d are there, %v", len(list), n, err)
			}
			got, err := s.SelectTaskIDs(context.Background(), f)
			if err != nil || !slices.Equal(got, ids) {
				t.Errorf("%d: the ids differ, %v", n, err)
			}
			if n, err := s.CountTaskLog(context.Background(), &db.Filter{Values: map[string]any{"topicName": fmt.Sprint(n)}}); err != nil || int(n) != len(ids) {
				t.Errorf("%d log entries for %d tasks, %v", n, len(ids), err)
			}
		}
	})
}

// A selection reads only the tables that it needs, and can be a part of another statement.
func TestTaskSelection(t *testing.T) {
	t.Parallel()
	s := dbtest.SQLite(t)
	for _, c := range []struct {
		values map[string]any
		tables int
	}{{nil, 1}, {map[string]any{"topicName": "t", "locked": true}, 1}, {map[string]any{"activityId": "a"}, 1}, {map[string]any{"activityId": "a", "topicName": "t"}, 2},
		{map[string]any{"externalTaskId": dbtest.ID().String()}, 1}, {map[string]any{"processDefinitionKey": "k"}, 2},
		{map[string]any{"processDefinitionKey": "k", "suspended": true}, 3}} {
		text, _, err := s.TaskSelection(&db.Filter{Values: c.values})
		if n := strings.Count(text, "join") + 1; err != nil || n != c.tables {
			t.Errorf("%v: %s, %v", c.values, text, err)
		}
		if _, err := s.SelectTaskIDs(context.Background(), &db.Filter{Values: c.values}); err != nil {
			t.Errorf("%v: %v", c.values, err)
		}
	}
	for _, f := range []*db.Filter{{Values: map[string]any{"nope": 1}}, {Sort: []db.Order{{By: "nope"}}}, {Values: map[string]any{"locked": "yes"}}} {
		if _, _, err := s.TaskSelection(f); !errors.Is(err, db.ErrFilter) {
			t.Errorf("%+v: got %v", f, err)
		}
		if _, err := s.Tasks(context.Background(), f); !errors.Is(err, db.ErrFilter) {
			t.Errorf("%+v: got %v", f, err)
		}
	}
}
