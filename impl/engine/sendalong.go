package engine

import (
	"encoding/json"
	"slices"

	"rearm/db"
)

// wanted says which variables to read with tasks, for all topics together; nil if none of them wants one.
func wanted(topics map[string]*FetchTopic) *db.Seen {
	of := db.Seen{Local: true, Names: []string{}}
	all := false
	for _, t := range topics {
		of.Local = of.Local && t.LocalVariables
		of.Names, all = append(of.Names, t.Variables...), all || t.Variables == nil
	}
	switch {
	case all:
		of.Names = nil
	case len(of.Names) == 0:
		return nil
	}
	return &of
}

// sendAlong fills in what the topics of fetched tasks want sent along: variables and extension properties.
func sendAlong(got []db.LockedTask, topics map[string]*FetchTopic) {
	for i := range got {
		t := topics[got[i].TopicName]
		if !t.IncludeExtensionProperties {
			got[i].ExtensionProperties = nil
		}
		got[i].Variables = t.choose(got[i].Seen)
		got[i].Seen = nil
	}
}

// choose gives those variables of a task that its topic wants; its own hide the scope's.
func (t *FetchTopic) choose(seen []db.SeenVariable) map[string]db.Variable {
	chosen := map[string]db.Variable{}
	for i := range seen {
		v := &seen[i]
		if !v.Own && t.LocalVariables || t.Variables != nil && !slices.Contains(t.Variables, v.Name) {
			continue
		}
		if _, has := chosen[v.Name]; has && !v.Own {
			continue
		}
		chosen[v.Name] = v.Variable
		if t.DeserializeValues {
			chosen[v.Name] = deserialized(v.Variable)
		}
	}
	return chosen
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
