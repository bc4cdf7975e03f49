package db_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		got := map[string]string{}
		for _, v := range s.Variables(t, "p") {
			got[v.TaskID.String()+" "+v.Name] = string(v.JSON())
		}
		want := map[string]string{db.NilID.String() + " x": `"<new>"`, db.NilID.String() + " f": "null", task.String() + " x": `"changed"`, other.String() + " y": `"of another"`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

// A fetch reads what its tasks see along with them, whichever way it goes.
func TestSeenVariables(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		a, b := newScope(t, s)
		fill(t, s, a.ID, b.ID)
		odd := "\u00e4\n\"\\ <&> \U0001f600 \u2028"
		long := strings.Repeat("9", 400)
		in(t, s, func(tx *db.Tx) error {
			return tx.SetVariables(context.Background(), []db.Variable{
				{ScopeID: "p", TaskID: a.ID, Name: odd, Type: "String", Text: &odd, Info: "{}"}, {ScopeID: "p", TaskID: a.ID, Name: "n", Type: "Object", Value: &long, Info: `{"a": "b"}`}})
		})
		for _, c := range []struct {
			seen *db.Seen
			want []string
		}{
			{nil, nil},
			{&db.Seen{}, []string{"f=null", "own " + odd + "=" + string((&db.Variable{Text: &odd}).JSON()), "own n=" + long, "own x=\"a's\"", `x="shared"`, `y="y"`}},
			{&db.Seen{Local: true, Names: []string{"x", "y"}}, []string{"own x=\"a's\""}},
			{&db.Seen{Names: []string{"y", "nope"}}, []string{`y="y"`}},
			{&db.Seen{Names: []string{}}, nil},
		} {
			for name, got := range fetchBothWays(t, s, db.Fetch{WorkerID: "w", Max: 2, Topics: topics("t"), Seen: c.seen}) {
				of := got[slices.IndexFunc(got, func(k db.LockedTask) bool { return k.ID == a.ID })]
				var list []string
				for _, v := range of.Seen {
					text := v.Name + "=" + string(v.JSON())
					if v.Own {
						text = "own " + text
					}
					list = append(list, text)
				}
				slices.Sort(list)
				slices.Sort(c.want)
				if diff := cmp.Diff(c.want, list); diff != "" {
					t.Errorf("%s, %+v: %s", name, c.seen, diff)
				}
			}
		}
	})
}
