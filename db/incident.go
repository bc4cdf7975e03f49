package db

import (
	"context"
	"strings"
)

// The types of incidents that there are.
const (
	FailedExternalTask = "failedExternalTask" // a task has no retries left
	FailedJob          = "failedJob"          // a job of a batch has no retries left
)

// Incident is an incident, open or of the past, with what it has from its scope.
type Incident struct {
	ID                   ID      `db:"id"`
	Type                 string  `db:"type"`
	State                int     `db:"state"`         // IncidentOpen, IncidentResolved or IncidentDeleted
	Configuration        ID      `db:"configuration"` // the task's or the job's id
	ScopeID              *string `db:"scope_id"`      // nil for a job
	ExecutionID          *ID     `db:"execution_id"`
	ActivityID           *string `db:"activity_id"`
	DefinitionID         *string `db:"definition_id"`
	DefinitionKey        *string `db:"definition_key"`
	TenantID             *string `db:"tenant_id"`
	JobDefinitionID      *ID     `db:"job_definition_id"` // nil for a task
	CreateTime           Time    `db:"create_time"`
	EndTime              *Time   `db:"end_time"`
	RemovalTime          *Time   `db:"removal_time"`
	Message              *string `db:"message"`
	HistoryConfiguration *ID     `db:"history_configuration"` // the log entry of the failure that caused it
	Annotation           *string `db:"annotation"`
	Owner                *string `db:"owner"` // of a job: its batch's
}

const incidentColumns = `i.id, i.type, i.state, i.configuration, i.scope_id, i.execution_id, i.activity_id, c.definition_id, c.definition_key,
 i.tenant_id, i.job_definition_id, i.create_time, i.end_time, coalesce(i.removal_time, c.removal_time) as removal_time, i.message,
 i.history_configuration, i.annotation, i.owner`

const (
	openIncidents  = "(select * from incident where state = 0) i"
	allIncidents   = "incident i"
	incidentsScope = " left join scope c on c.id = i.scope_id"
)

// slimIncidents gives the query of the ids that a condition selects, with the scopes only if it asks for them.
func slimIncidents(from, cond string) string {
	if strings.Contains(cond, "c.") {
		from += incidentsScope
	}
	return "select i.id from " + from + " where " + cond
}

// incidentFields are the filters that open and historic incidents share.
func incidentFields(more map[string]Field) map[string]Field {
	for name, field := range map[string]Field{
		"incidentId":             {Kind: OneID, Cond: "i.id = ?"},
		"incidentType":           {Kind: Special, Make: ofType},
		"incidentMessage":        {Kind: Text, Cond: "i.message = ?"},
		"incidentMessageLike":    like("i.message like ?"),
		"processDefinitionId":    {Kind: Text, Cond: "c.definition_id = ?"},
		"processDefinitionKeyIn": {Kind: Texts, Cond: "c.definition_key {texts}", Empty: true},
		"processInstanceId":      {Kind: Text, Cond: "i.scope_id = ?"},
		"executionId":            {Kind: OneID, Cond: "i.execution_id = ?"},
		"activityId":             {Kind: Text, Cond: "i.activity_id = ?"},
		"failedActivityId":       nothing,
		"causeIncidentId":        {Kind: OneID, Cond: "i.id = ?"},
		"rootCauseIncidentId":    {Kind: OneID, Cond: "i.id = ?"},
		"configuration":          {Kind: OneID, Cond: "i.configuration = ?"},
		"jobDefinitionIdIn":      {Kind: IDs, Cond: "i.job_definition_id {ids}"},
	} {
		more[name] = field
	}
	return more
}

// ofType is the filter by the type. Only incidents of jobs have a job definition, and there are no further types, so that the few
// incidents of jobs are found among many.
func ofType(_ *Filter, value any) (string, []any, error) {
	switch value {
	case FailedExternalTask:
		return "i.job_definition_id is null", nil, nil
	case FailedJob:
		return "i.job_definition_id is not null", nil, nil
	}
	if _, ok := value.(string); !ok {
		return "", nil, wrongValue(value)
	}
	return "false", nil, nil
}

// incidentSorts are the sort keys that open and historic incidents share.
func incidentSorts(more map[string]string) map[string]string {
	for key, column := range map[string]string{
		"incidentId": "i.id", "incidentMessage": "i.message", "incidentType": "i.type", "executionId": "i.execution_id", "activityId": "i.activity_id",
		"processInstanceId": "i.scope_id", "processDefinitionId": "c.definition_id", "causeIncidentId": "i.id", "rootCauseIncidentId": "i.id",
		"configuration": "i.configuration", "tenantId": "i.tenant_id",
	} {
		more[key] = column
	}
	return more
}

// Incidents are the open incidents, with the filters and sort keys of /incident (contract-facts 5.2).
var Incidents = &Resource{
	From: openIncidents + incidentsScope, ID: "i.id", Tenant: "i.tenant_id", Owner: "i.owner",
	Fields: incidentFields(map[string]Field{
		"incidentTimestampBefore": {Kind: Date, Cond: "i.create_time < ?"},
		"incidentTimestampAfter":  {Kind: Date, Cond: "i.create_time > ?"},
		"tenantIdIn":              {Kind: Texts, Cond: "i.tenant_id {texts}"},
	}),
	Sorts:  incidentSorts(map[string]string{"incidentTimestamp": "i.create_time"}),
	Always: []string{"incidentId", "causeIncidentId", "rootCauseIncidentId", "configuration", "incidentType", "incidentTimestamp"},
	Slim:   func(cond string) string { return slimIncidents(openIncidents, cond) },
}

// HistoricIncidents are all incidents, with the filters and sort keys of /history/incident (contract-facts 5.4): open acts
// whether true or false, and withoutTenantId wins over tenantIdIn.
var HistoricIncidents = &Resource{
	From: allIncidents + incidentsScope, ID: "i.id", Tenant: "i.tenant_id", Owner: "i.owner",
	Fields: incidentFields(map[string]Field{
		"processDefinitionKey": {Kind: Text, Cond: "c.definition_key = ?"},
		"historyConfiguration": {Kind: OneID, Cond: "i.history_configuration = ?"},
		"createTimeBefore":     {Kind: Date, Cond: "i.create_time < ?"},
		"createTimeAfter":      {Kind: Date, Cond: "i.create_time > ?"},
		"endTimeBefore":        {Kind: Date, Cond: "i.end_time < ?"},
		"endTimeAfter":         {Kind: Date, Cond: "i.end_time > ?"},
		"open":                 {Kind: Special, Make: func(*Filter, any) (string, []any, error) { return "i.state = 0", nil, nil }},
		"resolved":             {Kind: Flag, Cond: "i.state = 1"},
		"deleted":              {Kind: Flag, Cond: "i.state = 2"},
		"tenantIdIn":           {Kind: Texts, Cond: "i.tenant_id {texts}", Unless: "withoutTenantId"},
		"withoutTenantId":      {Kind: Flag, Cond: "i.tenant_id is null"},
	}),
	Sorts: incidentSorts(map[string]string{
		"createTime": "i.create_time", "endTime": "i.end_time", "processDefinitionKey": "c.definition_key",
		"historyConfiguration": "i.history_configuration", "incidentState": "i.state",
	}),
	Always: []string{"incidentId", "causeIncidentId", "rootCauseIncidentId", "configuration", "incidentType", "createTime", "incidentState"},
	Slim:   func(cond string) string { return slimIncidents(allIncidents, cond) },
}

// Incident reads an open incident; ErrNotFound if there is none of that id, or it has ended.
func (q Queries) Incident(ctx context.Context, id ID) (*Incident, error) {
	var i Incident
	return &i, q.get(ctx, &i, "select "+incidentColumns+" from "+Incidents.From+" where i.id = ?", id)
}

// Incidents reads a page of the open incidents that a filter selects.
func (q Queries) Incidents(ctx context.Context, f *Filter) ([]Incident, error) {
	return Collect(func(do func(*Incident) error) error { return q.EachIncident(ctx, f, do) })
}

// EachIncident calls do for each incident of what Incidents lists, as they are read.
func (q Queries) EachIncident(ctx context.Context, f *Filter, do func(*Incident) error) error {
	return eachOf(ctx, q, Incidents, incidentColumns, f, do)
}

// CountIncidents counts the open incidents that a filter selects.
func (q Queries) CountIncidents(ctx context.Context, f *Filter) (int64, error) {
	return q.count(ctx, Incidents, f)
}

// HistoricIncidents reads a page of the incidents, open and ended, that a filter selects.
func (q Queries) HistoricIncidents(ctx context.Context, f *Filter) ([]Incident, error) {
	return Collect(func(do func(*Incident) error) error { return q.EachHistoricIncident(ctx, f, do) })
}

// EachHistoricIncident calls do for each incident of what HistoricIncidents lists, as they are read.
func (q Queries) EachHistoricIncident(ctx context.Context, f *Filter, do func(*Incident) error) error {
	return eachOf(ctx, q, HistoricIncidents, incidentColumns, f, do)
}

// CountHistoricIncidents counts what HistoricIncidents lists.
func (q Queries) CountHistoricIncidents(ctx context.Context, f *Filter) (int64, error) {
	return q.count(ctx, HistoricIncidents, f)
}

// Annotate writes the annotation of an open incident; nil clears it. ErrNotFound: it is not there, or has ended.
func (t *Tx) Annotate(ctx context.Context, id ID, annotation *string) error {
	n, err := t.exec(ctx, "update incident set annotation = ? where id = ? and state = 0", annotation, id)
	if err == nil && n == 0 {
		return ErrNotFound
	}
	return err
}
