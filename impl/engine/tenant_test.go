package engine_test

import (
	"context"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// Callers who are bound to tenants.
var (
	anna = db.Caller{Name: "anna", Tenants: []string{"a"}}                        // to one
	udo  = db.Caller{Name: "udo", Tenants: []string{"a"}, Untenanted: true}       // to one, and sees what has none
	abel = db.Caller{Name: "abel", Tenants: []string{"a", "b"}}                   // to two
	olga = db.Caller{Name: "olga", Tenants: []string{"a", "b"}, Untenanted: true} // to two, and sees what has none
	nina = db.Caller{Name: "nina", Tenants: []string{}}                           // to none, and sees nothing
	fred = db.Caller{Name: "fred", Tenants: []string{}, Untenanted: true}         // to none, and sees what has none
)

func TestTenantOfANewTask(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{ScopeID: ptr("of b"), TenantID: ptr("b")})
		w.create(engine.NewTask{ScopeID: ptr("of nobody")})
		for _, c := range []struct {
			caller        db.Caller
			scope, tenant *string
			want          *string
		}{
			{everybody, nil, nil, nil}, {everybody, nil, ptr("z"), ptr("z")},
			{anna, nil, nil, ptr("a")}, {anna, nil, ptr("a"), ptr("a")},
			{udo, nil, nil, nil}, {udo, nil, ptr("a"), ptr("a")}, {udo, ptr("of nobody"), ptr("a"), nil},
			{abel, nil, ptr("b"), ptr("b")}, {abel, ptr("of b"), nil, ptr("b")}, {abel, ptr("of b"), ptr("a"), ptr("b")},
			{olga, nil, nil, nil}, {olga, nil, ptr("b"), ptr("b")},
			{fred, nil, nil, nil},
		} {
			made, err := w.CreateTask(context.Background(), c.caller, engine.NewTask{TopicName: "t", ScopeID: c.scope, TenantID: c.tenant}, "")
			if err != nil || show(made.TenantID) != show(c.want) {
				t.Errorf("%s in %s for %s: of the tenant %s, %v; want %s", c.caller.Name, show(c.scope), show(c.tenant), show(made.TenantID), err, show(c.want))
			}
		}
	})
}

// Nothing is made for others. A scope of theirs answers as one that has ended.
func TestRefusedTenantsOfANewTask(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{ScopeID: ptr("of b"), TenantID: ptr("b")})
		w.create(engine.NewTask{ScopeID: ptr("of nobody")})
		w.complete(w.create(engine.NewTask{ScopeID: ptr("ended"), TenantID: ptr("a")}).ID)
		foreign := func(tenant string) *fault.Error {
			return fault.Coded(fault.Invalid, fault.ProcessEngine, "ENGINE-13034 Cannot create a task of the tenant '%s' because it belongs to no authenticated tenant.", tenant)
		}
		ended := func(scope string) *fault.Error {
			return fault.New(fault.NotFound, fault.InvalidRequest, "Process instance with id %s has ended", scope)
		}
		open := func(tenants int) *fault.Error {
			return fault.BadRequest("tenantId must be given: the caller belongs to %d tenants, and may not create tasks without a tenant", tenants)
		}
		for _, c := range []struct {
			caller        db.Caller
			scope, tenant *string
			want          *fault.Error
		}{
			{anna, nil, ptr("b"), foreign("b")}, {anna, nil, ptr(""), foreign("")}, {udo, nil, ptr("b"), foreign("b")}, {abel, ptr("of b"), ptr("c"), foreign("c")},
			{nina, nil, ptr("a"), foreign("a")}, {fred, nil, ptr("a"), foreign("a")},
			{abel, nil, nil, open(2)}, {abel, ptr("new"), nil, open(2)}, {nina, nil, nil, open(0)},
			{anna, ptr("of b"), nil, ended("of b")}, {anna, ptr("of nobody"), nil, ended("of nobody")}, {anna, ptr("ended"), nil, ended("ended")},
			{abel, ptr("ended"), nil, ended("ended")}, {udo, ptr("of b"), ptr("a"), ended("of b")}, {fred, ptr("of b"), nil, ended("of b")},
		} {
			task := engine.NewTask{TopicName: "t", ScopeID: c.scope, TenantID: c.tenant, Variables: map[string]variable.Input{"x": of("", "1")}}
			_, err := w.CreateTask(context.Background(), c.caller, task, "")
			refused(t, err, c.want.Kind, c.want.Type, c.want.Message)
		}
		_, err := w.CreateTasks(context.Background(), anna, []engine.NewTask{{TopicName: "t", ScopeID: ptr("p")}, {TopicName: "t", ScopeID: ptr("p"), TenantID: ptr("b")}}, "")
		refused(t, err, foreign("").Kind, foreign("").Type, foreign("b").Message)
		for table, want := range map[string]int{"external_task": 2, "scope": 3, "variable": 0, "task_log": 4} {
			expect(t, table, dbtest.Count(t, s, "select count(*) from "+table), want)
		}
	})
}

// Ids that are passed over when they are missing may be another tenant's: a batch finds these gone, and a setting at once leaves
// them as they are.
func TestSkippedTasksOfOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		own, other, free := w.create(engine.NewTask{TenantID: ptr("a")}), w.create(engine.NewTask{TenantID: ptr("b")}), w.create(engine.NewTask{})
		named := engine.Selection{IDs: engine.IDsOf(other.ID.String(), own.ID.String(), "no id", free.ID.String(), dbtest.ID().String()), SkipMissing: true}
		b, err := w.SetRetriesAsync(context.Background(), anna, engine.SetRetriesAsync{Retries: 7, Selection: named})
		w.must(err)
		expect(t, "jobs", b.TotalJobs, 5)
		expect(t, "the batch's tenant", show(b.TenantID), "a")
		w.runAll()
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 1, Gone: 4})
		w.must(w.SetRetries(context.Background(), anna, engine.SetRetries{Retries: 6, Selection: named}))
		w.must(w.SetRetries(context.Background(), anna, engine.SetRetries{Retries: 5, Selection: engine.Selection{IDs: engine.IDsOf(other.ID.String()), SkipMissing: true}}))
		for id, want := range map[db.ID]string{own.ID: "6", other.ID: "-", free.ID: "-"} {
			expect(t, "retries", show(w.read(id).Retries), want)
		}
	})
}

// Jobs of others are set by nobody who may not see them: they fail as jobs do that do not exist.
func TestJobRetriesOfOthers(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		theirs, ids := w.seeded(2)
		w.must(w.SuspendBatch(ctx, everybody, theirs.ID.String(), true))
		w.create(engine.NewTask{TenantID: ptr("a")})
		mine, err := w.SetRetriesAsync(ctx, anna, engine.SetRetriesAsync{Retries: 7, Selection: engine.Selection{Query: ptr(ask())}})
		w.must(err)
		w.must(w.SuspendBatch(ctx, anna, mine.ID.String(), true))
		seed, unknown := w.jobs(mine.ID, db.SeedJob)[0], dbtest.ID().Sub(db.SubJob, 0).String()
		in := engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: 9}, IDs: []string{ids[0], seed, ids[0], unknown}, Query: ptr(ask())}
		b, err := w.SetJobRetriesAsync(ctx, anna, in)
		w.must(err)
		expect(t, "jobs", b.TotalJobs, 3)
		w.runAll()
		expect(t, "outcomes", w.outcomes(b.ID), db.Outcomes{Set: 1, Failed: 2})
		for id, want := range map[string]int32{ids[0]: 3, ids[1]: 3, seed: 9} {
			expect(t, "retries of "+id, w.job(id).Retries, want)
		}
		messages := map[string]bool{}
		for _, id := range w.jobs(b.ID, db.ExecutionJob) {
			messages[show(w.job(id).ExceptionMessage)] = true
		}
		expect(t, "what is said of another tenant's", messages["ENGINE-13053 No job found with id '"+ids[0]+"'.'"], true)
		expect(t, "what is said of nobody's", messages["ENGINE-13053 No job found with id '"+unknown+"'.'"], true)
	})
}

// A batch of several tenants is its maker's alone, with its jobs, log and incidents, while it runs and afterwards.
func TestBatchOfSeveralTenants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w, ctx := newWorld(t, s), context.Background()
		b, err := w.SetJobRetriesAsync(ctx, abel, engine.SetJobRetriesAsync{JobRetries: engine.JobRetries{Retries: 1}, IDs: []string{"nonexistent"}})
		w.must(err)
		w.runAll()
		job := w.jobs(b.ID, db.ExecutionJob)[0]
		sees := func(caller db.Caller) (n int) {
			t.Helper()
			_, err := w.Batch(ctx, caller, b.ID.String())
			for _, read := range []error{err, w.SetJobRetries(ctx, caller, job, engine.JobRetries{}), w.SuspendBatch(ctx, caller, b.ID.String(), false)} {
				if read == nil {
					n++
				}
			}
			for _, count := range []func(context.Context, db.Caller, engine.Query) (int64, error){
				w.CountBatches, w.CountBatchStatistics, w.CountHistoricBatches, w.CountJobs, w.CountJobDefinitions, w.CountJobLog, w.CountIncidents,
				w.CountHistoricIncidents, w.CountCleanableBatches,
			} {
				found, err := count(ctx, caller, ask())
				w.must(err)
				n += min(1, int(found))
			}
			return n
		}
		cut := abel
		cut.Tenants = []string{"a"}
		for caller, want := range map[*db.Caller]int{&everybody: 12, &abel: 12, &anna: 0, &udo: 0, &olga: 0, &nina: 0, &fred: 0, &cut: 0} {
			expect(t, "seen by "+caller.Name, sees(*caller), want)
		}
		w.must(w.DeleteBatch(ctx, abel, b.ID.String(), false))
		if _, err := w.HistoricBatch(ctx, olga, b.ID.String()); fault.KindOf(err) != fault.NotFound {
			t.Errorf("the history of another caller's batch: %v", err)
		}
		_, err = w.HistoricBatch(ctx, abel, b.ID.String())
		w.must(err)
	})
}
