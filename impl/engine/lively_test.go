package engine

import (
	"testing"

	"rearm/db"
)

// A topic on which tasks were found is tried at once, until none are found.
func TestLively(t *testing.T) {
	t.Parallel()
	var l lively
	both := []db.FetchTopic{{Name: "a"}, {Name: "b"}}
	found := []db.LockedTask{{Task: db.Task{TopicName: "b"}}}
	for i, step := range []struct {
		note []db.FetchTopic
		got  []db.LockedTask
		a, b bool
	}{{nil, nil, false, false}, {both, found, false, true}, {both[:1], nil, false, true}, {both, nil, false, false}, {both[1:], found, false, true}} {
		l.note(step.note, step.got)
		if a, b := l.any(both[:1]), l.any(both[1:]); a != step.a || b != step.b || l.any(both) != (a || b) {
			t.Errorf("step %d: a %v, b %v, any %v", i, a, b, l.any(both))
		}
	}
}
