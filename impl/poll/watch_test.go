package poll

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rearm/db"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// A lock that runs out wakes at that moment, and nobody has asked again and again meanwhile.
func TestLockRunsOut(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		for i := range 3 {
			w.add("a").until = time.Now().Add(time.Duration(i+1) * 1500 * time.Millisecond)
		}
		var line []*poller
		for i := range 3 {
			line = append(line, w.poll(fetch(fmt.Sprint(i), "a")))
		}
		if n := len(w.tried()); n != 3 {
			t.Errorf("%d attempts, want one for each", n)
		}
		for i, p := range line {
			p.wants(1, time.Duration(i+1)*1500*time.Millisecond)
		}
		if got := w.tried(); len(got) > 6 {
			t.Errorf("fetched for %v", got)
		}
		if n := w.surveyed(); n > 10 {
			t.Errorf("%d surveys", n)
		}
	})
}

// The end of a lock that was taken later, here or on another node, is known by Hold.
func TestHold(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		p := w.poll(fetch("w", "a"))
		time.Sleep(100 * time.Millisecond)
		until := time.Now().Add(time.Second)
		w.add("a").until = until
		w.Hold("a", db.TimeOf(until.Add(time.Hour)))
		w.Hold("a", db.TimeOf(until))
		w.Hold("nobody's", db.TimeOf(until))
		p.wants(1, 1100*time.Millisecond)
	})
}

// A task that another transaction has in hand is passed over; when that ends without a word, the waiter gets it all the same.
func TestPassedOver(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		p := w.poll(fetch("w", "a"))
		time.Sleep(time.Second)
		k := w.add("a")
		w.with(func() { k.inHand = true })
		w.Wake([]string{"a"})
		time.Sleep(10 * time.Millisecond)
		w.with(func() { k.inHand = false })
		p.wants(1, time.Second+minPause)
	})
}

// Tasks that nobody wants are looked at less and less often; one that somebody wants is given at once.
func TestUnwantedTasks(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		key := "wanted"
		in := fetch("w", "a")
		in.Topics[0].BusinessKey = &key
		w.add("a")
		p := w.poll(in)
		time.Sleep(10 * time.Minute)
		if n := len(w.tried()); n > 30 {
			t.Errorf("%d attempts in ten minutes", n)
		}
		k := w.add("a")
		w.with(func() { k.key = key })
		w.Wake([]string{"a"})
		p.wants(1, 10*time.Minute)
	})
}

// A message that was lost costs a few seconds; one query looks at the topics of all who wait.
func TestLostMessage(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		var line []*poller
		for i := range 50 {
			line = append(line, w.poll(fetch(fmt.Sprint(i), fmt.Sprint("topic", i))))
		}
		time.Sleep(time.Minute + safety/2)
		w.surveyed()
		w.tried()
		time.Sleep(time.Minute)
		if len(w.tried()) != 0 || len(w.surveys) != int(time.Minute/safety) || len(w.surveys[0]) != 50 {
			t.Errorf("in a minute in which nothing happened: %d surveys, the first of %d topics", len(w.surveys), len(w.surveys[0]))
		}
		w.add("topic7")
		<-line[7].done
		if got := line[7]; got.got != 1 || got.took > 2*time.Minute+2*safety {
			t.Errorf("got %d after %v", got.got, got.took)
		}
		w.add("topic8")
		w.Check()
		line[8].wants(1, line[7].took)
		for _, p := range line {
			p.end()
		}
	})
}

// While the database is away those who wait go on waiting; it is asked once a second, not by each of them.
func TestDatabaseAway(t *testing.T) {
	t.Parallel()
	away := fault.New(fault.Unavailable, fault.ProcessEngine, "away")
	play(t, roomy, func(w *world) {
		var line []*poller
		for i := range 100 {
			line = append(line, w.poll(fetch(fmt.Sprint(i), "a")))
		}
		w.tried()
		w.with(func() { w.fails, w.lost = func(engine.Fetch) error { return away }, away })
		w.create(1, "a")
		time.Sleep(10 * time.Second)
		if n := len(w.tried()); n > 15 {
			t.Errorf("%d attempts in ten seconds", n)
		}
		w.poll(fetch("new", "a")).unavailable("away")
		w.with(func() { w.fails, w.lost = nil, nil })
		<-line[0].done
		if got := line[0]; got.err != nil || got.got != 1 || got.took > 12*time.Second {
			t.Errorf("got %d after %v, %v", got.got, got.took, got.err)
		}
		for _, p := range line {
			p.end()
		}
	})
}

// Other errors, and panics, are told to the one for whom was fetched; the others go on.
func TestFailures(t *testing.T) {
	t.Parallel()
	for name, fail := range map[string]func() error{
		"error": func() error { return errors.New("boom") },
		"panic": func() error { panic("boom") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, roomy, func(w *world) {
				first, second := w.poll(fetch("first", "a")), w.poll(fetch("second", "a"))
				w.with(func() {
					w.fails = func(in engine.Fetch) error {
						if in.WorkerID == "first" {
							return fail()
						}
						return nil
					}
				})
				w.create(1, "a")
				second.wants(1, 0)
				if <-first.done; first.err == nil || first.got != 0 {
					t.Errorf("got %d, %v", first.got, first.err)
				}
				w.poll(fetch("first", "b")).end()
			})
		})
	}
}

// Newcomers and those who are woken are served by turns.
func TestNewcomersDoNotPush(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		p := w.poll(fetch("woken", "a"))
		w.with(func() { w.delay = time.Second })
		w.tried()
		var crowd []*poller
		for i := range 5 * hands {
			crowd = append(crowd, w.pollSoon(time.Minute, fetch(fmt.Sprint(i), "b")))
		}
		synctest.Wait()
		w.create(1, "a")
		p.wants(1, 2*time.Second)
		if i := slices.Index(w.tried(), "woken"); i > 2*hands {
			t.Errorf("%d were served before", i)
		}
		for _, c := range crowd {
			c.end()
		}
	})
}
