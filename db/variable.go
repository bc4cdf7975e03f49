package db

import (
	"context"
	"encoding/json"
	"strings"
)

// Variable is a variable of a scope, or of one of its tasks. Text, Long and Double hold its value for comparisons; Value holds it
// as JSON, unless Text is the whole of it.
type Variable struct {
	ScopeID string   `db:"scope_id"`
	TaskID  ID       `db:"task_id"` // NilID: the scope's own
	Name    string   `db:"name"`
	Type    string   `db:"type"` // capitalised
	Text    *string  `db:"text_value"`
	Long    *int64   `db:"long_value"`
	Double  *float64 `db:"double_value"`
	Value   *string  `db:"value"`
	Info    string   `db:"value_info"` // a JSON object
}

// JSON gives the value as it came.
func (v *Variable) JSON() json.RawMessage {
	switch {
	case v.Value != nil:
		return json.RawMessage(*v.Value)
	case v.Text == nil:
		return json.RawMessage("null")
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(*v.Text); err != nil { // a text always can
		panic(err)
	}
	return json.RawMessage(strings.TrimSuffix(b.String(), "\n"))
}

const replaceVariable = `on conflict (scope_id, task_id, name) do update set type = excluded.type, text_value = excluded.text_value,
 long_value = excluded.long_value, double_value = excluded.double_value, value = excluded.value, value_info = excluded.value_info`

// SetVariables writes variables; of several with the same name in the same place the last one counts.
func (t *Tx) SetVariables(ctx context.Context, list []Variable) error {
	list = lastOfEach(list)
	if len(list) == 0 {
		return nil
	}
	return t.insert(ctx, "variable", len(list), replaceVariable,
		of("scope_id", "text", each(list, func(v *Variable) string { return v.ScopeID })),
		ofIDs("task_id", each(list, func(v *Variable) ID { return v.TaskID })),
		of("name", "text", each(list, func(v *Variable) string { return v.Name })),
		of("type", "text", each(list, func(v *Variable) string { return v.Type })),
		of("text_value", "text", each(list, func(v *Variable) *string { return v.Text })),
		of("long_value", "bigint", each(list, func(v *Variable) *int64 { return v.Long })),
		of("double_value", "double precision", each(list, func(v *Variable) *float64 { return v.Double })),
		of("value", "text", each(list, func(v *Variable) *string { return v.Value })),
		of("value_info", "text", each(list, func(v *Variable) string { return v.Info })),
	)
}

// lastOfEach leaves out what a later variable of the list replaces: a statement cannot write a row twice.
func lastOfEach(list []Variable) []Variable {
	type key struct {
		scope string
		task  ID
		name  string
	}
	places := make(map[key]int, len(list))
	kept := make([]Variable, 0, len(list))
	for _, v := range list {
		k := key{v.ScopeID, v.TaskID, v.Name}
		if place, again := places[k]; again {
			kept[place] = v
			continue
		}
		places[k] = len(kept)
		kept = append(kept, v)
	}
	return kept
}

// VariablesOf says which variables to read: those that these tasks see.
type VariablesOf struct {
	Scopes []string
	Tasks  []ID
	Names  []string // nil: all
	Local  bool     // only the tasks' own
}

const (
	wholeVariableColumns = "v.scope_id, v.task_id, v.name, v.type, v.text_value, v.value, v.value_info"
	variableColumns      = "v.scope_id, v.task_id, v.name, v.type, v.text_value, case when v.type = 'File' then 'null' else v.value end as value, v.value_info"
)

const selectVariables = "select " + variableColumns + " from variable v where v.scope_id {texts}"

// Variables reads variables of scopes and of tasks; the content of files stays behind (contract-facts 10.6).
func (q Queries) Variables(ctx context.Context, of VariablesOf) ([]Variable, error) {
	text, args := selectVariables+" and (v.task_id {ids}", []any{q.texts(of.Scopes), q.ids(of.Tasks)}
	if of.Local {
		text += ")"
	} else {
		text, args = text+" or v.task_id = ?)", append(args, NilID)
	}
	if of.Names != nil {
		text, args = text+" and v.name {texts}", append(args, q.texts(of.Names))
	}
	var list []Variable
	return list, q.sel(ctx, &list, text, args...)
}
