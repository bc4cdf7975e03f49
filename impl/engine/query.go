package engine

import (
	"rearm/db"
)

// Query is what a request asks of a list: filters by the contract's names, sorting, and a page.
type Query struct {
	Values     map[string]any
	Sorting    Sorting
	First, Max int
	Or         []Query `json:",omitempty"` // orQueries: of each of these one filter or more has to hold
}

// filter checks the sorting and gives the query as db takes it.
func (e *Engine) filter(caller db.Caller, r *db.Resource, q Query) (*db.Filter, error) {
	orders, err := q.Sorting.Orders(r.Sorts)
	if err != nil {
		return nil, err
	}
	return &db.Filter{Caller: caller, Now: e.clock(), Values: q.Values, Sort: orders, First: q.First, Max: q.Max}, nil
}
