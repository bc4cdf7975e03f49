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
	for _, c := range []struct{ tenants, want []string }{{nil, nil}, {[]string{}, []string{}}, {[]string{"a"}, []string{"a"}}, {[]string{"b", "a", "b"}, []string{"a", "b"}}} {
		want := db.Caller{Name: "anna", Tenants: c.want, Untenanted: true}
		if got := CallerOf(WithCaller(t.Context(), db.Caller{Name: "anna", Tenants: c.tenants, Untenanted: true})); !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, want %+v", got, want)
		}
	}
}
