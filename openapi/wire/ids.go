package wire

import (
	"encoding/json"

	"github.com/google/uuid"
)

// IDs is a list of ids, perhaps a million of them, of which nearly all are UUIDs: those take 16 bytes each. What reads requests
// fills it item by item.
type IDs struct {
	UUIDs  [][16]byte // in order; the zero UUID stands for the next one of Others
	Others []string
}

// NewIDs makes a list of texts; whether they are UUIDs is not looked at.
func NewIDs(texts ...string) IDs { return IDs{make([][16]byte, len(texts)), texts} }

// All calls f for every id in order: with the UUID, or with the zero UUID and the text.
func (l IDs) All(f func(id [16]byte, text string)) {
	others := l.Others
	for _, id := range l.UUIDs {
		if id == ([16]byte{}) {
			f(id, others[0])
			others = others[1:]
			continue
		}
		f(id, "")
	}
}

// Texts gives the ids as texts.
func (l IDs) Texts() []string {
	list := make([]string, 0, len(l.UUIDs))
	l.All(func(id [16]byte, text string) {
		if text == "" && id != ([16]byte{}) {
			text = uuid.UUID(id).String()
		}
		list = append(list, text)
	})
	return list
}

// MarshalJSON writes an array of strings.
func (l IDs) MarshalJSON() ([]byte, error) { return json.Marshal(l.Texts()) }

// UnmarshalJSON reads an array of strings.
func (l *IDs) UnmarshalJSON(b []byte) error {
	var texts []string
	err := json.Unmarshal(b, &texts)
	*l = NewIDs(texts...)
	return err
}
