package contract_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"

	"rearm/gen"
	"rearm/impl/contract"
)

// handlers answers few operations of the real document; the others panic.
type handlers struct {
	gen.StrictServerInterface
	tasks   func(gen.GetExternalTasksRequestObject)
	retries func(gen.SetExternalTaskRetriesAsyncOperationRequestObject)
}

var errDone = errors.New("done")

func (h handlers) GetExternalTasks(_ context.Context, r gen.GetExternalTasksRequestObject) (gen.GetExternalTasksResponseObject, error) {
	h.tasks(r)
	return gen.GetExternalTasks200JSONResponse{}, nil
}

func (h handlers) GetExternalTask(context.Context, gen.GetExternalTaskRequestObject) (gen.GetExternalTaskResponseObject, error) {
	return nil, errDone
}

func (h handlers) Unlock(context.Context, gen.UnlockRequestObject) (gen.UnlockResponseObject, error) {
	return gen.Unlock204Response{}, nil
}

func (h handlers) SetExternalTaskRetriesAsyncOperation(_ context.Context, r gen.SetExternalTaskRetriesAsyncOperationRequestObject) (
	gen.SetExternalTaskRetriesAsyncOperationResponseObject, error,
) {
	h.retries(r)
	return gen.SetExternalTaskRetriesAsyncOperation200JSONResponse{}, nil
}

// real gives a server of the real document.
func real(t *testing.T, h handlers) *echo.Echo {
	t.Helper()
	doc, err := contract.Load(gen.Document)
	if err != nil {
		t.Fatal(err)
	}
	c, err := contract.New(doc, contract.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := echo.New()
	c.Install(e)
	gen.RegisterHandlersWithOptions(e, gen.NewStrictHandler(h, nil), gen.RegisterHandlersOptions{
		BaseURL: c.Prefix(), OperationMiddlewares: c.Middlewares(),
	})
	return e
}

func TestGeneratedCodeGetsWhatWasJudged(t *testing.T) {
	t.Parallel()
	var query gen.GetExternalTasksParams
	var body gen.SetRetriesForExternalTasksDto
	e := real(t, handlers{
		tasks:   func(r gen.GetExternalTasksRequestObject) { query = r.Params },
		retries: func(r gen.SetExternalTaskRetriesAsyncOperationRequestObject) { body = *r.Body },
	})
	got := ask(t, e, "GET", "/engine-rest/external-task/?topicName=&locked=True&priorityHigherThanOrEquals=5.5&lockExpirationAfter=", "")
	if got.ResponseRecorder.Code != 200 || strings.TrimSpace(got.Body.String()) != "[]" || got.Header().Get("Content-Type") != "application/json" {
		t.Errorf("%d %q %v", got.ResponseRecorder.Code, got.Body, got.Header())
	}
	if query.TopicName == nil || *query.TopicName != "" || query.Locked == nil || !*query.Locked ||
		query.PriorityHigherThanOrEquals == nil || *query.PriorityHigherThanOrEquals != 5 || query.LockExpirationAfter != nil {
		t.Errorf("the query: %+v", query)
	}
	sent := `{"retries":3.0,"externalTaskIds":["a","0198f3a2-5c1e-7d10-8a57-3f1c2b6d9e01","\u0062"],"processInstanceIds":["p"],"externalTaskQuery":{"TopicName":"x","topicName":"t"}}`
	if got := ask(t, e, "POST", "/engine-rest/external-task/retries-async", sent); got.ResponseRecorder.Code != 200 {
		t.Fatalf("%d %q", got.ResponseRecorder.Code, got.Body)
	}
	ids, _ := body.ExternalTaskIds.Get()
	instances, _ := body.ProcessInstanceIds.Get()
	tasks, _ := body.ExternalTaskQuery.Get()
	if topic, _ := tasks.TopicName.Get(); body.Retries != 3 || strings.Join(ids.Texts(), " ") != "a 0198f3a2-5c1e-7d10-8a57-3f1c2b6d9e01 b" || len(ids.Others) != 2 || strings.Join(instances, " ") != "p" || topic != "t" {
		t.Errorf("the body: %+v", body)
	}
}

// TestRealWords: the recorded answers that the document alone gives.
func TestRealWords(t *testing.T) {
	t.Parallel()
	e := real(t, handlers{})
	const task, async = "/engine-rest/external-task", "/engine-rest/external-task/retries-async"
	long := strings.Repeat("x", 256)
	for _, row := range []struct {
		method, url, body string
		status            int
		typ, message      string
	}{
		{"POST", async, `{}`, 400, "InvalidRequestException", "The number of retries cannot be null."},
		{"POST", async, ``, 400, "InvalidRequestException", "The number of retries cannot be null."},
		{"POST", async, `{"retries":-1,"externalTaskIds":["a"]}`, 400, "InvalidRequestException", "The number of retries cannot be negative: retries is not greater than or equal to 0"},
		{"POST", async, `{"retries":1,"externalTaskIds":["a",null]}`, 400, "InvalidRequestException", "External task id cannot be null: externalTaskIds contains null value"},
		{"POST", async, `{"retries":1,"externalTaskIds":[5]}`, 400, "InvalidRequestException", "/externalTaskIds/0: must be a string"},
		{"POST", async, `{"retries":-1,"externalTaskIds":["a",null]}`, 400, "InvalidRequestException", "External task id cannot be null: externalTaskIds contains null value"},
		{"POST", async, `{"retries":null,"externalTaskIds":[null]}`, 400, "InvalidRequestException", "The number of retries cannot be null."},
		{"POST", async, `{"retries":-1,"externalTaskIds":[],"processInstanceIds":null}`, 400, "InvalidRequestException", "externalTaskIds is empty"},
		{"POST", async, `{"retries":-1,"processInstanceQuery":{}}`, 400, "InvalidRequestException", "The number of retries cannot be negative: retries is not greater than or equal to 0"},
		{"POST", async, `{"externalTaskQuery":{"sortBy":"id"}}`, 400, "InvalidRequestException", "Only a single sorting parameter specified. sortBy and sortOrder required"},
		{"POST", async, `{"processInstanceQuery":{"sortOrder":"asc"}}`, 400, "InvalidRequestException", "Only a single sorting parameter specified. sortBy and sortOrder required"},
		{"POST", async, `{"historicProcessInstanceQuery":{"sortOrder":"asc","sortBy":"tenantId"},"externalTaskQuery":null}`, 400, "InvalidRequestException", "The number of retries cannot be null."},
		{"POST", async, `null`, 400, "InvalidRequestException", "The body: must not be null"},
		{"POST", task, `null`, 400, "InvalidRequestException", "The body: must not be null"},
		{"GET", async, ``, 405, "NotAllowedException", "GET is not allowed on /external-task/retries-async, only OPTIONS, POST"},
		{"POST", task + "/fetchAndLock", `{"maxTasks":1}`, 400, "NullValueException", "workerId is null"},
		{"POST", task + "/fetchAndLock", `{"workerId":"w","maxTasks":-1}`, 400, "ProcessEngineException", "maxResults is not greater than or equal to 0"},
		{"POST", task + "/fetchAndLock", `{"workerId":"w","asyncResponseTimeout":1800001}`, 400, "InvalidRequestException", "The asynchronous response timeout cannot be set to a value greater than 1800000 milliseconds"},
		{"POST", task + "/fetchAndLock", `{"workerId":"` + long + `"}`, 400, "InvalidRequestException", "/workerId: must have at most 255 characters"},
		{"POST", task + "/a/lock", `{"lockDuration":1,"workerId":"` + long + `"}`, 400, "InvalidRequestException", "/workerId: must have at most 255 characters"},
		{"POST", task + "/create", `{"topicName":"a","activityId":"` + long + `"}`, 400, "InvalidRequestException", "/activityId: must have at most 255 characters"},
		{"POST", task + "/create", `{"topicName":"a","businessKey":"` + long + `"}`, 400, "InvalidRequestException", "/businessKey: must have at most 255 characters"},
		{"GET", task + "?sortBy=nope", ``, 400, "InvalidRequestException", "Cannot set query parameter 'sortBy' to value 'nope'"},
		{"GET", task + "/count?sortOrder=ASC", ``, 400, "InvalidRequestException", "Cannot set query parameter 'sortOrder' to value 'ASC'"},
		{"GET", "/engine-rest/incident/count?sortBy=&sortOrder=", ``, 400, "InvalidRequestException", "Cannot set query parameter 'sortOrder' to value ''"},
		{"GET", task + "/a/errorDetails", ``, 406, "NotAcceptableException", "This operation answers with text/plain, which the Accept header leaves out"},
		{"GET", task + "/a", ``, 500, "RestException", "The server failed to answer this request; its log says more"},
	} {
		got := ask(t, e, row.method, row.url, row.body, "Accept", "application/json")
		if got.ResponseRecorder.Code != row.status || got.Type != row.typ || got.Message != row.message {
			t.Errorf("%s %s %s: %d %s %q", row.method, row.url, row.body, got.ResponseRecorder.Code, got.Type, got.Message)
		}
	}
	for _, mediaType := range []string{"", "application/x-www-form-urlencoded", "application/json"} {
		if got := ask(t, e, http.MethodPost, task+"/a/unlock", "null", "Content-Type", mediaType); got.ResponseRecorder.Code != 204 {
			t.Errorf("unlock with Content-Type %q: %d", mediaType, got.ResponseRecorder.Code)
		}
	}
}

// unread is a body that nobody may read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

// A body that is refused unseen is not read: kin-openapi would read all of it where the document asks for a log-in.
func TestRefusedBodyIsNotRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		contentType string
		length      int64
		want        int
	}{"too long": {"application/json", 1 << 30, 413}, "no JSON": {"text/plain", -1, 415}} {
		r := httptest.NewRequest(http.MethodPost, "/engine-rest/external-task/retries-async", unread{t})
		r.Header.Set("Content-Type", c.contentType)
		r.ContentLength = c.length
		w := httptest.NewRecorder()
		real(t, handlers{}).ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, want %d", name, w.Code, c.want)
		}
	}
}
