package db

import (
	"slices"
	"strings"
)

// Sees tells whether the caller may see what belongs to a tenant; nil: to none.
func (c Caller) Sees(tenant *string) bool {
	switch {
	case c.Tenants == nil:
		return true
	case tenant == nil:
		return c.Untenanted
	}
	return slices.Contains(c.Tenants, *tenant)
}

// SeesBatch is Sees for a batch and all that is part of it. One that has an owner is seen by the owner, as long as it may have
// such batches, and by those who see everything.
func (c Caller) SeesBatch(tenant, owner *string) bool {
	if owner == nil {
		return c.Sees(tenant)
	}
	return c.Tenants == nil || c.owns() && *owner == c.Name
}

// owns tells whether batches of the caller may have an owner.
func (c Caller) owns() bool { return c.Tenants != nil && len(c.Tenants) != 1 }

// Belonging gives to whom a batch of the caller belongs. It is the tenant's, where the caller has exactly one. It is nobody's
// when the caller sees everything, or what has no tenant and nothing else. Else it is about several tenants, of whom none may
// see the others' part: then the caller itself is the owner, by its name.
func (c Caller) Belonging() (tenant, owner *string) {
	switch {
	case len(c.Tenants) == 1:
		return &c.Tenants[0], nil
	case c.Tenants == nil, len(c.Tenants) == 0 && c.Untenanted:
		return nil, nil
	}
	return nil, &c.Name
}

// seen gives the condition that rows are such as the caller may see, and its arguments; "" when it may see all. tenant and owner
// are the columns that say to whom a row belongs; owner is "" where nothing has one.
func (q Queries) seen(c Caller, tenant, owner string) (cond string, args []any) {
	if c.Tenants == nil || tenant == "" {
		return "", nil
	}
	var conds []string
	add := func(cond string, values ...any) { conds, args = append(conds, cond), append(args, values...) }
	switch len(c.Tenants) {
	case 0:
	case 1: // the rows of one tenant can come from an index in order
		add(tenant+" = ?", c.Tenants[0])
	default:
		add(tenant+" {texts}", q.texts(c.Tenants))
	}
	switch {
	case c.Untenanted && owner != "":
		add(tenant + " is null and " + owner + " is null")
	case c.Untenanted:
		add(tenant + " is null")
	}
	if owner != "" && c.owns() {
		add(owner+" = ?", c.Name)
	}
	if len(conds) == 0 {
		return "false", nil
	}
	return strings.Join(conds, " or "), args
}
