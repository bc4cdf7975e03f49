package db_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// newScope writes a scope p with two tasks, and gives these.
func newScope(t *testing.T, s *db.Store) (a, b db.Task) {
	t.Helper()
	list := make([]db.NewTask, 2)
	for i := range list {
		list[i] = db.NewTask{LogID: dbtest.ID(), Task: db.Task{ID: dbtest.ID(), TopicName: "t", ExecutionID: dbtest.ID(), ScopeID: "p"}}
	}
	in(t, s, func(tx *db.Tx) error {
		tenant := "ten"
		_, err := tx.OpenScopes(context.Background(), []db.Scope{{ID: "p", Tasks: 2, TenantID: &tenant}})
		return errors.Join(err, tx.InsertTasks(context.Background(), list))
	})
	return list[0].Task, list[1].Task
}

func TestExecution(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		a, b := newScope(t, s)
		for id, want := range map[string]db.ID{"p": db.NilID, a.ExecutionID.String(): a.ID, b.ExecutionID.String(): b.ID} {
			if x, err := s.Execution(context.Background(), db.Caller{Tenants: []string{"ten"}}, id); err != nil || x.ScopeID != "p" || x.TaskID != want || *x.TenantID != "ten" {
				t.Errorf("%s: %+v, %v", id, x, err)
			}
		}
		for _, id := range []string{"", "P", a.ID.String(), dbtest.ID().String(), strings.ToUpper(a.ExecutionID.String())} {
			if x, err := s.Execution(context.Background(), db.Caller{}, id); !errors.Is(err, db.ErrNotFound) {
				t.Errorf("%q: %+v, %v", id, x, err)
			}
		}
		in(t, s, func(tx *db.Tx) error {
			k, err := tx.HoldTask(context.Background(), a.ID)
			if err != nil {
				return err
			}
			return errors.Join(tx.EndTask(context.Background(), k, db.End{Event: db.TaskSucceeded, LogID: dbtest.ID()}), tx.CancelScope(context.Background(), "p", 5, nil))
		})
		for _, id := range []string{"p", a.ExecutionID.String()} {
			if x, err := s.Execution(context.Background(), db.Caller{}, id); !errors.Is(err, db.ErrNotFound) {
				t.Errorf("%q has ended: %+v, %v", id, x, err)
			}
		}
	})
}

// fill gives p and its tasks variables: x in all three places, y in p and b, a file in p.
func fill(t *testing.T, s *db.Store, a, b db.ID) {
	t.Helper()
	content := `"aGVsbG8="`
	list := []db.Variable{{ScopeID: "p", Name: "f", Type: "File", Value: &content, Info: `{"filename":"a"}`}}
	for _, v := range []struct {
		task        db.ID
		name, value string
	}{{db.NilID, "x", "shared"}, {a, "x", "a's"}, {b, "x", "b's"}, {db.NilID, "y", "y"}, {b, "y", "b's y"}} {
		list = append(list, db.Variable{ScopeID: "p", TaskID: v.task, Name: v.name, Type: "String", Text: &v.value, Info: "{}"})
	}
	in(t, s, func(tx *db.Tx) error { return tx.SetVariables(context.Background(), list) })
}

func TestVariableOf(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		a, b := newScope(t, s)
		fill(t, s, a.ID, b.ID)
		scope, task := &db.Execution{ScopeID: "p"}, &db.Execution{ScopeID: "p", TaskID: a.ID}
		for _, c := range []struct {
			x     *db.Execution
			name  string
			local bool
			want  string
		}{
			{scope, "x", false, `"shared"`}, {scope, "x", true, `"shared"`}, {task, "x", false, `"a's"`}, {task, "x", true, `"a's"`},
			{task, "y", false, `"y"`}, {task, "y", true, ""}, {scope, "X", false, ""}, {scope, "f", false, "null"}, {task, "f", false, "null"}, {task, "f", true, ""},
			{&db.Execution{ScopeID: "q"}, "x", false, ""},
		} {
			v, err := s.VariableOf(context.Background(), c.x, c.name, c.local)
			if c.want == "" && !errors.Is(err, db.ErrNotFound) || c.want != "" && (err != nil || string(v.JSON()) != c.want || v.Name != c.name) {
				t.Errorf("%+v: got %s, %v", c, v.JSON(), err)
			}
		}
		if v, err := s.WholeVariableOf(context.Background(), task, "f", false); err != nil || string(v.JSON()) != `"aGVsbG8="` || v.Info != `{"filename":"a"}` {
			t.Errorf("the whole file: %+v, %v", v, err)
		}
	})
}

func TestDeleteVariables(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		a, b := newScope(t, s)
		fill(t, s, a.ID, b.ID)
		own, err := s.OwnNames(context.Background(), &db.Execution{ScopeID: "p", TaskID: b.ID}, []string{"y", "f", "nope", "x", "x"})
		if names := slices.Sorted(maps.Keys(own)); err != nil || strings.Join(names, " ") != "x y" {
			t.Errorf("own names %v, %v", names, err)
		}
		in(t, s, func(tx *db.Tx) error {
			return errors.Join(tx.DeleteVariables(context.Background(), "p", b.ID, []string{"x", "f", "nope"}), tx.DeleteVariables(context.Background(), "p", db.NilID, []string{"y"}),
				tx.DeleteVariables(context.Background(), "p", a.ID, nil), tx.DeleteVariables(context.Background(), "q", db.NilID, []string{"x"}))
		})
		var left []string
		for _, v := range s.Variables(t, "p") {
			left = append(left, v.Name+string(v.JSON()))
		}
		slices.Sort(left)
		if got := strings.Join(left, " "); got != `fnull x"a's" x"shared" y"b's y"` {
			t.Errorf("left %s", got)
		}
	})
}
