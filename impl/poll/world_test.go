package poll

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rearm/db"
	"rearm/impl/engine"
)

// world is a room whose tasks lie in memory, in a bubble with a time of its own.
type world struct {
	*Room
	t *testing.T

	mu      sync.Mutex
	tasks   []*task
	delay   time.Duration               // how long a fetch takes before it looks
	lag     time.Duration               // how long it takes afterwards
	fails   func(in engine.Fetch) error // what a fetch ends with instead, if it gives an error
	tries   []string                    // the workers for whom was fetched
	atOnce  int                         // fetches that run
	most    int                         // the most that ever ran
	surveys [][]string                  // the topics of each survey
	back    int                         // tasks that were given back
	lost    error                       // what surveys end with
}

// task is a task of a topic; key is what filters ask for.
type task struct {
	topic, key string
	until      time.Time
	inHand     bool // another transaction has it: a fetch passes over it
}

// play runs f with a room that runs.
func play(t *testing.T, s Settings, f func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := &world{t: t}
		w.Room = New(w, s, slog.New(slog.DiscardHandler), time.Now)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { defer close(ended); _ = w.Run(ctx) }()
		f(w)
		cancel()
		<-ended
		if n := w.Waiting(); n != 0 || len(w.topics) != 0 || len(w.newest) != 0 {
			t.Errorf("%d still wait, on %d topics", n, len(w.topics))
		}
	})
}

// FetchAndLock takes tasks as the engine does.
func (w *world) FetchAndLock(_ context.Context, _ db.Caller, in engine.Fetch) ([]db.LockedTask, error) {
	w.mu.Lock()
	w.tries = append(w.tries, in.WorkerID)
	w.atOnce++
	w.most = max(w.most, w.atOnce)
	fails, delay, lag := w.fails, w.delay, w.lag
	w.mu.Unlock()
	defer time.Sleep(lag)
	time.Sleep(delay)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.atOnce--
	if fails != nil {
		if err := fails(in); err != nil {
			return nil, err
		}
	}
	got := []db.LockedTask{}
	for _, k := range w.tasks {
		i := slices.IndexFunc(in.Topics, func(f engine.FetchTopic) bool {
			return f.TopicName == k.topic && (f.BusinessKey == nil || *f.BusinessKey == k.key)
		})
		if i < 0 || k.inHand || k.until.After(time.Now()) || len(got) == in.MaxTasks {
			continue
		}
		k.until = time.Now().Add(time.Duration(in.Topics[i].LockDuration) * time.Millisecond)
		got = append(got, db.LockedTask{Task: db.Task{TopicName: k.topic}})
	}
	return got, nil
}

// GiveBack frees as many tasks as are given back.
func (w *world) GiveBack(_ context.Context, _ string, tasks []db.LockedTask) error {
	w.mu.Lock()
	w.back += len(tasks)
	for _, k := range w.tasks[:len(tasks)] {
		k.until = time.Time{}
	}
	w.mu.Unlock()
	w.Wake([]string{tasks[0].TopicName})
	return nil
}

// Survey tells what the tasks are like.
func (w *world) Survey(_ context.Context, topics []string) ([]db.TopicWork, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.surveys = append(w.surveys, slices.Sorted(slices.Values(topics)))
	if w.lost != nil {
		return nil, w.lost
	}
	var list []db.TopicWork
	for _, name := range topics {
		one := db.TopicWork{Topic: name}
		for _, k := range w.tasks {
			switch until := db.TimeOf(k.until); {
			case k.topic != name:
			case k.until.IsZero():
				one.Ready = true
			case one.Free == nil || until < *one.Free:
				one.Free = &until
			}
		}
		list = append(list, one)
	}
	return list, nil
}

// add makes a task that can be fetched at once, and tells nobody.
func (w *world) add(topic string) *task {
	w.mu.Lock()
	defer w.mu.Unlock()
	k := &task{topic: topic}
	w.tasks = append(w.tasks, k)
	return k
}

// create makes tasks and wakes those who wait for them.
func (w *world) create(n int, topic string) {
	for range n {
		w.add(topic)
	}
	w.Wake([]string{topic})
}

// with changes the world while nobody looks.
func (w *world) with(change func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change()
}

// givenBack counts the tasks that were given back.
func (w *world) givenBack() int {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.back
}

// tried gives the workers for whom was fetched since it was asked last.
func (w *world) tried() []string {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.tries
	w.tries = nil
	return list
}

// surveyed counts the surveys since it was asked last.
func (w *world) surveyed() int {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.surveys)
	w.surveys = nil
	return n
}

// poller is a request that was made.
type poller struct {
	w     *world
	leave context.CancelFunc
	done  chan struct{}
	got   int
	err   error
	took  time.Duration
}

// fetch describes what a worker asks for: one task, locked for ten minutes.
func fetch(worker string, topics ...string) engine.Fetch {
	in := engine.Fetch{WorkerID: worker, MaxTasks: 1}
	for _, topic := range topics {
		in.Topics = append(in.Topics, engine.FetchTopic{TopicName: topic, LockDuration: 600_000})
	}
	return in
}

// poll makes a request that waits for half an hour, and returns when it waits or is answered.
func (w *world) poll(in engine.Fetch) *poller { return w.pollFor(30*time.Minute, in) }

func (w *world) pollFor(patience time.Duration, in engine.Fetch) *poller {
	p := w.pollSoon(patience, in)
	synctest.Wait()
	return p
}

// pollAs is poll for a caller.
func (w *world) pollAs(caller db.Caller, in engine.Fetch) *poller {
	p := w.ask(caller, 30*time.Minute, in)
	synctest.Wait()
	return p
}

// pollSoon makes a request and does not wait for anything.
func (w *world) pollSoon(patience time.Duration, in engine.Fetch) *poller {
	return w.ask(db.Caller{}, patience, in)
}

func (w *world) ask(caller db.Caller, patience time.Duration, in engine.Fetch) *poller {
	ctx, leave := context.WithCancel(w.t.Context())
	p := &poller{w: w, leave: leave, done: make(chan struct{})}
	start := time.Now()
	go func() {
		defer close(p.done)
		defer leave()
		got, ticket, err := w.Ask(ctx, caller, in, patience)
		if ticket != nil {
			got, err = ticket.Wait()
		}
		p.got, p.err, p.took = len(got), err, time.Since(start)
	}()
	return p
}

// answered tells whether there is an answer yet.
func (p *poller) answered() bool {
	synctest.Wait()
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// wants checks the answer, and when it came.
func (p *poller) wants(got int, took time.Duration) {
	p.w.t.Helper()
	<-p.done
	if p.err != nil || p.got != got || p.took != took {
		p.w.t.Errorf("got %d tasks after %v, %v; want %d after %v", p.got, p.took, p.err, got, took)
	}
}

// end lets a request go away.
func (p *poller) end() {
	p.leave()
	<-p.done
}
