package main

import (
	"net/url"
	"strings"
	"testing"
)

// A duration is never negative, and written it is read as the same.
func FuzzDuration(f *testing.F) {
	for _, s := range []string{"P180D", "PT12H", "P1DT12H30M5S", "P", "PT", "P1DT", "P1W", "12h30m", "-1s", "1e3s", "P106751D", "P106752D", "PT9223372036S", "PT9223372037S", "0"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := parseDuration(s)
		if err != nil {
			return
		}
		if again, err := parseDuration(writeDuration(d)); d < 0 || err != nil || again != d {
			t.Errorf("%q is %s, and that %s, %v", s, writeDuration(d), again, err)
		}
	})
}

// Every setting refuses a text, or shows what it has read in a form that it reads as the same.
func FuzzSettings(f *testing.F) {
	for i := range byte(30) {
		for _, s := range []string{
			"", "true", "1", "64MB", " 2 gb", "9223372036854775807", "P5D", "none", "none,batch-set-removal-time=P5D", "set-job-retries=0s", "7,set-job-retries=3,8", "=", ",", "info", "INFO+1", "json", "a:b",
		} {
			f.Add(i, s)
		}
	}
	f.Fuzz(func(t *testing.T, which byte, text string) {
		c, other := defaults(), defaults()
		all := c.settings()
		s, again := all[int(which)%len(all)], other.settings()[int(which)%len(all)]
		before := s.value.String()
		if err := s.value.Set(text); err != nil {
			if got := s.value.String(); got != before {
				t.Errorf("--%s refuses %q and becomes %q", s.name, text, got)
			}
			return
		}
		shown := s.value.String()
		if s.name == "database-url" || s.name == "otlp-endpoint" { // they are shown without their passwords
			return
		}
		if err := again.value.Set(shown); err != nil || again.value.String() != shown {
			t.Errorf("--%s %q is %q, and that %q, %v", s.name, text, shown, again.value, err)
		}
	})
}

// A password is shown nowhere, however the URL is written.
func FuzzMasked(f *testing.F) {
	f.Add("me", "secret", "db:5432", "sslmode=disable")
	f.Add("", "p@ss:/?#%word", "db", "")
	f.Add("me", "%zz;&=", "[::1]", "a=%zz")
	f.Fuzz(func(t *testing.T, user, password, host, query string) {
		const mark = "0hush0"
		password += mark
		if strings.Contains(user+host+query, mark) || strings.ContainsAny(host, "/?#@") {
			return
		}
		for _, s := range []string{
			"postgres://" + user + ":" + password + "@" + host + "/x?" + query,
			(&url.URL{Scheme: "postgres", User: url.UserPassword(user, password), Host: host, RawQuery: query}).String(),
			"postgres://" + host + "/x?password=" + url.QueryEscape(password) + "&" + query,
		} {
			if shown := masked(s); strings.Contains(shown, mark) {
				t.Errorf("%q is shown as %q", s, shown)
			}
		}
	})
}
