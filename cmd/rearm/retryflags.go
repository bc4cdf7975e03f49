package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strconv"
	"strings"

	"github.com/oapi-codegen/nullable"
	"github.com/spf13/pflag"

	"rearm/gen"
)

// texts is a flag that may come many times.
type texts struct{ at *[]string }

// Set implements pflag.Value.
func (v texts) Set(s string) error {
	s, err := notEmpty(s)
	*v.at = append(*v.at, s)
	return err
}

// String implements pflag.Value; it is the default, none.
func (v texts) String() string { return "" }

// Type implements pflag.Value.
func (v texts) Type() string { return "text" }

// part is a flag that fills a part of a request.
type part struct {
	kind string
	set  func(s string) error
}

// Set implements pflag.Value.
func (v part) Set(s string) error { return v.set(s) }

// String implements pflag.Value; it is the default, none.
func (v part) String() string { return "" }

// Type implements pflag.Value.
func (v part) Type() string { return v.kind }

// into makes a flag that fills a property.
func into[T any](at *nullable.Nullable[T], kind string, parse func(string) (T, error)) part {
	return part{kind, func(s string) error {
		v, err := parse(s)
		if err == nil {
			at.Set(v)
		}
		return err
	}}
}

// adding makes a flag that adds to a list; it may come many times.
func adding[T any](at *nullable.Nullable[[]T], kind string, parse func(string) (T, error)) part {
	return part{kind, func(s string) error {
		v, err := parse(s)
		if err == nil {
			list, _ := at.Get()
			at.Set(append(list, v))
		}
		return err
	}}
}

// filters adds the flags that fill the query for tasks. All of them have to hold.
func (r *retrying) filters(set *pflag.FlagSet) {
	q := &r.query
	for _, f := range []struct {
		at          part
		name, usage string
	}{
		{into(&q.TopicName, "name", notEmpty), "topic", "only tasks of this topic"},
		{into(&q.NoRetriesLeft, typeBool, strconv.ParseBool), "no-retries-left", "only tasks whose retries are 0, which have an incident"},
		{into(&q.WithRetriesLeft, typeBool, strconv.ParseBool), "retries-left", "only tasks that have retries left"},
		{into(&q.Locked, typeBool, strconv.ParseBool), "locked", "only tasks that a worker has"},
		{into(&q.NotLocked, typeBool, strconv.ParseBool), "not-locked", "only tasks that no worker has"},
		{into(&q.Suspended, typeBool, strconv.ParseBool), "suspended", "only suspended tasks"},
		{into(&q.WorkerID, "name", notEmpty), "worker", "only tasks that this worker had last"},
		{into(&q.PriorityHigherThanOrEquals, "number", parseLong), "min-priority", "only tasks of at least this priority"},
		{into(&q.PriorityLowerThanOrEquals, "number", parseLong), "max-priority", "only tasks of at most this priority"},
		{adding(&q.ActivityIDIn, "id", notEmpty), "activity", "only tasks of this activity; may come many times, as the next three may"},
		{adding(&q.ProcessInstanceIDIn, "id", notEmpty), "process-instance", "only tasks of this process instance"},
		{adding(&q.ProcessDefinitionKeyIn, "key", notEmpty), "definition-key", "only tasks of this process definition"},
		{adding(&q.TenantIDIn, "id", notEmpty), "tenant", "only tasks of this tenant"},
		{adding(&q.ProcessVariables, "name=value", parseVariable), "variable", "only tasks of which a variable has this value, JSON or a text; may come many times"},
		{part{"json", r.readQuery}, "query", "what the other flags cannot say: an ExternalTaskQueryDto of the contract"},
	} {
		if made := set.VarPF(f.at, f.name, "", f.usage); f.at.kind == typeBool {
			made.NoOptDefVal = "true"
		}
	}
}

func parseLong(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

// parseVariable reads NAME=VALUE. A value that is JSON is taken as such, any other as a text.
func parseVariable(s string) (v gen.VariableQueryParameterDto, err error) {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return v, fmt.Errorf("%q is not NAME=VALUE", s)
	}
	raw := json.RawMessage(value)
	if !json.Valid(raw) {
		raw, err = json.Marshal(value)
	}
	v.Name.Set(name)
	v.Operator.Set(gen.VariableOperatorEq)
	v.Value.Set(raw)
	return v, err
}

// readQuery reads a whole query. A name that the contract does not have is refused: the server would pass over it, and select more.
func (r *retrying) readQuery(s string) error {
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	d.DisallowUnknownFields()
	if err := d.Decode(&r.query); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("there is more than one JSON object")
	}
	return nil
}

// asksNothing tells whether a query selects every task: what is absent, null, false or an empty list asks nothing, nor does what
// only says how to compare or to sort.
func asksNothing(q *gen.ExternalTaskQueryDto) bool {
	v := reflect.ValueOf(*q)
	for i := range v.NumField() {
		name, value := v.Type().Field(i).Name, v.Field(i).MapIndex(reflect.ValueOf(true))
		switch {
		case !value.IsValid(), strings.HasPrefix(name, "Sort"), strings.HasSuffix(name, "IgnoreCase"):
		case value.Kind() == reflect.Bool && !value.Bool(), value.Kind() == reflect.Slice && value.Len() == 0:
		default:
			return false
		}
	}
	return true
}

// longestID is how many bytes a line of ids may have.
const longestID = 64 << 10

// readIDs adds the ids of the file, one a line, to those of the flags.
func (r *retrying) readIDs() (err error) {
	if r.idsFile == "" {
		return nil
	}
	in := os.Stdin
	if r.idsFile != "-" {
		if in, err = os.Open(r.idsFile); err != nil {
			return fmt.Errorf("%w: --ids-file: %w", errConfig, err)
		}
		defer in.Close() //nolint:errcheck // it was only read
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, longestID)
	before := len(r.ids)
	for lines.Scan() {
		if id := strings.TrimSpace(lines.Text()); id != "" {
			r.ids = append(r.ids, id)
		}
	}
	switch {
	case lines.Err() != nil:
		return fmt.Errorf("%w: --ids-file: %w", errConfig, lines.Err())
	case len(r.ids) == before:
		return fmt.Errorf("%w: --ids-file: there is no id in %s", errConfig, r.idsFile)
	}
	return nil
}
