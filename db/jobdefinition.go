package db

import "context"

// JobDefinition is what the jobs of one kind of a running batch have in common. It is not stored: every batch has three,
// which its own row tells of.
type JobDefinition struct {
	BatchID   ID      `db:"batch_id"`
	Kind      JobKind `db:"kind"`
	Type      string  `db:"job_type"`
	Suspended bool    `db:"suspended"`
	Priority  *int64  `db:"priority"` // the overriding one; nil: none
	TenantID  *string `db:"tenant_id"`
	Owner     *string `db:"owner"` // of the batch
}

// ID gives the id of the definition.
func (d *JobDefinition) ID() ID { return d.Kind.Definition(d.BatchID) }

const jobDefinitions = `(select b.id as batch_id, k.kind, case k.kind when 2 then 'batch-seed-job' when 3 then 'batch-monitor-job' else b.type end as job_type,
 (b.definition_suspended & case k.kind when 3 then 4 else k.kind end) <> 0 as suspended,
 case k.kind when 1 then b.priority_job when 2 then b.priority_seed else b.priority_monitor end as priority, b.tenant_id, b.owner
 from batch b cross join (select 1 as kind union all select 2 union all select 3) k) d`

const jobDefinitionColumns = "d.batch_id, d.kind, d.job_type, d.suspended, d.priority, d.tenant_id, d.owner"

// JobDefinitions are the job definitions of running batches, with the filters and sort keys of /job-definition
// (contract-facts 7).
var JobDefinitions = &Resource{
	From: jobDefinitions, ID: "d.batch_id, d.kind", Tenant: "d.tenant_id", Owner: "d.owner",
	Fields: map[string]Field{
		"jobDefinitionId":           {Kind: Special, Make: ofDefinition("d")},
		"activityIdIn":              nothing,
		"processDefinitionId":       nothing,
		"processDefinitionKey":      nothing,
		"jobType":                   {Kind: Text, Cond: "d.job_type = ?"},
		"jobConfiguration":          {Kind: OneID, Cond: "d.batch_id = ?"},
		"active":                    {Kind: Flag, Cond: "not d.suspended", Unless: "suspended"},
		"suspended":                 {Kind: Flag, Cond: "d.suspended"},
		"withOverridingJobPriority": {Kind: Flag, Cond: "d.priority is not null"},
		"tenantIdIn": {Kind: Texts, Cond: "d.tenant_id {texts}", Unless: "withoutTenantId", Plus: "includeJobDefinitionsWithoutTenantId",
			PlusCond: "d.tenant_id is null"},
		"withoutTenantId":                      {Kind: Flag, Cond: "d.tenant_id is null"},
		"includeJobDefinitionsWithoutTenantId": {Kind: Option},
	},
	Sorts: map[string]string{
		"jobDefinitionId": "d.batch_id, d.kind", "jobType": "d.job_type", "jobConfiguration": "d.batch_id", "tenantId": "d.tenant_id",
		"activityId": noKey, "processDefinitionId": noKey, "processDefinitionKey": noKey,
	},
}

// JobDefinitions reads a page of the job definitions that a filter selects.
func (q Queries) JobDefinitions(ctx context.Context, f *Filter) ([]JobDefinition, error) {
	list := []JobDefinition{}
	r, f, _ := endAtID(JobDefinitions, f, "jobDefinitionId")
	return list, q.list(ctx, &list, r, jobDefinitionColumns, f)
}

// CountJobDefinitions counts what JobDefinitions lists.
func (q Queries) CountJobDefinitions(ctx context.Context, f *Filter) (int64, error) {
	return q.count(ctx, JobDefinitions, f)
}

// JobDefinition reads one job definition; ErrNotFound if no running batch has it.
func (q Queries) JobDefinition(ctx context.Context, id ID) (*JobDefinition, error) {
	batch, sub, _ := id.Split()
	kind, ok := JobKindOf(sub)
	if !ok || kind.Definition(batch) != id {
		return nil, ErrNotFound
	}
	var d JobDefinition
	return &d, q.get(ctx, &d, "select "+jobDefinitionColumns+" from "+jobDefinitions+" where d.batch_id = ? and d.kind = ?", batch, kind)
}
