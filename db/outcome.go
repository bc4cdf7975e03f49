package db

import (
	"encoding/binary"
	"errors"
)

// Outcome is what became of one item of a batch when its job ran.
type Outcome struct {
	Gone     bool   // there was no such task any more
	Previous *int32 // the retries that it had before; nil: none had ever been set
}

// EncodeOutcomes packs outcomes as job_log keeps them: one varint an item, 0 gone, 1 null, else the previous retries + 2.
func EncodeOutcomes(list []Outcome) []byte {
	b := make([]byte, 0, len(list))
	for _, o := range list {
		switch {
		case o.Gone:
			b = append(b, 0)
		case o.Previous == nil:
			b = append(b, 1)
		default:
			b = binary.AppendUvarint(b, uint64(*o.Previous)+2) //nolint:gosec // retries are never negative
		}
	}
	return b
}

// DecodeOutcomes reads what EncodeOutcomes wrote.
func DecodeOutcomes(b []byte) ([]Outcome, error) {
	list := make([]Outcome, 0, len(b))
	for len(b) > 0 {
		v, n := binary.Uvarint(b)
		if n <= 0 || v > 1<<31+1 {
			return nil, errors.New("the outcomes of a job are damaged")
		}
		b = b[n:]
		switch v {
		case 0:
			list = append(list, Outcome{Gone: true})
		case 1:
			list = append(list, Outcome{})
		default:
			previous := int32(v - 2)
			list = append(list, Outcome{Previous: &previous})
		}
	}
	return list, nil
}
