package db_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

func TestVariables(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		task, other := dbtest.ID(), dbtest.ID()
		text := func(scope string, task db.ID, name, value string) db.Variable {
			return db.Variable{ScopeID: scope, TaskID: task, Name: name, Type: "String", Text: &value, Info: "{}"}
		}
		content := `"aGk="`
		in(t, s, func(tx *db.Tx) error {
			return tx.SetVariables(context.Background(), []db.Variable{text("p", db.NilID, "x", "old"), text("p", db.NilID, "x", "<new>"), text("p", task, "x", "local"),
				text("p", other, "y", "of another"), text("q", db.NilID, "x", "elsewhere"), {ScopeID: "p", Name: "f", Type: "File", Value: &content, Info: `{"filename":"a"}`}})
		})
		in(t, s, func(tx *db.Tx) error {
			return tx.SetVariables(context.Background(), []db.Variable{text("p", task, "x", "changed")})
		})
		in(t, s, func(tx *db.Tx) error { return tx.SetVariables(context.Background(), nil) })
		for _, c := range []struct {
			of   db.VariablesOf
			want string
		}{
			{db.VariablesOf{Scopes: []string{"p"}, Tasks: []db.ID{task}}, `f=null x="<new>" x="changed"`},
			{db.VariablesOf{Scopes: []string{"p"}, Tasks: []db.ID{task}, Local: true}, `x="changed"`},
			{db.VariablesOf{Scopes: []string{"p", "q"}, Names: []string{"x"}}, `x="<new>" x="elsewhere"`},
			{db.VariablesOf{Scopes: []string{"p"}, Names: []string{}}, ``},
		} {
			list, err := s.Variables(context.Background(), c.of)
			var got []string
			for _, v := range list {
				got = append(got, v.Name+"="+string(v.JSON()))
			}
			slices.Sort(got)
			if text := strings.Join(got, " "); err != nil || text != c.want {
				t.Errorf("%+v: got %s, want %s, %v", c.of, text, c.want, err)
			}
		}
	})
}
