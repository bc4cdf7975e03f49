package poll

import (
	"container/list"
	"time"
)

// topic is a topic that somebody waits for.
type topic struct {
	name  string
	line  list.List // of *place, in order of arrival
	known bool      // it was surveyed, or will be

	open    bool            // a round goes on
	round   uint64          // its number
	spent   map[string]bool // filters for which nothing is left in this round
	queued  bool
	running int // attempts of this round's hands
	width   int // how many may run at the same time
	streak  int // attempts one after the other that brought all they could

	timer *time.Timer
	check time.Time     // when the timer asks for a survey; zero: it does not
	retry time.Time     // before then a task that is ready opens no round: the last one has left it
	pause time.Duration // from the end of a round to retry
}

func newTopic(name string) *topic {
	return &topic{name: name, round: 1, spent: map[string]bool{}, width: 1, pause: minPause}
}

// Wake says that tasks may have become fetchable on topics, here or on another node. It never blocks.
func (r *Room) Wake(topics []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, name := range topics {
		if t := r.topics[name]; t != nil {
			t.pause = minPause
			r.begin(t)
		}
	}
}

// begin opens a round: everybody in the line may find something.
func (r *Room) begin(t *topic) {
	t.open = true
	t.round++
	clear(t.spent)
	r.push(t)
}

// push lets a hand look at a topic whose round is open.
func (r *Room) push(t *topic) {
	if t.queued {
		return
	}
	t.queued = true
	r.queue = append(r.queue, t)
	r.call()
}

// call lets a hand look for what is to be done.
func (r *Room) call() {
	select {
	case r.work <- struct{}{}:
	default: // all hands will look
	}
}

// shut ends a round; if tasks are ready all the same, another one may begin after a pause.
func (r *Room) shut(t *topic, pause time.Duration) {
	t.open = false
	if t.line.Len() > 0 {
		t.retry = r.now().Add(pause)
		r.checkAt(t, t.retry)
	}
}

// choose takes the next waiter of a topic to fetch for; nil: none. A round without waiters that could find something is over,
// unless one of them is busy and has not been seen: its attempt will push the topic again.
func (r *Room) choose(t *topic) *waiter {
	if !t.open || t.running >= t.width {
		return nil
	}
	w, busy := t.next()
	if w == nil {
		if t.running == 0 && !busy {
			r.shut(t, t.pause)
		}
		return nil
	}
	if t.running++; t.running < t.width {
		r.push(t)
	}
	return w
}

// next gives the first waiter who may find something; busy says that the only such ones are busy.
func (t *topic) next() (w *waiter, busy bool) {
	if t.spent[""] {
		return nil, false
	}
	for e := t.line.Front(); e != nil; e = e.Next() {
		p := e.Value.(*place)
		switch {
		case p.seen == t.round || t.spent[p.filter]:
		case p.waiter.busy:
			busy = true
		default:
			return p.waiter, false
		}
	}
	return nil, busy
}

// paced notes how an attempt ended: as long as there is plenty, more hands fetch at the same time.
func (t *topic) paced(a *answer, most int) {
	t.running--
	if len(a.got) > 0 {
		t.pause = minPause
	}
	if len(a.got) < most {
		t.streak, t.width = 0, 1
		return
	}
	if t.streak++; t.streak > 1 {
		t.width = min(2*t.width, widest)
	}
}

// drop forgets a topic that nobody waits for.
func (r *Room) drop(t *topic) {
	delete(r.topics, t.name)
	delete(r.doubt, t)
	t.open = false
	if t.timer != nil {
		t.timer.Stop()
	}
}
