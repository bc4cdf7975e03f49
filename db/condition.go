package db

import (
	"fmt"
	"strings"
)

// The variables that a comparison looks at, of the scope whose id is the %s.
const (
	liveVariables = `v.scope_id = %s and (v.task_id = ? or exists (select 1 from external_task w where w.id = v.task_id))`
	ownVariables  = `v.scope_id = %s and v.task_id = ?`
)

// Operators are the comparisons of variables, by the contract's names.
var Operators = map[string]string{
	"eq": "=", "neq": "=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<=", "like": "like", "notLike": "not like",
}

// maxComparisons bounds a filter by comparisons: each one is a look at a table of its own, which databases plan one by one.
const maxComparisons = 100

// comparisons gives the value of a filter by comparisons, of which there may be maxComparisons.
func comparisons(value any) ([]Comparison, error) {
	list, ok := value.([]Comparison)
	switch {
	case !ok:
		return nil, wrongValue(value)
	case len(list) > maxComparisons:
		return nil, fmt.Errorf("%w: at most %d comparisons are taken, not %d", ErrFilter, maxComparisons, len(list))
	}
	return list, nil
}

// compareVariables makes a filter by comparisons of the variables of a scope, all of which have to hold, or one where the query
// says Any. scope is the column of its id, which is one of liveVariables (its own and those of its tasks, contract-facts 2.2) or ownVariables.
func compareVariables(scope, which string) func(*Filter, any) (string, []any, error) {
	return func(f *Filter, value any) (string, []any, error) {
		list, err := comparisons(value)
		if err != nil {
			return "", nil, err
		}
		conds, args := make([]string, len(list)), []any{}
		for i, c := range list {
			if c.Name == nil || c.Operator == nil || Operators[*c.Operator] == "" {
				return "", nil, fmt.Errorf("%w: a comparison of a variable needs a name and an operator", ErrFilter)
			}
			cond, more, err := compareValue(*c.Operator, c.Value, f.Acts("variableValuesIgnoreCase"))
			if err != nil {
				return "", nil, err
			}
			conds[i] = "exists (select 1 from variable v where " + fmt.Sprintf(which, scope) + " and " +
				folded("v.name = ?", f.Acts("variableNamesIgnoreCase")) + " and " + cond + ")"
			args = append(append(args, NilID, *c.Name), more...)
		}
		if f.Any {
			return strings.Join(conds, " or "), args, nil
		}
		return strings.Join(conds, " and "), args, nil
	}
}

// folded makes a comparison of texts one that does not tell apart capital and small letters of ASCII.
func folded(cond string, fold bool) string {
	if !fold {
		return cond
	}
	column, rest, _ := strings.Cut(cond, " ")
	return "lower(" + column + ") " + strings.Replace(rest, "?", "lower(?)", 1)
}

// compareValue gives the condition on the value of a variable v. Values of another kind than the one asked for never match,
// hence always match neq; whole numbers compare with every type of number, others with Double only.
func compareValue(operator string, value any, fold bool) (cond string, args []any, err error) {
	symbol := Operators[operator]
	switch v := value.(type) {
	case nil:
		cond = "v.type = 'Null'"
	case bool:
		number := int64(0)
		if v {
			number = 1
		}
		cond, args = "(v.type = 'Boolean' and v.long_value = ?)", []any{number}
	case int64:
		cond, args = "(v.type in ('Short', 'Integer', 'Long', 'Double') and case when v.long_value is null then v.double_value "+symbol+
			" cast(? as double precision) else v.long_value "+symbol+" ? end)", []any{float64(v), v}
	case float64:
		cond, args = "(v.type = 'Double' and v.double_value "+symbol+" cast(? as double precision))", []any{v}
	case Time:
		cond, args = "(v.type = 'Date' and v.long_value "+symbol+" ?)", []any{v}
	case string:
		text := v
		if strings.HasSuffix(symbol, "like") {
			if text = likePattern(v); len(text) > MaxPattern {
				return "", nil, errPattern
			}
			symbol += " ? escape '\\'"
		} else {
			symbol += " ?"
		}
		cond, args = "(v.type = 'String' and "+folded("v.text_value "+symbol, fold)+")", []any{text}
	default:
		return "", nil, wrongValue(value)
	}
	if operator == "neq" {
		cond = "not coalesce(" + cond + ", false)"
	}
	return cond, args, nil
}

// MaxPattern is how many bytes a pattern of LIKE may have on both databases.
const MaxPattern = 50_000

var errPattern = fmt.Errorf("%w: a pattern has at most %d bytes", ErrFilter, MaxPattern)

// likePattern gives a pattern of LIKE that both databases take: a backslash at its end stands for itself.
func likePattern(s string) string {
	if n := len(s) - len(strings.TrimRight(s, `\`)); n%2 == 1 {
		return s + `\`
	}
	return s
}

// like is a filter of a column by a pattern: % stands for any text, _ for one character, \ before them for themselves.
func like(cond string) Field {
	return Field{Kind: Special, Make: func(_ *Filter, value any) (string, []any, error) {
		s, ok := value.(string)
		if !ok {
			return "", nil, wrongValue(value)
		}
		pattern := likePattern(s)
		if len(pattern) > MaxPattern {
			return "", nil, errPattern
		}
		return strings.Replace(cond, "?", `? escape '\'`, 1), []any{pattern}, nil
	}}
}
