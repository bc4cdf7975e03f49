package contract

import (
	"reflect"
	"testing"

	"rearm/db"
)

func TestCallerTravelsInTheContext(t *testing.T) {
	t.Parallel()
	if got := CallerOf(t.Context()); !reflect.DeepEqual(got, db.Caller{}) {
		t.Errorf("nobody is %+v", got)
	}
	want := db.Caller{Name: "anna", Tenants: []string{"a"}, Untenanted: true}
	if got := CallerOf(WithCaller(t.Context(), want)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
