package rest

import (
	"encoding/json"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/oapi-codegen/nullable"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

func ptr[T any](v T) *T { return &v }

var someDate = time.Date(2013, 1, 23, 12, 42, 45, 0, time.UTC)

const someDateText = "2013-01-23T14:42:45.000+0200"

func some[T any](v T) nullable.Nullable[T] { return nullable.NewNullableWithValue(v) }

func null[T any]() nullable.Nullable[T] { return nullable.NewNullNullable[T]() }

// body reads a body as the generated server does.
func body[T any](t *testing.T, text string) *T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return &v
}

func TestReadValues(t *testing.T) {
	t.Parallel()
	at := db.TimeOf(someDate)
	for name, c := range map[string]struct {
		resource *db.Resource
		source   any
		want     map[string]any
	}{
		"nothing":                {db.Jobs, gen.GetJobsParams{}, map[string]any{}},
		"no body":                {db.Jobs, (*gen.JobQueryDto)(nil), map[string]any{}},
		"or queries":             {db.RunningScopes, body[gen.ProcessInstanceQueryDto](t, `{"orQueries": [{"suspended": true}, null]}`), map[string]any{}},
		"empty lists of objects": {db.RunningScopes, body[gen.ProcessInstanceQueryDto](t, `{"orQueries": [], "variables": []}`), map[string]any{}},
		"empty body":             {db.Jobs, &gen.JobQueryDto{}, map[string]any{}},
		"text":                   {db.Jobs, gen.GetJobsParams{JobID: ptr("x")}, map[string]any{"jobId": "x"}},
		"empty text":             {db.Jobs, gen.GetJobsParams{ExceptionMessage: ptr("")}, map[string]any{"exceptionMessage": ""}},
		"text with comma":        {db.Jobs, gen.GetJobsParams{ExceptionMessage: ptr("a,b")}, map[string]any{"exceptionMessage": "a,b"}},
		"booleans":               {db.Jobs, gen.GetJobsParams{Active: ptr(false), Timers: ptr(true)}, map[string]any{"active": false, "timers": true}},
		"number":                 {db.Jobs, gen.GetJobsParams{PriorityLowerThanOrEquals: ptr(int64(-7))}, map[string]any{"priorityLowerThanOrEquals": int64(-7)}},
		"date":                   {db.Incidents, gen.GetIncidentsParams{IncidentTimestampAfter: ptr(wire.NewDateTime(someDate))}, map[string]any{"incidentTimestampAfter": at}},
		"list":                   {db.Jobs, gen.GetJobsParams{JobIds: ptr("a,b"), TenantIDIn: ptr("t")}, map[string]any{"jobIds": []string{"a", "b"}, "tenantIdIn": []string{"t"}}},
		"list with blanks":       {db.Jobs, gen.GetJobsParams{TenantIDIn: ptr("a, b,")}, map[string]any{"tenantIdIn": []string{"a", " b", ""}}},
		"empty list":             {db.Jobs, gen.GetJobsParams{TenantIDIn: ptr("")}, map[string]any{}},
		"empty set":              {db.Jobs, gen.GetJobsParams{JobIds: ptr("")}, map[string]any{"jobIds": []string{""}}},
		"comparison":             {db.Jobs, gen.GetJobsParams{DueDates: ptr("gt_" + someDateText)}, map[string]any{"dueDates": []db.Comparison{{Operator: ptr("gt"), Value: at}}}},
		"comparisons":            {db.Jobs, gen.GetJobsParams{CreateTimes: ptr("gt_2013-01-23T12:42:45Z,no_" + someDateText)}, map[string]any{"createTimes": []db.Comparison{{Operator: ptr("gt"), Value: at}, {Operator: ptr("no"), Value: at}}}},
		"variable":               {db.Tasks, gen.GetExternalTasksParams{ProcessVariables: ptr("x_eq_5")}, map[string]any{"processVariables": []db.Comparison{{Name: ptr("x"), Operator: ptr("eq"), Value: "5"}}}},
		"variable with date":     {db.Tasks, gen.GetExternalTasksParams{ProcessVariables: ptr("x_eq_" + someDateText)}, map[string]any{"processVariables": []db.Comparison{{Name: ptr("x"), Operator: ptr("eq"), Value: at}}}},
		"body with nulls":        {db.Jobs, &gen.JobQueryDto{JobID: null[string](), JobIds: null[[]string](), Active: null[bool]()}, map[string]any{}},
		"body with values":       {db.Jobs, &gen.JobQueryDto{JobID: some("x"), JobIds: some([]string{"a,b"}), Active: some(true)}, map[string]any{"jobId": "x", "jobIds": []string{"a,b"}, "active": true}},
		"body with empty list":   {db.Jobs, &gen.JobQueryDto{JobIds: some([]string{})}, map[string]any{}},
		"body with comparisons":  {db.Jobs, body[gen.JobQueryDto](t, `{"dueDates": [{"operator": "lt", "value": "`+someDateText+`"}, {"operator": null, "value": null}]}`), map[string]any{"dueDates": []db.Comparison{{Operator: ptr("lt"), Value: at}, {}}}},
		"body with variables": {db.Tasks, body[gen.ExternalTaskQueryDto](t, `{"processVariables": [{"name": "a", "operator": "eq", "value": 5}, {"value": 5.0}, {"value": 1e30}, {"value": "x"},
			{"value": "`+someDateText+`"}, {"value": false}, {"value": null}, {}, {"value": [1]}]}`), map[string]any{"processVariables": []db.Comparison{
			{Name: ptr("a"), Operator: ptr("eq"), Value: int64(5)}, {Value: 5.0}, {Value: 1e30}, {Value: "x"}, {Value: at}, {Value: false}, {}, {}, {Value: json.RawMessage("[1]")},
		}}},
	} {
		q, err := read(c.resource, c.source)
		if err != nil || !reflect.DeepEqual(q.Values, c.want) {
			t.Errorf("%s: %#v, %v; want %#v", name, q.Values, err, c.want)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for want, source := range map[string]any{
		"Cannot set query parameter 'dueDates' to value 'gt': condition query parameter has to have format OPERATOR_VALUE.":             gen.GetJobsParams{DueDates: ptr("gt")},
		"Cannot set query parameter 'dueDates' to value '': condition query parameter has to have format OPERATOR_VALUE.":               gen.GetJobsParams{DueDates: ptr("")},
		`Invalid due date format: Cannot convert value "tomorrow" to java type java.util.Date`:                                          gen.GetJobsParams{DueDates: ptr("gt_tomorrow")},
		`Invalid create time format: Cannot convert value "x" to java type java.util.Date`:                                              gen.GetJobsParams{CreateTimes: ptr("gt_x")},
		"Cannot set query parameter 'processVariables' to value 'a_b': variable query parameter has to have format KEY_OPERATOR_VALUE.": gen.GetExternalTasksParams{ProcessVariables: ptr("a_b")},
	} {
		resource := db.Jobs
		if _, tasks := source.(gen.GetExternalTasksParams); tasks {
			resource = db.Tasks
		}
		_, err := read(resource, source)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Invalid || f.Type != fault.InvalidRequest || f.Code != nil || f.Message != want {
			t.Errorf("%+v: %v; want %s", source, err, want)
		}
	}
}

func TestReadPage(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		params     gen.QueryJobsParams
		first, max int
	}{
		{gen.QueryJobsParams{}, 0, 2147483647},
		{gen.QueryJobsParams{FirstResult: ptr(3), MaxResults: ptr(0)}, 3, 0},
		{gen.QueryJobsParams{MaxResults: ptr(50)}, 0, 50},
	} {
		if q, err := read(db.Jobs, c.params, &gen.JobQueryDto{}); err != nil || q.First != c.first || q.Max != c.max {
			t.Errorf("%+v: page %d, %d, %v", c.params, q.First, q.Max, err)
		}
	}
}

func TestReadSorting(t *testing.T) {
	t.Parallel()
	by, asc, desc := "jobId", "asc", "desc"
	for name, c := range map[string]struct {
		source any
		want   engine.Sorting
	}{
		"none":      {gen.GetJobsParams{}, engine.Sorting{}},
		"pair":      {gen.GetJobsParams{SortBy: ptr(gen.JobSortBy(by)), SortOrder: ptr(gen.SortOrder(desc))}, engine.Sorting{By: &by, Order: &desc}},
		"half":      {gen.GetJobsCountParams{SortOrder: ptr(gen.SortOrder(asc))}, engine.Sorting{Order: &asc}},
		"body pair": {body[gen.JobQueryDto](t, `{"sortBy": "jobId", "sortOrder": "asc"}`), engine.Sorting{By: &by, Order: &asc}},
		"nulls":     {body[gen.JobQueryDto](t, `{"sortBy": null, "sortOrder": null, "sorting": null}`), engine.Sorting{}},
		"levels": {body[gen.JobQueryDto](t, `{"sorting": [{"sortBy": "jobId", "sortOrder": "desc"}, {}, {"sortBy": null, "sortOrder": "asc"}, {"sortBy": "jobId"}]}`),
			engine.Sorting{Levels: []engine.Level{{By: &by, Order: &desc}, {}, {Order: &asc}, {By: &by}}}},
		"pair and levels": {body[gen.JobQueryDto](t, `{"sortBy": "jobId", "sortOrder": "asc", "sorting": [{"sortBy": "jobId", "sortOrder": "desc"}]}`),
			engine.Sorting{By: &by, Order: &asc, Levels: []engine.Level{{By: &by, Order: &desc}}}},
	} {
		q, err := read(db.Jobs, c.source)
		if err != nil || !reflect.DeepEqual(q.Sorting, c.want) || len(q.Values) > 0 {
			t.Errorf("%s: %+v, %v; want %+v", name, q.Sorting, err, c.want)
		}
	}
}
