package contract_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"rearm/db"
	"rearm/impl/contract"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// register is a guard that finds callers by the word in their Authorization header.
type register map[string][]wire.Role

// Identify knows only who is in the register.
func (g register) Identify(r *http.Request) (db.Caller, []wire.Role, error) {
	name := r.Header.Get("Authorization")
	roles, known := g[name]
	switch {
	case name == "away":
		return db.Caller{}, nil, fault.New(fault.Unavailable, fault.Rest, "ask again")
	case name == "guesser":
		return db.Caller{}, nil, fault.New(fault.TooMany, fault.Rest, "ask again")
	case !known:
		e := fault.New(fault.Unauthorized, fault.NotAuthorized, "who are you")
		e.Challenges = []string{`Basic realm="a"`, `Bearer realm="a"`}
		return db.Caller{}, nil, e
	}
	return db.Caller{Name: name, Tenants: []string{"t"}}, roles, nil
}

var staff = register{
	"victor": {wire.Viewer}, "wanda": {wire.Worker}, "olga": {wire.Operator}, "ada": {wire.Admin}, "both": {wire.Worker, wire.Viewer}, "nobody's": nil,
}

// untouchable is a body that must not be read.
type untouchable struct{ t *testing.T }

func (u untouchable) Read([]byte) (int, error) {
	u.t.Error("the body of a stranger was read")
	return 0, errors.New("not yours")
}

// Close does nothing.
func (untouchable) Close() error { return nil }

// A stranger is refused before anything of the request but its headers is looked at: neither Accept, parameters nor the body.
func TestStrangersAreRefusedFirst(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{Guard: staff}, map[string]echo.HandlerFunc{
		"bulk": func(echo.Context) error { t.Error("a stranger reached the handler"); return nil },
	})
	for _, c := range []struct {
		name   string
		status int
	}{{"", 401}, {"mallory", 401}, {"nobody's", 403}, {"victor", 403}, {"wanda", 403}, {"away", 503}, {"guesser", 429}} {
		r := httptest.NewRequest(http.MethodPut, thing+"/bulk", untouchable{t})
		r.ContentLength = 1 << 40
		r.Header.Set("Accept", "image/png")
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", c.name)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		challenges, later := w.Header().Values("WWW-Authenticate"), c.status == 503 || c.status == 429
		if w.Code != c.status || (len(challenges) == 2) != (c.status == 401) || w.Header().Get("Content-Type") != "application/json" || (w.Header().Get("Retry-After") != "") != later {
			t.Errorf("%s: %d %v %s", c.name, w.Code, challenges, w.Body)
		}
	}
	if got := ask(t, e, http.MethodGet, "/engine-rest/nothing", ""); got.ResponseRecorder.Code != 404 {
		t.Errorf("what is not there: %d", got.ResponseRecorder.Code)
	}
}

// The handler, and whatever comes after the guard, learns who is calling from the request's context.
func TestCallerReachesTheHandler(t *testing.T) {
	t.Parallel()
	var got db.Caller
	handlers := map[string]echo.HandlerFunc{"getThing": func(ec echo.Context) error {
		got = contract.CallerOf(ec.Request().Context())
		return ec.NoContent(http.StatusNoContent)
	}}
	for name, want := range map[string]db.Caller{
		"victor": {Name: "victor", Tenants: []string{"t"}}, "ada": {Name: "ada", Tenants: []string{"t"}}, "both": {Name: "both", Tenants: []string{"t"}},
	} {
		e := server(t, contract.Options{Guard: staff}, handlers)
		if a := ask(t, e, http.MethodGet, thing+"/a", "", "Authorization", name); a.ResponseRecorder.Code != 204 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d, the handler saw %+v", name, a.ResponseRecorder.Code, got)
		}
	}
	if a := ask(t, server(t, contract.Options{}, handlers), http.MethodGet, thing+"/a", "", "Authorization", "victor"); a.ResponseRecorder.Code != 204 || got.Name != "" {
		t.Errorf("without a guard: %d, the handler saw %+v", a.ResponseRecorder.Code, got)
	}
}

// Who is known and may not is told what is missing, in the reference's words.
func TestDenials(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{Guard: staff}, nil)
	for _, c := range []struct{ name, method, path, want string }{
		{"victor", http.MethodDelete, "/a", `{"type": "AuthorizationException", "code": 0, "userId": "victor",
			"message": "The user with id 'victor' does not have 'admin' permission on resource 'deleteThing' of type 'Operation'.",
			"permissionName": "admin", "resourceName": "Operation", "resourceId": "deleteThing",
			"missingAuthorizations": [{"permissionName": "admin", "resourceName": "Operation", "resourceId": "deleteThing"}]}`},
		{"nobody's", http.MethodGet, "", `{"type": "AuthorizationException", "code": 0, "userId": "nobody's",
			"message": "The user with id 'nobody's' does not have one of the following permissions: 'viewer' permission on resource 'getThings' of type 'Operation' or 'worker' permission on resource 'getThings' of type 'Operation'",
			"permissionName": null, "resourceName": null, "resourceId": null,
			"missingAuthorizations": [{"permissionName": "viewer", "resourceName": "Operation", "resourceId": "getThings"}, {"permissionName": "worker", "resourceName": "Operation", "resourceId": "getThings"}]}`},
	} {
		r := httptest.NewRequest(c.method, thing+c.path, nil)
		r.Header.Set("Authorization", c.name)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		var got, want any
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(c.want), &want); err != nil {
			t.Fatal(err)
		}
		if w.Code != 403 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d %s", c.name, w.Code, w.Body)
		}
	}
}

// Each role may do what includes its own, and a denial is no reason for an entry in the log of errors.
func TestRolesOfOperations(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	options := logTo(&log)
	options.Guard = staff
	e := server(t, options, nil)
	for _, c := range []struct {
		method, path, may string
	}{
		{http.MethodGet, "/count", "victor olga ada both"},
		{http.MethodGet, "", "victor wanda olga ada both"},
		{http.MethodPost, "/a/unlock", "wanda ada both"},
		{http.MethodPut, "/suspended", "olga ada"},
		{http.MethodDelete, "/a", "ada"},
	} {
		for name := range staff {
			r := httptest.NewRequest(c.method, thing+c.path, nil)
			r.Header.Set("Authorization", name)
			w := httptest.NewRecorder()
			e.ServeHTTP(w, r)
			want := 403
			if strings.Contains(" "+c.may+" ", " "+name+" ") {
				want = 204
			}
			if w.Code != want {
				t.Errorf("%s %s by %s: %d, want %d", c.method, c.path, name, w.Code, want)
			}
		}
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("the log: %s", log.String())
	}
}

// Pages outside the document may be kept to some roles, too.
func TestOnly(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		guard  contract.Guard
		name   string
		status int
	}{{staff, "", 401}, {staff, "wanda", 403}, {staff, "victor", 204}, {staff, "ada", 204}, {nil, "", 204}} {
		e, c := install(t, contract.Options{Guard: row.guard}, nil)
		e.GET("/numbers", func(ec echo.Context) error { return ec.NoContent(http.StatusNoContent) }, c.Only("numbers", wire.Viewer))
		r := httptest.NewRequest(http.MethodGet, "/numbers", nil)
		r.Header.Set("Authorization", row.name)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != row.status || w.Code == 403 && !strings.Contains(w.Body.String(), "'viewer' permission on resource 'numbers'") {
			t.Errorf("%q: %d %s", row.name, w.Code, w.Body)
		}
	}
}
