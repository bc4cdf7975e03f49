package db

import (
	"context"
	"fmt"
	"strings"
	"testing"
)

// Written tells how often a task's state was written, and the mark of the batch that wrote it last.
func (s *Store) Written(t testing.TB, id ID) (rev int, mark *int64) {
	t.Helper()
	err := s.each(context.Background(), func(scan func(...any) error) error { return scan(&rev, &mark) },
		"select rev, set_by from external_task_state where id = ?", id)
	if err != nil {
		t.Fatal(err)
	}
	return rev, mark
}

// Variables gives all variables of scopes and of their tasks.
func (s *Store) Variables(t testing.TB, scopes ...string) (list []Variable) {
	t.Helper()
	if err := s.sel(context.Background(), &list, "select "+variableColumns+" from variable v where v.scope_id {texts}", s.texts(scopes)); err != nil {
		t.Fatal(err)
	}
	return list
}

// TaskSQL gives the conditions by which the tasks of a caller are listed, fetched, and looked up by their ids.
func (s *Store) TaskSQL(t testing.TB, caller Caller) []string {
	t.Helper()
	listed, _, err := s.TaskSelection(&Filter{Caller: caller})
	if err != nil {
		t.Fatal(err)
	}
	fetched, _, _ := s.fetchSQL(&Fetch{Caller: caller, Max: 1, Topics: []FetchTopic{{Name: "t"}, {Name: "u"}}}, "")
	named, _ := s.existing(caller, nil)
	return []string{listed, fetched, named}
}

// PlanOfLook gives how the database looks for work, after it has taken its statistics.
func (s *Store) PlanOfLook(t testing.TB, topics ...string) string {
	t.Helper()
	s.analyze(t)
	return s.plan(t, statement{lookForWork, []any{s.texts(topics), s.texts(topics), Time(1)}})
}

// PlansOfClosing gives how the database finds the open incidents of tasks, of one task, and of jobs, after it has taken its statistics if
// it does so by itself.
func (s *Store) PlansOfClosing(t testing.TB) (plans []string) {
	t.Helper()
	if s.d.name == "postgres" {
		s.analyze(t)
	}
	ids := s.ids([]ID{{1}, {2}})
	for _, one := range []statement{
		{closeTaskIncidents, []any{1, Time(1), ids}}, closeIncident(ID{1}, 1, 1), {closeJobIncidents, []any{1, Time(1), ID{1}, ID{1, 1}}}, resolveJobs(make([]LogRange, 2)),
		{bareResolve, []any{Time(1), ids}},
	} {
		plans = append(plans, s.plan(t, one))
	}
	return plans
}

// IDList gives ids as {ids} takes them.
func (s *Store) IDList(ids []ID) any { return s.ids(ids) }

// SelectSlices is SelectChunks by statements of at most perSlice chunks, where it is done by such.
func (t *Tx) SelectSlices(ctx context.Context, batch ID, size, perSlice int, selection string, args []any) (int64, error) {
	if !t.d.remote {
		return t.SelectChunks(ctx, batch, size, selection, args)
	}
	return t.selectSlices(ctx, batch, size, perSlice, selection, args)
}

func (s *Store) analyze(t testing.TB) {
	t.Helper()
	if _, err := s.write.ExecContext(context.Background(), "analyze"); err != nil {
		t.Fatal(err)
	}
}

// plan gives how the database carries out a statement.
func (s *Store) plan(t testing.TB, one statement) string {
	t.Helper()
	explain := map[string]string{"sqlite": "explain query plan ", "postgres": "explain "}[s.d.name]
	var plan strings.Builder
	err := s.each(context.Background(), func(scan func(...any) error) error {
		var a, b, c, d any
		err := scan([]any{&a, &b, &c, &d}[:map[string]int{"sqlite": 4, "postgres": 1}[s.d.name]]...)
		fmt.Fprintln(&plan, a, d)
		return err
	}, explain+one.text, one.args...)
	if err != nil {
		t.Fatal(err)
	}
	return plan.String()
}

// PlanOfPage gives how SQLite finds the ids of a page.
func (s *Store) PlanOfPage(t testing.TB, r *Resource, f *Filter) string {
	t.Helper()
	cond, args, err := s.where(r, f)
	if err != nil {
		t.Fatal(err)
	}
	order, err := r.orderBy(f)
	if err != nil {
		t.Fatal(err)
	}
	var plan strings.Builder
	err = s.each(context.Background(), func(scan func(...any) error) error {
		var id, parent, unused, detail any
		err := scan(&id, &parent, &unused, &detail)
		fmt.Fprintln(&plan, detail)
		return err
	}, "explain query plan "+r.Slim(cond+order+" limit 50"), args...)
	if err != nil {
		t.Fatal(err)
	}
	return plan.String()
}
