package rest

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/fault"
)

const openIncident = `{"id": "BATCHc00000000", "incidentType": "failedJob", "incidentTimestamp": "1970-01-01T00:00:01.000+0000", "incidentMessage": "boom",
 "configuration": "BATCH100000002", "jobDefinitionId": "BATCH500000000", "causeIncidentId": "BATCHc00000000", "rootCauseIncidentId": "BATCHc00000000",
 "processDefinitionId": null, "processInstanceId": null, "executionId": null, "activityId": null, "failedActivityId": null, "tenantId": null, "annotation": null}`

const historicIncident = `{"id": "BATCHc00000000", "incidentType": "failedJob", "createTime": "1970-01-01T00:00:01.000+0000", "incidentMessage": "boom",
 "configuration": "BATCH100000002", "historyConfiguration": "BATCH800000000", "jobDefinitionId": "BATCH500000000", "causeIncidentId": "BATCHc00000000",
 "rootCauseIncidentId": "BATCHc00000000", "processDefinitionKey": null, "processDefinitionId": null, "processInstanceId": null, "rootProcessInstanceId": null,
 "executionId": null, "activityId": null, "failedActivityId": null, "tenantId": null, "annotation": "known", "removalTime": null,
 "endTime": "2013-01-23T13:42:45.000+0000", "open": false, "resolved": true, "deleted": false}`

func TestIncidentReads(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		s, ctx := newShop(t, store), context.Background()
		h, id := incidents{s.engine, newTurns()}, s.id(db.SubJobIncident, 0)
		one, err := h.GetIncident(ctx, gen.GetIncidentRequestObject{ID: id})
		s.wantJSON(t, openIncident, one, err)
		list, err := h.GetIncidents(ctx, gen.GetIncidentsRequestObject{Params: gen.GetIncidentsParams{JobDefinitionIDIn: ptr("?," + s.id(db.SubDefinition, 0))}})
		s.wantJSON(t, "["+openIncident+"]", list, err)
		count, err := h.GetIncidentsCount(ctx, gen.GetIncidentsCountRequestObject{Params: gen.GetIncidentsCountParams{IncidentType: ptr("failedExternalTask")}})
		s.wantJSON(t, `{"count": 0}`, count, err)
		note, err := h.SetIncidentAnnotation(ctx, gen.SetIncidentAnnotationRequestObject{ID: id, Body: body[gen.AnnotationDto](t, `{"annotation": "known"}`)})
		wantStatus(t, http.StatusNoContent, note, err)
		retried, err := jobWrites{s.engine}.SetJobRetries(ctx, gen.SetJobRetriesRequestObject{ID: s.id(db.SubJob, 2), Body: &gen.JobRetriesDto{Retries: 1}})
		wantStatus(t, http.StatusNoContent, retried, err)
		past, err := h.GetHistoricIncidents(ctx, gen.GetHistoricIncidentsRequestObject{Params: gen.GetHistoricIncidentsParams{Resolved: ptr(true)}})
		s.wantJSON(t, "["+historicIncident+"]", past, err)
		counted, err := h.GetHistoricIncidentsCount(ctx, gen.GetHistoricIncidentsCountRequestObject{Params: gen.GetHistoricIncidentsCountParams{Open: ptr(false)}})
		s.wantJSON(t, `{"count": 0}`, counted, err)
		_, err = h.GetIncident(ctx, gen.GetIncidentRequestObject{ID: id})
		wantFault(t, err, fault.NotFound, "No matching incident with id "+id)
	})
}

func TestIncidentAnnotation(t *testing.T) {
	t.Parallel()
	s, ctx := newShop(t, dbtest.SQLite(t)), context.Background()
	h, id := incidents{s.engine, newTurns()}, s.id(db.SubJobIncident, 0)
	annotate := func(text string) (gen.SetIncidentAnnotationResponseObject, error) {
		if text == "" {
			return h.SetIncidentAnnotation(ctx, gen.SetIncidentAnnotationRequestObject{ID: id})
		}
		return h.SetIncidentAnnotation(ctx, gen.SetIncidentAnnotationRequestObject{ID: id, Body: body[gen.AnnotationDto](t, text)})
	}
	for _, c := range []struct {
		body string
		want *string
	}{
		{`{"annotation": "é \"quoted\"\nsecond line"}`, ptr("é \"quoted\"\nsecond line")},
		{`{"annotation": ""}`, ptr("")},
		{`{"annotation": null}`, nil},
		{`{"annotation": "a"}`, ptr("a")},
		{`{}`, nil},
		{`{"annotation": "b"}`, ptr("b")},
		{"", nil},
	} {
		response, err := annotate(c.body)
		wantStatus(t, http.StatusNoContent, response, err)
		i, err := s.engine.Incident(ctx, db.Caller{}, id)
		if err != nil || (i.Annotation == nil) != (c.want == nil) || c.want != nil && *i.Annotation != *c.want {
			t.Errorf("%s: annotation %v, %v", c.body, i.Annotation, err)
		}
	}
	response, err := annotate(`{"annotation": "c"}`)
	wantStatus(t, http.StatusNoContent, response, err)
	cleared, err := h.ClearIncidentAnnotation(ctx, gen.ClearIncidentAnnotationRequestObject{ID: id})
	wantStatus(t, http.StatusNoContent, cleared, err)
	if i, err := s.engine.Incident(ctx, db.Caller{}, id); err != nil || i.Annotation != nil {
		t.Errorf("cleared: %+v, %v", i, err)
	}
}

func TestIncidentRefuses(t *testing.T) {
	t.Parallel()
	s, ctx := newShop(t, dbtest.SQLite(t)), context.Background()
	h := incidents{s.engine, newTurns()}
	_, err := h.ResolveIncident(ctx, gen.ResolveIncidentRequestObject{ID: s.id(db.SubJobIncident, 0)})
	wantFault(t, err, fault.Invalid, "Cannot resolve an incident of type failedJob")
	_, err = h.ResolveIncident(ctx, gen.ResolveIncidentRequestObject{ID: "?"})
	wantFault(t, err, fault.NotFound, "Cannot find an incident with id '?': incident is null")
	_, err = h.SetIncidentAnnotation(ctx, gen.SetIncidentAnnotationRequestObject{ID: "?"})
	wantFault(t, err, fault.Invalid, "incident is null")
	_, err = h.ClearIncidentAnnotation(ctx, gen.ClearIncidentAnnotationRequestObject{ID: "?"})
	wantFault(t, err, fault.Invalid, "incident is null")
	half := gen.GetIncidentsParams{SortBy: ptr(gen.IncidentSortBy("incidentId"))}
	open, err := h.GetIncidents(ctx, gen.GetIncidentsRequestObject{Params: half})
	wantFault(t, errors.Join(err, visit(open, httptest.NewRecorder())), fault.Invalid, "Only a single sorting parameter specified. sortBy and sortOrder required")
	two := gen.GetHistoricIncidentsParams{Open: ptr(true), Resolved: ptr(true)}
	all, err := h.GetHistoricIncidents(ctx, gen.GetHistoricIncidentsRequestObject{Params: two})
	wantFault(t, errors.Join(err, visit(all, httptest.NewRecorder())), fault.Invalid, "Already querying for incident state <open>")
}
