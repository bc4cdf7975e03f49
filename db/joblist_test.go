package db_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"rearm/db"
	"rearm/db/dbtest"
)

// jobNow is the time at which the tests of lists ask.
const jobNow db.Time = 5000

// jobWorld is two batches with jobs of every sort. A job is called by its batch, x, s or m for its kind, and its number.
type jobWorld struct {
	store *db.Store
	base  map[byte]db.ID // a: of no tenant, the lower id; b: of tenant t1
	jobs  []db.Job       // all, one by one, in the order of their ids
}

func ptr[T any](v T) *T { return &v }

var kinds = map[db.JobKind]string{db.ExecutionJob: "x", db.SeedJob: "s", db.MonitorJob: "m"}

// newJobWorld writes ranges that differ in all that a filter or a sort key looks at.
func newJobWorld(t *testing.T, s *db.Store) *jobWorld {
	t.Helper()
	w := &jobWorld{store: s, base: map[byte]db.ID{}}
	first, second := db.BatchBase(dbtest.ID()), db.BatchBase(dbtest.ID())
	w.base['a'], w.base['b'] = first, second
	if first.Compare(second) > 0 {
		w.base['a'], w.base['b'] = second, first
	}
	ranges := []db.Range{
		{BatchID: w.base['a'], Kind: db.ExecutionJob, First: 0, N: 3, Retries: 3, CreateTime: 1000},
		{BatchID: w.base['a'], Kind: db.ExecutionJob, First: 3, N: 1, Retries: 0, CreateTime: 1000, ExceptionMessage: ptr("boom"), Stacktrace: ptr("at x")},
		{BatchID: w.base['a'], Kind: db.ExecutionJob, First: 5, N: 2, Retries: 3, Priority: 7, CreateTime: 2000, DueDate: ptr(db.Time(9000))},
		{BatchID: w.base['a'], Kind: db.ExecutionJob, First: 7, N: 1, Retries: 1, Priority: -1, CreateTime: 2000, Suspended: true},
		{BatchID: w.base['a'], Kind: db.SeedJob, First: 2, N: 1, Retries: 3, CreateTime: 3000, DueDate: ptr(jobNow)},
		{BatchID: w.base['b'], Kind: db.ExecutionJob, First: 0, N: 2, Retries: 3, Priority: 7, CreateTime: 1000},
		{BatchID: w.base['b'], Kind: db.MonitorJob, First: 1, N: 1, Retries: 2, CreateTime: 4000, DueDate: ptr(db.Time(3000))},
	}
	in(t, s, func(tx *db.Tx) error {
		for letter, id := range w.base {
			b := &db.Batch{ID: id, Mark: id.Mark(), Type: "set-external-task-retries", Items: 8, TotalJobs: 8, JobsPerSeed: 100, ItemsPerJob: 1, JobsPerChunk: 1000}
			if letter == 'b' {
				b.TenantID = ptr("t1")
			}
			if err := tx.InsertBatch(context.Background(), b); err != nil {
				return err
			}
		}
		return tx.InsertRanges(context.Background(), ranges...)
	})
	for i := range ranges {
		for n := range ranges[i].N {
			j := db.Job{ID: ranges[i].ID(ranges[i].First + n), Range: &ranges[i]}
			if ranges[i].BatchID == w.base['b'] {
				j.TenantID = ptr("t1")
			}
			w.jobs = append(w.jobs, j)
		}
	}
	return w
}

// id gives the id of the job of a name.
func (w *jobWorld) id(name string) string {
	var number uint32
	if _, err := fmt.Sscan(name[2:], &number); err != nil {
		panic(err)
	}
	return w.base[name[0]].Sub(byte(1+strings.IndexByte("xsm", name[1])), number).String()
}

// names gives the names of jobs, separated by blanks.
func (w *jobWorld) names(jobs []db.Job) string {
	var list []string
	for _, j := range jobs {
		batch, kind, number := j.ID.Split()
		letter := "b"
		if batch == w.base['a'] {
			letter = "a"
		}
		list = append(list, fmt.Sprint(letter, kinds[db.JobKind(kind)], number))
	}
	return strings.Join(list, " ")
}

func compare(operator string, at db.Time) []db.Comparison {
	return []db.Comparison{{Operator: &operator, Value: at}}
}

const allJobs = "ax0 ax1 ax2 ax3 ax5 ax6 ax7 as2 bx0 bx1 bm1"

func TestJobFilters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newJobWorld(t, s)
		for _, c := range []struct {
			values map[string]any
			want   string
		}{
			{nil, allJobs},
			{map[string]any{"jobId": w.id("ax1")}, "ax1"},
			{map[string]any{"jobId": w.id("ax4")}, ""},
			{map[string]any{"jobId": w.id("ax8")}, ""},
			{map[string]any{"jobId": "nonexistent"}, ""},
			{map[string]any{"jobId": w.base['a'].String()}, ""},
			{map[string]any{"jobIds": []string{w.id("bm1"), w.id("ax2"), w.id("ax4"), w.id("ax3"), w.id("ax1"), w.id("ax2"), "?"}}, "ax1 ax2 ax3 bm1"},
			{map[string]any{"jobIds": []string{w.id("ax0"), w.id("ax2"), w.id("ax6")}}, "ax0 ax2 ax6"},
			{map[string]any{"jobIds": []string{""}}, ""},
			{map[string]any{"jobIds": []string{w.id("ax0"), w.id("ax1")}, "jobId": w.id("ax1")}, "ax1"},
			{map[string]any{"jobIds": []string{w.id("ax0")}, "jobId": w.id("ax1")}, ""},
			{map[string]any{"jobIds": []string{w.id("ax2"), w.id("ax3")}, "noRetriesLeft": true}, "ax3"},
			{map[string]any{"jobId": w.id("ax1"), "tenantIdIn": []string{"t1"}}, ""},
			{map[string]any{"jobDefinitionId": db.ExecutionJob.Definition(w.base['b']).String()}, "bx0 bx1"},
			{map[string]any{"jobDefinitionId": db.SeedJob.Definition(w.base['a']).String()}, "as2"},
			{map[string]any{"jobDefinitionId": db.MonitorJob.Definition(w.base['b']).String()}, "bm1"},
			{map[string]any{"jobDefinitionId": w.base['b'].String()}, ""},
			{map[string]any{"jobDefinitionId": w.id("bx0")}, ""},
			{map[string]any{"jobDefinitionId": "nonexistent"}, ""},
			{map[string]any{"processInstanceId": "x"}, ""},
			{map[string]any{"processInstanceIds": []string{"x"}}, ""},
			{map[string]any{"executionId": "x"}, ""},
			{map[string]any{"processDefinitionId": "x"}, ""},
			{map[string]any{"processDefinitionKey": "x"}, ""},
			{map[string]any{"activityId": "act"}, ""},
			{map[string]any{"withRetriesLeft": true}, "ax0 ax1 ax2 ax5 ax6 ax7 as2 bx0 bx1 bm1"},
			{map[string]any{"withRetriesLeft": false}, allJobs},
			{map[string]any{"noRetriesLeft": true}, "ax3"},
			{map[string]any{"withRetriesLeft": true, "noRetriesLeft": true}, ""},
			{map[string]any{"executable": true}, "ax0 ax1 ax2 ax7 as2 bx0 bx1 bm1"},
			{map[string]any{"executable": false}, allJobs},
			{map[string]any{"timers": true}, ""},
			{map[string]any{"messages": true}, allJobs},
			{map[string]any{"timers": false, "messages": false}, allJobs},
			{map[string]any{"dueDates": compare("gt", 3000)}, "ax5 ax6 as2"},
			{map[string]any{"dueDates": compare("lt", jobNow)}, "bm1"},
			{map[string]any{"dueDates": append(compare("gt", 3000), compare("lt", 9000)...)}, "as2"},
			{map[string]any{"dueDates": []db.Comparison{}}, allJobs},
			{map[string]any{"createTimes": compare("gt", 2000)}, "as2 bm1"},
			{map[string]any{"createTimes": compare("lt", 2000)}, "ax0 ax1 ax2 ax3 ax5 ax6 ax7 bx0 bx1"},
			{map[string]any{"withException": true}, "ax3"},
			{map[string]any{"exceptionMessage": "boom"}, "ax3"},
			{map[string]any{"exceptionMessage": "boo"}, ""},
			{map[string]any{"failedActivityId": "act"}, ""},
			{map[string]any{"active": true}, "ax0 ax1 ax2 ax3 ax5 ax6 as2 bx0 bx1 bm1"},
			{map[string]any{"active": false}, allJobs},
			{map[string]any{"suspended": true}, "ax7"},
			{map[string]any{"active": true, "suspended": true}, "ax7"},
			{map[string]any{"active": true, "suspended": false}, "ax0 ax1 ax2 ax3 ax5 ax6 as2 bx0 bx1 bm1"},
			{map[string]any{"acquired": true}, ""},
			{map[string]any{"priorityLowerThanOrEquals": int64(-1)}, "ax7"},
			{map[string]any{"priorityHigherThanOrEquals": int64(7)}, "ax5 ax6 bx0 bx1"},
			{map[string]any{"tenantIdIn": []string{"t1", "t2"}}, "bx0 bx1 bm1"},
			{map[string]any{"tenantIdIn": []string{"t2"}}, ""},
			{map[string]any{"tenantIdIn": []string{"t1"}, "includeJobsWithoutTenantId": true}, allJobs},
			{map[string]any{"tenantIdIn": []string{"t1"}, "includeJobsWithoutTenantId": false}, "bx0 bx1 bm1"},
			{map[string]any{"includeJobsWithoutTenantId": true}, allJobs},
			{map[string]any{"tenantIdIn": []string{"t1"}, "withoutTenantId": true}, "ax0 ax1 ax2 ax3 ax5 ax6 ax7 as2"},
			{map[string]any{"tenantIdIn": []string{"t1"}, "withoutTenantId": false}, "bx0 bx1 bm1"},
		} {
			f := &db.Filter{Now: jobNow, Values: c.values, Max: 100}
			jobs, err := s.Jobs(context.Background(), f)
			if err != nil || w.names(jobs) != c.want {
				t.Errorf("%v: %q, %v; want %q", c.values, w.names(jobs), err, c.want)
			}
			n, err := s.CountJobs(context.Background(), f)
			if err != nil || n != int64(len(strings.Fields(c.want))) {
				t.Errorf("count %v: %d, %v; want %q", c.values, n, err, c.want)
			}
		}
	})
}

func TestJobsOfTenants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newJobWorld(t, s)
		for want, caller := range map[string]db.Caller{
			allJobs: {Tenants: []string{"t1"}, Untenanted: true}, "ax0 ax1 ax2 ax3 ax5 ax6 ax7 as2": {Tenants: []string{"t2"}, Untenanted: true}, "": {Tenants: []string{"t2"}},
		} {
			jobs, err := s.Jobs(context.Background(), &db.Filter{Caller: caller, Max: 100})
			if err != nil || w.names(jobs) != want {
				t.Errorf("of %+v: %q, %v; want %q", caller, w.names(jobs), err, want)
			}
		}
	})
}

// compareJobs orders jobs by one sort key as the contract says, nulls as the smallest.
var compareJobs = map[string]func(a, b db.Job) int{
	"jobId":       func(a, b db.Job) int { return a.ID.Compare(b.ID) },
	"jobRetries":  func(a, b db.Job) int { return cmp.Compare(a.Retries, b.Retries) },
	"jobPriority": func(a, b db.Job) int { return cmp.Compare(a.Priority, b.Priority) },
	"jobDueDate":  func(a, b db.Job) int { return cmp.Compare(orLeast(a.DueDate), orLeast(b.DueDate)) },
	"tenantId":    func(a, b db.Job) int { return cmp.Compare(orLeast(a.TenantID), orLeast(b.TenantID)) },
	"executionId": noOrder, "processInstanceId": noOrder, "processDefinitionId": noOrder, "processDefinitionKey": noOrder,
}

func noOrder(_, _ db.Job) int { return 0 }

func orLeast[T any](p *T) (least T) {
	if p == nil {
		return least
	}
	return *p
}

// Any sorting and any page show what one would see of the jobs if each were a row of its own.
func TestJobPages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newJobWorld(t, s)
		keys := slices.Sorted(maps.Keys(db.Jobs.Sorts))
		if len(keys) != len(compareJobs) {
			t.Fatalf("sort keys %v", keys)
		}
		level := rapid.Custom(func(r *rapid.T) db.Order {
			return db.Order{By: rapid.SampledFrom(keys).Draw(r, "by"), Desc: rapid.Bool().Draw(r, "desc")}
		})
		rapid.Check(t, func(r *rapid.T) {
			f := &db.Filter{Sort: rapid.SliceOfN(level, 0, 3).Draw(r, "sort"), First: rapid.IntRange(0, 13).Draw(r, "first"), Max: rapid.IntRange(0, 13).Draw(r, "max")}
			if named := rapid.SampledFrom([]int{0, 5, 100, 2000}).Draw(r, "named"); named > 0 { // few, many, and of many batches
				f.Values = map[string]any{"jobIds": someIDs(w, named)}
			}
			jobs, err := s.Jobs(context.Background(), f)
			if want := w.names(model(w, f)); err != nil || w.names(jobs) != want {
				r.Fatalf("%+v: %q, %v; want %q", f, w.names(jobs), err, want)
			}
		})
	})
}

// someIDs gives the ids of five jobs, and of as many that are not there as make n ids: 100 of the same batch, more of others.
func someIDs(w *jobWorld, n int) []string {
	ids := []string{w.id("ax0"), w.id("ax2"), w.id("ax3"), w.id("bx1"), w.id("bm1")}
	for i := 5; i < n; i++ {
		id := w.base['a'].Sub(db.SubJob, uint32(2*i))
		if n > 100 {
			id = dbtest.ID().Sub(db.SubJob, 0)
		}
		ids = append(ids, id.String())
	}
	return ids
}

// model sorts and cuts the jobs one by one.
func model(w *jobWorld, f *db.Filter) []db.Job {
	jobs := slices.Clone(w.jobs)
	if ids, ok := f.Values["jobIds"].([]string); ok {
		jobs = slices.DeleteFunc(jobs, func(j db.Job) bool { return !slices.Contains(ids, j.ID.String()) })
	}
	slices.SortFunc(jobs, func(a, b db.Job) int {
		for _, o := range f.Sort {
			if c := compareJobs[o.By](a, b); c != 0 {
				if o.Desc {
					return -c
				}
				return c
			}
		}
		return a.ID.Compare(b.ID)
	})
	from := min(f.First, len(jobs))
	return jobs[from:min(from+f.Max, len(jobs))]
}

func TestJob(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newJobWorld(t, s)
		for _, want := range w.jobs {
			j, err := s.Job(context.Background(), want.ID)
			if err != nil || j.ID != want.ID || j.Retries != want.Retries || j.Priority != want.Priority || orLeast(j.TenantID) != orLeast(want.TenantID) {
				t.Errorf("job %v: %+v, %v; want %+v", want.ID, j, err, want)
			}
		}
		id, _ := db.ParseID(w.id("ax4"))
		if _, err := s.Job(context.Background(), id); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("a job that is done: %v", err)
		}
	})
}

func TestJobsRefuse(t *testing.T) {
	t.Parallel()
	s := dbtest.SQLite(t)
	gt, near := "gt", "near"
	for name, f := range map[string]*db.Filter{
		"unknown filter":     {Values: map[string]any{"nope": true}},
		"unknown key":        {Sort: []db.Order{{By: "nope"}}},
		"no list":            {Values: map[string]any{"jobIds": "x"}},
		"no text":            {Values: map[string]any{"jobId": true}},
		"no definition":      {Values: map[string]any{"jobDefinitionId": true}},
		"no comparisons":     {Values: map[string]any{"dueDates": "gt"}},
		"no operator":        {Values: map[string]any{"dueDates": []db.Comparison{{Value: jobNow}}}},
		"unknown operator":   {Values: map[string]any{"createTimes": []db.Comparison{{Operator: &near, Value: jobNow}}}},
		"comparison to text": {Values: map[string]any{"createTimes": []db.Comparison{{Operator: &gt, Value: "x"}}}},
	} {
		if _, err := s.Jobs(context.Background(), f); !errors.Is(err, db.ErrFilter) {
			t.Errorf("list with %s: %v", name, err)
		}
		if _, err := s.CountJobs(context.Background(), f); !errors.Is(err, db.ErrFilter) {
			t.Errorf("count with %s: %v", name, err)
		}
	}
}

// BenchmarkJobs reads pages of 50 from 1,000,000 jobs in 1,000 ranges.
func BenchmarkJobs(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.Store{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			ids := million(b, s)
			for page, f := range map[string]*db.Filter{
				"first":    {Max: 50},
				"middle":   {First: 500_000, Max: 50, Sort: []db.Order{{By: "jobRetries", Desc: true}}},
				"last":     {First: 999_950, Max: 50, Sort: []db.Order{{By: "jobId", Desc: true}}},
				"one":      {Max: 50, Values: map[string]any{"jobId": ids[5000]}},
				"10000ids": {Max: 50, Values: map[string]any{"jobIds": ids}},
			} {
				b.Run(page, func(b *testing.B) {
					for b.Loop() {
						if jobs, err := s.Jobs(context.Background(), f); err != nil || len(jobs) == 0 {
							b.Fatal(len(jobs), err)
						}
					}
				})
			}
		})
	}
}

// million writes a batch of 1,000,000 jobs and gives the ids of 10,000 scattered ones.
func million(b *testing.B, s *db.Store) []string {
	b.Helper()
	id := db.BatchBase(dbtest.ID())
	ranges := make([]db.Range, 1000)
	for i := range ranges {
		ranges[i] = db.Range{BatchID: id, Kind: db.ExecutionJob, First: int32(i) * 1000, N: 1000, Retries: 3}
	}
	if err := s.Tx(context.Background(), func(tx *db.Tx) error {
		err := tx.InsertBatch(context.Background(), &db.Batch{ID: id, Mark: id.Mark(), Type: "x", Items: 1e6, TotalJobs: 1e6, JobsPerSeed: 100, ItemsPerJob: 1, JobsPerChunk: 1000})
		return errors.Join(err, tx.InsertRanges(context.Background(), ranges...))
	}); err != nil {
		b.Fatal(err)
	}
	ids := make([]string, 10_000)
	for i := range ids {
		ids[i] = id.Sub(db.SubJob, uint32(i)*100+7).String()
	}
	return ids
}
