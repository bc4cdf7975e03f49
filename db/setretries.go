package db

import (
	"context"
	"database/sql"
	"slices"
)

// SetBy is what one statement of a batch sets on tasks.
type SetBy struct {
	Retries int32
	Mark    int64 // of the batch
}

// WasSet is a task that a batch has set: its place in the list, and the retries that it had before.
type WasSet struct {
	Place    int
	Previous *int32
}

const setRetries = "{gather} update external_task_state set was = retries, retries = ?, set_by = ?, rev = rev + 1 where id {ids} returning was, topic_name, id {gathered}"

// SetRetries sets the retries of all tasks in ids, which must be sorted. It gives those that were there, whether or not they
// had the value already (who is not in the answer is gone: the update itself decides that, never a look before it), and the
// topics of those that had no retries left.
func (t *Tx) SetRetries(ctx context.Context, ids []ID, set SetBy) (done []WasSet, topics []string, err error) {
	if len(ids) == 0 {
		return nil, nil, nil
	}
	done = make([]WasSet, 0, len(ids))
	seen := map[string]bool{}
	err = t.each(ctx, func(scan func(...any) error) error {
		var topic, packed sql.RawBytes
		var was *int32
		if err := scan(&was, &topic, &packed); err != nil {
			return err
		}
		for id := range unpacked(packed) {
			if place, ok := slices.BinarySearchFunc(ids, id, ID.Compare); ok {
				done = append(done, WasSet{Place: place, Previous: was})
			}
		}
		if was != nil && *was == 0 && !seen[string(topic)] {
			seen[string(topic)] = true
			topics = append(topics, string(topic))
		}
		return nil
	}, setRetries, set.Retries, set.Mark, t.ids(ids))
	return done, topics, err
}
