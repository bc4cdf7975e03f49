package engine

import (
	"slices"
	"sync"

	"rearm/db"
)

// acquaintances are the batches that the runners of an engine have worked on. Who meets a batch that has begun takes it over: from
// a process that died, or beside one that lives.
type acquaintances struct {
	mu  sync.Mutex
	ids map[db.ID]struct{}
}

// meet notes a batch, and tells whether it is new.
func (a *acquaintances) meet(id db.ID) (first bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.ids[id]; known {
		return false
	}
	if a.ids == nil {
		a.ids = map[db.ID]struct{}{}
	}
	a.ids[id] = struct{}{}
	return true
}

// keep forgets all batches but those that are there. Most of the time there are few, and all are known.
func (a *acquaintances) keep(there []db.ID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.ids) <= len(there)+spareAcquaintances {
		return
	}
	for id := range a.ids {
		if _, found := slices.BinarySearchFunc(there, id, db.ID.Compare); !found {
			delete(a.ids, id)
		}
	}
}

// spareAcquaintances is how many ended batches may be remembered, so that they are not looked for at every round.
const spareAcquaintances = 1000
