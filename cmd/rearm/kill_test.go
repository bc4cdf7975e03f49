package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/oapi-codegen/nullable"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
)

// kills is how many processes each of the tests kills that do; 0 leaves it to them.
var kills = flag.Int("kills", 0, "how many processes each kill test kills; 0: 100 on SQLite, 20 in the chaos; a tenth of it with -short")

// killsOr gives how many processes a test kills, where it usually kills so many.
func killsOr(usual int) int {
	switch {
	case *kills > 0:
		return *kills
	case testing.Short():
		return max(1, usual/10)
	}
	return usual
}

// The sizes and paces of the siege.
const (
	siegeTasks = 20_000 / heavy
	siegeTopic = "siege"
	shortest   = 20 * time.Millisecond // what the longest life of a process is at least
	longest    = 2 * time.Second       // and at most
)

// siege is one SQLite file under batches that set all tasks, one after the other, to more than 0 and to 0 in turns, while the
// process is killed again and again.
type siege struct {
	url     string
	conn    *sqlx.DB
	window  time.Duration // a process lives at most so long once it serves
	done    int           // jobs that were done when the last process was killed
	posted  int           // batches that were asked for
	waiting bool          // for the answer to the last one: the process was killed before it came
	batches []string      // the ids that were answered
	inside  int           // kills while a batch ran
	midway  int           // of these, while some of its jobs were done and some were not
}

// retriesOf is what the batch of a number sets.
func retriesOf(number int) int32 {
	if number%2 == 1 {
		return 0
	}
	return int32(5 + number)
}

// A process that is killed at any moment, again and again, in the middle of batches, leaves nothing done twice, and nothing undone.
func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	n := killsOr(100)
	s := &siege{url: "sqlite:" + filepath.Join(t.TempDir(), "rearm.db")}
	c := startChild(t, s.url)
	s.conn = dbtest.Connect(t, s.url)
	createSiege(t, c)
	start := time.Now()
	s.ask(t, c)()
	s.rest(t)
	s.window = min(time.Since(start)/2, longest)
	c.kill(t)
	for range n {
		s.once(t)
	}
	c = startChild(t, s.url)
	if s.waiting {
		s.ask(t, c)()
	}
	s.rest(t)
	c.terminate(t)
	t.Logf("%d kills in %v, %d of them while a batch ran, %d when it was partly done; %d batches, a process lived up to %v",
		n, time.Since(start).Round(time.Second), s.inside, s.midway, len(s.batches), s.window)
	if s.inside < n/2 || s.midway < n/5 {
		t.Errorf("only %d of %d kills came while a batch ran, only %d when it was partly done", s.inside, n, s.midway)
	}
	s.check(t)
}

// createSiege makes the tasks, every other one with an incident.
func createSiege(t *testing.T, c *child) {
	t.Helper()
	const atOnce = siegeTasks / 4
	for range 4 {
		list := make([]gen.CreateExternalTaskDto, atOnce)
		for i := range list {
			list[i].TopicName = siegeTopic
			if i%2 == 0 {
				list[i].Retries = nullable.NewNullableWithValue(int32(0))
			}
		}
		res, err := c.client.CreateExternalTasksWithResponse(t.Context(), &gen.CreateExternalTasksParams{}, gen.CreateExternalTasksDto{ExternalTasks: list})
		if err := refused("create tasks", 200, res, err); err != nil {
			t.Fatal(err)
		}
	}
}

// once starts a process, gives it work if there is none, and kills it, perhaps before it serves.
func (s *siege) once(t *testing.T) {
	t.Helper()
	c := spawn(t, s.url)
	heard := func() {}
	if s.waiting || s.running(t) == 0 {
		c.dial(t)
		if heard = s.ask(t, c); rand.IntN(4) > 0 { // else the kill may come before the answer
			heard()
		}
	} else if rand.IntN(10) > 0 {
		c.dial(t)
	}
	time.Sleep(rand.N(s.window))
	c.kill(t)
	heard()
	s.look(t)
}

// look looks where the kill has hit, and lets the next process live longer if this one has got nothing done, and shorter if it has
// ended its batch.
func (s *siege) look(t *testing.T) {
	t.Helper()
	if s.running(t) == 0 {
		s.window, s.done = max(s.window*2/3, shortest), 0
		return
	}
	s.inside++
	done := counted(t, s.conn, "select coalesce(sum(l.n), 0) from job_log l join batch b on b.id = l.batch_id where l.kind = 1 and l.event = 3")
	if done > 0 && done < siegeTasks {
		s.midway++
	}
	if done == s.done {
		s.window = min(s.window*9/8, longest)
	}
	s.done = done
}

func (s *siege) running(t *testing.T) int {
	t.Helper()
	return counted(t, s.conn, "select count(*) from batch")
}

// rest waits until no batch runs.
func (s *siege) rest(t *testing.T) {
	t.Helper()
	until(t, "the end of all batches", func() bool { return s.running(t) == 0 })
}

// ask asks for the next batch, or again for the one whose answer never came; heard waits for the answer, if one comes.
func (s *siege) ask(t *testing.T, c *child) (heard func()) {
	t.Helper()
	if !s.waiting {
		s.posted++
	}
	s.waiting = true
	body := fmt.Sprintf(`{"retries": %d, "externalTaskQuery": {"topicName": %q}}`, retriesOf(s.posted-1), siegeTopic)
	answer := make(chan string, 1)
	go func() { answer <- posted(t.Context(), c.url, fmt.Sprintf("batch %d", s.posted), body) }()
	return sync.OnceFunc(func() {
		if id := <-answer; id != "" {
			s.waiting = false
			s.batches = append(s.batches, id)
		}
	})
}

// posted asks for a batch under an Idempotency-Key and gives its id; "" when no answer came.
func posted(ctx context.Context, url, key, body string) (batch string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/engine-rest/external-task/retries-async", bytes.NewReader([]byte(body)))
	if err != nil {
		return ""
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Idempotency-Key", key)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer res.Body.Close() //nolint:errcheck // what could not be read is no answer
	text, err := io.ReadAll(res.Body)
	var answer gen.BatchDto
	if err != nil || res.StatusCode != http.StatusOK || json.Unmarshal(text, &answer) != nil {
		return ""
	}
	return answer.ID
}

// check checks what is in the file at the end, item by item.
func (s *siege) check(t *testing.T) {
	t.Helper()
	obey(t, s.conn)
	batches := allEnded(t, s.conn)
	if len(batches) != s.posted || len(s.batches) != s.posted {
		t.Fatalf("%d batches were asked for, %d answered, %d are there", s.posted, len(s.batches), len(batches))
	}
	for i, b := range batches {
		if b.ID.String() != s.batches[i] || *b.Retries != retriesOf(i) || b.TotalJobs != siegeTasks || b.Items != siegeTasks {
			t.Errorf("batch %d is %s with %d retries, %d jobs, %d items", i, b.ID, *b.Retries, b.TotalJobs, b.Items)
		}
		s.checkOutcomes(t, i, b)
	}
	last := retriesOf(s.posted - 1)
	if n := counted(t, s.conn, "select count(*) from external_task_state where rev <> ? or retries <> ? or set_by <> ?", 1+s.posted, last, batches[s.posted-1].ID.Mark()); n > 0 {
		t.Errorf("%d tasks were not set exactly once by each batch", n)
	}
	s.checkIncidents(t)
}

// checkOutcomes checks that each item of a batch found what the batch before had set.
func (s *siege) checkOutcomes(t *testing.T, i int, b ended) {
	t.Helper()
	counts := map[int32]int{}
	for _, o := range b.outcomes(t) {
		switch {
		case o.Gone:
			counts[-2]++
		case o.Previous == nil:
			counts[-1]++
		default:
			counts[*o.Previous]++
		}
	}
	want := map[int32]int{-1: siegeTasks / 2, 0: siegeTasks / 2}
	if i > 0 {
		want = map[int32]int{retriesOf(i - 1): siegeTasks}
	}
	if fmt.Sprint(counts) != fmt.Sprint(want) {
		t.Errorf("batch %d found the retries %v, want %v (-1: none yet, -2: gone)", i, counts, want)
	}
}

// checkIncidents checks that every batch to 0 has made one incident a task, and every other one has resolved it.
func (s *siege) checkIncidents(t *testing.T) {
	t.Helper()
	lowered := s.posted / 2
	open := 0
	if retriesOf(s.posted-1) == 0 {
		open = siegeTasks
	}
	all := siegeTasks/2 + lowered*siegeTasks
	for state, want := range map[int]int{db.IncidentOpen: open, db.IncidentResolved: all - open, db.IncidentDeleted: 0} {
		if n := counted(t, s.conn, "select count(*) from incident where state = ?", state); n != want {
			t.Errorf("%d incidents of state %d, want %d", n, state, want)
		}
	}
	const uneven = `select count(*) from (select (select count(*) from incident i where i.configuration = s.id) as n from external_task_state s) x where n not in (?, ?)`
	if n := counted(t, s.conn, uneven, lowered, lowered+1); n > 0 {
		t.Errorf("%d tasks have more or fewer than %d or %d incidents in their history", n, lowered, lowered+1)
	}
}
