package poll

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rearm/db"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// roomy is a room for tests that do not care.
var roomy = DefaultSettings()

func TestAnswersAtOnce(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		w.add("a")
		w.poll(fetch("w", "a")).wants(1, 0)
		for _, patience := range []time.Duration{0, -time.Second} {
			w.pollFor(patience, fetch("w", "a")).wants(0, 0)
		}
	})
}

func TestWaitsAsLongAsAsked(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		none := fetch("w", "a")
		none.MaxTasks = 0
		w.add("a").until = time.Now().Add(time.Hour)
		w.pollFor(30*time.Minute, fetch("w", "a")).wants(0, 30*time.Minute)
		w.pollFor(1200*time.Millisecond, fetch("w")).wants(0, 1200*time.Millisecond)
		w.pollFor(time.Second, none).wants(0, time.Second)
	})
}

// One task wakes one waiter, in the order in which they came; the others do not notice, and those of another topic least of all.
func TestWakesAsFewAsItTakes(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		var line []*poller
		for i := range 100 {
			line = append(line, w.poll(fetch(fmt.Sprint(i), "a")))
		}
		other := w.poll(fetch("other", "b"))
		w.tried()
		for i := range 5 {
			time.Sleep(time.Second)
			w.create(1, "a")
			if got, want := w.tried(), []string{fmt.Sprint(i), fmt.Sprint(i + 1)}; !slices.Equal(got, want) {
				t.Errorf("task %d was offered to %v, want %v", i, got, want)
			}
			line[i].wants(1, time.Duration(i+1)*time.Second)
			if line[i+1].answered() {
				t.Error("somebody without a task was answered")
			}
		}
		w.Wake([]string{"c", "b"})
		if got := w.tried(); !slices.Equal(got, []string{"other"}) {
			t.Errorf("fetched for %v", got)
		}
		for _, p := range append(line, other) {
			p.end()
		}
	})
}

// A worker that takes less than it may has emptied the topic: nobody else is bothered.
func TestStopsWhenThereIsNoMore(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		in := fetch("greedy", "a")
		in.MaxTasks = 10
		first, second := w.poll(in), w.poll(fetch("second", "a"))
		w.tried()
		w.create(3, "a")
		first.wants(3, 0)
		if got := w.tried(); !slices.Equal(got, []string{"greedy"}) || second.answered() {
			t.Errorf("fetched for %v", got)
		}
		second.end()
	})
}

// Where there is plenty, several are served at the same time, but never more than the database gains by.
func TestManyTasks(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		var line []*poller
		for i := range 200 {
			line = append(line, w.poll(fetch(fmt.Sprint(i), "a")))
		}
		w.with(func() { w.delay, w.most = time.Millisecond, 0 })
		w.create(300, "a")
		for _, p := range line {
			if <-p.done; p.got != 1 || p.took > 50*time.Millisecond {
				t.Fatalf("got %d after %v", p.got, p.took)
			}
		}
		synctest.Wait()
		if w.most > widest || w.most < widest/2 {
			t.Errorf("%d fetched at the same time", w.most)
		}
	})
}

func TestWaitsForSeveralTopics(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		both, a := w.poll(fetch("both", "a", "b", "b")), w.poll(fetch("a", "a"))
		w.create(1, "b")
		both.wants(1, 0)
		w.create(1, "a")
		a.wants(1, 0)
	})
}

// What happens while somebody fetches for a waiter is not lost, on whichever of its topics, and be it at first.
func TestWokenDuringAnAttempt(t *testing.T) {
	t.Parallel()
	const lag = 10 * time.Millisecond
	play(t, roomy, func(w *world) {
		w.with(func() { w.lag = lag })
		p := w.poll(fetch("w", "a", "b"))
		time.Sleep(lag / 2)
		w.create(1, "b")
		p.wants(1, 2*lag)
	})
	play(t, roomy, func(w *world) {
		p := w.poll(fetch("w", "a", "b"))
		w.with(func() { w.lag = lag })
		w.Wake([]string{"a"})
		time.Sleep(lag / 2)
		w.create(1, "b")
		p.wants(1, 2*lag)
	})
}

// Who asks for certain tasks only does not stand in the way of others; those who ask for the same are tried once.
func TestFilters(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		keyed := func(worker, key string) engine.Fetch {
			in := fetch(worker, "a")
			in.Topics[0].BusinessKey = &key
			return in
		}
		x1, x2, y := w.poll(keyed("x1", "x")), w.poll(keyed("x2", "x")), w.poll(keyed("y", "y"))
		w.tried()
		k := w.add("a")
		k.key = "y"
		w.Wake([]string{"a"})
		y.wants(1, 0)
		if got := w.tried(); !slices.Equal(got, []string{"x1", "y"}) {
			t.Errorf("fetched for %v", got)
		}
		all := w.poll(fetch("all", "a"))
		w.create(1, "a")
		all.wants(1, 0)
		x1.end()
		x2.end()
	})
}

func TestFilterOf(t *testing.T) {
	t.Parallel()
	text := "x"
	seen := map[string]bool{}
	for _, f := range []engine.FetchTopic{
		{BusinessKey: &text}, {DefinitionID: &text}, {DefinitionKey: &text}, {VersionTag: &text}, {WithoutTenantID: true}, {TenantIDIn: []string{"x"}},
		{DefinitionIDIn: []string{"x"}}, {DefinitionKeyIn: []string{"x"}}, {ProcessVariables: map[string]json.RawMessage{"x": json.RawMessage(`1`)}},
		{ProcessVariables: map[string]json.RawMessage{"x": json.RawMessage(`2`)}},
	} {
		got := filterOf(db.Caller{}, &f)
		if got == "" || seen[got] {
			t.Errorf("the filter of %+v is %q", f, got)
		}
		seen[got] = true
	}
	plain := engine.FetchTopic{TopicName: "t", LockDuration: 5, Variables: []string{"v"}, LocalVariables: true, DeserializeValues: true,
		IncludeExtensionProperties: true, TenantIDIn: []string{}, ProcessVariables: map[string]json.RawMessage{}}
	if got := filterOf(db.Caller{}, &plain); got != "" {
		t.Errorf("what asks nothing of a task is %q", got)
	}
	for _, c := range []db.Caller{{Tenants: []string{}}, {Tenants: []string{}, Untenanted: true}, {Tenants: []string{"a"}}, {Tenants: []string{"a"}, Untenanted: true}} {
		got := filterOf(c, &plain)
		if got == "" || seen[got] {
			t.Errorf("%+v, who may have only some tasks, has the filter %q", c, got)
		}
		seen[got] = true
	}
	if got := filterOf(db.Caller{Name: "root", Untenanted: true}, &plain); got != "" {
		t.Errorf("who may have every task has the filter %q", got)
	}
}

// A client that goes frees its place and locks nothing, also when it goes while somebody fetches for it.
func TestClientGoes(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		gone, here := w.poll(fetch("gone", "a")), w.poll(fetch("here", "a"))
		gone.end()
		if !errors.Is(gone.err, context.Canceled) {
			t.Errorf("the one who has gone got %v", gone.err)
		}
		w.tried()
		w.create(1, "a")
		here.wants(1, 0)
		if got := w.tried(); !slices.Equal(got, []string{"here"}) || w.givenBack() != 0 {
			t.Errorf("fetched for %v, %d given back", got, w.givenBack())
		}
	})
	play(t, roomy, func(w *world) {
		gone, here := w.poll(fetch("gone", "a")), w.poll(fetch("here", "a"))
		w.with(func() { w.delay = time.Second })
		w.create(1, "a")
		time.Sleep(time.Second / 2)
		gone.leave()
		<-here.done
		<-gone.done
		if back := w.givenBack(); back != 1 || here.got != 1 || gone.got != 0 {
			t.Errorf("%d given back; the one who is here got %d, the other %d", back, here.got, gone.got)
		}
	})
}

// Patience that ends during an attempt takes what that attempt brings.
func TestTimeoutDuringAnAttempt(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		p, next := w.pollFor(time.Second, fetch("p", "a")), w.poll(fetch("next", "a"))
		w.with(func() { w.delay = 2 * time.Second })
		w.create(1, "a")
		p.wants(1, 2*time.Second)
		empty := w.pollFor(time.Second, fetch("empty", "b"))
		empty.wants(0, 2*time.Second)
		next.end()
	})
}

func TestClose(t *testing.T) {
	t.Parallel()
	play(t, roomy, func(w *world) {
		a, b := w.poll(fetch("a", "a")), w.poll(fetch("b", "b"))
		w.with(func() { w.delay = time.Second })
		w.Wake([]string{"b"})
		synctest.Wait()
		w.Close()
		w.Close()
		a.wants(0, 0)
		b.wants(0, time.Second)
		w.with(func() { w.delay = 0 })
		w.poll(fetch("late", "a")).wants(0, 0)
	})
}

// A room that nobody runs still lets go.
func TestNotRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.Room = New(w, roomy, nil, time.Now)
		w.pollFor(time.Minute, fetch("w", "a")).wants(0, time.Minute)
	})
}

// unavailable checks that a request was refused for now, in these words.
func (p *poller) unavailable(words string) {
	p.w.t.Helper()
	<-p.done
	if fault.KindOf(p.err) != fault.Unavailable || !strings.Contains(p.err.Error(), words) {
		p.w.t.Errorf("got %v; want it to say %q", p.err, words)
	}
}

// A full room sends away who would have to wait, but not who finds tasks; who goes frees a place.
func TestFull(t *testing.T) {
	t.Parallel()
	play(t, Settings{MaxWaiting: 2}, func(w *world) {
		a, b := w.poll(fetch("a", "a")), w.poll(fetch("b", "a"))
		w.poll(fetch("c", "a")).unavailable("too many requests at the same time. Please try again later.")
		w.add("x")
		w.poll(fetch("d", "x")).wants(1, 0)
		w.pollFor(0, fetch("e", "a")).wants(0, 0)
		a.end()
		c := w.poll(fetch("c", "a"))
		w.create(2, "a")
		b.wants(1, 0)
		c.wants(1, 0)
	})
}

func TestUniqueWorker(t *testing.T) {
	t.Parallel()
	play(t, Settings{MaxWaiting: 10, UniqueWorker: true}, func(w *world) {
		old, other := w.poll(fetch("w", "a")), w.poll(fetch("other", "a"))
		w.add("x")
		w.poll(fetch("w", "x")).wants(1, 0)
		if old.answered() {
			t.Error("a request that did not wait ended one that does")
		}
		namesake := w.pollAs(db.Caller{Name: "another"}, fetch("w", "a"))
		if old.answered() {
			t.Error("a worker of the same name of another caller ended a request")
		}
		newer := w.poll(fetch("w", "b"))
		old.unavailable("A newer request of the worker 'w' waits")
		if namesake.answered() {
			t.Error("the request of a worker of the same name was ended")
		}
		namesake.end()
		if other.answered() {
			t.Error("another worker's request was ended")
		}
		newer.end()
		w.poll(fetch("w", "b")).end()
		other.end()
	})
	play(t, roomy, func(w *world) {
		old, newer := w.poll(fetch("w", "a")), w.poll(fetch("w", "a"))
		if old.answered() {
			t.Error("without the setting both may wait")
		}
		old.end()
		newer.end()
	})
}

// What is fetched for a request that is ended meanwhile goes to somebody else.
func TestUniqueWorkerDuringAnAttempt(t *testing.T) {
	t.Parallel()
	play(t, Settings{MaxWaiting: 10, UniqueWorker: true}, func(w *world) {
		old, next := w.poll(fetch("w", "a")), w.poll(fetch("next", "a"))
		w.with(func() { w.lag = time.Second })
		w.create(1, "a")
		synctest.Wait()
		w.with(func() { w.lag = 0 })
		newer := w.poll(fetch("w", "b"))
		old.unavailable("A newer request")
		next.wants(1, time.Second)
		if back := w.givenBack(); back != 1 {
			t.Errorf("%d given back", back)
		}
		newer.end()
	})
}
