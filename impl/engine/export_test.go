package engine

import (
	"context"

	"rearm/db"
)

// Turn lets an executor take one turn on a batch, with at most limit items.
func (e *Engine) Turn(ctx context.Context, id db.ID, limit int32) error {
	r := e.NewRunner()
	r.limits[id] = limit
	_, err := r.turn(ctx, id)
	return err
}

// PartJobs is partJobs.
var PartJobs = partJobs
