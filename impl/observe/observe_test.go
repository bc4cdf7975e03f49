package observe

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.opentelemetry.io/otel/trace"

	"rearm/db"
	"rearm/impl/engine"
)

func newObserver(log *bytes.Buffer) *Observer {
	handler := slog.DiscardHandler
	if log != nil {
		handler = slog.NewTextHandler(log, nil)
	}
	return New(Options{Log: slog.New(LogHandler(handler)), Now: time.Now, NewID: func() string { return "made" }, Version: "1.2.3"})
}

// text gives all metrics as they are scraped.
func (o *Observer) text(t *testing.T) string {
	t.Helper()
	got := httptest.NewRecorder()
	o.Handler().ServeHTTP(got, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if got.Code != http.StatusOK {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	return got.Body.String()
}

func (o *Observer) wants(t *testing.T, lines ...string) {
	t.Helper()
	text := o.text(t)
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s in\n%s", line, text)
		}
	}
}

func TestSaneIDs(t *testing.T) {
	t.Parallel()
	for id, want := range map[string]bool{
		"a": true, "01a20f14-3ff8-7dda-babb-5fb85d0b7da1": true, "Root=1-67891233-abcdef012345678912345678": true, "A/b:c+d~e@f#g_h.i": true,
		strings.Repeat("x", 128): true, strings.Repeat("x", 129): false, "": false, "two words": false, "a\r\nSet-Cookie: b": false, `"a"`: false,
		"a;b": false, "ü": false, "a\x00": false, "<a>": false, "{}": false,
	} {
		if sane(id) != want {
			t.Errorf("%q: %v", id, !want)
		}
	}
}

// Deeds are counted by what they are.
func TestCountsDeeds(t *testing.T) {
	t.Parallel()
	o, ctx := newObserver(nil), context.Background()
	b := &db.Batch{Type: engine.SetJobRetries}
	for what, n := range map[engine.What]int{engine.TasksCreated: 1, engine.TasksLocked: 2, engine.TasksCompleted: 3, engine.TasksFailed: 4, engine.TasksDeleted: 5, engine.Changed: 6} {
		o.Did(ctx, engine.Deed{What: what, N: n})
	}
	o.Did(ctx, engine.Deed{What: engine.BatchCreated, Batch: b})
	o.Did(ctx, engine.Deed{What: engine.BatchDeleted, Batch: b})
	o.Did(ctx, engine.Deed{What: engine.JobExecuted, Batch: b, Tally: &engine.Tally{Set: 1, Unchanged: 2, Gone: 3, Failed: 4, Failures: 5, Ended: true}})
	o.wants(t, "rearm_tasks_created_total 1", "rearm_tasks_locked_total 2", "rearm_tasks_completed_total 3", "rearm_tasks_failed_total 4", "rearm_tasks_deleted_total 5",
		`rearm_batches_created_total{type="set-job-retries"} 1`, `rearm_batches_ended_total{outcome="deleted",type="set-job-retries"} 1`,
		`rearm_batches_ended_total{outcome="completed",type="set-job-retries"} 1`, `rearm_batch_items_total{outcome="set",type="set-job-retries"} 1`,
		`rearm_batch_items_total{outcome="unchanged",type="set-job-retries"} 2`, `rearm_batch_items_total{outcome="gone",type="set-job-retries"} 3`,
		`rearm_batch_items_total{outcome="failed",type="set-job-retries"} 4`, `rearm_job_failures_total{type="set-job-retries"} 5`,
		`rearm_build_info{version="1.2.3"} 1`)
}

func TestCountsChunks(t *testing.T) {
	t.Parallel()
	o := newObserver(nil)
	o.Ran(engine.Chunk{Type: engine.SetExternalTaskRetries, Took: 20 * time.Millisecond, Jobs: 7, Lag: 2 * time.Second, Tally: engine.Tally{Set: 7}, TookOver: true})
	o.Ran(engine.Chunk{Took: time.Second, Err: errors.New("away")}) // whose batch was not found
	o.wants(t, `rearm_executor_chunk_duration_seconds_bucket{outcome="done",le="0.025"} 1`, `rearm_executor_chunk_duration_seconds_count{outcome="failed"} 1`,
		"rearm_executor_lag_seconds_sum 2", "rearm_executor_lag_seconds_count 1", "rearm_executor_takeovers_total 1",
		`rearm_batch_items_total{outcome="set",type="set-external-task-retries"} 7`)
	if strings.Contains(o.text(t), `type=""`) {
		t.Error("a batch without a type was counted")
	}
}

// shelf is a database of a test.
type shelf struct {
	asked int
	takes time.Duration
	err   error
	away  bool
}

func (s *shelf) Standing(context.Context) (db.Standing, error) {
	s.asked++
	time.Sleep(s.takes)
	return db.Standing{TaskIncidents: int64(s.asked), JobIncidents: 3, ActiveBatches: 2, SuspendedBatches: 1}, s.err
}
func (s *shelf) Away() bool                { return s.away }
func (s *shelf) Pools() map[string]*sql.DB { return nil }
func (s *shelf) WritesWaiting() int64      { return 7 }

// The database is asked now and then, however often the metrics are read, and less often when it is slow.
func TestStandingIsKept(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o, s := newObserver(nil), &shelf{}
		o.WatchDatabase(s)
		check := func(after time.Duration, asked int) {
			t.Helper()
			time.Sleep(after)
			for range 3 {
				o.text(t)
			}
			if s.asked != asked {
				t.Errorf("asked %d times, want %d", s.asked, asked)
			}
		}
		check(0, 1)
		o.wants(t, `rearm_incidents_open{type="failedExternalTask"} 1`, `rearm_incidents_open{type="failedJob"} 3`, `rearm_batches_running{state="active"} 2`,
			`rearm_batches_running{state="suspended"} 1`, "rearm_database_up 1", "rearm_writes_waiting 7")
		check(standingEvery-1, 1)
		s.takes = 2 * time.Second
		check(1, 2)
		check(standingEvery, 2)
		check(standingShare*s.takes-standingEvery, 3)
	})
}

// Of a database that is away nothing is told but that.
func TestStandingOfADatabaseThatIsAway(t *testing.T) {
	t.Parallel()
	o, s := newObserver(nil), &shelf{away: true, err: errors.New("away")}
	o.WatchDatabase(s)
	o.wants(t, "rearm_database_up 0")
	if text := o.text(t); strings.Contains(text, "rearm_incidents_open{") || strings.Contains(text, "rearm_batches_running{") {
		t.Errorf("%s", text)
	}
}

func TestRoom(t *testing.T) {
	t.Parallel()
	o := newObserver(nil)
	o.WatchRoom(func() int { return 7 }, 9)
	o.wants(t, "rearm_fetches_waiting 7", "rearm_fetches_waiting_max 9")
}

// A line outside of any request tells none, and keeps its own words; a traced one has its trace.
func TestLogHandler(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	o := newObserver(&log)
	logger := o.Log.With("a", 1).WithGroup("g")
	logger.Info("plain", "b", 2)
	span := trace.NewSpanContext(trace.SpanContextConfig{TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled})
	logger.InfoContext(trace.ContextWithSpanContext(context.Background(), span), "traced")
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if !strings.HasSuffix(lines[0], "msg=plain a=1 g.b=2") || !strings.HasSuffix(lines[1], "msg=traced a=1 g.trace_id=01000000000000000000000000000000") {
		t.Errorf("%s", log.String())
	}
}
