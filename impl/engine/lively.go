package engine

import (
	"hash/fnv"
	"slices"
	"sync/atomic"

	"rearm/db"
)

// lively remembers on which topics tasks were found when somebody last looked, so that a fetch can begin with what is likely: to take
// some, or to see whether there are any. Topics that share a place by chance mislead each other, which costs one statement.
type lively [1024]atomic.Bool

func (l *lively) place(topic string) *atomic.Bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(topic))
	return &l[h.Sum32()%uint32(len(l))]
}

// any tells whether one of some topics had tasks.
func (l *lively) any(topics []db.FetchTopic) bool {
	return slices.ContainsFunc(topics, func(t db.FetchTopic) bool { return l.place(t.Name).Load() })
}

// note remembers what was found on some topics.
func (l *lively) note(topics []db.FetchTopic, got []db.LockedTask) {
	for i := range topics {
		found := slices.ContainsFunc(got, func(t db.LockedTask) bool { return t.TopicName == topics[i].Name })
		if place := l.place(topics[i].Name); place.Load() != found {
			place.Store(found)
		}
	}
}
