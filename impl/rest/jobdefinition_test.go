package rest

import (
	"context"
	"strings"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/fault"
)

// definition gives a definition of a shop as a document; kind is the digit of its id.
func definition(kind, jobType string) string {
	return strings.NewReplacer("KIND", kind, "TYPE", jobType).Replace(`{"id": "BATCHKIND00000000", "jobConfiguration": "BATCH000000000", "jobType": "TYPE",
 "activityId": null, "deploymentId": null, "overridingJobPriority": null, "processDefinitionId": null, "processDefinitionKey": null, "suspended": false, "tenantId": null}`)
}

func TestJobDefinitionReads(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, store *db.Store) {
		s, ctx := newShop(t, store), context.Background()
		h := jobDefinitions{s.engine}
		run, seed, monitor := definition("5", "set-external-task-retries"), definition("6", "batch-seed-job"), definition("7", "batch-monitor-job")
		one, err := h.GetJobDefinition(ctx, gen.GetJobDefinitionRequestObject{ID: s.id(db.SubSeedDefinition, 0)})
		s.wantJSON(t, seed, one, err)
		list, err := h.GetJobDefinitions(ctx, gen.GetJobDefinitionsRequestObject{Params: gen.GetJobDefinitionsParams{JobConfiguration: ptr(s.batch.String())}})
		s.wantJSON(t, "["+run+","+seed+","+monitor+"]", list, err)
		query := body[gen.JobDefinitionQueryDto](t, `{"active": true, "sorting": [{"sortBy": "jobType", "sortOrder": "asc"}]}`)
		posted, err := h.QueryJobDefinitions(ctx, gen.QueryJobDefinitionsRequestObject{Params: gen.QueryJobDefinitionsParams{MaxResults: ptr(2)}, Body: query})
		s.wantJSON(t, "["+monitor+","+seed+"]", posted, err)
		count, err := h.GetJobDefinitionsCount(ctx, gen.GetJobDefinitionsCountRequestObject{Params: gen.GetJobDefinitionsCountParams{ActivityIDIn: ptr("a,b")}})
		s.wantJSON(t, `{"count": 0}`, count, err)
		counted, err := h.QueryJobDefinitionsCount(ctx, gen.QueryJobDefinitionsCountRequestObject{Body: query})
		s.wantJSON(t, `{"count": 3}`, counted, err)
		_, err = h.GetJobDefinition(ctx, gen.GetJobDefinitionRequestObject{ID: "?"})
		wantFault(t, err, fault.NotFound, "Job Definition with id ? does not exist")
	})
}

func TestEngines(t *testing.T) {
	t.Parallel()
	h := engines{version: "7.24.0"}
	names, err := h.GetProcessEngineNames(context.Background(), gen.GetProcessEngineNamesRequestObject{})
	shop{}.wantJSON(t, `[{"name": "default"}]`, names, err)
	version, err := h.GetRestAPIVersion(context.Background(), gen.GetRestAPIVersionRequestObject{})
	shop{}.wantJSON(t, `{"version": "7.24.0"}`, version, err)
}
