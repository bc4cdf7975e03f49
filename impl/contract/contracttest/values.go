package contracttest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
)

// texts are what a text of a request may be, besides what names something.
var texts = []string{
	"", " ", "a", "a,b", ",", "null", "true", "-1", "%", "a_%", `\`, `a\`, "'", `";--`, "ä", "日本語", "🦄", "a\u0301", "\u202e", "\u0001", "a\nb", "\u007f", "../..", "<b>&amp;</b>",
	"x_eq_1", "x_neq_a,y_like_%", "gt_2013-01-23T14:42:45.000+0200", "00000000-0000-0000-0000-000000000000", "0198F3A2-5C1E-7D10-8A57-3F1C2B6D9E01", strings.Repeat("long ", 60),
}

// dates are what a date of a request may be.
var dates = []string{"2013-01-23T14:42:45.000+0200", "2013-01-23T12:42:45Z", "2099-12-31T23:59:59.999999+02:00", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59.999Z"}

// value gives a value that fits a schema. One that may hold anything gets little.
func (m *Maker) value(name string, s *openapi3.Schema) any {
	if s.Nullable && m.one(10) {
		return nil
	}
	switch {
	case len(s.AllOf) > 0:
		return m.value(name, s.AllOf[m.Random.IntN(len(s.AllOf))].Value)
	case len(s.Enum) > 0:
		return m.choice(s)
	case s.Type.Is("boolean"):
		return m.one(2)
	case s.Type.Is("integer"):
		return m.integer(name, s)
	case s.Type.Is("number"):
		return m.Random.NormFloat64()
	case s.Type.Is("string"):
		return m.text(s)
	case s.Type.Is("array"):
		return m.array(name, s)
	case s.Type.Is("object"):
		return m.object(s)
	}
	return m.anything()
}

// choice gives a value of an enum. Null is left to nullable.
func (m *Maker) choice(s *openapi3.Schema) any {
	for {
		if v := s.Enum[m.Random.IntN(len(s.Enum))]; v != nil {
			return v
		}
	}
}

// integer gives a whole number, most of the time a small one.
func (m *Maker) integer(name string, s *openapi3.Schema) int64 {
	least, most := int64(math.MinInt64), int64(math.MaxInt64)
	if s.Format == "int32" {
		least, most = math.MinInt32, math.MaxInt32
	}
	if s.Min != nil {
		least = max(least, int64(*s.Min))
	}
	if s.Max != nil && *s.Max < math.MaxInt64 {
		most = min(most, int64(*s.Max))
	}
	if limit, ok := m.Most[name]; ok {
		most = min(most, limit)
	}
	n := []int64{0, 1, 2, 3, 10, 1000, 60000, -1, least, most}[m.Random.IntN(10)]
	return max(least, min(most, n))
}

// text gives a text, half the time one that names something.
func (m *Maker) text(s *openapi3.Schema) string {
	if s.Format != "" {
		return dates[m.Random.IntN(len(dates))]
	}
	text := m.word()
	if n := int(s.MinLength); len(text) < n { //nolint:gosec // small
		text += strings.Repeat("x", n)
	}
	if runes := []rune(text); s.MaxLength != nil && uint64(len(runes)) > *s.MaxLength {
		text = string(runes[:*s.MaxLength])
	}
	return text
}

// word gives a text that names something, or any other.
func (m *Maker) word() string {
	if len(m.Known) > 0 && m.one(2) {
		return m.Known[m.Random.IntN(len(m.Known))]
	}
	return texts[m.Random.IntN(len(texts))]
}

func (m *Maker) array(name string, s *openapi3.Schema) []any {
	list := make([]any, m.Random.IntN(4))
	for i := range list {
		list[i] = m.value(name, s.Items.Value)
	}
	return list
}

// object gives an object with some of its properties, those that have to be there among them.
func (m *Maker) object(s *openapi3.Schema) map[string]any {
	object := map[string]any{}
	often := 1 + m.Random.IntN(12)
	for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
		if slices.Contains(s.Required, name) || m.one(often) {
			object[name] = m.value(name, s.Properties[name].Value)
		}
	}
	if free := s.AdditionalProperties; free.Schema != nil || free.Has != nil && *free.Has {
		for range m.Random.IntN(3) {
			name := m.word()
			object[name] = m.anything()
			if free.Schema != nil {
				object[name] = m.value(name, free.Schema.Value)
			}
		}
	}
	if m.one(10) {
		object["unknown"] = m.anything()
	}
	return object
}

// anything gives any JSON value.
func (m *Maker) anything() any {
	all := []any{nil, true, 0, -7, 1 << 40, 1.5, 1e300, m.word(), []any{}, []any{m.word(), nil}, map[string]any{}, map[string]any{m.word(): 1}, "aGVsbG8=", dates[0], "5"}
	return all[m.Random.IntN(len(all))]
}

// spoil changes a value at one place, at random: another type, null, a bound crossed, a member taken away.
func (m *Maker) spoil(v any) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) > 0 && !m.one(6) {
			names := slices.Sorted(maps.Keys(v))
			name := names[m.Random.IntN(len(names))]
			spoiled := maps.Clone(v)
			if m.one(5) {
				delete(spoiled, name)
			} else {
				spoiled[name] = m.spoil(v[name])
			}
			return spoiled
		}
	case []any:
		if len(v) > 0 && !m.one(3) {
			spoiled := slices.Clone(v)
			i := m.Random.IntN(len(v))
			spoiled[i] = m.spoil(v[i])
			return spoiled
		}
	}
	all := []any{
		nil, true, -1, 0.5, int64(math.MaxInt32) + 1, float64(1e300), uint64(math.MaxInt64) + 1, "nonsense", "", "2013-13-01T00:00:00Z", strings.Repeat("x", 300), []any{}, []any{nil, 1}, map[string]any{},
		fmt.Sprint(v),
	}
	return all[m.Random.IntN(len(all))]
}
