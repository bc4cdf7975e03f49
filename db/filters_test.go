package db_test

import (
	"context"
	"errors"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// queries lists and counts the rows of every resource that has a list; an error of either comes back.
var queries = map[*db.Resource]func(*db.Store, *db.Filter) error{
	db.Batches:               run(db.Queries.Batches, db.Queries.CountBatches),
	db.BatchesWithStatistics: run(db.Queries.BatchStatistics, db.Queries.CountBatchStatistics),
	db.HistoricBatches:       run(db.Queries.HistoricBatches, db.Queries.CountHistoricBatches),
	db.Incidents:             run(db.Queries.Incidents, db.Queries.CountIncidents),
	db.HistoricIncidents:     run(db.Queries.HistoricIncidents, db.Queries.CountHistoricIncidents),
	db.JobDefinitions:        run(db.Queries.JobDefinitions, db.Queries.CountJobDefinitions),
	db.Jobs:                  run(db.Queries.Jobs, db.Queries.CountJobs),
	db.TaskLog:               run(db.Queries.TaskLog, db.Queries.CountTaskLog),
	db.Tasks:                 run(db.Queries.Tasks, db.Queries.CountTasks),
	db.RunningScopes:         runScopes(db.RunningScopes),
	db.HistoricScopes:        runScopes(db.HistoricScopes),
}

func runScopes(r *db.Resource) func(*db.Store, *db.Filter) error {
	return func(s *db.Store, f *db.Filter) error {
		_, err := s.SelectTasksOfScopes(context.Background(), r, f)
		return err
	}
}

func run[T any](list func(db.Queries, context.Context, *db.Filter) ([]T, error), count func(db.Queries, context.Context, *db.Filter) (int64, error)) func(*db.Store, *db.Filter) error {
	return func(s *db.Store, f *db.Filter) error {
		_, err := list(s.Queries, context.Background(), f)
		_, counted := count(s.Queries, context.Background(), f)
		return errors.Join(err, counted)
	}
}

// samples are values that a filter of a kind may have. A special filter takes at least one of them.
func samples(field db.Field) []any {
	eq, gt, name := "eq", "gt", "x"
	if field.Comparisons {
		return []any{[]db.Comparison{{Operator: &gt, Value: db.Time(1)}}, []db.Comparison{{Name: &name, Operator: &eq, Value: "x"}}}
	}
	id := dbtest.ID().String()
	return map[db.Kind][]any{
		db.Text: {"x"}, db.Texts: {[]string{"x", "y"}}, db.OneID: {id}, db.IDs: {[]string{id, id}}, db.Long: {int64(1)}, db.Date: {db.Time(1)},
		db.Flag: {true}, db.FlagNow: {true}, db.Choice: {true, false}, db.Option: {true}, db.Special: {id, true, []string{id}},
	}[field.Kind]
}

// Every filter and every sort key of every resource is SQL that both databases understand.
func TestEveryFilterRuns(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		for r, query := range queries {
			for name, field := range r.Fields {
				ran := 0
				for _, value := range samples(field) {
					err := query(s, &db.Filter{Values: map[string]any{name: value}, Max: 1})
					if err == nil {
						ran++
					} else if field.Kind != db.Special || !errors.Is(err, db.ErrFilter) {
						t.Errorf("%s of %s = %v: %v", name, r.From, value, err)
					}
				}
				if ran == 0 {
					t.Errorf("%s of %s takes no value", name, r.From)
				}
			}
			for key := range r.Sorts {
				for _, desc := range []bool{false, true} {
					if err := query(s, &db.Filter{Sort: []db.Order{{By: key, Desc: desc}}, Max: 1}); err != nil {
						t.Errorf("%s by %s: %v", r.From, key, err)
					}
				}
			}
			for _, tenants := range [][]string{{}, {"x"}, {"x", "y"}} {
				for _, free := range []bool{false, true} {
					if err := query(s, &db.Filter{Caller: db.Caller{Tenants: tenants, Untenanted: free}, Max: 1}); err != nil {
						t.Errorf("%s of the tenants %v: %v", r.From, tenants, err)
					}
				}
			}
		}
	})
}

// A list of ids may be longer than {ids} takes at once.
func TestManyIDs(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		definitions := make([]string, 20_001)
		for i := range definitions {
			definitions[i] = dbtest.ID().String()
		}
		for _, at := range []int{0, 10_000, 20_000} {
			in(t, s, func(tx *db.Tx) error {
				definition, _ := db.ParseID(definitions[at])
				return tx.OpenJobIncident(context.Background(), db.JobIncident{ID: dbtest.ID(), Job: dbtest.ID(), Definition: definition})
			})
		}
		n, err := s.CountIncidents(context.Background(), &db.Filter{Values: map[string]any{"jobDefinitionIdIn": definitions}})
		if err != nil || n != 3 {
			t.Errorf("found %d of 3, %v", n, err)
		}
	})
}
