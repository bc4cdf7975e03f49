package db_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

// newDefinitionWorld makes of the two batches of a jobWorld: a, whose definitions of execution and monitor jobs are suspended,
// and b, of a tenant.
func newDefinitionWorld(t *testing.T, s *db.Store) *jobWorld {
	t.Helper()
	w := newJobWorld(t, s)
	in(t, s, func(tx *db.Tx) error { return tx.SuspendBatch(context.Background(), w.base['a'], false, 1|4) })
	in(t, s, func(tx *db.Tx) error {
		b := db.Batch{ID: dbtest.ID(), Mark: 1, Type: "other"}
		if err := tx.InsertBatch(context.Background(), &b); err != nil {
			return err
		}
		return tx.EndBatch(context.Background(), b.ID, 1, nil) // an ended batch has no definitions
	})
	return w
}

func definitionNames(w *jobWorld, list []db.JobDefinition) string {
	var names []string
	for _, d := range list {
		letter := "b"
		if d.BatchID == w.base['a'] {
			letter = "a"
		}
		names = append(names, fmt.Sprint(letter, kinds[d.Kind]))
	}
	return strings.Join(names, " ")
}

func TestJobDefinitions(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newDefinitionWorld(t, s)
		for _, c := range []struct {
			values map[string]any
			sort   string
			want   string
		}{
			{nil, "", "ax as am bx bs bm"},
			{map[string]any{"jobDefinitionId": db.SeedJob.Definition(w.base['a']).String()}, "", "as"},
			{map[string]any{"jobDefinitionId": w.id("ax0")}, "", ""},
			{map[string]any{"jobDefinitionId": "?"}, "", ""},
			{map[string]any{"activityIdIn": []string{"x"}}, "", ""},
			{map[string]any{"processDefinitionId": "x"}, "", ""},
			{map[string]any{"processDefinitionKey": "x"}, "", ""},
			{map[string]any{"jobType": "batch-seed-job"}, "", "as bs"},
			{map[string]any{"jobType": "batch-monitor-job"}, "", "am bm"},
			{map[string]any{"jobType": "set-external-task-retries"}, "", "ax bx"},
			{map[string]any{"jobType": "other"}, "", ""},
			{map[string]any{"jobConfiguration": w.base['b'].String()}, "", "bx bs bm"},
			{map[string]any{"jobConfiguration": "?"}, "", ""},
			{map[string]any{"active": true}, "", "as bx bs bm"},
			{map[string]any{"suspended": true}, "", "ax am"},
			{map[string]any{"active": true, "suspended": true}, "", "ax am"},
			{map[string]any{"active": false, "suspended": false}, "", "ax as am bx bs bm"},
			{map[string]any{"withOverridingJobPriority": true}, "", ""},
			{map[string]any{"withOverridingJobPriority": false}, "", "ax as am bx bs bm"},
			{map[string]any{"tenantIdIn": []string{"t1"}}, "", "bx bs bm"},
			{map[string]any{"tenantIdIn": []string{"t2"}, "includeJobDefinitionsWithoutTenantId": true}, "", "ax as am"},
			{map[string]any{"tenantIdIn": []string{"t1"}, "withoutTenantId": true}, "", "ax as am"},
			{nil, "jobDefinitionId", "ax as am bx bs bm"},
			{nil, "-jobDefinitionId", "bm bs bx am as ax"},
			{nil, "-tenantId", "bx bs bm ax as am"},
			{nil, "tenantId", "ax as am bx bs bm"},
			{nil, "jobType", "am bm as bs ax bx"},
			{nil, "-jobType -jobDefinitionId", "bx ax bs as bm am"},
			{nil, "-jobConfiguration", "bx bs bm ax as am"},
			{nil, "-activityId -processDefinitionId processDefinitionKey", "ax as am bx bs bm"},
		} {
			f := &db.Filter{Values: c.values, Sort: orders(c.sort), Max: 100}
			list, err := s.JobDefinitions(context.Background(), f)
			if got := definitionNames(w, list); err != nil || got != c.want {
				t.Errorf("%v by %q: %q, %v; want %q", c.values, c.sort, got, err, c.want)
			}
			if n, err := s.CountJobDefinitions(context.Background(), f); err != nil || int(n) != len(strings.Fields(c.want)) {
				t.Errorf("count %v: %d, %v; want %q", c.values, n, err, c.want)
			}
		}
		page, err := s.JobDefinitions(context.Background(), &db.Filter{First: 1, Max: 2})
		if got := definitionNames(w, page); err != nil || got != "as am" {
			t.Errorf("page %q, %v", got, err)
		}
	})
}

// orders reads sort keys, a minus before those that go down.
func orders(keys string) (list []db.Order) {
	for _, key := range strings.Fields(keys) {
		by, desc := strings.CutPrefix(key, "-")
		list = append(list, db.Order{By: by, Desc: desc})
	}
	return list
}

func TestJobDefinition(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newDefinitionWorld(t, s)
		for want, kind := range map[string]db.JobKind{
			"set-external-task-retries true": db.ExecutionJob, "batch-seed-job false": db.SeedJob, "batch-monitor-job true": db.MonitorJob,
		} {
			id := kind.Definition(w.base['a'])
			d, err := s.JobDefinition(context.Background(), id)
			if err != nil || d.ID() != id || fmt.Sprint(d.Type, " ", d.Suspended) != want || d.Priority != nil || d.TenantID != nil {
				t.Errorf("definition %v: %+v, %v; want %s", id, d, err, want)
			}
		}
		d, err := s.JobDefinition(context.Background(), db.SeedJob.Definition(w.base['b']))
		if err != nil || orLeast(d.TenantID) != "t1" {
			t.Errorf("of a tenant: %+v, %v", d, err)
		}
		for _, id := range []db.ID{w.base['a'], w.base['a'].Sub(db.SubDefinition, 1), w.base['a'].Sub(db.SubJob, 0), db.SeedJob.Definition(dbtest.ID())} {
			if d, err := s.JobDefinition(context.Background(), id); !errors.Is(err, db.ErrNotFound) {
				t.Errorf("definition %v: %+v, %v; want not found", id, d, err)
			}
		}
	})
}

// The overriding priorities are columns of the batch that nothing writes yet but an operator at the database.
func TestJobDefinitionPriority(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "rearm.db")
	for driver, urls := range map[string]func(*testing.T) (ours, theirs string){
		"sqlite": func(*testing.T) (string, string) { return "sqlite:" + file, "file:" + file },
		"pgx":    func(t *testing.T) (string, string) { t.Helper(); url := dbtest.PostgresURL(t); return url, url },
	} {
		t.Run(driver, func(t *testing.T) {
			ours, theirs := urls(t)
			s := dbtest.Open(t, ours)
			w := newJobWorld(t, s)
			raw, err := sql.Open(driver, theirs)
			if err != nil {
				t.Fatal(err)
			}
			defer raw.Close() //nolint:errcheck // the end of a test
			if _, err := raw.ExecContext(t.Context(), "update batch set priority_job = 1, priority_seed = 2, priority_monitor = 3 where tenant_id = 't1'"); err != nil {
				t.Fatal(err)
			}
			list, err := s.JobDefinitions(t.Context(), &db.Filter{Values: map[string]any{"withOverridingJobPriority": true}, Max: 9})
			if err != nil || definitionNames(w, list) != "bx bs bm" {
				t.Fatalf("%q, %v", definitionNames(w, list), err)
			}
			for i, d := range list {
				if *d.Priority != int64(i+1) {
					t.Errorf("definition %s has priority %d", d.Type, *d.Priority)
				}
			}
		})
	}
}
