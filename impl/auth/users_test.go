package auth

import (
	"reflect"
	"strings"
	"testing"

	"rearm/db"
	"rearm/openapi/wire"
)

func TestReadUsers(t *testing.T) {
	t.Parallel()
	hash := hashed(t, "x")
	all, err := readUsers([]byte(`# who may log in

{"name": "mary", "roles": ["operator", "worker"], "hash": "` + hash + `"}
   {"name": "app", "roles": ["worker"], "tenants": ["a", "b"], "untenanted": true, "hash": "` + hash + `"}
{"name": "none", "roles": ["viewer"], "tenants": [], "hash": "` + hash + `"}
{"name": "all", "roles": ["viewer"], "tenants": null, "hash": "` + hash + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]db.Caller{
		"mary": {Name: "mary"}, "app": {Name: "app", Tenants: []string{"a", "b"}, Untenanted: true}, "none": {Name: "none", Tenants: []string{}}, "all": {Name: "all"},
	}
	got := map[string]db.Caller{}
	for name, u := range all.byName {
		got[name] = u.caller()
	}
	if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(all.byName["mary"].Roles, []wire.Role{wire.Operator, wire.Worker}) {
		t.Errorf("got %+v", got)
	}
}

// A file that cannot be read names the line, and never shows a hash.
func TestReadUsersRefuses(t *testing.T) {
	t.Parallel()
	hash := hashed(t, "x")
	for text, says := range map[string]string{
		"mary:secret":         "line 3: no JSON object",
		`{"name": "mary"`:     "line 3: no JSON object",
		`["mary"]`:            "line 3: no JSON object",
		`{"name": "mary"} {}`: "line 3: no JSON object",
		`{"name": "mary", "roles": ["viewer"], "password": "x"}`:                                                                  "line 3: no JSON object",
		`{"name": "mary", "name": "anna", "roles": ["viewer"], "hash": "HASH"}`:                                                   "line 3: no JSON object",
		`{"name": "mary", "roles": "viewer", "hash": "HASH"}`:                                                                     "line 3: no JSON object",
		`{"Name": "mary", "roles": ["viewer"], "hash": "HASH"}`:                                                                   "line 3: no JSON object",
		`{"roles": ["viewer"], "hash": "HASH"}`:                                                                                   "line 3: a name has",
		`{"name": "a:b", "roles": ["viewer"], "hash": "HASH"}`:                                                                    "line 3: a name must not hold a colon",
		`{"name": "a\nb", "roles": ["viewer"], "hash": "HASH"}`:                                                                   "line 3: a name has",
		`{"name": "` + strings.Repeat("x", 256) + `", "roles": ["viewer"], "hash": "HASH"}`:                                       "line 3: a name has",
		`{"name": "mary", "hash": "HASH"}`:                                                                                        "line 3: mary has no role",
		`{"name": "mary", "roles": ["king"], "hash": "HASH"}`:                                                                     `line 3: there is no role "king"`,
		`{"name": "mary", "roles": ["viewer"], "tenants": [""], "hash": "HASH"}`:                                                  "line 3: a tenant must not be empty",
		`{"name": "mary", "roles": ["viewer"], "hash": "x"}`:                                                                      "line 3: the hash is neither",
		`{"name": "mary", "roles": ["viewer"]}`:                                                                                   "line 3: the hash is neither",
		`{"name": "mary", "roles": ["viewer"], "hash": "HASH"}` + "\n" + `{"name": "first", "roles": ["viewer"], "hash": "HASH"}`: "line 4: first stands on line 2 already",
	} {
		text = "# users\n" + `{"name": "first", "roles": ["viewer"], "hash": "HASH"}` + "\n" + text
		_, err := readUsers([]byte(strings.ReplaceAll(text, "HASH", hash)))
		if err == nil || !strings.HasPrefix(err.Error(), says) || strings.Contains(err.Error(), hash) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

// A name that nobody has is looked at with the hash of somebody, and always of the same one.
func TestFind(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	for _, name := range []string{"a", "b", "c"} {
		text.WriteString(line(t, User{Name: name, Roles: []wire.Role{wire.Viewer}, Hash: hashed(t, name)}))
	}
	all, err := readUsers([]byte(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	stand := map[string]bool{}
	for _, name := range strings.Fields("d e f g h i j k l m n o p q r s t u v w x y z aa bb cc dd ee ff") {
		u, known := all.find(name)
		again, _ := all.find(name)
		if known || u != again || u.Hash == "" {
			t.Errorf("%s: %+v and %+v, known %v", name, u, again, known)
		}
		stand[u.Name] = true
	}
	if len(stand) < 2 {
		t.Errorf("only %v stand in for 33 names", stand)
	}
	if u, known := all.find("b"); !known || u.Name != "b" {
		t.Errorf("b is %+v, %v", u, known)
	}
	none, err := readUsers(nil)
	if err != nil {
		t.Fatal(err)
	}
	if u, known := none.find("b"); known || u.Hash != nobodysHash {
		t.Errorf("among nobody b is %+v, %v", u, known)
	}
}
