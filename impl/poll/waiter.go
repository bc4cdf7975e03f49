package poll

import (
	"container/list"
	"context"
	"encoding/json"
	"time"

	"rearm/db"
	"rearm/impl/engine"
	"rearm/impl/fault"
)

// waiter is one request. Its fields below answer belong to the room's mutex.
type waiter struct {
	ctx    context.Context // the request's: it ends when the client goes
	caller db.Caller
	in     engine.Fetch
	answer chan answer

	places     []place
	busy       bool // a hand fetches for it
	tried      bool // a hand has
	leaving    bool // it waits for the end of an attempt only
	superseded bool
	gone       bool // it stands in no line
}

// worker tells whose request it is: a worker's name counts among those of one caller only.
type worker struct{ caller, name string }

func (w *waiter) worker() worker { return worker{w.caller.Name, w.in.WorkerID} }

// answer is what a request gets.
type answer struct {
	got []db.LockedTask
	err error
}

// place is a waiter's place in a line.
type place struct {
	waiter *waiter
	name   string
	topic  *topic
	at     *list.Element
	filter string // which tasks of the topic it wants; "": all of them
	seen   uint64 // the topic's round in which a hand last fetched for it; 0: none did
}

// enter lets a request in, so that it misses nothing from now on, and a hand fetch for it; nil when the room is full.
func (r *Room) enter(ctx context.Context, caller db.Caller, in engine.Fetch) *waiter {
	w := &waiter{ctx: ctx, caller: caller, in: in, answer: make(chan answer, 1)}
	byName := make(map[string]*engine.FetchTopic, len(in.Topics))
	for i := range in.Topics {
		if in.MaxTasks > 0 {
			byName[in.Topics[i].TopicName] = &in.Topics[i]
		}
	}
	w.places = make([]place, 0, len(byName))
	for name, wanted := range byName {
		w.places = append(w.places, place{waiter: w, name: name, filter: filterOf(caller, wanted)})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting >= r.MaxWaiting {
		return nil
	}
	r.waiting++
	for i := range w.places {
		r.line(&w.places[i])
	}
	r.fresh = append(r.fresh, w)
	r.call()
	return w
}

// line puts a waiter at the end of a topic's line.
func (r *Room) line(p *place) {
	t := r.topics[p.name]
	if t == nil {
		t = newTopic(p.name)
		r.topics[p.name] = t
	}
	p.topic, p.at = t, t.line.PushBack(p)
}

// filterOf writes down which tasks of a topic are wanted, so that two who want the same can be told; "" for all of them.
func filterOf(caller db.Caller, t *engine.FetchTopic) string {
	b, err := json.Marshal(struct {
		BusinessKey      *string                    `json:",omitempty"`
		DefinitionID     *string                    `json:",omitempty"`
		DefinitionIDIn   []string                   `json:",omitempty"`
		DefinitionKey    *string                    `json:",omitempty"`
		DefinitionKeyIn  []string                   `json:",omitempty"`
		VersionTag       *string                    `json:",omitempty"`
		WithoutTenantID  bool                       `json:",omitempty"`
		TenantIDIn       []string                   `json:",omitempty"`
		ProcessVariables map[string]json.RawMessage `json:",omitempty"`
		Tenants          *[]string                  `json:",omitempty"`
		Untenanted       bool                       `json:",omitempty"`
	}{t.BusinessKey, t.DefinitionID, t.DefinitionIDIn, t.DefinitionKey, t.DefinitionKeyIn, t.VersionTag, t.WithoutTenantID, t.TenantIDIn,
		t.ProcessVariables, tenantsOf(caller), caller.Tenants != nil && caller.Untenanted})
	switch {
	case err != nil: // a value that is no JSON, which the first attempt has refused
		return err.Error()
	case string(b) == "{}":
		return ""
	}
	return string(b)
}

// tenantsOf gives the tenants that a caller may see; nil: all.
func tenantsOf(caller db.Caller) *[]string {
	if caller.Tenants == nil {
		return nil
	}
	return &caller.Tenants
}

// wait waits for an answer; at the end of patience, when the client goes and when the room closes there is an empty one, but an
// attempt that runs is waited for, lest what it locks be lost.
func (r *Room) wait(w *waiter, timeout <-chan time.Time) answer {
	select {
	case a := <-w.answer:
		return a
	case <-timeout:
	case <-w.ctx.Done():
	case <-r.closing:
	}
	r.mu.Lock()
	if !w.busy && !w.gone {
		r.remove(w)
		r.mu.Unlock()
		return answer{}
	}
	w.leaving = true
	r.mu.Unlock()
	return <-w.answer
}

// settle notes what an attempt has brought, and tells whether the waiter goes on waiting; if not, a is its answer. The database
// being away is no reason to leave, except at first: it will be back, and then there may be tasks.
func (r *Room) settle(w *waiter, a *answer) (stays bool) {
	away := w.tried && fault.KindOf(a.err) == fault.Unavailable
	if away {
		a.err = nil
	}
	switch {
	case w.superseded:
		a.err = superseded(w.in.WorkerID)
	case len(a.got) > 0, a.err != nil, w.leaving:
	default:
		stays = true
	}
	if a.err == nil && !away && len(a.got) < w.in.MaxTasks {
		w.spend()
	}
	if !stays {
		r.remove(w)
	} else if !w.tried {
		r.park(w)
	}
	w.busy, w.tried = false, true
	for i := range w.places {
		switch t := w.places[i].topic; {
		case away:
			r.shut(t, awayPause)
		case t.open:
			r.push(t)
		}
	}
	return stays
}

// spend notes that there is nothing left of what a waiter wants, unless a round has begun since the attempt did.
func (w *waiter) spend() {
	for i := range w.places {
		if p := &w.places[i]; p.seen == p.topic.round {
			p.topic.spent[p.filter] = true
		}
	}
}

// park is what happens when a waiter found nothing at first: an older one of the same worker may have to go, and new topics are
// looked at for locks that will run out.
func (r *Room) park(w *waiter) {
	if r.UniqueWorker {
		r.supersede(r.newest[w.worker()])
		r.newest[w.worker()] = w
	}
	for i := range w.places {
		if t := w.places[i].topic; !t.known {
			t.known = true
			r.doubtful(t)
		}
	}
}

// supersede ends the waiting of an older request; nil: there is none.
func (r *Room) supersede(old *waiter) {
	switch {
	case old == nil:
	case old.busy:
		old.superseded = true
	default:
		r.remove(old)
		old.answer <- answer{err: superseded(old.in.WorkerID)}
	}
}

// remove takes a waiter out of all lines.
func (r *Room) remove(w *waiter) {
	if w.gone {
		return
	}
	w.gone = true
	r.waiting--
	if r.newest[w.worker()] == w {
		delete(r.newest, w.worker())
	}
	for i := range w.places {
		t := w.places[i].topic
		if t.line.Remove(w.places[i].at); t.line.Len() == 0 {
			r.drop(t)
		}
	}
}
