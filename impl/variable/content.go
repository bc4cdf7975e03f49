package variable

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
)

// Content gives the bytes of a value of the type Bytes or File in the form in which Parse keeps it, and how many they are. A
// null has none.
func Content(value json.RawMessage) (r io.Reader, size int64) {
	if isNull(value) {
		return strings.NewReader(""), 0
	}
	text := strings.Trim(string(value), `"`) // base64 needs no escapes
	size = int64(base64.RawStdEncoding.DecodedLen(len(strings.TrimRight(text, "="))))
	return base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)), size
}
