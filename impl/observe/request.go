package observe

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"rearm/db"
	"rearm/impl/contract"
	"rearm/impl/engine"
)

// maxID is how long the id of a request may be that a client brings.
const maxID = 128

// idOf gives the id of a request: the client's own, if it can stand in a log and a header, else one that is made.
func (o *Observer) idOf(r *http.Request) string {
	if id := r.Header.Get(contract.RequestIDHeader); sane(id) {
		return id
	}
	return o.NewID()
}

// sane tells whether an id has from one to 128 letters, digits and a few signs, and nothing else.
func sane(id string) bool {
	if id == "" || len(id) > maxID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("-._~:/+=@#", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// gaveUp is the status of a request whose client has gone, as nginx counts it. Nobody was sent it.
const gaveUp = 499

// statusOf gives the status that counts for a request: what was sent, unless nobody was there to take it.
func statusOf(ctx context.Context, record *contract.Record) int {
	switch status := record.Status(); {
	case ctx.Err() != nil && (status == 0 || status >= http.StatusInternalServerError):
		return gaveUp
	case status == 0: // the connection was broken off
		return http.StatusInternalServerError
	default:
		return status
	}
}

// noteOf gives a deed as the record of a request keeps it.
func noteOf(d *engine.Deed) contract.Deed {
	note := contract.Deed{N: d.N}
	if d.What == engine.BatchCreated {
		note.Batch = d.Batch.ID.String()
		return note
	}
	note.IDs = textsOf(d.IDs)
	return note
}

func textsOf(ids []db.ID) []string {
	texts := make([]string, len(ids))
	for i := range ids {
		texts[i] = ids[i].String()
	}
	return texts
}

// audit leaves the line of a request that writes, if it did, or was not allowed to. Who, and by which operation, every line tells
// (log.go). Who found nothing to do has written nothing.
func (o *Observer) audit(ctx context.Context, record *contract.Record, status int) {
	attributes := []slog.Attr{slog.Bool("audit", true), slog.Int("status", status)}
	switch deed, known := record.Deed(); {
	case status == http.StatusForbidden:
		o.Log.LogAttrs(ctx, slog.LevelInfo, "a write was forbidden", attributes...)
	case status < http.StatusMultipleChoices && (!known || deed.N > 0):
		o.Log.LogAttrs(ctx, slog.LevelInfo, "something was written", append(attributes, attributesOf(&deed, known)...)...)
	}
}

// attributesOf tells of a deed how many things it concerned, and which, if they are few, or the first of them; or the batch that goes
// on with it.
func attributesOf(d *contract.Deed, known bool) (list []slog.Attr) {
	if known {
		list = append(list, slog.Int("affected", d.N))
	}
	if len(d.IDs) > 0 {
		list = append(list, slog.Any("ids", d.IDs))
	}
	if d.Batch != "" {
		list = append(list, slog.String("batch_id", d.Batch))
	}
	return list
}
