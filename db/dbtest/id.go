package dbtest

import (
	"github.com/google/uuid"

	"rearm/db"
)

// ID gives a fresh id, greater than every one before it in this process.
func ID() db.ID { return db.ID(uuid.Must(uuid.NewV7())) }
