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

// jobLogWorld is the log of three batches. An entry is called by its batch, x, s or m for the kind of its job, the job's number, and
// +, !, . or - for its creation, failure, success or deletion. The history of batch c is gone.
type jobLogWorld struct {
	store   *db.Store
	base    map[byte]db.ID // a: of no tenant, the lower id, may be removed at 7000; b: of tenant t1
	entries []db.LogEntry  // all that can be seen, one by one
}

// newJobLogWorld writes ranges that differ in all that a filter or a sort key looks at, and overlap as those of real batches do.
func newJobLogWorld(t *testing.T, s *db.Store) *jobLogWorld {
	t.Helper()
	w, ctx := &jobLogWorld{store: s, base: map[byte]db.ID{}}, context.Background()
	ids := []db.ID{db.BatchBase(dbtest.ID()), db.BatchBase(dbtest.ID()), db.BatchBase(dbtest.ID())}
	slices.SortFunc(ids, db.ID.Compare)
	a, b, c := ids[0], ids[1], ids[2]
	w.base['a'], w.base['b'], w.base['c'] = a, b, c
	due := db.Time(9000)
	ranges := []db.LogRange{
		{BatchID: a, Kind: db.SeedJob, Event: db.JobCreated, First: 0, N: 1, At: 1000, Retries: 3, Host: ptr("n1")},
		{BatchID: a, Kind: db.SeedJob, Event: db.JobSucceeded, First: 0, N: 2, At: 2000, Retries: 3, Host: ptr("n1")},
		{BatchID: a, Kind: db.SeedJob, Event: db.JobCreated, First: 1, N: 1, At: 2000, Retries: 3, Host: ptr("n1")},
		{BatchID: a, Kind: db.ExecutionJob, Event: db.JobCreated, First: 0, N: 8, At: 2000, Retries: 3, Host: ptr("n1")},
		{BatchID: a, Kind: db.ExecutionJob, Event: db.JobSucceeded, First: 0, N: 3, At: 3000, Retries: 3, Host: ptr("n2"), Set: 3, Outcome: []byte{1, 1, 1}},
		{BatchID: a, Kind: db.ExecutionJob, Event: db.JobFailed, First: 4, Seq: 0, N: 1, At: 3000, Retries: 3, Host: ptr("n2"), Message: ptr("boom"), Stacktrace: ptr("at x")},
		{BatchID: a, Kind: db.ExecutionJob, Event: db.JobFailed, First: 5, Seq: 1, N: 1, At: 3000, Retries: 3, Host: ptr("n2"), Message: ptr("bang"), Stacktrace: ptr("at y")},
		{BatchID: a, Kind: db.ExecutionJob, Event: db.JobFailed, First: 4, Seq: 2, N: 1, At: 3500, Retries: 2, Host: ptr("n1"), Message: ptr("boom"), Stacktrace: ptr("at z")},
		{BatchID: a, Kind: db.ExecutionJob, Event: db.JobDeleted, First: 4, N: 1, At: 4000, Retries: 1, Priority: 7, DueDate: &due, Host: ptr("n1")},
		{BatchID: a, Kind: db.ExecutionJob, Event: db.JobSucceeded, First: 6, N: 2, At: 4000, Retries: 3, Priority: -1, Host: ptr("n1"), Set: 2, Outcome: []byte{1, 1}},
		{BatchID: a, Kind: db.MonitorJob, Event: db.JobCreated, First: 0, N: 1, At: 2000, Retries: 3, Host: ptr("n1")},
		{BatchID: b, Kind: db.ExecutionJob, Event: db.JobCreated, First: 0, N: 2, At: 2000, Retries: 3, Priority: 7},
		{BatchID: b, Kind: db.ExecutionJob, Event: db.JobDeleted, First: 0, N: 2, At: 2500, Retries: 3, Priority: 7},
		{BatchID: c, Kind: db.ExecutionJob, Event: db.JobCreated, First: 0, N: 2, At: 2000, Retries: 3},
	}
	in(t, s, func(tx *db.Tx) error {
		for letter, id := range w.base {
			batch := &db.Batch{ID: id, Mark: id.Mark(), Type: "set-external-task-retries", Items: 8, TotalJobs: 8, JobsPerSeed: 100, ItemsPerJob: 1, JobsPerChunk: 1000}
			if letter == 'b' {
				batch.TenantID, batch.Type = ptr("t1"), "set-job-retries"
			}
			if err := tx.InsertBatch(ctx, batch); err != nil {
				return err
			}
		}
		return errors.Join(tx.InsertLog(ctx, ranges[:len(ranges)-1]...), tx.SetRemovalTime(ctx, []db.ID{a}, ptr(db.Time(7000))),
			tx.DeleteRunningHistory(ctx, c), tx.InsertLog(ctx, ranges[len(ranges)-1]))
	})
	for _, r := range ranges[:len(ranges)-1] {
		for n := range r.N {
			e := db.LogEntry{LogRange: r, JobType: map[db.JobKind]string{db.SeedJob: "batch-seed-job", db.MonitorJob: "batch-monitor-job", db.ExecutionJob: "set-external-task-retries"}[r.Kind]}
			e.First += n
			if r.BatchID == a {
				e.RemovalTime = ptr(db.Time(7000))
			} else {
				e.TenantID, e.JobType = ptr("t1"), "set-job-retries"
			}
			w.entries = append(w.entries, e)
		}
	}
	return w
}

// names gives the names of entries, separated by blanks.
func (w *jobLogWorld) names(entries []db.LogEntry) string {
	var list []string
	for i := range entries {
		letter := "b"
		if entries[i].BatchID == w.base['a'] {
			letter = "a"
		}
		_, kind, number := entries[i].JobID().Split()
		list = append(list, fmt.Sprint(letter, kinds[db.JobKind(kind)], number)+"+!.-"[entries[i].Event-1:entries[i].Event])
	}
	return strings.Join(list, " ")
}

// find gives the entries of a name in the order of what happened; a job may fail more than once.
func (w *jobLogWorld) find(name string) (found []db.LogEntry) {
	for i := range w.entries {
		if w.names(w.entries[i:i+1]) == name {
			found = append(found, w.entries[i])
		}
	}
	return found
}

// job gives the id of the job of an entry's name, and id the id of its first entry.
func (w *jobLogWorld) job(name string) string { e := w.find(name)[0]; return e.JobID().String() }
func (w *jobLogWorld) id(name string) string  { e := w.find(name)[0]; return e.ID().String() }

const (
	logOfA = "as0+ ax0+ ax1+ ax2+ ax3+ ax4+ ax5+ ax6+ ax7+ as1+ as0. as1. am0+"
	laterA = "ax4! ax5! ax0. ax1. ax2. ax4! ax6. ax7. ax4-"
	allLog = logOfA + " bx0+ bx1+ bx0- bx1- " + laterA
)

func TestJobLogFilters(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newJobLogWorld(t, s)
		for _, c := range []struct {
			values map[string]any
			want   string
		}{
			{nil, allLog},
			{map[string]any{"logId": w.id("ax1+")}, "ax1+"},
			{map[string]any{"logId": w.id("ax1.")}, "ax1."},
			{map[string]any{"logId": w.id("ax4-")}, "ax4-"},
			{map[string]any{"logId": w.id("ax5!")}, "ax5!"},
			{map[string]any{"logId": w.id("as1+")}, "as1+"},
			{map[string]any{"logId": w.id("as1.")}, "as1."},
			{map[string]any{"logId": w.id("am0+")}, "am0+"},
			{map[string]any{"logId": w.base['a'].Sub(db.SubCreationLog, 8).String()}, ""},
			{map[string]any{"logId": w.base['a'].Sub(db.SubEndLog, 3).String()}, ""},
			{map[string]any{"logId": w.base['a'].Sub(db.SubFailureLog, 3).String()}, ""},
			{map[string]any{"logId": w.base['a'].Sub(db.SubEndLog+2, 0).String()}, ""},
			{map[string]any{"logId": w.base['a'].Sub(db.SubCreationLog, 1<<31).String()}, ""},
			{map[string]any{"logId": w.base['a'].Sub(db.SubFailureLog, 1<<31).String()}, ""},
			{map[string]any{"logId": w.job("ax1+")}, ""},
			{map[string]any{"logId": w.base['a'].String()}, ""},
			{map[string]any{"logId": "nonexistent"}, ""},
			{map[string]any{"logId": ""}, ""},
			{map[string]any{"jobId": w.job("ax1+")}, "ax1+ ax1."},
			{map[string]any{"jobId": w.job("ax4+")}, "ax4+ ax4! ax4! ax4-"},
			{map[string]any{"jobId": w.job("as1+")}, "as1+ as1."},
			{map[string]any{"jobId": w.base['a'].Sub(db.SubJob, 8).String()}, ""},
			{map[string]any{"jobId": w.base['a'].Sub(db.SubJob, 1<<32-1).String()}, ""},
			{map[string]any{"jobId": w.base['c'].Sub(db.SubJob, 0).String()}, ""},
			{map[string]any{"jobId": w.id("ax1+")}, ""},
			{map[string]any{"jobId": "nonexistent"}, ""},
			{map[string]any{"jobId": w.job("ax4+"), "failureLog": true}, "ax4! ax4!"},
			{map[string]any{"jobId": w.job("ax4+"), "logId": w.id("ax4!")}, "ax4!"},
			{map[string]any{"jobId": w.job("ax5+"), "logId": w.id("ax4!")}, ""},
			{map[string]any{"jobId": w.job("ax4+"), "logId": w.id("ax4-")}, "ax4-"},
			{map[string]any{"jobId": w.job("ax4+"), "logId": w.id("ax5+")}, ""},
			{map[string]any{"jobExceptionMessage": "boom"}, "ax4! ax4!"},
			{map[string]any{"jobExceptionMessage": "boo"}, ""},
			{map[string]any{"jobDefinitionId": db.MonitorJob.Definition(w.base['a']).String()}, "am0+"},
			{map[string]any{"jobDefinitionId": db.ExecutionJob.Definition(w.base['b']).String()}, "bx0+ bx1+ bx0- bx1-"},
			{map[string]any{"jobDefinitionId": "nonexistent"}, ""},
			{map[string]any{"jobDefinitionType": "batch-seed-job"}, "as0+ as1+ as0. as1."},
			{map[string]any{"jobDefinitionType": "batch-monitor-job"}, "am0+"},
			{map[string]any{"jobDefinitionType": "set-job-retries"}, "bx0+ bx1+ bx0- bx1-"},
			{map[string]any{"jobDefinitionType": "other"}, ""},
			{map[string]any{"jobDefinitionConfiguration": w.base['a'].String()}, logOfA + " " + laterA},
			{map[string]any{"jobDefinitionConfiguration": w.base['c'].String()}, ""},
			{map[string]any{"jobDefinitionConfiguration": "nonexistent"}, ""},
			{map[string]any{"activityIdIn": []string{"a"}}, ""},
			{map[string]any{"failedActivityIdIn": []string{"a"}}, ""},
			{map[string]any{"executionIdIn": []string{"a"}}, ""},
			{map[string]any{"processInstanceId": "x"}, ""},
			{map[string]any{"processDefinitionId": "x"}, ""},
			{map[string]any{"processDefinitionKey": "x"}, ""},
			{map[string]any{"deploymentId": "x"}, ""},
			{map[string]any{"tenantIdIn": []string{"t1", "t2"}}, "bx0+ bx1+ bx0- bx1-"},
			{map[string]any{"tenantIdIn": []string{""}}, ""},
			{map[string]any{"tenantIdIn": []string{"t1"}, "withoutTenantId": true}, logOfA + " " + laterA},
			{map[string]any{"tenantIdIn": []string{"t1"}, "withoutTenantId": false}, "bx0+ bx1+ bx0- bx1-"},
			{map[string]any{"hostname": "n2"}, "ax4! ax5! ax0. ax1. ax2."},
			{map[string]any{"hostname": "n"}, ""},
			{map[string]any{"jobPriorityLowerThanOrEquals": int64(-1)}, "ax6. ax7."},
			{map[string]any{"jobPriorityHigherThanOrEquals": int64(7)}, "bx0+ bx1+ bx0- bx1- ax4-"},
			{map[string]any{"creationLog": true}, "as0+ ax0+ ax1+ ax2+ ax3+ ax4+ ax5+ ax6+ ax7+ as1+ am0+ bx0+ bx1+"},
			{map[string]any{"creationLog": false}, allLog},
			{map[string]any{"creationLog": true, "failureLog": true}, "ax4! ax5! ax4!"},
			{map[string]any{"failureLog": true, "successLog": true, "creationLog": true}, "as0. as1. ax0. ax1. ax2. ax6. ax7."},
			{map[string]any{"deletionLog": true, "failureLog": true, "successLog": true, "creationLog": true}, "bx0- bx1- ax4-"},
			{map[string]any{"deletionLog": false, "failureLog": true}, "ax4! ax5! ax4!"},
		} {
			f := &db.Filter{Values: c.values, Max: 100}
			list, err := s.JobLog(context.Background(), f)
			if err != nil || w.names(list) != c.want {
				t.Errorf("%v: %q, %v; want %q", c.values, w.names(list), err, c.want)
			}
			n, err := s.CountJobLog(context.Background(), f)
			if err != nil || n != int64(len(strings.Fields(c.want))) {
				t.Errorf("count %v: %d, %v; want %q", c.values, n, err, c.want)
			}
		}
	})
}

func TestJobLogOfTenants(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newJobLogWorld(t, s)
		for want, caller := range map[string]db.Caller{
			allLog: {Tenants: []string{"t1"}, Untenanted: true}, logOfA + " " + laterA: {Tenants: []string{"t2"}, Untenanted: true}, "": {Tenants: []string{"t2"}},
		} {
			list, err := s.JobLog(context.Background(), &db.Filter{Caller: caller, Max: 100})
			if err != nil || w.names(list) != want {
				t.Errorf("of %+v: %q, %v; want %q", caller, w.names(list), err, want)
			}
		}
	})
}

// An entry read by itself says all that is known of it, the stack trace included; in lists that is left out.
func TestLogEntry(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newJobLogWorld(t, s)
		for _, want := range w.entries {
			got, err := s.LogEntry(context.Background(), want.ID())
			if err != nil {
				t.Fatal(err)
			}
			if orLeast(got.Stacktrace) != orLeast(want.Stacktrace) {
				t.Errorf("stack trace %v, want %v", got.Stacktrace, want.Stacktrace)
			}
			listed, err := s.JobLog(context.Background(), &db.Filter{Values: map[string]any{"logId": want.ID().String()}, Max: 2})
			if err != nil || len(listed) != 1 || listed[0].Stacktrace != nil {
				t.Fatalf("listed %+v, %v", listed, err)
			}
			if a, b, c := plain(*got), plain(listed[0]), plain(want); a != c || b != c {
				t.Errorf("entry\n%s, listed\n%s, want\n%s", a, b, c)
			}
		}
		if _, err := s.LogEntry(context.Background(), w.base['a'].Sub(db.SubFailureLog, 9)); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("an entry that is not there: %v", err)
		}
	})
}

// plain writes all of an entry that lists show.
func plain(l db.LogEntry) string {
	return fmt.Sprint(l.ID(), l.JobID(), l.At, l.Retries, l.Priority, orLeast(l.DueDate), orLeast(l.Host), orLeast(l.Message), l.JobType,
		orLeast(l.RemovalTime), orLeast(l.TenantID))
}

// compareEntries orders entries by one sort key as the contract says, nulls as the smallest.
var compareEntries = map[string]func(a, b db.LogEntry) int{
	"timestamp":       func(a, b db.LogEntry) int { return cmp.Compare(a.At, b.At) },
	"jobId":           func(a, b db.LogEntry) int { return a.JobID().Compare(b.JobID()) },
	"jobDefinitionId": func(a, b db.LogEntry) int { return a.Kind.Definition(a.BatchID).Compare(b.Kind.Definition(b.BatchID)) },
	"jobDueDate":      func(a, b db.LogEntry) int { return cmp.Compare(orLeast(a.DueDate), orLeast(b.DueDate)) },
	"jobRetries":      func(a, b db.LogEntry) int { return cmp.Compare(a.Retries, b.Retries) },
	"jobPriority":     func(a, b db.LogEntry) int { return cmp.Compare(a.Priority, b.Priority) },
	"tenantId":        func(a, b db.LogEntry) int { return cmp.Compare(orLeast(a.TenantID), orLeast(b.TenantID)) },
	"hostname":        func(a, b db.LogEntry) int { return cmp.Compare(orLeast(a.Host), orLeast(b.Host)) },
	"occurrence": func(a, b db.LogEntry) int {
		return cmp.Or(cmp.Compare(min(a.Event, db.JobSucceeded), min(b.Event, db.JobSucceeded)), cmp.Compare(a.Seq, b.Seq))
	},
	"activityId": noEntryOrder, "executionId": noEntryOrder, "processInstanceId": noEntryOrder, "processDefinitionId": noEntryOrder,
	"processDefinitionKey": noEntryOrder, "deploymentId": noEntryOrder,
}

func noEntryOrder(_, _ db.LogEntry) int { return 0 }

// Any filter, sorting and page show what one would see of the entries if each were a row of its own.
func TestJobLogPages(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newJobLogWorld(t, s)
		keys := slices.Sorted(maps.Keys(db.JobLog.Sorts))
		if len(keys) != len(compareEntries) {
			t.Fatalf("sort keys %v", keys)
		}
		level := rapid.Custom(func(r *rapid.T) db.Order {
			by := rapid.SampledFrom(append(slices.Repeat([]string{"jobId"}, 8), keys...)).Draw(r, "by")
			return db.Order{By: by, Desc: rapid.Bool().Draw(r, "desc")}
		})
		filters := []map[string]any{nil, nil, {"jobId": w.job("ax4+")}, {"failureLog": true}, {"successLog": true}, {"hostname": "n1"}}
		rapid.Check(t, func(r *rapid.T) {
			f := &db.Filter{Sort: rapid.SliceOfN(level, 0, 3).Draw(r, "sort"), First: rapid.IntRange(0, 30).Draw(r, "first"),
				Max: rapid.IntRange(0, 30).Draw(r, "max"), Values: rapid.SampledFrom(filters).Draw(r, "filter")}
			list, err := s.JobLog(context.Background(), f)
			if want := w.names(logModel(w, f)); err != nil || w.names(list) != want {
				r.Fatalf("%+v: %q, %v; want %q", f, w.names(list), err, want)
			}
		})
	})
}

// logModel filters, sorts and cuts the entries one by one.
func logModel(w *jobLogWorld, f *db.Filter) []db.LogEntry {
	list := slices.DeleteFunc(slices.Clone(w.entries), func(e db.LogEntry) bool {
		job, ok := f.Values["jobId"]
		return ok && e.JobID().String() != job || f.Acts("failureLog") && e.Event != db.JobFailed ||
			f.Acts("successLog") && e.Event != db.JobSucceeded || f.Acts("hostname") && orLeast(e.Host) != f.Values["hostname"]
	})
	slices.SortFunc(list, func(a, b db.LogEntry) int {
		for _, o := range f.Sort {
			if c := compareEntries[o.By](a, b); c != 0 {
				if o.Desc {
					return -c
				}
				return c
			}
		}
		return cmp.Or(cmp.Compare(a.At, b.At), a.BatchID.Compare(b.BatchID), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Event, b.Event),
			cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.First, b.First))
	})
	from := min(f.First, len(list))
	return list[from:min(from+f.Max, len(list))]
}

func TestJobLogRefuses(t *testing.T) {
	t.Parallel()
	s := dbtest.SQLite(t)
	for name, f := range map[string]*db.Filter{
		"unknown filter":     {Values: map[string]any{"nope": true}},
		"unknown key":        {Sort: []db.Order{{By: "nope"}}},
		"before the job":     {Sort: []db.Order{{By: "nope"}, {By: "jobId"}}},
		"behind the job":     {Sort: []db.Order{{By: "jobId"}, {By: "nope"}}},
		"sorted, and a list": {Sort: []db.Order{{By: "jobId"}}, Values: map[string]any{"jobId": []string{"x"}}},
		"no text":            {Values: map[string]any{"logId": true}},
		"no boolean":         {Values: map[string]any{"successLog": "true"}},
	} {
		if _, err := s.JobLog(context.Background(), f); !errors.Is(err, db.ErrFilter) {
			t.Errorf("list with %s: %v", name, err)
		}
		if _, err := s.CountJobLog(context.Background(), f); !errors.Is(err, db.ErrFilter) {
			t.Errorf("count with %s: %v", name, err)
		}
	}
}

// BenchmarkJobLog reads pages of 50 and counts of the log of 1,000,000 jobs, which are 2,000 rows.
func BenchmarkJobLog(b *testing.B) {
	for name, open := range map[string]func(testing.TB) *db.Store{"sqlite": dbtest.SQLite, "postgres": dbtest.Postgres} {
		b.Run(name, func(b *testing.B) {
			s := open(b)
			id := millionEntries(b, s)
			byJob := []db.Order{{By: "jobId", Desc: true}, {By: "timestamp"}}
			for page, f := range map[string]*db.Filter{
				"first":        {Max: 50},
				"middle":       {First: 1_000_000, Max: 50, Sort: []db.Order{{By: "jobRetries", Desc: true}}},
				"last":         {First: 1_999_950, Max: 50, Sort: []db.Order{{By: "timestamp"}}},
				"by job first": {Max: 50, Sort: byJob},
				"by job last":  {First: 1_999_950, Max: 50, Sort: byJob},
				"one job":      {Max: 50, Values: map[string]any{"jobId": id.Sub(db.SubJob, 777_777).String()}},
				"one entry":    {Max: 50, Values: map[string]any{"logId": id.Sub(db.SubEndLog, 777_777).String()}},
			} {
				b.Run(page, func(b *testing.B) {
					for b.Loop() {
						if list, err := s.JobLog(context.Background(), f); err != nil || len(list) == 0 {
							b.Fatal(len(list), err)
						}
					}
				})
			}
			b.Run("count", func(b *testing.B) {
				for b.Loop() {
					if n, err := s.CountJobLog(context.Background(), &db.Filter{}); err != nil || n != 2_000_000 {
						b.Fatal(n, err)
					}
				}
			})
		})
	}
}

// millionEntries writes the creations and successes of a batch of 1,000,000 jobs.
func millionEntries(b *testing.B, s *db.Store) db.ID {
	b.Helper()
	id := db.BatchBase(dbtest.ID())
	var log []db.LogRange
	for i := range int32(1000) {
		log = append(log, db.LogRange{BatchID: id, Kind: db.ExecutionJob, Event: db.JobCreated, First: i * 1000, N: 1000, At: db.Time(i), Retries: 3},
			db.LogRange{BatchID: id, Kind: db.ExecutionJob, Event: db.JobSucceeded, First: i * 1000, N: 1000, At: db.Time(1000 + i), Retries: 3, Outcome: make([]byte, 1000)})
	}
	if err := s.Tx(context.Background(), func(tx *db.Tx) error {
		err := tx.InsertBatch(context.Background(), &db.Batch{ID: id, Mark: id.Mark(), Type: "x", Items: 1e6, TotalJobs: 1e6, JobsPerSeed: 100, ItemsPerJob: 1, JobsPerChunk: 1000})
		return errors.Join(err, tx.InsertLog(context.Background(), log...))
	}); err != nil {
		b.Fatal(err)
	}
	return id
}
