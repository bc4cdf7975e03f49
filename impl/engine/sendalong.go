package engine

import (
	"context"
	"encoding/json"
	"slices"

	"rearm/db"
)

// sendAlong fills in what the topics of fetched tasks want sent along: variables and extension properties.
func sendAlong(ctx context.Context, tx *db.Tx, got []db.LockedTask, topics map[string]*FetchTopic) error {
	for i := range got {
		got[i].Variables = map[string]db.Variable{}
		if !topics[got[i].TopicName].IncludeExtensionProperties {
			got[i].ExtensionProperties = nil
		}
	}
	of, any := wanted(got, topics)
	if !any {
		return nil
	}
	list, err := tx.Variables(ctx, of)
	if err != nil {
		return err
	}
	byScope := map[string][]db.Variable{}
	for _, v := range list {
		byScope[v.ScopeID] = append(byScope[v.ScopeID], v)
	}
	for i := range got {
		topics[got[i].TopicName].choose(&got[i], byScope[got[i].ScopeID])
	}
	return nil
}

// wanted says which variables to read for tasks; any is false if none of them wants one.
func wanted(got []db.LockedTask, topics map[string]*FetchTopic) (of db.VariablesOf, any bool) {
	of = db.VariablesOf{Local: true, Names: []string{}}
	all := false
	for i := range got {
		t := topics[got[i].TopicName]
		if t.Variables != nil && len(t.Variables) == 0 {
			continue
		}
		of.Scopes, of.Tasks = append(of.Scopes, got[i].ScopeID), append(of.Tasks, got[i].ID)
		of.Local = of.Local && t.LocalVariables
		of.Names, all = append(of.Names, t.Variables...), all || t.Variables == nil
	}
	if all {
		of.Names = nil
	}
	return of, len(of.Tasks) > 0
}

// choose gives a task those variables of its scope that it sees and its topic wants; its own hide the scope's.
func (t *FetchTopic) choose(task *db.LockedTask, list []db.Variable) {
	for _, v := range list {
		own := v.TaskID == task.ID
		switch {
		case !own && (t.LocalVariables || v.TaskID != db.NilID), t.Variables != nil && !slices.Contains(t.Variables, v.Name):
			continue
		}
		if _, has := task.Variables[v.Name]; has && !own {
			continue
		}
		if t.DeserializeValues {
			v = deserialized(v)
		}
		task.Variables[v.Name] = v
	}
}

// deserialized gives an Object that was kept as JSON as JSON; any other value as it is.
func deserialized(v db.Variable) db.Variable {
	var info struct{ SerializationDataFormat string }
	var text *string
	if v.Type != "Object" || json.Unmarshal([]byte(v.Info), &info) != nil || info.SerializationDataFormat != "application/json" ||
		json.Unmarshal(v.JSON(), &text) != nil || text == nil || !json.Valid([]byte(*text)) {
		return v
	}
	v.Value = text
	return v
}
