package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"rearm/impl/engine"
)

// value is a setting's place together with how its text is read and written.
type value[T any] struct {
	at    *T
	kind  string
	parse func(string) (T, error)
	write func(T) string
}

// Set implements pflag.Value. The place is unchanged after an error.
func (v value[T]) Set(s string) error {
	parsed, err := v.parse(s)
	if err == nil {
		*v.at = parsed
	}
	return err
}

// String implements pflag.Value.
func (v value[T]) String() string { return v.write(*v.at) }

// Type implements pflag.Value; the help shows it behind the flag.
func (v value[T]) Type() string { return v.kind }

// typeBool is the kind of flags that need no value.
const typeBool = "bool"

func same(s string) string { return s }

func notEmpty(s string) (string, error) {
	if s == "" {
		return "", errors.New("must not be empty")
	}
	return s, nil
}

func text(at *string, kind string) pflag.Value { return value[string]{at, kind, notEmpty, same} }

// optional is a setting of text that may also be none, which is the empty text.
func optional(v pflag.Value) pflag.Value {
	inner := v.(value[string])
	parse := func(s string) (string, error) {
		if s == forever {
			return "", nil
		}
		return inner.parse(s)
	}
	write := func(s string) string {
		if s == "" {
			return forever
		}
		return inner.write(s)
	}
	return value[string]{inner.at, inner.kind, parse, write}
}

// secret is a URL that is shown without its password.
func secret(at *string) pflag.Value { return value[string]{at, "url", notEmpty, masked} }

func toggle(at *bool) pflag.Value {
	return value[bool]{at, typeBool, strconv.ParseBool, strconv.FormatBool}
}

func choice(at *string, allowed ...string) pflag.Value {
	parse := func(s string) (string, error) {
		if !slices.Contains(allowed, s) {
			return "", fmt.Errorf("%q is not one of %s", s, strings.Join(allowed, ", "))
		}
		return s, nil
	}
	return value[string]{at, "word", parse, same}
}

func level(at *slog.Level) pflag.Value {
	parse := func(s string) (l slog.Level, err error) { return l, l.UnmarshalText([]byte(s)) }
	return value[slog.Level]{at, "word", parse, func(l slog.Level) string { return strings.ToLower(l.String()) }}
}

// count is a whole number from 1 to most.
func count(at *int, most int) pflag.Value {
	return value[int]{at, "number", func(s string) (int, error) { return parseCount(s, most) }, strconv.Itoa}
}

func parseCount(s string, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, fmt.Errorf("%q is not a number from 1 to %d", s, most)
	}
	return n, nil
}

// bound is a whole number from 1 to most; 0 is no bound.
func bound(at *int, most int) pflag.Value {
	parse := func(s string) (int, error) {
		if s == unset {
			return 0, nil
		}
		return parseCount(s, most)
	}
	write := func(n int) string {
		if n == 0 {
			return unset
		}
		return strconv.Itoa(n)
	}
	return value[int]{at, "number", parse, write}
}

// origins is a list of what a browser calls the origin of a page: a scheme, a host, and a port unless it is the scheme's.
func origins(at *[]string) pflag.Value {
	parse := func(s string) (list []string, err error) {
		if s == unset {
			return nil, nil
		}
		for one := range strings.SplitSeq(s, ",") {
			one = strings.TrimSpace(one)
			if u, err := url.Parse(one); err != nil || u.Scheme == "" || u.Host == "" || one != strings.ToLower(u.Scheme+"://"+u.Host) {
				return nil, fmt.Errorf("%q is not an origin such as https://example.com", one)
			}
			list = append(list, one)
		}
		return list, nil
	}
	return value[[]string]{at, "origins", parse, func(list []string) string { return cmp.Or(strings.Join(list, ","), unset) }}
}

// size is a number of bytes, such as 64MB; a KB is 1024 bytes.
func size(at *int64) pflag.Value { return value[int64]{at, "size", parseSize, writeSize} }

// units are the words for powers of 1024, the largest first.
var units = []struct {
	word  string
	bytes int64
}{{"GB", 1 << 30}, {"MB", 1 << 20}, {"KB", 1 << 10}, {"B", 1}}

func parseSize(s string) (int64, error) {
	number, unit := strings.ToUpper(s), int64(1)
	for _, u := range units {
		if rest, ok := strings.CutSuffix(number, u.word); ok {
			number, unit = rest, u.bytes
			break
		}
	}
	n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
	if err != nil || n < 1 || n > math.MaxInt64/unit {
		return 0, fmt.Errorf("%q is not a size such as 64MB", s)
	}
	return n * unit, nil
}

func writeSize(n int64) string {
	for _, u := range units {
		if n%u.bytes == 0 {
			return strconv.FormatInt(n/u.bytes, 10) + u.word
		}
	}
	return ""
}

// period is a length of time of at least a millisecond.
func period(at *time.Duration) pflag.Value {
	parse := func(s string) (time.Duration, error) {
		d, err := parseDuration(s)
		if err == nil && d < time.Millisecond {
			err = fmt.Errorf("%q is less than a millisecond", s)
		}
		return d, err
	}
	return value[time.Duration]{at, "duration", parse, writeDuration}
}

// forever is the word for no end.
const forever = "none"

// lifetime is a time to live, in which 0 means for ever.
func lifetime(at *time.Duration) pflag.Value {
	parse := func(s string) (time.Duration, error) {
		if s == forever {
			return 0, nil
		}
		d, err := parseDuration(s)
		if err == nil && d <= 0 {
			err = fmt.Errorf("%q must be more than nothing, or %q", s, forever)
		}
		return d, err
	}
	write := func(d time.Duration) string {
		if d == 0 {
			return forever
		}
		return writeDuration(d)
	}
	return value[time.Duration]{at, "duration", parse, write}
}

// batchTypes are the types of batches, for settings by type.
var batchTypes = []string{engine.SetBatchRemovalTime, engine.SetExternalTaskRetries, engine.SetJobRetries}

// byType reads `X`, `TYPE=X`, or several of both with commas: set gets each X, with the type or "" for all the others.
func byType(s string, set func(batchType, text string) error) error {
	for one := range strings.SplitSeq(s, ",") {
		name, text, named := strings.Cut(strings.TrimSpace(one), "=")
		if !named {
			name, text = "", name
		} else if !slices.Contains(batchTypes, name) {
			return fmt.Errorf("there is no type of batch %q; there is %s", name, strings.Join(batchTypes, ", "))
		}
		if err := set(name, text); err != nil {
			return err
		}
	}
	return nil
}

// perType is a number for each type of batch. What a text does not name keeps its default.
func perType(at *engine.PerType, most int) pflag.Value {
	initial := at.Default
	parse := func(s string) (engine.PerType, error) {
		p := engine.PerType{Default: initial, ByType: map[string]int{}}
		err := byType(s, func(name, text string) error {
			n, err := parseCount(text, most)
			if name == "" {
				p.Default = n
			} else {
				p.ByType[name] = n
			}
			return err
		})
		return p, err
	}
	write := func(p engine.PerType) string {
		list := []string{strconv.Itoa(p.Default)}
		for _, name := range slices.Sorted(maps.Keys(p.ByType)) {
			list = append(list, name+"="+strconv.Itoa(p.ByType[name]))
		}
		return strings.Join(list, ",")
	}
	return value[engine.PerType]{at, "numbers", parse, write}
}

// lifetimes is a time to live for each type of batch; none is for ever.
func lifetimes(at *engine.PerTypeTTL) pflag.Value {
	parse := func(s string) (engine.PerTypeTTL, error) {
		p := engine.PerTypeTTL{ByType: map[string]time.Duration{}}
		err := byType(s, func(name, text string) error {
			if name == "" && text == forever {
				p.Default = nil
				return nil
			}
			d, err := parseDuration(text)
			if name == "" {
				p.Default = &d
			} else {
				p.ByType[name] = d
			}
			return err
		})
		return p, err
	}
	write := func(p engine.PerTypeTTL) string {
		list := []string{forever}
		if p.Default != nil {
			list[0] = writeDuration(*p.Default)
		}
		for _, name := range slices.Sorted(maps.Keys(p.ByType)) {
			list = append(list, name+"="+writeDuration(p.ByType[name]))
		}
		return strings.Join(list, ",")
	}
	return value[engine.PerTypeTTL]{at, "durations", parse, write}
}

// masked gives a URL without its password, wherever it stands. Of one that is read otherwise than it was meant, because the password
// holds what a URL takes for its own, only the scheme is given.
func masked(s string) string {
	if strings.HasPrefix(s, "sqlite:") {
		return s
	}
	u, err := url.Parse(s)
	if at := strings.Count(s, "@"); err != nil || u.Opaque != "" || u.Fragment != "" || at > 1 || at == 1 && u.User == nil {
		return schemeOf(s)
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return schemeOf(s)
	}
	for name := range query {
		if strings.Contains(strings.ToLower(name), "password") {
			query.Set(name, "xxxxx")
		}
	}
	if len(query) > 0 {
		u.RawQuery = query.Encode()
	}
	return u.Redacted()
}

func schemeOf(s string) string {
	scheme, _, _ := strings.Cut(s, ":")
	return scheme + ":..."
}
