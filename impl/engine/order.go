package engine

import (
	"slices"

	"rearm/db"
	"rearm/impl/fault"
)

// Sorting is the sorting of a request as it came: one pair, and for POST a list of levels (contract-facts 1.5).
type Sorting struct {
	By, Order *string
	Levels    []Level
}

const noDirection = "Invalid query: call asc() or desc() after using orderByXX(): direction is null"

// Level is one element of `sorting` in a POST body.
type Level struct{ By, Order *string }

// Orders checks a sorting against the sort keys of a resource. The errors are the reference's: one half of the pair is
// missing; an unknown key or direction in a level. keys has the keys of the resource. A key that was said before says
// nothing more, so that there are never more orders than keys.
func (s Sorting) Orders(keys map[string]string) ([]db.Order, error) {
	var orders []db.Order
	if (s.By == nil) != (s.Order == nil) {
		return nil, fault.BadRequest("Only a single sorting parameter specified. sortBy and sortOrder required")
	}
	if s.By != nil {
		orders = append(orders, db.Order{By: *s.By, Desc: *s.Order == "desc"})
	}
	for _, l := range s.Levels {
		order, ok, err := l.check(keys, len(orders) > 0)
		if err != nil {
			return nil, err
		}
		if ok && !slices.ContainsFunc(orders, func(o db.Order) bool { return o.By == order.By }) {
			orders = append(orders, order)
		}
	}
	return orders, nil
}

// check judges one level as the reference does: an unknown key is skipped, but its direction then has nothing to
// belong to; a known key needs a direction.
func (l Level) check(keys map[string]string, before bool) (order db.Order, ok bool, err error) {
	known := false
	if l.By != nil {
		_, known = keys[*l.By]
	}
	directed := l.Order != nil && (*l.Order == "asc" || *l.Order == "desc")
	switch {
	case known && directed:
		return db.Order{By: *l.By, Desc: *l.Order == "desc"}, true, nil
	case known:
		return order, false, fault.Coded(fault.Invalid, fault.NotValid, noDirection)
	case directed && before:
		return order, false, fault.Coded(fault.Invalid, fault.NotValid, "Invalid query: can specify only one direction desc() or asc() for an ordering constraint: direction is not null")
	case directed:
		return order, false, fault.Coded(fault.Invalid, fault.NotValid, "You should call any of the orderBy methods first before specifying a direction: currentOrderingProperty is null")
	}
	return order, false, nil
}
