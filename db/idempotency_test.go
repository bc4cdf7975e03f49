package db_test

import (
	"context"
	"fmt"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
)

func TestClaimKey(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		claim := func(caller, key, hash string, at db.Time, want db.KeyState, answer string) {
			t.Helper()
			in(t, s, func(tx *db.Tx) error {
				c := db.Claim{Caller: caller, Key: key, Hash: []byte(hash), At: at, Since: at - 100}
				state, got, err := tx.ClaimKey(context.Background(), c)
				if err == nil && (state != want || string(got) != answer) {
					t.Errorf("%s %s at %d: state %d, answer %s", key, hash, at, state, got)
				}
				if err == nil && state == db.KeyNew {
					err = tx.StoreAnswer(context.Background(), c, fmt.Appendf(nil, `"%s %d"`, hash, at))
				}
				return err
			})
		}
		claim("", "k", "h", 1000, db.KeyNew, "")
		claim("", "k", "h", 1099, db.KeyDone, `"h 1000"`)
		claim("", "k", "other", 1099, db.KeyTaken, "")
		claim("mary", "k", "other", 1099, db.KeyNew, "")
		claim("", "k", "other", 1100, db.KeyNew, "")
		claim("", "k", "other", 1150, db.KeyDone, `"other 1100"`)
		claim("", "another", "x", 5000, db.KeyNew, "")
		claim("mary", "k", "h", 5000, db.KeyNew, "")
	})
}
