package main

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"time"
)

// iso is an ISO 8601 duration of units that always have the same length: weeks to seconds, no months and years.
var iso = regexp.MustCompile(`^P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$`)

var isoUnits = []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second}

// parseDuration reads P180D, PT12H, P1DT12H, and Go's own form, 12h30m. It is never negative.
func parseDuration(s string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is not a duration such as P180D, PT12H or 30s", s)
	parts := iso.FindStringSubmatch(s)
	if parts == nil {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, wrong
		}
		return d, nil
	}
	sum, any := time.Duration(0), false
	for i, digits := range parts[1:] {
		if digits == "" {
			continue
		}
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || n > int64((math.MaxInt64-sum)/isoUnits[i]) {
			return 0, fmt.Errorf("%q is longer than 292 years", s)
		}
		sum, any = sum+time.Duration(n)*isoUnits[i], true
	}
	if !any || s[len(s)-1] == 'T' {
		return 0, wrong
	}
	return sum, nil
}

// writeDuration writes whole days as P180D and all else as Go does.
func writeDuration(d time.Duration) string {
	if day := 24 * time.Hour; d > 0 && d%day == 0 {
		return fmt.Sprintf("P%dD", d/day)
	}
	return d.String()
}
