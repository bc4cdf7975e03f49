package contract_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"rearm/impl/contract"
	"rearm/impl/fault"
)

const thing = "/engine-rest/thing"

// TestEveryErrorHasOneShape has a row for each source of errors, as a client meets it.
func TestEveryErrorHasOneShape(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{MaxBody: 1000, MaxBigBody: 2000}, nil)
	zero, none := new(int32), (*int32)(nil)
	for _, row := range []struct {
		name, method, url, body string
		status                  int
		typ, message            string // a message that ends in ... is the beginning
		code                    *int32
	}{
		{"unknown route", "GET", "/engine-rest/nope", "", 404, "NotFoundException", "There is no /engine-rest/nope", none},
		{"unknown route elsewhere", "GET", "/nope", "", 404, "NotFoundException", "There is no /nope", none},
		{"the prefix alone", "GET", "/engine-rest", "", 404, "NotFoundException", "There is no /engine-rest", none},
		{"unknown engine", "GET", "/engine-rest/engine/other/thing", "", 400, "InvalidRequestException", "No process engine available", none},
		{"method", "DELETE", thing, "", 405, "NotAllowedException", "DELETE is not allowed on /thing, only GET, OPTIONS, POST", none},
		{"NUL in a path", "GET", thing + "/a%00", "", 400, "InvalidRequestException", "The path holds...", none},
		{"no UTF-8 in a path", "GET", thing + "/%ff", "", 400, "InvalidRequestException", "The path holds...", none},
		{"broken escape in a query", "GET", thing + "?name=%zz", "", 400, "InvalidRequestException", "The query string holds a broken escape", none},
		{"NUL in a query", "GET", thing + "?other=%00", "", 400, "InvalidRequestException", `Query parameter "other" holds...`, none},
		{"no UTF-8 in a query", "GET", thing + "?name=%ff", "", 400, "InvalidRequestException", `Query parameter "name" holds...`, none},
		{"enum in a query", "GET", thing + "?sortBy=xyz", "", 400, "InvalidRequestException", "Cannot set query parameter 'sortBy' to value 'xyz'", none},
		{"empty enum", "GET", thing + "?sortBy=", "", 400, "InvalidRequestException", "Cannot set query parameter 'sortBy' to value ''", none},
		{"enum by reference", "GET", thing + "?sortOrder=ASC", "", 400, "InvalidRequestException", "Cannot set query parameter 'sortOrder' to value 'ASC'", none},
		{"boolean", "GET", thing + "?locked=abc", "", 400, "InvalidRequestException", "Cannot set query parameter 'locked' to value 'abc': Cannot convert value abc to java type java.lang.Boolean", none},
		{"boolean: one", "GET", thing + "?locked=1", "", 400, "InvalidRequestException", "Cannot set query parameter 'locked' to value '1': Cannot convert...", none},
		{"boolean: null", "GET", thing + "?locked=null", "", 400, "InvalidRequestException", "Cannot set query parameter 'locked' to value 'null': Cannot convert...", none},
		{"boolean: blank", "GET", thing + "?locked=%20true", "", 400, "InvalidRequestException", "Cannot set query parameter 'locked' to value ' true': Cannot convert...", none},
		{"boolean: empty", "GET", thing + "?locked=", "", 400, "InvalidRequestException", "Cannot set query parameter 'locked' to value '': Cannot convert value  to java type java.lang.Boolean", none},
		{"long", "GET", thing + "?priority=x", "", 400, "InvalidRequestException", "Cannot set query parameter 'priority' to value 'x': Cannot convert value x to java type java.lang.Long", none},
		{"long: empty", "GET", thing + "?priority=", "", 400, "InvalidRequestException", "Cannot set query parameter 'priority' to value '': Cannot convert value  to java type java.lang.Long", none},
		{"long: out of range", "GET", thing + "?priority=9223372036854775808", "", 400, "InvalidRequestException", "Cannot set query parameter 'priority' to value '9223372036854775808': Cannot convert...", none},
		{"long: huge", "GET", thing + "?priority=1e400", "", 400, "InvalidRequestException", "Cannot set query parameter 'priority' to value '1e400': Cannot convert...", none},
		{"int", "GET", thing + "?small=2147483648", "", 400, "InvalidRequestException", "Cannot set query parameter 'small' to value '2147483648': Cannot convert value 2147483648 to java type java.lang.Integer", none},
		{"date", "GET", thing + "?after=now", "", 400, "InvalidRequestException", `Cannot set query parameter 'after' to value 'now': Cannot convert value "now" to java type java.util.Date`, none},
		{"date: month 13", "GET", thing + "?after=2013-13-01T00:00:00Z", "", 400, "InvalidRequestException", `Cannot set query parameter 'after' to...`, none},
		{"date: bare plus", "GET", thing + "?after=2013-01-23T14:42:45.000+0200", "", 400, "InvalidRequestException", `Cannot set query parameter 'after' to value '2013-01-23T14:42:45.000 0200': Cannot convert value "2013-01-23T14:42:45.000 0200" to java type java.util.Date`, none},
		{"date: quotes", "GET", thing + "?after=%22x%22", "", 400, "InvalidRequestException", `Cannot set query parameter 'after' to value '"x"': Cannot convert value "x" to java type java.util.Date because of double quotes`, none},
		{"paging: text", "GET", thing + "?firstResult=abc", "", 400, "InvalidRequestException", "Cannot set query parameter 'firstResult' to value 'abc': it must be an integer from 0 to 2147483647", none},
		{"paging: fraction", "GET", thing + "?firstResult=1.5", "", 400, "InvalidRequestException", "Cannot set query parameter 'firstResult' to value '1.5': it must...", none},
		{"paging: negative", "GET", thing + "?firstResult=-1", "", 400, "InvalidRequestException", "Cannot set query parameter 'firstResult' to value '-1': it must...", none},
		{"paging: out of range", "GET", thing + "?firstResult=2147483648", "", 400, "InvalidRequestException", "Cannot set query parameter 'firstResult' to value '2147483648': it must...", none},
		{"text too long", "GET", thing + "?short=abcd", "", 400, "InvalidRequestException", "The query parameter short must have at most 3 characters", none},
		{"body too large", "PUT", thing + "/a/retries", `{"retries":` + strings.Repeat(" ", 1000) + "1}", 413, "RequestEntityTooLargeException", "The body has more than 1000 bytes", none},
		{"big body too large", "PUT", thing + "/bulk", `{"retries":` + strings.Repeat(" ", 2000) + "1}", 413, "RequestEntityTooLargeException", "The body has more than 2000 bytes", none},
		{"required, in its words", "PUT", thing + "/a/retries", `{}`, 400, "NullValueException", "retries is null", zero},
		{"null, in its words", "PUT", thing + "/a/retries", `{"retries":null}`, 400, "NullValueException", "retries is null", zero},
		{"no body", "PUT", thing + "/a/retries", ``, 400, "NullValueException", "retries is null", zero},
		{"minimum, in the operation's words", "PUT", thing + "/a%2Fb/retries", `{"retries":-1}`, 400, "BadUserRequestException", "thing a/b cannot have -1 retries", zero},
		{"the first place wins", "POST", thing, `{"sorting":[{"sortBy":"x"}]}`, 400, "NotValidException", "the first one", zero},
		{"any index", "POST", thing, `{"sorting":[{},{"sortBy":"x"}]}`, 400, "InvalidRequestException", "Cannot set query sortBy parameter to value x", none},
		{"null body", "POST", thing, `null`, 400, "InvalidRequestException", "The body: must not be null", none},
		{"body of another type", "POST", thing, `[]`, 400, "InvalidRequestException", "The body: must be an object", none},
		{"text for an integer", "PUT", thing + "/a/retries", `{"retries":"5"}`, 400, "InvalidRequestException", "/retries: must be an integer of 32 bits", none},
		{"fraction", "PUT", thing + "/a/retries", `{"retries":1.7}`, 400, "InvalidRequestException", "/retries: must be an integer of 32 bits", none},
		{"out of 32 bits", "PUT", thing + "/a/retries", `{"retries":2147483648}`, 400, "InvalidRequestException", "/retries: must be an integer of 32 bits", none},
		{"out of 64 bits by one", "POST", thing, `{"inner":{"many":9223372036854775808}}`, 400, "InvalidRequestException", "/inner/many: must be an integer of 64 bits", none},
		{"text for a boolean", "POST", thing, `{"flag":"true"}`, 400, "InvalidRequestException", "/flag: must be a boolean", none},
		{"number for a text", "POST", thing, `{"name":5}`, 400, "InvalidRequestException", "/name: must be a string", none},
		{"short text", "POST", thing, `{"name":""}`, 400, "InvalidRequestException", "/name: must have at least 1 character", none},
		{"long text", "POST", thing, `{"name":"12345678901"}`, 400, "InvalidRequestException", "/name: must have at most 10 characters", none},
		{"number for a date", "POST", thing, `{"after":1700000000000}`, 400, "InvalidRequestException", "/after: must be a date of the form yyyy-MM-dd'T'HH:mm:ss.SSSZ", none},
		{"no date by its pattern", "POST", thing, `{"after":"now"}`, 400, "InvalidRequestException", "/after: must be a date of the form yyyy-MM-dd'T'HH:mm:ss.SSSZ", none},
		{"no date by its format", "POST", thing, `{"after":"2013-13-01T00:00:00Z"}`, 400, "InvalidRequestException", "/after: must be a date of the form yyyy-MM-dd'T'HH:mm:ss.SSSZ", none},
		{"exclusive minimum", "POST", thing, `{"strict":0}`, 400, "InvalidRequestException", "/strict: must be more than 0", none},
		{"exclusive maximum", "POST", thing, `{"strict":10}`, 400, "InvalidRequestException", "/strict: must be less than 10", none},
		{"few items", "POST", thing, `{"names":[]}`, 400, "InvalidRequestException", "/names: must have at least 1 item", none},
		{"many items", "POST", thing, `{"names":["a","b","c"]}`, 400, "InvalidRequestException", "/names: must have at most 2 items", none},
		{"twice", "POST", thing, `{"names":["a","a"]}`, 400, "InvalidRequestException", "/names: must not have an item twice", none},
		{"allOf", "POST", thing, `{"order":"up"}`, 400, "InvalidRequestException", `/order: must be one of "asc","desc"`, none},
		{"null item", "PUT", thing + "/bulk", `{"retries":1,"ids":["a",null]}`, 400, "InvalidRequestException", "ids contains null value", none},
		{"item of another type", "PUT", thing + "/bulk", `{"retries":1,"ids":["a","b",7]}`, 400, "InvalidRequestException", "/ids/2: must be a string", none},
		{"item too long", "PUT", thing + "/bulk", `{"retries":1,"checked":["a","abcd"]}`, 400, "InvalidRequestException", "/checked/1: must have at most 3 characters", none},
		{"malformed", "POST", thing, `{"name" "a"}`, 400, "InvalidRequestException", "/name: malformed JSON at byte 8: ...", none},
		{"cut off", "POST", thing, `{"name":`, 400, "InvalidRequestException", "/name: malformed JSON at byte 8: the text ends too early", none},
		{"blanks only", "POST", thing, `  `, 400, "InvalidRequestException", "The body: malformed JSON: the text ends too early", none},
		{"text after it", "POST", thing, `{} x`, 400, "InvalidRequestException", "The body: malformed JSON at byte 3: ...", none},
		{"value after it", "POST", thing, `{}{}`, 400, "InvalidRequestException", "The body: malformed JSON: more text after the value", none},
		{"lone surrogate", "POST", thing, `{"name":"\ud800"}`, 400, "InvalidRequestException", "/name: malformed JSON at byte ...", none},
		{"no UTF-8", "POST", thing, "{\"name\":\"\xff\"}", 400, "InvalidRequestException", "/name: malformed JSON at byte ...", none},
		{"NUL", "POST", thing, `{"name":"a\u0000"}`, 400, "InvalidRequestException", "/name: must not hold a NUL character", none},
		{"NUL in a name", "POST", thing, `{"a\u0000":1}`, 400, "InvalidRequestException", "...", none},
		{"NUL in an item", "PUT", thing + "/bulk", `{"retries":1,"ids":["\u0000"]}`, 400, "InvalidRequestException", "/ids/0: must not hold a NUL character", none},
		{"huge number", "POST", thing, `{"other":1e400}`, 400, "InvalidRequestException", "/other: the number is out of range", none},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got := ask(t, e, row.method, row.url, row.body)
			begin, partly := strings.CutSuffix(row.message, "...")
			fits := got.Message == row.message || partly && strings.HasPrefix(got.Message, begin)
			if got.ResponseRecorder.Code != row.status || got.Type != row.typ || !fits {
				t.Errorf("got %d %s %q\nwant %d %s %q", got.ResponseRecorder.Code, got.Type, got.Message, row.status, row.typ, row.message)
			}
			if (got.Code == nil) != (row.code == nil) {
				t.Errorf("code %v, want %v", got.Code, row.code)
			}
		})
	}
}

// TestErrorsOfHandlers has a row for each error that a handler or generated code may return.
func TestErrorsOfHandlers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		err     error
		status  int
		typ     string
		message string
		logged  string
	}{
		{"of the engine", fmt.Errorf("while reading: %w", fault.Coded(fault.NotFound, fault.Rest, "no thing a")), 404, "RestException", "no thing a", ""},
		{"forbidden", fault.New(fault.Forbidden, fault.Authorization, "no"), 403, "AuthorizationException", "no", ""},
		{"unauthorized", fault.New(fault.Unauthorized, fault.Authorization, "who?"), 401, "AuthorizationException", "who?", ""},
		{"too many", fault.New(fault.TooMany, fault.Rest, "slower"), 429, "RestException", "slower", ""},
		{"unavailable on purpose", fault.New(fault.Unavailable, fault.Rest, "later"), 503, "RestException", "later", ""},
		{"unavailable", &fault.Error{Kind: fault.Unavailable, Type: fault.Rest, Message: "later", Err: errors.New("cause")}, 503, "RestException", "later", "cause"},
		{"unavailable by a cancelled query", &fault.Error{Err: context.Canceled}, 503, "RestException", "The request was given up before it was done", "cancel"},
		{"internal", &fault.Error{Message: "secret", Err: errors.New("cause")}, 500, "RestException", "The server failed to answer this request; its log says more", "cause"},
		{"unknown", errors.New("secret"), 500, "RestException", "The server failed to answer this request; its log says more", "secret"},
		{"binding a parameter", echo.NewHTTPError(400, "Invalid format for parameter id: strconv words"), 400, "InvalidRequestException", "Invalid format for parameter id", ""},
		{"echo 415", echo.ErrUnsupportedMediaType, 415, "NotSupportedException", "A body has to be application/json", ""},
		{"echo 413", echo.ErrStatusRequestEntityTooLarge, 413, "RequestEntityTooLargeException", "The body is too large", ""},
		{"echo 404", echo.ErrNotFound, 404, "NotFoundException", "There is no /engine-rest/thing/a", ""},
		{"echo 405", echo.ErrMethodNotAllowed, 405, "NotAllowedException", "GET is not allowed here", ""},
		{"echo 503", echo.ErrServiceUnavailable, 503, "RestException", "The server cannot do this now", "503"},
		{"echo 500", echo.ErrInternalServerError, 500, "RestException", "The server failed to answer this request; its log says more", "500"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			var log strings.Builder
			e := server(t, logTo(&log), map[string]echo.HandlerFunc{"getThing": func(echo.Context) error { return row.err }})
			got := ask(t, e, "GET", thing+"/a", "")
			if got.ResponseRecorder.Code != row.status || got.Type != row.typ || got.Message != row.message {
				t.Errorf("got %d %s %q", got.ResponseRecorder.Code, got.Type, got.Message)
			}
			if logged := strings.Count(log.String(), "level=ERROR"); (row.logged != "") != (logged == 1) || !strings.Contains(log.String(), row.logged) {
				t.Errorf("the log: %s", log.String())
			}
			if row.logged != "" && !strings.Contains(log.String(), "operation=getThing") {
				t.Errorf("the log does not name the operation: %s", log.String())
			}
			if retry := got.Header().Get("Retry-After"); (retry != "") != (row.status == 503 || row.status == 429) {
				t.Errorf("Retry-After %q", retry)
			}
		})
	}
}

func TestPanicIsA500(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	e := server(t, logTo(&log), map[string]echo.HandlerFunc{
		"getThing":    func(echo.Context) error { panic("oh no") },
		"countThings": func(echo.Context) error { panic(http.ErrAbortHandler) },
	})
	if got := ask(t, e, "GET", thing+"/a", ""); got.ResponseRecorder.Code != 500 || strings.Contains(got.Message, "oh no") {
		t.Errorf("got %d %q", got.ResponseRecorder.Code, got.Message)
	}
	if s := log.String(); !strings.Contains(s, "oh no") || !strings.Contains(s, "errors_test.go") || strings.Count(s, "level=ERROR") != 1 {
		t.Errorf("the log lacks the panic or its stack, or has it twice: %s", s)
	}
	defer func() {
		if recover() != http.ErrAbortHandler { //nolint:errorlint // a panic has no chain
			t.Error("http.ErrAbortHandler was kept back")
		}
	}()
	ask(t, e, "GET", thing+"/count", "")
}

func TestAnswersWithoutBody(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{}, nil)
	if got := ask(t, e, "HEAD", thing, ""); got.ResponseRecorder.Code != 405 || got.Body.Len() > 0 {
		t.Errorf("HEAD: %d with %q", got.ResponseRecorder.Code, got.Body)
	}
}

// An error behind the beginning of an answer breaks the connection, and nothing is added to the answer.
func TestAnswerThatHasBegunIsBrokenOff(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	e := server(t, logTo(&log), map[string]echo.HandlerFunc{"getThing": func(ec echo.Context) error {
		_ = ec.String(200, "begun")
		return errors.New("too late")
	}})
	got := httptest.NewRecorder()
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, http.ErrAbortHandler) || got.Body.String() != "begun" || !strings.Contains(log.String(), "too late") {
			t.Errorf("%v, %q, log %s", err, got.Body, log.String())
		}
	}()
	e.ServeHTTP(got, httptest.NewRequest(http.MethodGet, thing+"/a", nil))
}

func TestRequestGivenUpIsNotOurFault(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	ctx, cancel := context.WithCancel(t.Context())
	e := server(t, logTo(&log), map[string]echo.HandlerFunc{"getThing": func(ec echo.Context) error {
		cancel()
		return fmt.Errorf("query: %w", ec.Request().Context().Err())
	}})
	if got := send(t, e, httptest.NewRequest("GET", thing+"/a", nil).WithContext(ctx)); got.ResponseRecorder.Code != 503 {
		t.Errorf("got %d", got.ResponseRecorder.Code)
	}
	if strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("a client that left was logged as a fault: %s", log.String())
	}
}

// TestHugeBodyHasShortWords guards against asking kin-openapi for words that hold the whole body.
func TestHugeBodyHasShortWords(t *testing.T) {
	t.Parallel()
	e := server(t, contract.Options{}, nil)
	body := `{"name":"` + strings.Repeat("x", 1<<20) + `","other":"` + strings.Repeat("y", 1<<20) + `"}`
	if got := ask(t, e, "POST", thing, body); got.ResponseRecorder.Code != 400 || got.Body.Len() > 300 {
		t.Errorf("%d with %d bytes", got.ResponseRecorder.Code, got.Body.Len())
	}
	deep := `{"any":` + strings.Repeat("[", 10000) + strings.Repeat("]", 10000) + "}"
	if got := ask(t, e, "POST", thing, deep); got.ResponseRecorder.Code != 400 || !strings.Contains(got.Message, "in each other") {
		t.Errorf("deep: %d %q", got.ResponseRecorder.Code, got.Message)
	}
}
