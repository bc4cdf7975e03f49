package db

import (
	"bytes"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"iter"
	"slices"
)

// ID is an id that rearm makes: a UUIDv7, stored as uuid (PostgreSQL) or as 16 bytes (SQLite). Its byte order is the
// order of its text, and of time.
type ID [16]byte

// NilID stands where there is no id: the owner of a scope's own variables, an item whose id is a text.
var NilID ID

// String gives the canonical form, in lower case.
func (id ID) String() string {
	var b [36]byte
	hex.Encode(b[0:8], id[0:4])
	hex.Encode(b[9:13], id[4:6])
	hex.Encode(b[14:18], id[6:8])
	hex.Encode(b[19:23], id[8:10])
	hex.Encode(b[24:36], id[10:16])
	b[8], b[13], b[18], b[23] = '-', '-', '-', '-'
	return string(b[:])
}

// ParseID reads the canonical lower-case form only; ok is false for every other text, which then names nothing.
func ParseID[T string | []byte](s T) (id ID, ok bool) {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return NilID, false
	}
	for i, at := range places {
		hi, lo := nibble(s[at]), nibble(s[at+1])
		if hi|lo > 15 {
			return NilID, false
		}
		id[i] = hi<<4 | lo
	}
	return id, true
}

// places are where the digits of each byte begin in the canonical form.
var places = [16]int{0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34}

// nibble gives the value of a lower-case hexadecimal digit; 255 for anything else.
func nibble(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	}
	return 255
}

// Compare orders ids as the databases do.
func (id ID) Compare(other ID) int { return bytes.Compare(id[:], other[:]) }

// Value gives the 16 bytes: a blob for SQLite, and pgx writes them as uuid.
func (id ID) Value() (driver.Value, error) { return id[:], nil }

// Scan reads 16 bytes or the text form.
func (id *ID) Scan(src any) error {
	switch v := src.(type) {
	case []byte:
		if len(v) == 16 {
			copy(id[:], v)
			return nil
		}
		return id.scanText(string(v))
	case string:
		return id.scanText(v)
	}
	return fmt.Errorf("cannot read %T as an id", src)
}

func (id *ID) scanText(s string) error {
	parsed, ok := ParseID(s)
	if !ok {
		return fmt.Errorf("cannot read %q as an id", s)
	}
	*id = parsed
	return nil
}

// Pack writes ids one after the other, 16 bytes each, as batch_chunk keeps them.
func Pack(ids []ID) []byte {
	b := make([]byte, 0, 16*len(ids))
	for i := range ids {
		b = append(b, ids[i][:]...)
	}
	return b
}

// Unpack reads what Pack wrote.
func Unpack(b []byte) []ID {
	return slices.AppendSeq(make([]ID, 0, len(b)/16), unpacked(b))
}

// unpacked gives one id after the other of what Pack wrote.
func unpacked(b []byte) iter.Seq[ID] {
	return func(yield func(ID) bool) {
		for part := range slices.Chunk(b, 16) {
			if len(part) == 16 && !yield(ID(part)) {
				return
			}
		}
	}
}
