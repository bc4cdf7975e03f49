package db_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

func query(values map[string]any, order ...db.Order) *db.Filter {
	return &db.Filter{Now: 5000, Values: values, Sort: order, Max: 100}
}

func TestBatchLists(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx := context.Background()
		a, b, c := batch(t, s, 3), batch(t, s, 2), batch(t, s, 1)
		name := map[db.ID]string{a.ID: "a", b.ID: "b", c.ID: "c"}
		in(t, s, func(tx *db.Tx) error { return tx.SuspendBatch(ctx, b.ID, true, 7) })
		in(t, s, func(tx *db.Tx) error {
			one, err := tx.Isolate(ctx, c.ID.Sub(db.SubJob, 0))
			one.Retries = 0
			return errors.Join(err, tx.UpdateRange(ctx, one))
		})
		for what, want := range map[string]struct {
			values map[string]any
			order  []db.Order
			want   string
		}{
			"all":              {nil, nil, "abc"},
			"by id":            {map[string]any{"batchId": b.ID.String()}, nil, "b"},
			"no id":            {map[string]any{"batchId": "nonsense"}, nil, ""},
			"type":             {map[string]any{"type": "set-external-task-retries"}, nil, "abc"},
			"other type":       {map[string]any{"type": "x"}, nil, ""},
			"suspended":        {map[string]any{"suspended": true}, nil, "b"},
			"active":           {map[string]any{"suspended": false}, nil, "ac"},
			"descending":       {nil, []db.Order{{By: "batchId", Desc: true}}, "cba"},
			"null tenants":     {map[string]any{"withoutTenantId": true}, []db.Order{{By: "tenantId"}}, "abc"},
			"tenants win":      {map[string]any{"withoutTenantId": true, "tenantIdIn": []string{"x"}}, nil, ""},
			"false does not":   {map[string]any{"withoutTenantId": false}, nil, "abc"},
			"failures":         {map[string]any{"withFailures": true}, nil, "c"},
			"no failures":      {map[string]any{"withoutFailures": true}, nil, "ab"},
			"no failures wins": {map[string]any{"withoutFailures": true, "withFailures": true}, nil, "ab"},
			"started":          {map[string]any{"startedBefore": db.Time(1000), "startedAfter": db.Time(1000)}, nil, "abc"},
			"started later":    {map[string]any{"startedAfter": db.Time(1001)}, []db.Order{{By: "startTime"}}, ""},
		} {
			list, err := s.BatchStatistics(ctx, query(want.values, want.order...))
			got := ""
			for _, one := range list {
				got += name[one.ID]
			}
			if err != nil || got != want.want {
				t.Errorf("%s: got %q, %v; want %q", what, got, err, want.want)
			}
			if n, err := s.CountBatchStatistics(ctx, query(want.values, want.order...)); err != nil || int(n) != len(want.want) {
				t.Errorf("%s: counted %d, %v", what, n, err)
			}
		}
		list, err := s.BatchStatistics(ctx, &db.Filter{First: 2, Max: 5})
		if err != nil || len(list) != 1 || list[0].Remaining() != 2 || list[0].Failed != 1 {
			t.Errorf("the last page is %+v, %v", list, err)
		}
		if list, err := s.Batches(ctx, &db.Filter{}); err != nil || list == nil || len(list) != 0 {
			t.Errorf("an empty page is %v, %v; want an empty list", list, err)
		}
	})
}

func TestFiltersAreNeverIgnored(t *testing.T) {
	t.Parallel()
	s, ctx := dbtest.SQLite(t), context.Background()
	for _, f := range []*db.Filter{
		query(map[string]any{"nope": "x"}), query(map[string]any{"tenantIdIn": "x"}), query(map[string]any{"batchId": []string{"x"}}),
		query(map[string]any{"withoutTenantId": "x"}), query(nil, db.Order{By: "nope"}),
	} {
		if _, err := s.Batches(ctx, f); !errors.Is(err, db.ErrFilter) {
			t.Errorf("list %+v: %v, want ErrFilter", f, err)
		}
		if _, err := s.CountBatches(ctx, f); !errors.Is(err, db.ErrFilter) {
			t.Errorf("count %+v: %v, want ErrFilter", f, err)
		}
	}
}

func TestTenantsOfTheCaller(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		names := map[db.ID]string{batch(t, s, 1).ID: "1", batch(t, s, 1).ID: "2"}
		for name, maker := range map[string]db.Caller{"x": {Tenants: []string{"x"}}, "o": {Name: "olga", Tenants: []string{"x", "y"}}} {
			b := &db.Batch{ID: db.BatchBase(dbtest.ID()), Type: "t", TotalJobs: 1, JobsPerSeed: 1, ItemsPerJob: 1, JobsPerChunk: 1}
			b.TenantID, b.Owner = maker.Belonging()
			names[b.ID] = name
			in(t, s, func(tx *db.Tx) error { return tx.InsertBatch(context.Background(), b) })
		}
		for _, c := range []struct {
			caller db.Caller
			want   string
		}{
			{db.Caller{}, "12ox"},
			{db.Caller{Tenants: []string{"x"}}, "x"}, {db.Caller{Tenants: []string{"x"}, Untenanted: true}, "12x"},
			{db.Caller{Tenants: []string{"y"}}, ""}, {db.Caller{Tenants: []string{"y"}, Untenanted: true}, "12"},
			{db.Caller{Tenants: []string{}}, ""}, {db.Caller{Tenants: []string{}, Untenanted: true}, "12"},
			{db.Caller{Name: "olga", Tenants: []string{"y", "z"}}, "o"}, {db.Caller{Name: "olga", Tenants: []string{"x", "y"}, Untenanted: true}, "12ox"},
			{db.Caller{Name: "olga", Tenants: []string{"x"}, Untenanted: true}, "12x"}, {db.Caller{Name: "mary", Tenants: []string{"x", "y"}}, "x"},
		} {
			f := query(nil)
			f.Caller = c.caller
			list, err := s.HistoricBatches(context.Background(), f)
			var seen []string
			for i := range list {
				seen = append(seen, names[list[i].ID])
				if !c.caller.SeesBatch(list[i].TenantID, list[i].Owner) {
					t.Errorf("%+v lists %s, but may not see it", c.caller, names[list[i].ID])
				}
			}
			slices.Sort(seen)
			if got := strings.Join(seen, ""); err != nil || got != c.want {
				t.Errorf("%+v sees the batches %q, %v; want %q", c.caller, got, err, c.want)
			}
		}
	})
}

func TestInsertBatchTwice(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		b := batch(t, s, 1)
		if err := s.Tx(context.Background(), func(tx *db.Tx) error { return tx.InsertBatch(context.Background(), b) }); !errors.Is(err, db.ErrConflict) {
			t.Errorf("the same id twice: %v, want ErrConflict", err)
		}
	})
}

func TestChunks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx, id := context.Background(), db.BatchBase(dbtest.ID())
		items := make([]db.ID, 0, 2500)
		for range cap(items) {
			items = append(items, dbtest.ID())
		}
		in(t, s, func(tx *db.Tx) error { return tx.InsertChunks(ctx, id, items, 10) })
		for _, no := range []int32{0, 99, 100, 249} {
			got, err := s.Chunk(ctx, id, no)
			if err != nil || !slices.Equal(got, items[10*no:10*no+10]) {
				t.Errorf("chunk %d has %d ids, %v", no, len(got), err)
			}
		}
		if _, err := s.Chunk(ctx, id, 250); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("a chunk too many: %v", err)
		}
		in(t, s, func(tx *db.Tx) error { return tx.InsertTexts(ctx, id, 3, []string{"a", "b"}) })
	})
}

// A batch by query is chunked inside the database: the same ids, in order, as one by ids, however many statements that takes.
func TestSelectChunks(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		var all []db.ID
		for range 25 {
			all = append(all, batch(t, s, 1).ID)
		}
		for _, c := range []struct{ n, perSlice, chunks int }{{25, 400_000, 3}, {25, 2, 3}, {25, 1, 3}, {20, 1, 2}, {20, 2, 2}, {9, 1, 1}, {0, 3, 0}} {
			id := db.BatchBase(dbtest.ID())
			in(t, s, func(tx *db.Tx) error {
				n, err := tx.SelectSlices(context.Background(), id, 10, c.perSlice, "select s.id from batch s where s.type <> ? and s.id {ids}", []any{"x", s.IDList(all[:c.n])})
				if n != int64(c.n) {
					t.Errorf("%+v: %d items", c, n)
				}
				return err
			})
			if got := chunksOf(t, s, id, c.chunks); !slices.Equal(got, all[:c.n]) {
				t.Errorf("%+v: the chunks hold %v, want %v", c, got, all[:c.n])
			}
		}
	})
}

// chunksOf reads the first chunks of a batch, which has no more.
func chunksOf(t *testing.T, s *db.Store, id db.ID, n int) (ids []db.ID) {
	t.Helper()
	for no := range int32(n) {
		part, err := s.Chunk(context.Background(), id, no)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, part...)
	}
	if _, err := s.Chunk(context.Background(), id, int32(n)); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("a chunk too many: %v", err)
	}
	return ids
}

func TestOutcomesOfABatch(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		ctx := context.Background()
		b := batch(t, s, 10)
		in(t, s, func(tx *db.Tx) error {
			claimed, err := tx.ClaimJobs(ctx, b.ID, 2000, 4)
			if err != nil {
				return err
			}
			done := db.LogOf(&claimed[0], db.JobSucceeded, 2000, "host")
			done.Set, done.Same, done.Gone = 2, 1, 1
			failed, err := tx.Isolate(ctx, b.ID.Sub(db.SubJob, 9))
			if err != nil {
				return err
			}
			failed.Retries = 0
			deleted, err := tx.Isolate(ctx, b.ID.Sub(db.SubJob, 5))
			if err != nil {
				return err
			}
			return errors.Join(tx.UpdateRange(ctx, failed), tx.DeleteRange(ctx, deleted), tx.InsertLog(ctx, done, db.LogOf(deleted, db.JobDeleted, 2000, "host")))
		})
		got, err := s.CountOutcomes(ctx, b.ID)
		if want := (db.Outcomes{Set: 2, Unchanged: 1, Gone: 1, Skipped: 1, Failed: 1, Pending: 4}); err != nil || got != want {
			t.Errorf("outcomes %+v, %v; want %+v", got, err, want)
		}
		if _, err := s.CountOutcomes(ctx, dbtest.ID()); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("outcomes of no batch: %v", err)
		}
	})
}
