package rest

import (
	"context"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
)

// incidents answers /incident and /history/incident.
type incidents struct {
	engine *engine.Engine
	turns  turns
}

// GetIncidents lists open incidents.
func (h incidents) GetIncidents(ctx context.Context, r gen.GetIncidentsRequestObject) (gen.GetIncidentsResponseObject, error) {
	q, err := read(db.Incidents, r.Params)
	return listOf(h.turns, toIncident, func(do func(*db.Incident) error) error { return h.engine.EachIncident(ctx, caller(ctx), q, do) }), err
}

// GetIncidentsCount counts open incidents.
func (h incidents) GetIncidentsCount(ctx context.Context, r gen.GetIncidentsCountRequestObject) (gen.GetIncidentsCountResponseObject, error) {
	q, err := read(db.Incidents, r.Params)
	if err != nil {
		return nil, err
	}
	n, err := h.engine.CountIncidents(ctx, caller(ctx), q)
	return gen.GetIncidentsCount200JSONResponse{Count: n}, err
}

// GetIncident reads one open incident.
func (h incidents) GetIncident(ctx context.Context, r gen.GetIncidentRequestObject) (gen.GetIncidentResponseObject, error) {
	i, err := h.engine.Incident(ctx, caller(ctx), r.ID)
	if err != nil {
		return nil, err
	}
	return gen.GetIncident200JSONResponse(toIncident(i)), nil
}

// ResolveIncident resolves an incident by hand, if its type allows that; none does yet.
func (h incidents) ResolveIncident(ctx context.Context, r gen.ResolveIncidentRequestObject) (gen.ResolveIncidentResponseObject, error) {
	return nil, h.engine.ResolveIncident(ctx, caller(ctx), r.ID)
}

// SetIncidentAnnotation notes a text at an open incident; without a text, or without a body, it removes the note.
func (h incidents) SetIncidentAnnotation(ctx context.Context, r gen.SetIncidentAnnotationRequestObject) (gen.SetIncidentAnnotationResponseObject, error) {
	var note *string
	if r.Body != nil {
		note = given(r.Body.Annotation)
	}
	if err := h.engine.AnnotateIncident(ctx, caller(ctx), r.ID, note); err != nil {
		return nil, err
	}
	return gen.SetIncidentAnnotation204Response{}, nil
}

// ClearIncidentAnnotation removes the note of an open incident.
func (h incidents) ClearIncidentAnnotation(ctx context.Context, r gen.ClearIncidentAnnotationRequestObject) (gen.ClearIncidentAnnotationResponseObject, error) {
	if err := h.engine.AnnotateIncident(ctx, caller(ctx), r.ID, nil); err != nil {
		return nil, err
	}
	return gen.ClearIncidentAnnotation204Response{}, nil
}

// GetHistoricIncidents lists incidents, open and ended.
func (h incidents) GetHistoricIncidents(ctx context.Context, r gen.GetHistoricIncidentsRequestObject) (gen.GetHistoricIncidentsResponseObject, error) {
	q, err := read(db.HistoricIncidents, r.Params)
	return listOf(h.turns, toHistoricIncident, func(do func(*db.Incident) error) error { return h.engine.EachHistoricIncident(ctx, caller(ctx), q, do) }), err
}

// GetHistoricIncidentsCount counts incidents, open and ended.
func (h incidents) GetHistoricIncidentsCount(ctx context.Context, r gen.GetHistoricIncidentsCountRequestObject) (gen.GetHistoricIncidentsCountResponseObject, error) {
	q, err := read(db.HistoricIncidents, r.Params)
	if err != nil {
		return nil, err
	}
	n, err := h.engine.CountHistoricIncidents(ctx, caller(ctx), q)
	return gen.GetHistoricIncidentsCount200JSONResponse{Count: n}, err
}

// toIncident: an incident is its own cause, since there are no processes that call each other (contract-facts 5.1).
func toIncident(i *db.Incident) gen.IncidentDto {
	id, about := i.ID.String(), i.Configuration.String()
	return gen.IncidentDto{
		ID: id, IncidentType: i.Type, IncidentTimestamp: date(i.CreateTime), IncidentMessage: orNull(i.Message), Configuration: orNull(&about),
		ProcessDefinitionID: orNull(i.DefinitionID), ProcessInstanceID: orNull(i.ScopeID), ExecutionID: idOrNull(i.ExecutionID),
		ActivityID: orNull(i.ActivityID), FailedActivityID: orNull[string](nil), CauseIncidentID: id, RootCauseIncidentID: id,
		TenantID: orNull(i.TenantID), JobDefinitionID: idOrNull(i.JobDefinitionID), Annotation: orNull(i.Annotation),
	}
}

func toHistoricIncident(i *db.Incident) gen.HistoricIncidentDto {
	d := toIncident(i)
	return gen.HistoricIncidentDto{
		ID: d.ID, IncidentType: d.IncidentType, CreateTime: d.IncidentTimestamp, EndTime: dateOrNull(i.EndTime), RemovalTime: dateOrNull(i.RemovalTime),
		IncidentMessage: d.IncidentMessage, Configuration: d.Configuration, HistoryConfiguration: idOrNull(i.HistoryConfiguration),
		ProcessDefinitionID: d.ProcessDefinitionID, ProcessDefinitionKey: orNull(i.DefinitionKey), ProcessInstanceID: d.ProcessInstanceID,
		RootProcessInstanceID: d.ProcessInstanceID, ExecutionID: d.ExecutionID, ActivityID: d.ActivityID, FailedActivityID: d.FailedActivityID,
		CauseIncidentID: d.CauseIncidentID, RootCauseIncidentID: d.RootCauseIncidentID, TenantID: d.TenantID, JobDefinitionID: d.JobDefinitionID,
		Annotation: d.Annotation, Open: i.State == db.IncidentOpen, Resolved: i.State == db.IncidentResolved, Deleted: i.State == db.IncidentDeleted,
	}
}
