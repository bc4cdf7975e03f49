package rest

import (
	"encoding/json"
	"fmt"

	"github.com/oapi-codegen/nullable"

	"rearm/db"
	"rearm/gen"
	"rearm/impl/variable"
)

// toInputs reads the variables of a request by name; none when they are absent or null.
func toInputs(n nullable.Nullable[map[string]gen.VariableValueDto]) map[string]variable.Input {
	in := orZero(n)
	inputs := make(map[string]variable.Input, len(in))
	for name, v := range in {
		inputs[name] = variable.Input{Type: given(v.Type), Value: orZero(v.Value), Info: variable.Info(orZero(v.ValueInfo))}
	}
	return inputs
}

// toVariables gives variables by name; it is never nil. The error is one of our storage.
func toVariables(in map[string]db.Variable) (map[string]gen.VariableValueDto, error) {
	out := make(map[string]gen.VariableValueDto, len(in))
	for name, v := range in {
		d, err := toVariable(&v)
		if err != nil {
			return nil, err
		}
		out[name] = d
	}
	return out, nil
}

// toVariable gives a variable with its type and its valueInfo, which are never null (contract-facts 10.6).
func toVariable(v *db.Variable) (gen.VariableValueDto, error) {
	info := gen.ValueInfo{}
	if err := json.Unmarshal([]byte(v.Info), &info); err != nil {
		return gen.VariableValueDto{}, fmt.Errorf("read the valueInfo of the variable %q: %w", v.Name, err)
	}
	return gen.VariableValueDto{
		Type: nullable.NewNullableWithValue(v.Type), Value: nullable.NewNullableWithValue(v.JSON()), ValueInfo: nullable.NewNullableWithValue(info),
	}, nil
}
