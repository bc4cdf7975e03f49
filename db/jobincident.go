package db

import "context"

// JobIncident is a failedJob incident that is about to be opened.
type JobIncident struct {
	ID, Job, Definition ID
	At                  Time
	Message             *string
	FailureLog          *ID     // the entry of the failure that caused it; nil: retries were set to 0
	TenantID, Owner     *string // of the batch
}

const openJobIncident = `insert into incident (id, type, state, configuration, job_definition_id, tenant_id, owner, create_time, message, history_configuration)
 values (?, 'failedJob', 0, ?, ?, ?, ?, ?, ?, ?)
 on conflict (configuration) where ` + stillOpen + ` do update set history_configuration = coalesce(excluded.history_configuration, incident.history_configuration)`

// OpenJobIncident opens a failedJob incident. If the job has an open one, that is kept, and points to the newest failure from
// then on (contract-facts 10.3).
func (t *Tx) OpenJobIncident(ctx context.Context, i JobIncident) error {
	_, err := t.exec(ctx, openJobIncident, i.ID, i.Job, i.Definition, i.TenantID, i.Owner, i.At, i.Message, i.FailureLog)
	return err
}

// OpenJobIncidents opens failedJob incidents of the jobs of a batch's range whose retries were set to 0, all with its message. Their
// ids count on from the batch's failures. Where a job has an open incident, that is kept.
func (t *Tx) OpenJobIncidents(ctx context.Context, b *Batch, r *Range, at Time) error {
	n := int(r.N)
	ids, jobs := make([]ID, n), make([]ID, n)
	for i := range r.N {
		ids[i], jobs[i] = r.BatchID.Sub(SubJobIncident, uint32(b.Failures+i)), r.ID(r.First+i) //nolint:gosec // not negative
	}
	return t.insert(ctx, "incident", n, "on conflict (configuration) where "+stillOpen+" do nothing",
		ofIDs("id", ids),
		of("type", "text", repeat(FailedJob, n)),
		of("state", "smallint", repeat(int16(IncidentOpen), n)),
		ofIDs("configuration", jobs),
		ofIDs("job_definition_id", repeat(r.Kind.Definition(r.BatchID), n)),
		of("tenant_id", "text", repeat(b.TenantID, n)),
		of("owner", "text", repeat(b.Owner, n)),
		of("create_time", "bigint", repeat(int64(at), n)),
		of("message", "text", repeat(r.ExceptionMessage, n)),
	)
}

// The ways in which an incident ends.
const (
	IncidentOpen     = 0 // its cause is still there
	IncidentResolved = 1 // its cause was mended, or its task completed
	IncidentDeleted  = 2 // its task or job was removed
)

const closeJobIncidents = "update incident set state = ?, end_time = ? where configuration between ? and ? and " + stillOpen

// CloseJobIncidents ends the open incidents of the jobs from one id to another, as resolved or deleted.
func (t *Tx) CloseJobIncidents(ctx context.Context, from, to ID, state int, at Time) error {
	_, err := t.exec(ctx, closeJobIncidents, state, at, from, to)
	return err
}
