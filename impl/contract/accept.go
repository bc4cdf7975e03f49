package contract

import (
	"strconv"
	"strings"

	"rearm/impl/fault"
)

// accepts refuses a request whose Accept header leaves out every media type that the operation answers with (406, type
// NotAcceptableException; contract-facts 1.2). No header, and an operation whose answers have no content, accept everything.
// Parameters of media types other than q are not looked at.
func accepts(headers, produces []string) error {
	ranges := strings.TrimSpace(strings.Join(headers, ","))
	if ranges == "" || len(produces) == 0 {
		return nil
	}
	for _, mediaType := range produces {
		if acceptable(ranges, mediaType) {
			return nil
		}
	}
	return fault.New(fault.NotAcceptable, fault.NotAcceptableEx, "This operation answers with %s, which the Accept header leaves out",
		strings.Join(produces, ", "))
}

// acceptable tells whether the range that names mediaType most closely has a quality above 0 (RFC 9110, 12.5.1).
func acceptable(ranges, mediaType string) bool {
	best, quality := 0, 0.0
	for one := range strings.SplitSeq(ranges, ",") {
		name, parameters, _ := strings.Cut(one, ";")
		if n := closeness(strings.ToLower(strings.TrimSpace(name)), mediaType); n > best {
			best, quality = n, qualityOf(parameters)
		} else if n == best && n > 0 {
			quality = max(quality, qualityOf(parameters))
		}
	}
	return quality > 0
}

// closeness says how closely a media range names a media type: 0 not at all, 3 exactly. An operation that answers with any type,
// */*, is named by every range.
func closeness(name, mediaType string) int {
	kind, _, _ := strings.Cut(mediaType, "/")
	switch {
	case name == mediaType:
		return 3
	case mediaType == "*/*" && strings.Contains(name, "/"), name == kind+"/*":
		return 2
	case name == "*/*", name == "*":
		return 1
	}
	return 0
}

// qualityOf reads q among the parameters of a media range; 1 if there is none.
func qualityOf(parameters string) float64 {
	for one := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(one, "=")
		if strings.EqualFold(strings.TrimSpace(name), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				return 1
			}
			return q
		}
	}
	return 1
}
