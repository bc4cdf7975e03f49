package rest

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"rearm/db"
	"rearm/gen"
	"rearm/openapi/wire"
)

// lists names the operations that read a query, by the resource that judges it.
var lists = map[*db.Resource]string{
	db.Batches:               "GetBatches GetBatchesCount",
	db.BatchesWithStatistics: "GetBatchStatistics GetBatchStatisticsCount",
	db.HistoricBatches:       "GetHistoricBatches GetHistoricBatchesCount",
	db.Incidents:             "GetIncidents GetIncidentsCount",
	db.HistoricIncidents:     "GetHistoricIncidents GetHistoricIncidentsCount",
	db.Jobs:                  "GetJobs QueryJobs GetJobsCount QueryJobsCount",
	db.JobDefinitions:        "GetJobDefinitions QueryJobDefinitions GetJobDefinitionsCount QueryJobDefinitionsCount",
	db.JobLog:                "GetHistoricJobLogs QueryHistoricJobLogs GetHistoricJobLogsCount QueryHistoricJobLogsCount",
	db.CleanableReport:       "GetCleanableHistoricBatchesReport GetCleanableHistoricBatchesReportCount",
	db.TaskLog:               "GetHistoricExternalTaskLogs QueryHistoricExternalTaskLogs GetHistoricExternalTaskLogsCount QueryHistoricExternalTaskLogsCount",
	db.Tasks:                 "GetExternalTasks QueryExternalTasks GetExternalTasksCount QueryExternalTasksCount",
}

// selections are the queries inside of other bodies, by the resource that judges them.
var selections = map[string]*db.Resource{
	"ExternalTaskQueryDto": db.Tasks, "ProcessInstanceQueryDto": db.RunningScopes, "HistoricProcessInstanceQueryDto": db.HistoricScopes,
	"HistoricBatchQueryDto": db.HistoricBatches,
	"JobQueryDto":           db.Jobs,
}

// noQueries have parameters, or a sorting, but no filters of a list: their handlers read them one by one.
var noQueries = []string{"CreateExternalTask", "CreateExternalTasks", "DeleteBatch", "DeleteProcessInstance", "FetchAndLock", "GetProcessInstanceVariable", "GetTopicNames", "RecalculateDuedate", "SetExternalTaskRetriesAsyncOperation"}

// paging are the names that are no filters in any query; orQueries hold queries of the same kind.
var paging = []string{"firstResult", "maxResults", "sortBy", "sortOrder", "sorting", "orQueries"}

// resourceOf gives the resource that judges the query of an operation; nil if it has none.
func resourceOf(operation string) *db.Resource {
	for r, names := range lists {
		if slices.Contains(strings.Fields(names), operation) {
			return r
		}
	}
	return nil
}

// bare takes pointers and nullable wrappings off a type.
func bare(t reflect.Type) reflect.Type {
	switch {
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Map && t.Key().Kind() == reflect.Bool:
		return bare(t.Elem())
	}
	return t
}

// properties gives the types of a generated struct's fields by their names in the contract; nil for any other type.
func properties(t reflect.Type) map[string]reflect.Type {
	t = bare(t)
	if t.Kind() != reflect.Struct || t == reflect.TypeFor[wire.DateTime]() {
		return nil
	}
	all := map[string]reflect.Type{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		all[name] = bare(t.Field(i).Type)
	}
	return all
}

// eachOperation calls f for every operation of the contract with the type of its request.
func eachOperation(f func(name string, request reflect.Type)) {
	api := reflect.TypeFor[gen.StrictServerInterface]()
	for i := range api.NumMethod() {
		f(api.Method(i).Name, api.Method(i).Type.In(1))
	}
}

// Whatever a request may ask is judged by the table of its resource or refused: nothing is accepted and then dropped.
func TestEveryFilterIsJudged(t *testing.T) {
	t.Parallel()
	eachOperation(func(name string, request reflect.Type) {
		lists := !slices.Contains(noQueries, name)
		if params, ok := request.FieldByName("Params"); ok && lists {
			judged(t, name, resourceOf(name), properties(params.Type), true)
		}
		body, ok := request.FieldByName("Body")
		if !ok {
			return
		}
		inBody := properties(body.Type)
		if _, isQuery := inBody["sorting"]; isQuery && lists {
			judged(t, name, resourceOf(name), inBody, false)
		}
		for property, typ := range inBody {
			if inner := properties(typ); inner["sorting"] != nil {
				judged(t, name+"."+property, selections[typ.Name()], inner, false)
			}
		}
	})
}

// judged checks that a resource has a field of a fitting kind for every name that is no paging.
func judged(t *testing.T, where string, r *db.Resource, names map[string]reflect.Type, inQuery bool) {
	t.Helper()
	if r == nil {
		t.Errorf("%s: nothing judges its filters", where)
		return
	}
	for name, typ := range names {
		if slices.Contains(paging, name) {
			continue
		}
		field, ok := r.Fields[name]
		if !ok {
			t.Errorf("%s: nothing judges %s", where, name)
		}
		if ok && !fits(field, typ, inQuery) {
			t.Errorf("%s: %s is a %v, but its field has kind %d", where, name, typ, field.Kind)
		}
	}
}

// fits tells whether a field can take the values of a type.
func fits(field db.Field, t reflect.Type, inQuery bool) bool {
	kinds := map[reflect.Kind][]db.Kind{
		reflect.Bool: {db.Flag, db.FlagNow, db.Choice, db.Option, db.Special}, reflect.Int64: {db.Long, db.Special},
		reflect.String: {db.Text, db.OneID, db.Special}, reflect.Struct: {db.Date, db.Special},
	}
	switch {
	case t.Kind() == reflect.Slice && properties(t.Elem()) != nil:
		return field.Comparisons
	case t.Kind() == reflect.Slice, inQuery && slices.Contains([]db.Kind{db.Texts, db.IDs}, field.Kind):
		return slices.Contains([]db.Kind{db.Texts, db.IDs, db.Special}, field.Kind)
	}
	return slices.Contains(kinds[t.Kind()], field.Kind)
}

// Every sort key of the contract is one of the resource, and the other way round.
func TestEverySortKeyIsKnown(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(gen.Document)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, item := range document.Paths.Map() {
		for _, operation := range item.Operations() {
			name := strings.ToUpper(operation.OperationID[:1]) + operation.OperationID[1:]
			for _, key := range []*openapi3.Schema{sortParameter(operation), sortProperty(operation)} {
				if key == nil || slices.Contains(noQueries, name) {
					continue
				}
				seen++
				sameKeys(t, name, resourceOf(name), key)
			}
		}
	}
	for name, r := range selections {
		sameKeys(t, name, r, document.Components.Schemas[name].Value.Properties["sorting"].Value.Items.Value.Properties["sortBy"].Value)
	}
	if seen < len(lists)*2 {
		t.Errorf("only %d sort keys were found", seen)
	}
}

func sortParameter(operation *openapi3.Operation) *openapi3.Schema {
	if p := operation.Parameters.GetByInAndName("query", "sortBy"); p != nil {
		return p.Schema.Value
	}
	return nil
}

// sortProperty gives the sort key of the levels in the body of an operation.
func sortProperty(operation *openapi3.Operation) *openapi3.Schema {
	if operation.RequestBody == nil {
		return nil
	}
	schema := operation.RequestBody.Value.Content["application/json"].Schema.Value
	if levels := schema.Properties["sorting"]; levels != nil {
		return levels.Value.Items.Value.Properties["sortBy"].Value
	}
	return nil
}

func sameKeys(t *testing.T, operation string, r *db.Resource, schema *openapi3.Schema) {
	t.Helper()
	if r == nil {
		t.Errorf("%s: nothing judges its sorting", operation)
		return
	}
	var contract []string
	for _, v := range schema.Enum {
		if s, ok := v.(string); ok {
			contract = append(contract, s)
		}
	}
	slices.Sort(contract)
	if ours := slices.Sorted(maps.Keys(r.Sorts)); !slices.Equal(contract, ours) {
		t.Errorf("%s: the contract sorts by %v, the resource by %v", operation, contract, ours)
	}
}
