// Package rest translates between the contract and the engine, and does nothing else: a handler reads the request, calls one
// method of the engine, maps what comes back, and returns. Errors go back as they are; impl/contract writes them.
package rest

import (
	"context"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/contract"
	"rearm/impl/engine"
	"rearm/impl/poll"
)

// Server answers every operation of the contract. Each resource is a small struct of its own.
type Server struct {
	batches
	engines
	incidents
	jobDefinitionWrites
	jobDefinitions
	jobLogs
	jobWrites
	jobs
	locks
	removals
	retries
	scopes
	taskLogs
	tasks
}

var _ gen.StrictServerInterface = (*Server)(nil)

// NewServer makes the handlers of an engine, whose workers wait for tasks in room. version is what GET /version answers.
func NewServer(e *engine.Engine, room *poll.Room, version string) *Server {
	t := newTurns()
	return &Server{
		batches{e},
		engines{version},
		incidents{e, t},
		jobDefinitionWrites{e},
		jobDefinitions{e},
		jobLogs{e, t},
		jobWrites{e},
		jobs{e, t},
		locks{e, room},
		removals{e},
		retries{e},
		scopes{e},
		taskLogs{e, t},
		tasks{e, t},
	}
}

// caller gives the one on whose behalf a request is made.
func caller(ctx context.Context) db.Caller { return contract.CallerOf(ctx) }
