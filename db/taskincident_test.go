package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

func TestTaskIncidents(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ids := newTasks(t, s, "a", 4)
		incidents := []db.ID{dbtest.ID(), dbtest.ID(), dbtest.ID(), dbtest.ID()}
		message := "boom"
		in(t, s, func(tx *db.Tx) error {
			k, err := tx.HoldTask(context.Background(), ids[1])
			if err != nil {
				return err
			}
			return tx.FailTask(context.Background(), k, db.Failure{At: 1, Message: &message, Retries: 1, LogID: incidents[0], IncidentID: dbtest.ID()})
		})
		in(t, s, func(tx *db.Tx) error {
			return tx.OpenTaskIncidents(context.Background(), []db.ID{ids[1], ids[0], dbtest.ID()}, []db.ID{incidents[1], incidents[0], incidents[3]}, 5)
		})
		in(t, s, func(tx *db.Tx) error { // one is open already, one is new
			return tx.OpenTaskIncidents(context.Background(), ids[:1], incidents[2:3], 6)
		})
		list, err := s.Incidents(context.Background(), &db.Filter{Max: 9, Sort: []db.Order{{By: "configuration"}}})
		if err != nil || len(list) != 2 || list[0].ID != incidents[0] || list[1].ID != incidents[1] || list[0].CreateTime != 5 ||
			list[0].Message != nil || list[0].HistoryConfiguration != nil || *list[1].Message != "boom" || *list[1].HistoryConfiguration != incidents[0] {
			t.Fatalf("open: %+v, %v", list, err)
		}
		in(t, s, func(tx *db.Tx) error {
			return tx.ResolveTaskIncidents(context.Background(), []db.ID{ids[0], ids[3]}, 7)
		})
		in(t, s, func(tx *db.Tx) error { return tx.DeleteTaskIncidents(context.Background(), ids, 8) })
		in(t, s, func(tx *db.Tx) error { return tx.ResolveTaskIncidents(context.Background(), nil, 9) })
		all, err := s.HistoricIncidents(context.Background(), &db.Filter{Max: 9, Sort: []db.Order{{By: "incidentState"}}})
		if err != nil || len(all) != 2 || all[0].State != db.IncidentResolved || *all[0].EndTime != 7 || all[1].State != db.IncidentDeleted || *all[1].EndTime != 8 {
			t.Errorf("ended: %+v, %v", all, err)
		}
		in(t, s, func(tx *db.Tx) error { // after the end of one there may be another
			return tx.OpenTaskIncidents(context.Background(), ids[:1], incidents[2:3], 9)
		})
		if n, err := s.CountIncidents(context.Background(), &db.Filter{}); err != nil || n != 1 {
			t.Errorf("%d are open, %v", n, err)
		}
	})
}

// The open incident of a task or a job is found by what it is of, also where the database counted its rows when none was open: it then
// believes that it may as well read all that are open.
func TestIncidentsCloseByIndex(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ids, incidents := newTasks(t, s, "a", 2000), make([]db.ID, 2000)
		for i := range incidents {
			incidents[i] = dbtest.ID()
		}
		in(t, s, func(tx *db.Tx) error {
			return errors.Join(tx.OpenTaskIncidents(context.Background(), ids, incidents, 5), tx.ResolveTaskIncidents(context.Background(), ids, 6))
		})
		for _, plan := range s.PlansOfClosing(t) {
			if !strings.Contains(plan, "using incident_open ") && !strings.Contains(plan, "USING INDEX incident_open (configuration") {
				t.Errorf("the plan is\n%s", plan)
			}
		}
	})
}
