package rest

import (
	"mime"
	"strings"
	"testing"
)

func TestContentType(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ mediaType, encoding, want string }{
		{"text/plain", "UTF-8", "text/plain;charset=UTF-8"},
		{"text/plain", "", "text/plain"},
		{"image/png", "", "image/png"},
		{"text/html; charset=latin1", "UTF-8", "text/html; charset=latin1"},
		{"", "", "application/octet-stream"},
		{"", "UTF-8", "application/octet-stream"},
		{"text", "UTF-8", "application/octet-stream"},
		{"text/plain\r\nX-Bad: 1", "", "application/octet-stream"},
		{"text/plain; a=ü", "", "application/octet-stream"},
		{"text/plain", "UTF-8\r\nX-Bad: 1", "text/plain"},
		{"text/plain", "a b", "text/plain"},
		{"text/plain", `"UTF-8"`, "text/plain"},
	} {
		if got := contentType(c.mediaType, c.encoding); got != c.want {
			t.Errorf("%q in %q: %q, want %q", c.mediaType, c.encoding, got, c.want)
		}
	}
}

// Clients that know RFC 6266 get the very name; no name can end the header or begin another one.
func TestAttachment(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, want string }{
		{"a.txt", `attachment; filename="a.txt"`},
		{"a b;c.txt", `attachment; filename="a b;c.txt"`},
		{"Übergröße 1+1.pdf", `attachment; filename="_bergr__e 1+1.pdf"; filename*=UTF-8''%C3%9Cbergr%C3%B6%C3%9Fe%201%2B1.pdf`},
		{`a"b\c`, `attachment; filename="a_b_c"; filename*=UTF-8''a%22b%5Cc`},
		{"a\r\nX-Bad: 1", `attachment; filename="a__X-Bad: 1"; filename*=UTF-8''a%0D%0AX-Bad%3A%201`},
	} {
		got := attachment(c.name)
		if got != c.want {
			t.Errorf("%q: %s, want %s", c.name, got, c.want)
		}
		_, whole, _ := strings.Cut(got, "; filename*=")
		if _, parameters, err := mime.ParseMediaType(got); err != nil || whole == "" && parameters["filename"] != c.name {
			t.Errorf("%q reads as %v, %v", c.name, parameters, err)
		}
		if whole != "" {
			if _, parameters, err := mime.ParseMediaType("attachment; filename*=" + whole); err != nil || parameters["filename"] != c.name {
				t.Errorf("%q reads as %v, %v", c.name, parameters, err)
			}
		}
	}
}
