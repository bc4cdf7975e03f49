package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/impl/engine"
	"rearm/impl/fault"
	"rearm/impl/variable"
)

// set makes variables of pairs of names and JSON values; their types are as the values say.
func set(pairs ...string) map[string]variable.Input {
	in := map[string]variable.Input{}
	for i := 0; i < len(pairs); i += 2 {
		in[pairs[i]] = of("", pairs[i+1])
	}
	return in
}

// file makes a File.
func file(content string, info variable.Info) variable.Input {
	in := of("File", strconv.Quote(content))
	in.Info = info
	return in
}

// sees gives all that an execution sees of the names, as name=value.
func (w *world) sees(id string, names ...string) string {
	w.t.Helper()
	var list []string
	for _, name := range names {
		v, err := w.Variable(context.Background(), everybody, id, name, true)
		if fault.KindOf(err) != fault.NotFound {
			w.must(err)
			list = append(list, name+"="+string(v.JSON()))
		}
	}
	return strings.Join(list, " ")
}

func TestVariableOfEachType(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		object := of("Object", `"{\"a\": [1]}"`)
		object.Info = variable.Info{"objectTypeName": "T", "serializationDataFormat": "application/json"}
		a := w.create(engine.NewTask{ScopeID: ptr("p"), Variables: map[string]variable.Input{
			"long": of("Long", "9223372036854775807"), "date": of("Date", `"2015-10-06T16:34:42.123+0200"`), "nul": of("String", `"a\u0000b"`), "none": of("Null", "null"),
			"f": file("aGVsbG8=", variable.Info{"filename": "a.txt"}), "o": object, "j": of("Json", `"{\"a\": 1}"`), "java": of("Object", `"rO0="`),
		}})
		for _, c := range []struct {
			name        string
			deserialize bool
			want        string
		}{
			{"long", true, "Long 9223372036854775807 {}"}, {"date", true, `Date "2015-10-06T14:34:42.123+0000" {}`}, {"nul", true, `String "a\u0000b" {}`},
			{"none", false, "Null null {}"}, {"f", true, `File null {"filename":"a.txt"}`}, {"java", true, `Object "rO0=" {}`},
			{"o", true, `Object {"a": [1]} {"objectTypeName":"T","serializationDataFormat":"application/json"}`},
			{"o", false, `Object "{\"a\": [1]}" {"objectTypeName":"T","serializationDataFormat":"application/json"}`}, {"j", true, `Json "{\"a\": 1}" {}`},
		} {
			for _, id := range []string{"p", a.ExecutionID.String()} {
				v, err := w.Variable(context.Background(), everybody, id, c.name, c.deserialize)
				w.must(err)
				if got := fmt.Sprintf("%s %s %s", v.Type, v.JSON(), v.Info); got != c.want {
					t.Errorf("%s of %s: %s, want %s", c.name, id, got, c.want)
				}
			}
		}
	})
}

func TestChangeVariables(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ScopeID: ptr("p"), Variables: set("x", "1", "y", "2")})
		b := w.create(engine.NewTask{ScopeID: ptr("p")})
		w.fail(a.ID, engine.Failure{Retries: 1, LocalVariables: set("x", `"a's"`, "l", `"a's"`)})
		inA, inB := a.ExecutionID.String(), b.ExecutionID.String()
		change := func(id string, in map[string]variable.Input, remove ...string) {
			t.Helper()
			w.must(w.ChangeVariables(context.Background(), everybody, id, engine.VariableChanges{Set: in, Delete: remove}))
		}
		check := func(id, want string) {
			t.Helper()
			if got := w.sees(id, "l", "up", "x", "y", "z"); got != want {
				t.Errorf("%s sees %s, want %s", id, got, want)
			}
		}
		change("p", set("x", `"changed"`, "z", "1.5"), "y", "absent")
		check(inA, `l="a's" x="a's" z=1.5`)
		check(inB, `x="changed" z=1.5`)
		change(inB, set("up", "true", "x", "7"))
		check(inA, `l="a's" up=true x="a's" z=1.5`)
		check("p", `up=true x=7 z=1.5`)
		change(inA, set("x", "8", "z", "9", "l", "10"))
		check(inA, `l=10 up=true x=8 z=9`)
		check("p", `up=true x=7 z=9`)
		change(inA, set("l", "11", "y", "1"), "l", "x", "up", "y")
		check(inA, `x=7 z=9`)
		change("p", nil)
		change("p", map[string]variable.Input{"x": {Value: []byte("1"), Info: variable.Info{"transient": true}}})
		check("p", `x=7 z=9`)
		if n := dbtest.Count(t, s, "select count(*) from variable"); n != 2 {
			t.Errorf("%d variables are kept", n)
		}
	})
}

// A scope's variables are there as long as it lives, and a task's own as long as the task does; afterwards they are history.
func TestVariablesEnd(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ScopeID: ptr("p"), Variables: set("x", "1")})
		b := w.create(engine.NewTask{ScopeID: ptr("p")})
		w.must(w.SuspendScope(context.Background(), everybody, "p", true))
		w.must(w.ChangeVariables(context.Background(), everybody, "p", engine.VariableChanges{Set: set("x", "2")}))
		w.must(w.SuspendScope(context.Background(), everybody, "p", false))
		w.complete(a.ID)
		_, err := w.Variable(context.Background(), everybody, a.ExecutionID.String(), "x", true)
		refused(t, err, fault.NotFound, fault.Rest, "Cannot get process instance variable x: execution "+a.ExecutionID.String()+" doesn't exist: execution is null")
		if got := w.sees(b.ExecutionID.String(), "x"); got != "x=2" {
			t.Errorf("the other task sees %s", got)
		}
		w.complete(b.ID)
		for _, id := range []string{"p", a.ExecutionID.String(), b.ExecutionID.String(), "nonexistent"} {
			none := "execution " + id + " doesn't exist: execution is null"
			_, err = w.Variable(context.Background(), everybody, id, "x", true)
			refused(t, err, fault.NotFound, fault.Rest, "Cannot get process instance variable x: "+none)
			_, err = w.VariableContent(context.Background(), everybody, id, "x")
			refused(t, err, fault.NotFound, fault.Rest, "Cannot get process instance variable x: "+none)
			_, err = w.LocalVariableContent(context.Background(), everybody, id, "x")
			refused(t, err, fault.NotFound, fault.Rest, "Cannot get execution variable x: "+none)
			refused(t, w.ChangeVariables(context.Background(), everybody, id, engine.VariableChanges{Set: set("x", "1")}), fault.NotFound, fault.Rest,
				"Cannot modify variables for process instance "+id+": "+none)
		}
	})
}

func TestVariableContent(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		a := w.create(engine.NewTask{ScopeID: ptr("p"), Variables: map[string]variable.Input{
			"f": file("aGVsbG8=", variable.Info{"filename": "a.txt", "mimeType": "text/plain", "encoding": "UTF-8"}), "b": of("Bytes", `"AAEC/w=="`),
			"none": of("Bytes", "null"), "s": of("String", `"x"`)}})
		w.fail(a.ID, engine.Failure{Retries: 1, LocalVariables: map[string]variable.Input{"l": of("Bytes", `"bG9jYWw="`), "b": of("Bytes", `"aGlkZXM="`)}})
		inA := a.ExecutionID.String()
		for _, c := range []struct {
			read     func(context.Context, db.Caller, string, string) (*engine.Content, error)
			id, name string
			want     string
		}{
			{w.VariableContent, "p", "f", "hello 5 a.txt text/plain UTF-8"}, {w.VariableContent, inA, "f", "hello 5 a.txt text/plain UTF-8"},
			{w.LocalVariableContent, "p", "f", "hello 5 a.txt text/plain UTF-8"}, {w.VariableContent, "p", "b", "\x00\x01\x02\xff 4   "},
			{w.VariableContent, inA, "b", "hides 5   "}, {w.LocalVariableContent, inA, "l", "local 5   "}, {w.VariableContent, "p", "none", " 0   "},
		} {
			got, err := c.read(context.Background(), everybody, c.id, c.name)
			w.must(err)
			b, err := io.ReadAll(got)
			w.must(err)
			if text := fmt.Sprintf("%s %d %s %s %s", b, got.Size, got.Filename, got.MediaType, got.Encoding); text != c.want {
				t.Errorf("%s of %s: %q, want %q", c.name, c.id, text, c.want)
			}
		}
		_, err := w.VariableContent(context.Background(), everybody, inA, "s")
		refused(t, err, fault.Invalid, fault.InvalidRequest, "Value of variable with id "+inA+" is not a binary value.")
		_, err = w.VariableContent(context.Background(), everybody, "p", "l")
		refused(t, err, fault.NotFound, fault.InvalidRequest, "process instance variable with name l does not exist")
		_, err = w.LocalVariableContent(context.Background(), everybody, inA, "f")
		refused(t, err, fault.NotFound, fault.InvalidRequest, "execution variable with name f does not exist")
	})
}

func TestChangeVariablesRefuses(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		w.create(engine.NewTask{ScopeID: ptr("p"), TenantID: ptr("a"), Variables: set("x", "1")})
		change := func(caller db.Caller, id string, in map[string]variable.Input) error {
			return w.ChangeVariables(context.Background(), caller, id, engine.VariableChanges{Set: in, Delete: []string{"x"}})
		}
		const words = "Cannot modify variables for process instance: "
		refused(t, change(everybody, "p", map[string]variable.Input{"y": of("", "1"), "z": of("Nope", "1")}), fault.Invalid, fault.InvalidRequest, words+"Unsupported value type 'Nope'")
		refused(t, change(everybody, "nonexistent", map[string]variable.Input{"z": of("Integer", `"abc"`)}), fault.Invalid, fault.InvalidRequest,
			words+"Cannot convert value 'abc' of type 'Integer' to java type java.lang.Integer")
		refused(t, change(everybody, "p", set(strings.Repeat("ü", 256), "1")), fault.Invalid, fault.InvalidRequest, words+"The name of a variable may have at most 255 characters.")
		mary := db.Caller{Name: "mary", Tenants: []string{"b"}}
		refused(t, change(mary, "p", nil), fault.NotFound, fault.Rest, "Cannot modify variables for process instance p: execution p doesn't exist: execution is null")
		_, err := w.Variable(context.Background(), mary, "p", "x", true)
		refused(t, err, fault.NotFound, fault.Rest, "Cannot get process instance variable x: execution p doesn't exist: execution is null")
		if got := w.sees("p", "x", "y", "z"); got != "x=1" {
			t.Errorf("what was refused has left %s", got)
		}
		w.must(change(everybody, "p", set(strings.Repeat("ü", 255), "1")))
	})
}

// Changes from all sides do not stop each other: every one of them is done, and the last task ends the scope.
func TestChangeVariablesAtOnce(t *testing.T) {
	t.Parallel()
	dbtest.Each(t, func(t *testing.T, s *db.Store) {
		w := newWorld(t, s)
		const n = 8
		all := set("a", "0", "b", "0", "c", "0")
		for range n {
			w.create(engine.NewTask{ScopeID: ptr("p"), Variables: all})
		}
		names := slices.Sorted(maps.Keys(all))
		errs := make([]error, 3*n)
		var done sync.WaitGroup
		for i, task := range w.fetch("w", n, "t") {
			done.Go(func() {
				errs[3*i] = w.Complete(context.Background(), everybody, task.ID.String(), engine.Result{WorkerID: "w", Variables: all})
			})
			done.Go(func() {
				errs[3*i+1] = w.ChangeVariables(context.Background(), everybody, "p", engine.VariableChanges{Set: set("c", "1", "d", "1"), Delete: names})
			})
			done.Go(func() {
				errs[3*i+2] = w.ChangeVariables(context.Background(), everybody, task.ExecutionID.String(), engine.VariableChanges{Set: all, Delete: []string{"d"}})
			})
		}
		done.Wait()
		for _, err := range errs {
			if err != nil && fault.KindOf(err) != fault.NotFound {
				t.Error(err)
			}
		}
		if c, err := s.Scope(context.Background(), "p"); err != nil || c.EndTime == nil || errors.Join(errs[0], errs[3]) != nil {
			t.Errorf("the scope %+v, %v", c, err)
		}
	})
}
