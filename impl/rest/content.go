package rest

import (
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"rearm/impl/engine"
)

// content is the answer that holds the bytes of a variable. They are sent as they are read, and as an attachment, so that no
// browser shows what somebody has stored as if it were a page of this server.
type content struct{ *engine.Content }

// VisitGetProcessInstanceVariableBinaryResponse writes the answer.
func (c content) VisitGetProcessInstanceVariableBinaryResponse(w http.ResponseWriter) error {
	return c.write(w)
}

// VisitGetLocalExecutionVariableBinaryResponse writes the answer.
func (c content) VisitGetLocalExecutionVariableBinaryResponse(w http.ResponseWriter) error {
	return c.write(w)
}

func (c content) write(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", contentType(c.MediaType, c.Encoding))
	h.Set("Content-Length", strconv.FormatInt(c.Size, 10))
	h.Set("X-Content-Type-Options", "nosniff")
	if c.Filename != "" {
		h.Set("Content-Disposition", attachment(c.Filename))
	}
	w.WriteHeader(http.StatusOK)
	_, err := io.Copy(w, c.Reader)
	return err
}

// contentType gives the media type of a file with its character set (contract-facts 11). What is no media type counts as none,
// and a character set that cannot stand in a header is left out.
func contentType(mediaType, encoding string) string {
	_, parameters, err := mime.ParseMediaType(mediaType)
	if err != nil || !strings.Contains(mediaType, "/") || strings.ContainsFunc(mediaType, outsideOfHeaders) {
		return "application/octet-stream"
	}
	if _, has := parameters["charset"]; has || !isToken(encoding) {
		return mediaType
	}
	return mediaType + ";charset=" + encoding
}

// attachment gives a Content-Disposition. A name that plain ASCII cannot say stands there twice, for old clients with
// underscores (RFC 6266).
func attachment(filename string) string {
	plain := strings.Map(func(r rune) rune {
		if outsideOfHeaders(r) || r == '"' || r == '\\' {
			return '_'
		}
		return r
	}, filename)
	disposition := `attachment; filename="` + plain + `"`
	if plain != filename {
		disposition += "; filename*=UTF-8''" + strings.ReplaceAll(url.QueryEscape(filename), "+", "%20")
	}
	return disposition
}

// outsideOfHeaders tells whether a header should not hold a character.
func outsideOfHeaders(r rune) bool { return r < ' ' || r > '~' }

// isToken tells whether a text can be the value of a parameter in a header as it is (RFC 9110, 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, outsideOfHeaders) && !strings.ContainsAny(s, ` "(),/:;<=>?@[\]{}`)
}
