package engine

import (
	"context"

	"rearm/db"
)

// Survey tells for some topics whether there may be something to fetch now, or when, for those who wait. It asks the database
// once, however many topics there are.
func (e *Engine) Survey(ctx context.Context, topics []string) ([]db.TopicWork, error) {
	list, err := e.store.Survey(ctx, topics)
	return list, storeFault(err)
}

// GiveBack unlocks tasks that were fetched for a worker whom they cannot reach, as if it had not asked. What somebody else has
// changed meanwhile stays as it is.
func (e *Engine) GiveBack(ctx context.Context, worker string, tasks []db.LockedTask) error {
	if err := e.store.Tx(ctx, func(tx *db.Tx) error { return tx.GiveBack(ctx, worker, tasks) }); err != nil {
		return storeFault(err)
	}
	topics := make([]string, 0, 1)
	for i := range tasks {
		if i == 0 || tasks[i-1].TopicName != tasks[i].TopicName {
			topics = append(topics, tasks[i].TopicName)
		}
	}
	e.Wake(topics)
	return nil
}
