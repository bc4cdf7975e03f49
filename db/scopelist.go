package db

import "context"

// The process instances of a selection (contract-facts 2.17), with the words of its two kinds of queries. What no scope has,
// such as a parent, finds nothing; what cannot be judged has no field, and is refused.

const (
	openIncidentOfScope = "exists (select 1 from incident i where i.scope_id = c.id and i.state = 0"
	anyIncidentOfScope  = "exists (select 1 from incident i where i.scope_id = c.id"
	taskOfScope         = "exists (select 1 from external_task w where w.scope_id = c.id and w.activity_id {texts})"
	endOfTaskOfScope    = "exists (select 1 from task_log l where l.scope_id = c.id and l.event in (3, 4) and "
)

// scopeFields are the filters that both kinds of queries share.
func scopeFields(more map[string]Field) map[string]Field {
	for name, field := range map[string]Field{
		"processInstanceIds":        {Kind: Texts, Cond: "c.id {texts}", NotEmpty: "Set of process instance ids is empty"},
		"rootProcessInstanceId":     {Kind: Text, Cond: "c.id = ?"},
		"processDefinitionId":       {Kind: Text, Cond: "c.definition_id = ?"},
		"processDefinitionKey":      {Kind: Text, Cond: "c.definition_key = ?"},
		"processDefinitionKeyIn":    {Kind: Texts, Cond: "c.definition_key {texts}"},
		"processDefinitionKeyNotIn": {Kind: Texts, Cond: "c.definition_key is null or not (c.definition_key {texts})"},
		"tenantIdIn":                {Kind: Texts, Cond: "c.tenant_id {texts}"},
		"withoutTenantId":           {Kind: Flag, Cond: "c.tenant_id is null"},
		"suspended":                 {Kind: Flag, Cond: "c.suspended and c.end_time is null"},
		"active":                    {Kind: Flag, Cond: "not c.suspended and c.end_time is null"},
		"activityIdIn":              {Kind: Texts, Cond: taskOfScope},
		"rootProcessInstances":      {Kind: Flag, Cond: "true"},
		"variables":                 {Kind: Special, Comparisons: true, Make: compareVariables("c.id", ownVariables)},
		"variableNamesIgnoreCase":   {Kind: Option},
		"variableValuesIgnoreCase":  {Kind: Option},
		"superCaseInstance":         nothing,
		"superCaseInstanceId":       nothing,
		"subCaseInstance":           nothing,
		"subCaseInstanceId":         nothing,
		"caseInstanceId":            nothing,
	} {
		more[name] = field
	}
	return more
}

// RunningScopes are the scopes that have not ended, with the filters of ProcessInstanceQueryDto.
var RunningScopes = &Resource{
	From: "(select * from scope where end_time is null) c", ID: "c.id", Tenant: "c.tenant_id",
	Fields: scopeFields(map[string]Field{
		"businessKey":                      {Kind: Text, Cond: "c.business_key = ?"},
		"businessKeyLike":                  like("c.business_key like ?"),
		"processDefinitionWithoutTenantId": {Kind: Flag, Cond: "c.tenant_id is null"},
		"leafProcessInstances":             {Kind: Flag, Cond: "true"},
		"deploymentId":                     nothing,
		"superProcessInstance":             nothing,
		"subProcessInstance":               nothing,
		"withIncident":                     {Kind: Flag, Cond: openIncidentOfScope + ")"},
		"incidentId":                       {Kind: OneID, Cond: openIncidentOfScope + " and i.id = ?)"},
		"incidentType":                     {Kind: Text, Cond: openIncidentOfScope + " and i.type = ?)"},
		"incidentMessage":                  {Kind: Text, Cond: openIncidentOfScope + " and i.message = ?)"},
		"incidentMessageLike":              like(openIncidentOfScope + " and i.message like ?)"),
	}),
	Sorts: map[string]string{
		"instanceId": "c.id", "definitionId": "c.definition_id", "definitionKey": "c.definition_key", "businessKey": "c.business_key",
		"tenantId": "c.tenant_id",
	},
}

// HistoricScopes are all scopes, with the filters of HistoricProcessInstanceQueryDto.
var HistoricScopes = &Resource{
	From: "scope c", ID: "c.id", Tenant: "c.tenant_id",
	Fields: scopeFields(map[string]Field{
		"processInstanceId":              {Kind: Text, Cond: "c.id = ?"},
		"processInstanceIdNotIn":         {Kind: Texts, Cond: "not (c.id {texts})"},
		"processInstanceBusinessKey":     {Kind: Text, Cond: "c.business_key = ?"},
		"processInstanceBusinessKeyIn":   {Kind: Texts, Cond: "c.business_key {texts}"},
		"processInstanceBusinessKeyLike": like("c.business_key like ?"),
		"processDefinitionName":          nothing,
		"processDefinitionNameLike":      nothing,
		"finished":                       {Kind: Flag, Cond: "c.end_time is not null"},
		"unfinished":                     {Kind: Flag, Cond: "c.end_time is null"},
		"startedBefore":                  {Kind: Date, Cond: "c.start_time <= ?"},
		"startedAfter":                   {Kind: Date, Cond: "c.start_time >= ?"},
		"finishedBefore":                 {Kind: Date, Cond: "c.end_time <= ?"},
		"finishedAfter":                  {Kind: Date, Cond: "c.end_time >= ?"},
		"completed":                      {Kind: Flag, Cond: "c.end_time is not null and not c.cancelled"},
		"externallyTerminated":           {Kind: Flag, Cond: "c.cancelled"},
		"internallyTerminated":           {Kind: Flag, Cond: "false"},
		"withIncidents":                  {Kind: Flag, Cond: anyIncidentOfScope + ")"},
		"withRootIncidents":              {Kind: Flag, Cond: anyIncidentOfScope + ")"},
		"incidentIdIn":                   {Kind: IDs, Cond: anyIncidentOfScope + " and i.id {ids})"},
		"incidentType":                   {Kind: Text, Cond: anyIncidentOfScope + " and i.type = ?)"},
		"incidentStatus":                 {Kind: Text, Cond: anyIncidentOfScope + " and i.state = case ? when 'open' then 0 when 'resolved' then 1 end)"},
		"incidentMessage":                {Kind: Text, Cond: anyIncidentOfScope + " and i.message = ?)"},
		"incidentMessageLike":            like(anyIncidentOfScope + " and i.message like ?)"),
		"activeActivityIdIn":             {Kind: Texts, Cond: taskOfScope},
		"executedActivityIdIn":           {Kind: Texts, Cond: endOfTaskOfScope + "l.activity_id {texts})"},
		"executedActivityBefore":         {Kind: Date, Cond: endOfTaskOfScope + "l.at <= ?)"},
		"executedActivityAfter":          {Kind: Date, Cond: endOfTaskOfScope + "l.at >= ?)"},
		"startedBy":                      nothing,
		"superProcessInstanceId":         nothing,
		"subProcessInstanceId":           nothing,
		"executedJobBefore":              nothing,
		"executedJobAfter":               nothing,
		"withJobsRetrying":               {Kind: Flag, Cond: "false"},
	}),
	Sorts: map[string]string{
		"instanceId": "c.id", "definitionId": "c.definition_id", "definitionKey": "c.definition_key", "definitionName": "cast(null as text)",
		"definitionVersion": "cast(null as integer)", "businessKey": "c.business_key", "startTime": "c.start_time", "endTime": "c.end_time",
		"duration": "c.end_time - c.start_time", "tenantId": "c.tenant_id",
	},
}

// TasksOfScopes gives the query that selects the ids of all tasks of the scopes that a filter on r (RunningScopes or
// HistoricScopes) selects. The error is ErrFilter.
func (q Queries) TasksOfScopes(r *Resource, f *Filter) (text string, args []any, err error) {
	if _, err := r.orderBy(f); err != nil {
		return "", nil, err
	}
	cond, args, err := q.where(r, f)
	if err != nil {
		return "", nil, err
	}
	return "select t.id from external_task t where t.scope_id in (select c.id from " + r.From + " where " + cond + ")", args, nil
}

// SelectTasksOfScopes reads the ids that TasksOfScopes selects.
func (q Queries) SelectTasksOfScopes(ctx context.Context, r *Resource, f *Filter) ([]ID, error) {
	text, args, err := q.TasksOfScopes(r, f)
	if err != nil {
		return nil, err
	}
	return q.selectIDs(ctx, text, args...)
}
