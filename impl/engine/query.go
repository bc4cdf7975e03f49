package engine

import (
	"rearm/db"
	"rearm/impl/fault"
)

// Query is what a request asks of a list: filters by the contract's names, sorting, and a page.
type Query struct {
	Values     map[string]any
	Sorting    Sorting
	First, Max int
	Or         []Query `json:",omitempty"` // orQueries: of each of these one filter or more has to hold
	Paged      bool    // it asks for a list, which Settings.MaxResults bounds
}

// Unbounded is the page that a request asks for if it does not say how large it shall be, the contract's default of maxResults.
const Unbounded = 1<<31 - 1

// checkPage refuses pages that are too large, with the reference's words.
func (e *Engine) checkPage(q Query) error {
	switch {
	case !q.Paged || e.MaxResults == 0 || q.Max <= e.MaxResults:
		return nil
	case q.Max == Unbounded:
		return fault.Coded(fault.Invalid, fault.BadUserRequest, "An unbound number of results is forbidden!")
	}
	return fault.Coded(fault.Invalid, fault.BadUserRequest, "Max results limit of %d exceeded!", e.MaxResults)
}

// filter checks the page and the sorting and gives the query as db takes it.
func (e *Engine) filter(caller db.Caller, r *db.Resource, q Query) (*db.Filter, error) {
	if err := e.checkPage(q); err != nil {
		return nil, err
	}
	orders, err := q.Sorting.Orders(r.Sorts)
	if err != nil {
		return nil, err
	}
	return &db.Filter{Caller: caller, Now: e.clock(), Values: q.Values, Sort: orders, First: q.First, Max: q.Max}, nil
}
