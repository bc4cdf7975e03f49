package db

import (
	"context"
	"encoding/json"
	"fmt"
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

// Seen says which variables of those that a task sees are read with it: its own, and its scope's.
type Seen struct {
	Names []string // nil: all
	Local bool     // only the task's own
}

// SeenVariable is a variable as a task sees it: its own, or its scope's.
type SeenVariable struct {
	Own bool
	Variable
}

// SeenVariables are variables that a statement has read with their task, as a JSON array.
type SeenVariables []SeenVariable

// Scan reads the array; NULL is an empty one.
func (l *SeenVariables) Scan(src any) error {
	var rows []struct {
		Name, Type, Info string
		Own, Text, Value *string
	}
	var err error
	switch src := src.(type) {
	case nil:
	case []byte:
		err = json.Unmarshal(src, &rows)
	case string:
		err = json.Unmarshal([]byte(src), &rows)
	default:
		err = fmt.Errorf("variables of the type %T", src)
	}
	*l = make(SeenVariables, len(rows))
	for i, r := range rows {
		(*l)[i] = SeenVariable{r.Own != nil, Variable{Name: r.Name, Type: r.Type, Text: r.Text, Value: r.Value, Info: r.Info}}
	}
	return err
}

const (
	wholeVariableColumns = "v.scope_id, v.task_id, v.name, v.type, v.text_value, v.value, v.value_info"
	variableColumns      = "v.scope_id, v.task_id, v.name, v.type, v.text_value, " + keptValue + " as value, v.value_info"
	keptValue            = "case when v.type = 'File' then 'null' else v.value end"
)

// seenSQL gives the column of the variables that the task s, t sees; the content of files stays behind (contract-facts 10.6).
func (q Queries) seenSQL(of *Seen) (column string, args []any) {
	if of == nil {
		return "null as seen", nil
	}
	cond := "v.task_id = s.id"
	if !of.Local {
		cond, args = "("+cond+" or v.task_id = ?)", append(args, NilID)
	}
	if of.Names != nil {
		cond, args = cond+" and v.name {texts}", append(args, q.texts(of.Names))
	}
	return "(select {jsonlist}({jsonobject}('own', case when v.task_id = s.id then 'yes' end, 'name', v.name, 'type', v.type, 'text', v.text_value, 'value', " + keptValue +
		", 'info', v.value_info)) from variable v where v.scope_id = t.scope_id and " + cond + ") as seen", args
}
