package engine

import (
	"encoding/json"

	"rearm/db"
)

// IDs are the ids by which a request names tasks, in its order. Nearly all have the form of one, and take 16 bytes each.
type IDs struct {
	ids   []db.ID // the nil id stands for the next one of texts
	texts []string
}

// IDsOf makes a list of texts.
func IDsOf(texts ...string) (l IDs) {
	for _, text := range texts {
		l.AddText(text)
	}
	return l
}

// Grow makes room for n more.
func (l *IDs) Grow(n int) { l.ids = append(make([]db.ID, 0, len(l.ids)+n), l.ids...) }

// Add adds an id that is not the nil one.
func (l *IDs) Add(id db.ID) { l.ids = append(l.ids, id) }

// AddText adds a text, which may have the form of an id or not.
func (l *IDs) AddText(text string) {
	id, ok := db.ParseID(text)
	if !ok || id == db.NilID {
		id, l.texts = db.NilID, append(l.texts, text)
	}
	l.ids = append(l.ids, id)
}

// Len tells how many there are.
func (l *IDs) Len() int { return len(l.ids) }

// all calls f for each in order: with the id, or with the nil id and the text.
func (l *IDs) all(f func(id db.ID, text string)) {
	texts := l.texts
	for _, id := range l.ids {
		if id == db.NilID {
			f(id, texts[0])
			texts = texts[1:]
			continue
		}
		f(id, "")
	}
}

// MarshalJSON writes what a request with an Idempotency-Key is told by.
func (l IDs) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		IDs   []byte
		Texts []string
	}{db.Pack(l.ids), l.texts})
}
