package engine

import (
	"context"
	"errors"

	"rearm/db"
	"rearm/impl/fault"
)

// Incidents lists the open incidents that a query selects (contract-facts 5.2).
func (e *Engine) Incidents(ctx context.Context, caller db.Caller, q Query) ([]db.Incident, error) {
	return db.Collect(func(do func(*db.Incident) error) error { return e.EachIncident(ctx, caller, q, do) })
}

// EachIncident calls do for each of what Incidents lists, as it is read. An error of do ends it, and is given as it is.
func (e *Engine) EachIncident(ctx context.Context, caller db.Caller, q Query, do func(*db.Incident) error) error {
	f, err := e.filter(caller, db.Incidents, q)
	if err != nil {
		return err
	}
	return storeFault(e.store.EachIncident(ctx, f, do))
}

// CountIncidents counts the open incidents that a query selects.
func (e *Engine) CountIncidents(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.filter(caller, db.Incidents, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountIncidents(ctx, f)
	return n, storeFault(err)
}

// HistoricIncidents lists incidents, open and ended (contract-facts 5.4). 400: two states are asked for at once.
func (e *Engine) HistoricIncidents(ctx context.Context, caller db.Caller, q Query) ([]db.Incident, error) {
	return db.Collect(func(do func(*db.Incident) error) error { return e.EachHistoricIncident(ctx, caller, q, do) })
}

// EachHistoricIncident calls do for each of what HistoricIncidents lists, as it is read. An error of do ends it, and is given as it is.
func (e *Engine) EachHistoricIncident(ctx context.Context, caller db.Caller, q Query, do func(*db.Incident) error) error {
	f, err := e.historicIncidents(caller, q)
	if err != nil {
		return err
	}
	return storeFault(e.store.EachHistoricIncident(ctx, f, do))
}

// CountHistoricIncidents counts what HistoricIncidents lists.
func (e *Engine) CountHistoricIncidents(ctx context.Context, caller db.Caller, q Query) (int64, error) {
	f, err := e.historicIncidents(caller, q)
	if err != nil {
		return 0, err
	}
	n, err := e.store.CountHistoricIncidents(ctx, f)
	return n, storeFault(err)
}

func (e *Engine) historicIncidents(caller db.Caller, q Query) (*db.Filter, error) {
	f, err := e.filter(caller, db.HistoricIncidents, q)
	if err != nil {
		return nil, err
	}
	var states []string
	if _, given := f.Values["open"]; given {
		states = append(states, "open")
	}
	for _, state := range []string{"resolved", "deleted"} {
		if f.Acts(state) {
			states = append(states, state)
		}
	}
	if len(states) > 1 {
		return nil, fault.Coded(fault.Invalid, fault.ProcessEngine, "Already querying for incident state <%s>", states[0])
	}
	return f, nil
}

// Incident reads an open incident; 404 when there is none of that id, or it has ended.
func (e *Engine) Incident(ctx context.Context, caller db.Caller, id string) (*db.Incident, error) {
	return e.openIncident(ctx, caller, id, fault.New(fault.NotFound, fault.InvalidRequest, "No matching incident with id %s", id))
}

// ResolveIncident never succeeds: incidents of tasks and jobs end with their cause (contract-facts 5.3), and there are no others.
// 404 as Incident.
func (e *Engine) ResolveIncident(ctx context.Context, caller db.Caller, id string) error {
	i, err := e.openIncident(ctx, caller, id, fault.New(fault.NotFound, fault.InvalidRequest, "Cannot find an incident with id '%s': incident is null", id))
	if err != nil {
		return err
	}
	return fault.BadRequest("Cannot resolve an incident of type %s", i.Type)
}

// AnnotateIncident writes the annotation of an open incident; nil clears it. 400 when there is none of that id, or it has ended:
// the reference's status, since it says so itself.
func (e *Engine) AnnotateIncident(ctx context.Context, caller db.Caller, id string, annotation *string) error {
	none := fault.Coded(fault.Invalid, fault.BadUserRequest, "incident is null")
	i, err := e.openIncident(ctx, caller, id, none)
	if err != nil {
		return err
	}
	err = e.store.Tx(ctx, func(tx *db.Tx) error { return tx.Annotate(ctx, i.ID, annotation) })
	if errors.Is(err, db.ErrNotFound) {
		return none
	}
	return storeFault(err)
}

// openIncident reads an open incident, of a task or of a job, that the caller may see; none when there is none of that id.
func (e *Engine) openIncident(ctx context.Context, caller db.Caller, id string, none error) (*db.Incident, error) {
	parsed, ok := db.ParseID(id)
	if !ok {
		return nil, none
	}
	i, err := e.store.Incident(ctx, parsed)
	if errors.Is(err, db.ErrNotFound) || err == nil && !caller.SeesBatch(i.TenantID, i.Owner) {
		return nil, none
	}
	return i, storeFault(err)
}
