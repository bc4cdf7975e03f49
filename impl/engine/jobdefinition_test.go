package engine_test

import (
	"context"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

func types(list []db.JobDefinition) string {
	var names []string
	for _, d := range list {
		names = append(names, d.Type)
	}
	return strings.Join(names, " ")
}

func TestJobDefinitions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		e, _ := listed(t, s)
		ctx := context.Background()
		for _, c := range []struct {
			caller db.Caller
			query  engine.Query
			want   string
			count  int64
		}{
			{db.Caller{}, engine.Query{Max: 9, Sorting: sorted("jobType", "desc")}, "set-external-task-retries batch-seed-job batch-monitor-job", 3},
			{db.Caller{}, engine.Query{Max: 1, First: 1, Sorting: sorted("jobDefinitionId", "asc")}, "batch-seed-job", 3},
			{db.Caller{}, engine.Query{Max: 9, Values: map[string]any{"jobType": "batch-monitor-job"}}, "batch-monitor-job", 1},
			{db.Caller{Tenants: []string{"t2"}}, engine.Query{Max: 9}, "", 0},
		} {
			list, err := e.JobDefinitions(ctx, c.caller, c.query)
			if err != nil || types(list) != c.want {
				t.Errorf("%+v: %q, %v; want %q", c.query, types(list), err, c.want)
			}
			if n, err := e.CountJobDefinitions(ctx, c.caller, c.query); err != nil || n != c.count {
				t.Errorf("count %+v: %d, %v; want %d", c.query, n, err, c.count)
			}
		}
		half := "jobType"
		bad := engine.Query{Sorting: engine.Sorting{By: &half}}
		_, err := e.JobDefinitions(ctx, db.Caller{}, bad)
		wantFault(t, err, fault.Invalid, "Only a single sorting parameter specified. sortBy and sortOrder required")
		_, err = e.CountJobDefinitions(ctx, db.Caller{}, bad)
		wantFault(t, err, fault.Invalid, "Only a single sorting parameter specified. sortBy and sortOrder required")
	})
}

func TestJobDefinition(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		e, batch := listed(t, s)
		id := db.SeedJob.Definition(batch)
		d, err := e.JobDefinition(context.Background(), db.Caller{}, id.String())
		if err != nil || d.ID() != id || d.Type != "batch-seed-job" || d.Suspended {
			t.Errorf("seed definition: %+v, %v", d, err)
		}
		for id, caller := range map[string]db.Caller{
			"nonexistent": {}, batch.String(): {}, db.SeedJob.Definition(dbtest.ID()).String(): {}, id.String(): {Tenants: []string{"t2"}},
		} {
			_, err := e.JobDefinition(context.Background(), caller, id)
			wantFault(t, err, fault.NotFound, "Job Definition with id "+id+" does not exist")
		}
	})
}
