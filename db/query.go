package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind says what values a filter takes, and what they do.
type Kind int

// The kinds of filters. A comma list of a query parameter arrives as []string.
const (
	Text    Kind = iota // string: Cond with it
	Texts               // []string: Cond with {texts}
	OneID               // string: Cond with the id that it is; a text that is no id finds nothing
	IDs                 // []string: Cond with {ids}; texts that are no ids are left out
	Flag                // bool: true adds Cond, false does nothing
	FlagNow             // bool: true adds Cond with the time of the query
	Choice              // bool: Cond with it, true or false
	Long                // int64: Cond with it
	Date                // Time: Cond with it
	Option              // says how another filter reads; adds nothing by itself
	Special             // Make makes the condition
)

// ErrFilter: a filter that cannot be judged; the text names it and says why.
var ErrFilter = errors.New("filter")

// Field is one filter of a resource. GET, the count, POST and the selection of a batch share it.
type Field struct {
	Kind   Kind
	Cond   string // SQL, with one parameter where the kind has a value
	Unless string // the filter that wins when both are given and it acts
	Empty  bool   // of a list in a query parameter: an empty text means a list of one empty text (finds nothing), not no filter
	// NotEmpty says of a list in a body why an empty one is refused; "": it asks nothing.
	NotEmpty string
	// Plus names the filter that, when it acts, lets rows with PlusCond (no parameters) through as well.
	Plus, PlusCond string
	List           bool // of Special: the values are []string
	// Comparisons: the values are []Comparison.
	Comparisons bool
	Make        func(f *Filter, value any) (cond string, args []any, err error)
}

// Resource is what can be listed, counted and selected.
type Resource struct {
	From   string            // the FROM clause, without the word
	ID     string            // the column that orders a list without sorting, and that breaks ties
	Tenant string            // the column that holds the tenant; "" if it has none
	Owner  string            // the column that holds the owner of a batch; "" if it has none
	Fields map[string]Field  // by the name in the contract
	Sorts  map[string]string // sort key of the contract -> SQL
	// Always names the sort keys that every row has: without a word about nulls an index can give their order.
	Always []string
	// Slim gives the query of the ids that a condition selects, on no more tables than it needs. By it the ids of a page are found
	// first, maybe in an index alone, and then its rows are read. Nil: the rows are read at once.
	Slim func(cond string) string
}

// Order is one level of sorting, by a sort key of the contract.
type Order struct {
	By   string
	Desc bool
}

// Filter selects rows of a resource. Values are keyed by the names of the contract; what is not there is not asked.
type Filter struct {
	Caller     Caller
	Now        Time
	Values     map[string]any
	Sort       []Order
	First, Max int // the page; Max 0 is an empty page
	// Or has queries of each of which one filter or more has to hold; one that asks nothing changes nothing. Only Values and Any of
	// them count.
	Or []Filter
	// Any says that one filter is enough, as of an element of Or. A filter that is a list of comparisons has one in each of them.
	Any bool
}

// Acts tells whether a boolean filter was given as true, or any other filter at all.
func (f *Filter) Acts(name string) bool {
	switch v := f.Values[name].(type) {
	case nil:
		return false
	case bool:
		return v
	}
	return true
}

// where gives the condition of a filter on a resource, and its arguments; "true" when nothing is asked.
func (q Queries) where(r *Resource, f *Filter) (string, []any, error) {
	var conds []string
	var args []any
	if cond, more := q.seen(f.Caller, r.Tenant, r.Owner); cond != "" {
		conds, args = append(conds, "("+cond+")"), more
	}
	asked, more, err := q.conditions(r, f)
	if err != nil {
		return "", nil, err
	}
	conds, args = append(conds, asked...), append(args, more...)
	for i := range f.Or {
		asked, more, err := q.conditions(r, &f.Or[i])
		if err != nil {
			return "", nil, err
		}
		if len(asked) > 0 {
			conds, args = append(conds, "("+strings.Join(asked, " or ")+")"), append(args, more...)
		}
	}
	switch {
	case len(args) > valuesAtMost:
		return "", nil, fmt.Errorf("%w: there are more than %d values", ErrFilter, valuesAtMost)
	case len(conds) == 0:
		return "true", nil, nil
	}
	return strings.Join(conds, " and "), args, nil
}

// valuesAtMost is how many values the filters of a query may have, a list of ids or of texts being one: SQLite takes 32,766.
const valuesAtMost = 10_000

// conditions gives the conditions of the filters of a query, each in brackets, and their arguments.
func (q Queries) conditions(r *Resource, f *Filter) (conds []string, args []any, err error) {
	names := make([]string, 0, len(f.Values))
	for name := range f.Values {
		names = append(names, name)
	}
	slices.Sort(names) // the same filters give the same SQL, which is kept prepared
	for _, name := range names {
		field, ok := r.Fields[name]
		if !ok {
			return nil, nil, fmt.Errorf("%w: %s cannot be judged", ErrFilter, name)
		}
		if field.Unless != "" && f.Acts(field.Unless) {
			continue
		}
		cond, more, err := q.condition(field, f, f.Values[name])
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		if cond != "" && field.Plus != "" && f.Acts(field.Plus) {
			cond += " or " + field.PlusCond
		}
		if cond != "" {
			conds, args = append(conds, "("+cond+")"), append(args, more...)
		}
	}
	return conds, args, nil
}

// condition gives the SQL of one filter; "" when it asks nothing.
func (q Queries) condition(field Field, f *Filter, value any) (string, []any, error) {
	switch field.Kind {
	case Special:
		return field.Make(f, value)
	case Option:
		return "", nil, nil
	case Texts:
		list, ok := value.([]string)
		if !ok {
			return "", nil, wrongValue(value)
		}
		if len(list) == 1 { // the rows of one text can come from an index in order
			return strings.Replace(field.Cond, "{texts}", "= ?", 1), []any{list[0]}, nil
		}
		return field.Cond, []any{q.texts(list)}, nil
	case OneID, IDs:
		return q.idCondition(field, value)
	case Flag, FlagNow:
		on, ok := value.(bool)
		switch {
		case !ok:
			return "", nil, wrongValue(value)
		case !on:
			return "", nil, nil
		case field.Kind == FlagNow:
			return field.Cond, []any{f.Now}, nil
		}
		return field.Cond, nil, nil
	}
	return field.Cond, []any{value}, nil
}

func (q Queries) idCondition(field Field, value any) (string, []any, error) {
	if s, ok := value.(string); ok && field.Kind == OneID {
		id, ok := ParseID(s)
		if !ok {
			return "false", nil, nil
		}
		return field.Cond, []any{id}, nil
	}
	list, ok := value.([]string)
	if !ok || field.Kind == OneID {
		return "", nil, wrongValue(value)
	}
	ids := make([]ID, 0, len(list))
	for _, s := range list {
		if id, ok := ParseID(s); ok {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return "false", nil, nil
	}
	var conds []string
	var args []any
	for part := range slices.Chunk(ids, idsAtOnce) {
		conds, args = append(conds, field.Cond), append(args, q.ids(part))
	}
	return strings.Join(conds, " or "), args, nil
}

// idsAtOnce is how many ids {ids} takes at most: SQLite's table num has as many numbers, and ids behind them would be lost.
const idsAtOnce = 10_000

func wrongValue(v any) error { return fmt.Errorf("%w: a value of type %T", ErrFilter, v) }

// orderBy gives the ORDER BY of a filter: its sort keys, nulls as the smallest, and the id last. An unknown key is an
// ErrFilter.
func (r *Resource) orderBy(f *Filter) (string, error) {
	keys, err := r.sortKeys(f.Sort)
	return " order by " + strings.Join(append(keys, r.ID), ", "), err
}

// sortKeys gives the terms of an ORDER BY for levels of sorting. All columns of a key turn with it.
func (r *Resource) sortKeys(levels []Order) ([]string, error) {
	keys := make([]string, 0, len(levels)+1)
	for _, o := range levels {
		columns, ok := r.Sorts[o.By]
		if !ok {
			return nil, fmt.Errorf("%w: cannot sort by %s", ErrFilter, o.By)
		}
		for _, column := range strings.Split(columns, ", ") {
			keys = append(keys, column+direction(o.Desc, slices.Contains(r.Always, o.By)))
		}
	}
	return keys, nil
}

// direction gives what follows a column in an ORDER BY.
func direction(desc, always bool) string {
	switch {
	case desc && always:
		return " desc"
	case desc:
		return " desc nulls last"
	case always:
		return ""
	}
	return " asc nulls first"
}

// pageAtMost is how many rows count as a page, for which ids are found first.
const pageAtMost = 10_000

// list reads a page of a resource into dest, a pointer to a slice of rows.
func (q Queries) list(ctx context.Context, dest any, r *Resource, columns string, f *Filter) error {
	text, args, err := q.page(r, columns, f)
	if err != nil {
		return err
	}
	return q.sel(ctx, dest, text, args...)
}

// page gives the query of a page of a resource.
func (q Queries) page(r *Resource, columns string, f *Filter) (text string, args []any, err error) {
	cond, args, err := q.where(r, f)
	if err != nil {
		return "", nil, err
	}
	order, err := r.orderBy(f)
	if err != nil {
		return "", nil, err
	}
	args = append(args, f.Max, f.First)
	cond += order + " limit ? offset ?"
	if r.Slim != nil && f.Max <= pageAtMost {
		cond = r.ID + " {oneof} " + r.Slim(cond) + " {end}" + order
	}
	return "select " + columns + " from " + r.From + " where " + cond, args, nil
}

// count counts the rows of a resource that a filter selects; it checks the sort keys as list does.
func (q Queries) count(ctx context.Context, r *Resource, f *Filter) (n int64, err error) {
	if _, err := r.orderBy(f); err != nil {
		return 0, err
	}
	cond, args, err := q.where(r, f)
	if err != nil {
		return 0, err
	}
	return n, q.get(ctx, &n, "select count(*) from "+r.From+" where "+cond, args...)
}

// Comparison is one element of a filter that is a list of comparisons: processVariables, dueDates, createTimes. Nil is what
// the request left out.
type Comparison struct {
	Name     *string // of the variable; nil for dates
	Operator *string
	Value    any // string, bool, float64, json.Number, Time, or nil
}
