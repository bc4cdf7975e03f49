package wire

import (
	"slices"
	"testing"
)

// Every pair of a role that somebody has and one that an operation needs.
func TestMay(t *testing.T) {
	t.Parallel()
	may := map[Role][]Role{
		Viewer: {Viewer}, Worker: {Worker}, Operator: {Viewer, Operator}, Admin: {Viewer, Worker, Operator, Admin},
	}
	for _, has := range Roles() {
		for _, needs := range Roles() {
			if got, want := May([]Role{has}, []Role{needs}), slices.Contains(may[has], needs); got != want {
				t.Errorf("%s where %s is needed: %v, want %v", has, needs, got, want)
			}
		}
	}
	for _, c := range []struct {
		has, needs []Role
		want       bool
	}{
		{nil, []Role{Viewer}, false},
		{[]Role{"king"}, Roles(), false},
		{[]Role{Viewer}, []Role{Worker, Operator}, false},
		{[]Role{Viewer, Worker}, []Role{Worker, Operator}, true},
		{[]Role{Operator}, []Role{Worker, Viewer}, true},
		{[]Role{Admin}, nil, false},
	} {
		if got := May(c.has, c.needs); got != c.want {
			t.Errorf("%v where one of %v is needed: %v, want %v", c.has, c.needs, got, c.want)
		}
	}
}

func TestReadRoles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		extension any
		want      []Role // nil: refused
	}{
		{"viewer", []Role{Viewer}},
		{[]any{"worker", "operator"}, []Role{Worker, Operator}},
		{nil, nil},
		{"", nil},
		{"Viewer", nil},
		{"king", nil},
		{[]any{}, nil},
		{[]any{"viewer", 5}, nil},
		{map[string]any{"viewer": true}, nil},
	} {
		got, err := ReadRoles(c.extension)
		if (err == nil) != (c.want != nil) || err == nil && !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, %v; want %v", c.extension, got, err, c.want)
		}
	}
}
