package rest

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/oapi-codegen/nullable"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/variable"
)

func TestToInputs(t *testing.T) {
	t.Parallel()
	type variables = map[string]gen.VariableValueDto
	for name, c := range map[string]struct {
		in   nullable.Nullable[variables]
		want map[string]variable.Input
	}{
		"absent": {nil, map[string]variable.Input{}},
		"null":   {null[variables](), map[string]variable.Input{}},
		"full": {some(*body[variables](t, `{"a": {"value": 5.0, "type": "Double", "valueInfo": {"transient": true}}}`)),
			map[string]variable.Input{"a": {Type: ptr("Double"), Value: json.RawMessage("5.0"), Info: variable.Info{"transient": true}}}},
		"value alone": {some(*body[variables](t, `{"a": {"value": 9223372036854775807}}`)), map[string]variable.Input{"a": {Value: json.RawMessage("9223372036854775807")}}},
		"nulls":       {some(*body[variables](t, `{"a": {"value": null, "type": null}, "b": {}}`)), map[string]variable.Input{"a": {}, "b": {}}},
	} {
		if got := toInputs(c.in); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestToVariables(t *testing.T) {
	t.Parallel()
	got, err := toVariables(map[string]db.Variable{
		"text":  {Type: "String", Text: ptr(`a "quoted" text`), Info: "{}"},
		"null":  {Type: "Null", Value: ptr("null"), Info: "{}"},
		"exact": {Type: "Double", Value: ptr("1.50"), Info: "{}"},
		"file":  {Type: "File", Value: ptr("null"), Info: `{"filename": "f"}`},
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(got)
	if want := `{"exact":{"type":"Double","value":1.50,"valueInfo":{}},"file":{"type":"File","value":null,"valueInfo":{"filename":"f"}},` +
		`"null":{"type":"Null","value":null,"valueInfo":{}},"text":{"type":"String","value":"a \"quoted\" text","valueInfo":{}}}`; err != nil || string(text) != want {
		t.Errorf("%s, %v; want %s", text, err, want)
	}
	if none, err := toVariables(nil); err != nil || none == nil || len(none) != 0 {
		t.Errorf("none: %v, %v", none, err)
	}
}
