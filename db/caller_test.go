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

func TestSees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		caller        db.Caller
		a, b, nobodys bool
	}{
		{db.Caller{}, true, true, true},
		{db.Caller{Tenants: []string{"a"}}, true, false, false},
		{db.Caller{Tenants: []string{"c", "a"}, Untenanted: true}, true, false, true},
		{db.Caller{Tenants: []string{}}, false, false, false},
		{db.Caller{Tenants: []string{}, Untenanted: true}, false, false, true},
	} {
		for tenant, want := range map[*string]bool{ptr("a"): c.a, ptr("b"): c.b, nil: c.nobodys} {
			if got := c.caller.Sees(tenant); got != want {
				t.Errorf("%+v sees what is of %v: %v, want %v", c.caller, tenant, got, want)
			}
		}
	}
}

func TestBelonging(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		caller        db.Caller
		tenant, owner *string
	}{
		{db.Caller{Name: "root", Untenanted: true}, nil, nil},
		{db.Caller{Name: "anna", Tenants: []string{"a"}}, ptr("a"), nil},
		{db.Caller{Name: "udo", Tenants: []string{"a"}, Untenanted: true}, ptr("a"), nil},
		{db.Caller{Name: "fred", Tenants: []string{}, Untenanted: true}, nil, nil},
		{db.Caller{Name: "abel", Tenants: []string{"a", "b"}}, nil, ptr("abel")},
		{db.Caller{Name: "olga", Tenants: []string{"a", "b"}, Untenanted: true}, nil, ptr("olga")},
		{db.Caller{Name: "nina", Tenants: []string{}}, nil, ptr("nina")},
	} {
		tenant, owner := c.caller.Belonging()
		if !equal(tenant, c.tenant) || !equal(owner, c.owner) || !c.caller.SeesBatch(tenant, owner) {
			t.Errorf("%+v: a batch of the tenant %v, owned by %v", c.caller, tenant, owner)
		}
	}
}

// Who sees everything pays nothing for it: no statement on tasks asks for their scopes.
func TestUnboundPaysNothing(t *testing.T) {
	t.Parallel()
	s := dbtest.SQLite(t)
	for _, c := range []struct {
		caller db.Caller
		bound  bool
	}{
		{db.Caller{}, false}, {db.Caller{Name: "root", Untenanted: true}, false}, {db.Caller{Tenants: []string{"a"}}, true},
		{db.Caller{Tenants: []string{"a", "b"}}, true}, {db.Caller{Tenants: []string{}, Untenanted: true}, true},
	} {
		for _, text := range s.TaskSQL(t, c.caller) {
			if strings.Contains(text, "scope") != c.bound || strings.Contains(text, "tenant_id") != c.bound {
				t.Errorf("%+v: %s", c.caller, text)
			}
		}
	}
}

// Of ids those count that the caller may see.
func TestExistingOfTenants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		a, b := newScope(t, s)
		ids := []db.ID{a.ID, b.ID, dbtest.ID()}
		for _, c := range []struct {
			caller db.Caller
			want   []db.ID
		}{
			{db.Caller{}, []db.ID{a.ID, b.ID}}, {db.Caller{Tenants: []string{"ten", "x"}}, []db.ID{a.ID, b.ID}},
			{db.Caller{Tenants: []string{"x"}, Untenanted: true}, nil}, {db.Caller{Tenants: []string{}}, nil},
		} {
			got, err := s.Existing(context.Background(), c.caller, ids)
			n, err2 := s.CountExisting(context.Background(), c.caller, ids)
			if err := errors.Join(err, err2); err != nil || !slices.Equal(got, c.want) || n != len(c.want) {
				t.Errorf("%+v: %v, %d, %v; want %v", c.caller, got, n, err, c.want)
			}
		}
	})
}

// Who has called a scope by another tenant's executionId hides nothing from it.
func TestExecutionBehindAScope(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		task, _ := newScope(t, s)
		id := task.ExecutionID.String()
		in(t, s, func(tx *db.Tx) error {
			_, err := tx.OpenScopes(context.Background(), []db.Scope{{ID: id, Tasks: 1, TenantID: ptr("x")}})
			return err
		})
		for tenant, want := range map[string]db.Execution{"ten": {ScopeID: "p", TaskID: task.ID}, "x": {ScopeID: id}} {
			x, err := s.Execution(context.Background(), db.Caller{Tenants: []string{tenant}}, id)
			if err != nil || x.ScopeID != want.ScopeID || x.TaskID != want.TaskID {
				t.Errorf("of %s: %+v, %v; want %+v", tenant, x, err, want)
			}
		}
		if x, err := s.Execution(context.Background(), db.Caller{Tenants: []string{"y"}}, id); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("of a third one: %+v, %v", x, err)
		}
	})
}
