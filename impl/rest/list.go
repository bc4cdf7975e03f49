package rest

import (
	"bytes"
	"encoding/json"
	"net/http"

	"rearm/impl/fault"
)

const (
	// whole is how many bytes of a list are gathered before they are sent. A list that is shorter has been read from the database
	// when its client gets it, however slowly that is; 10,000 tasks are.
	whole = 8 << 20
	// piece is how many bytes of a longer list are sent at a time.
	piece = 64 << 10
	// longLists is how many longer ones are written at the same time, since each keeps a connection to the database until its client has
	// taken it.
	longLists = 2
)

// turns has a place for each long list that may be written at the same time.
type turns chan struct{}

func newTurns() turns { return make(turns, longLists) }

// list is the answer to a request for a list. rows calls row for everything in it; that is written while it is read, so that a list
// of a million needs little memory.
type list struct {
	turns turns
	rows  func(row func(dto any) error) error
}

// listOf makes an answer of what the engine gives one by one.
func listOf[T, D any](t turns, dto func(*T) D, each func(do func(*T) error) error) list {
	return list{t, func(row func(any) error) error {
		return each(func(one *T) error { return row(dto(one)) })
	}}
}

// write writes the list. An error before the first bytes are sent leaves the answer to others.
func (l list) write(w http.ResponseWriter) error {
	out := &listWriter{turns: l.turns, to: w}
	out.json = json.NewEncoder(&out.text)
	defer out.leave()
	w.Header().Set("Content-Type", "application/json")
	out.text.WriteByte('[')
	if err := l.rows(out.row); err != nil {
		return err
	}
	out.text.WriteString("]\n")
	_, err := out.text.WriteTo(w)
	return err
}

// listWriter gathers a list and sends it, as a whole or, if it is long, in parts.
type listWriter struct {
	turns turns
	to    http.ResponseWriter
	text  bytes.Buffer
	json  *json.Encoder // to text
	some  bool          // there was a row
	long  bool          // and so it has a turn
}

// row writes one row.
func (w *listWriter) row(dto any) error {
	if w.some {
		w.text.WriteByte(',')
	}
	w.some = true
	if err := w.json.Encode(dto); err != nil {
		return err
	}
	w.text.Truncate(w.text.Len() - 1) // the encoder ends every value with a line break
	switch size := w.text.Len(); {
	case w.long && size < piece, !w.long && size < whole:
		return nil
	case !w.long && !w.enter():
		return fault.New(fault.Unavailable, fault.Rest, "Others are reading long lists. Please try again later, or read a page at a time with maxResults.")
	}
	_, err := w.text.WriteTo(w.to)
	return err
}

// enter takes a turn, if there is one.
func (w *listWriter) enter() bool {
	select {
	case w.turns <- struct{}{}:
		w.long = true
	default:
	}
	return w.long
}

// leave gives it back.
func (w *listWriter) leave() {
	if w.long {
		<-w.turns
	}
}

func (l list) VisitGetExternalTasksResponse(w http.ResponseWriter) error     { return l.write(w) }
func (l list) VisitQueryExternalTasksResponse(w http.ResponseWriter) error   { return l.write(w) }
func (l list) VisitGetJobsResponse(w http.ResponseWriter) error              { return l.write(w) }
func (l list) VisitQueryJobsResponse(w http.ResponseWriter) error            { return l.write(w) }
func (l list) VisitGetIncidentsResponse(w http.ResponseWriter) error         { return l.write(w) }
func (l list) VisitGetHistoricIncidentsResponse(w http.ResponseWriter) error { return l.write(w) }
func (l list) VisitGetHistoricJobLogsResponse(w http.ResponseWriter) error   { return l.write(w) }
func (l list) VisitQueryHistoricJobLogsResponse(w http.ResponseWriter) error { return l.write(w) }
func (l list) VisitGetHistoricExternalTaskLogsResponse(w http.ResponseWriter) error {
	return l.write(w)
}
func (l list) VisitQueryHistoricExternalTaskLogsResponse(w http.ResponseWriter) error {
	return l.write(w)
}
