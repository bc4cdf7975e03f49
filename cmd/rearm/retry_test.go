package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"rearm/gen"
)

// says checks what a command has printed and how it has ended. The texts are regular expressions.
func says(t *testing.T, code int, stdout, stderr string, wantCode int, wantOut, wantErr string) {
	t.Helper()
	for _, side := range []struct{ got, want string }{{stdout, wantOut}, {stderr, wantErr}} {
		if side.want == "" && side.got != "" || !regexp.MustCompile(`(?s)^(`+side.want+`)$`).MatchString(side.got) {
			t.Errorf("said %q\nwant %q", side.got, side.want)
		}
	}
	if code != wantCode {
		t.Errorf("exit %d, want %d\n%s%s", code, wantCode, stdout, stderr)
	}
}

// at gives the flag that points a command at a server.
func (s *server) at() string { return "--server=" + s.url + "/engine-rest" }

// failed makes n tasks on the demo's topic, all of which fail.
func (s *server) failed(t *testing.T, n int) {
	t.Helper()
	play := &troupe{s.url + "/engine-rest", s.client}
	if err := play.create(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	if _, err := play.failAll(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// task makes a task and gives its id.
func (s *server) task(t *testing.T, task gen.CreateExternalTaskDto) string {
	t.Helper()
	res, err := s.client.CreateExternalTaskWithResponse(t.Context(), &gen.CreateExternalTaskParams{}, task)
	if err != nil || res.JSON200 == nil {
		t.Fatalf("%v, %s", err, res.Body)
	}
	return res.JSON200.ID
}

const anID = `[0-9a-f-]{36}`

// What has failed is retried, watched, and told of, on both databases.
func TestRetry(t *testing.T) {
	t.Parallel()
	eachDatabase(t, func(t *testing.T, databaseURL string) {
		s := startServer(t, databaseURL, "--invocations-per-batch-job=7")
		s.failed(t, 100)
		code, stdout, stderr := outcome(t, nil, "retry", s.at(), "--topic=demo", "--no-retries-left", "--retries=3")
		says(t, code, stdout, stderr, 0, `batch    `+anID+` sets the retries of up to 105 tasks to 3, by 15 jobs\n( +\d+ of 15 jobs\n)* +15 of 15 jobs\nended    after [\d.ms]+: all 15 jobs are done\n`, ``)
		if open := incidents(t, s); open != 0 {
			t.Errorf("%d incidents are open", open)
		}
		code, stdout, stderr = outcome(t, env{"REARM_SERVER": s.url}, "retry", "--topic", "demo", "--retries", "0", "--json")
		var told report
		if err := json.Unmarshal([]byte(stdout), &told); err != nil || told.State != stateEnded || told.Jobs != (jobCounts{Total: 15, Done: 15}) || told.End == nil {
			t.Errorf("%s, %v", stdout, err)
		}
		says(t, code, "", stderr, 0, ``, `batch .*15 of 15 jobs\n`)
		if open := incidents(t, s); open != 100 {
			t.Errorf("%d incidents are open", open)
		}
	})
}

// The same key is the same batch; what is printed without watching is its id alone.
func TestRetryOnce(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--job-executor=false")
	s.failed(t, 3)
	args := []string{"retry", s.at(), "--all", "--retries=3", "--watch=false"}
	_, first, _ := outcome(t, nil, append(args, "--idempotency-key=k")...)
	code, again, stderr := outcome(t, nil, append(args, "--idempotency-key=k")...)
	says(t, code, again, stderr, 0, regexp.QuoteMeta(first), ``)
	says(t, code, again, stderr, 0, anID+"\n", ``)
	if _, other, _ := outcome(t, nil, args...); other == first {
		t.Error("without a key there is no second batch")
	}
	code, stdout, stderr := outcome(t, nil, append(args, "--idempotency-key=k", "--json")...)
	says(t, code, stdout, stderr, 0, `\{.*"id": "`+strings.TrimSpace(first)+`".*\}\n`, ``)
	code, stdout, stderr = outcome(t, nil, "retry", s.at(), "--all", "--retries=4", "--watch=false", "--idempotency-key=k")
	says(t, code, stdout, stderr, 2, ``, `rearm retry: make a batch: the server answers 400: .*Key 'k' was used for another request.*\n`)
}

// Every filter selects what it says.
func TestRetrySelects(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--job-executor=false")
	text := func(v string) nullable.Nullable[string] { return nullable.NewNullableWithValue(v) }
	variables := nullable.NewNullableWithValue(map[string]gen.VariableValueDto{
		"to": {Value: nullable.NewNullableWithValue(gen.AnyValue(`"x@y=z"`))}, "n": {Value: nullable.NewNullableWithValue(gen.AnyValue(`5`))},
	})
	a := s.task(t, gen.CreateExternalTaskDto{TopicName: "a", ProcessInstanceID: text("p1"), ActivityID: text("act"), Variables: variables})
	b := s.task(t, gen.CreateExternalTaskDto{TopicName: "b", ProcessInstanceID: text("p2"), Priority: nullable.NewNullableWithValue(int64(7)), Retries: nullable.NewNullableWithValue(int32(0))})
	c := s.task(t, gen.CreateExternalTaskDto{TopicName: "b", ProcessInstanceID: text("p3"), ProcessDefinitionKey: text("def"), TenantID: text("ten")})
	if res, err := s.client.LockWithResponse(t.Context(), c, gen.LockExternalTaskDto{WorkerID: "w", LockDuration: 60000}); err != nil || res.StatusCode() != 204 {
		t.Fatalf("%v, %s", err, res.Body)
	}
	send(t, http.StatusNoContent, http.MethodPut, s.url+"/engine-rest/process-instance/p3/suspended", `{"suspended": true}`)
	ids := filepath.Join(t.TempDir(), "ids")
	if err := os.WriteFile(ids, []byte(a+"\n\n  "+b+"  \r\n"+a), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]int{
		"--all": 3, "--topic=b": 2, "--topic=b --no-retries-left": 1, "--retries-left": 2, "--locked": 1, "--not-locked": 2, "--suspended": 1,
		"--worker=w": 1, "--min-priority=7": 1, "--max-priority=6": 2, "--max-priority=6 --topic=b": 1, "--activity=act --activity=none": 1,
		"--process-instance=p1 --process-instance=p2": 2, "--definition-key=def": 1, "--tenant=ten": 1, "--variable=to=x@y=z": 1, "--variable=n=5": 1,
		`--variable=n="5" --id=` + a: 1, "--variable=n=5 --variable=to=x": 0, "--id=" + a: 1, "--id=" + a + " --id=" + b + " --topic=a": 2,
		"--ids-file=" + ids: 2, "--ids-file=" + ids + " --id=" + c: 3, `--query={"topicName":"b","executionId":null}`: 2,
		`--query={"topicName":"b","locked":true} --topic=a`: 0, "--id=x --on-missing=skip": 1, "--id=x --on-missing=skip --topic=b": 3,
	} {
		code, stdout, stderr := outcome(t, nil, append([]string{"retry", s.at(), "--retries=1", "--watch=false", "--json"}, strings.Fields(args)...)...)
		if want == 0 {
			says(t, code, stdout, stderr, 2, ``, `rearm retry: make a batch: the server answers 400: externalTaskIds is empty\n`)
			continue
		}
		var made gen.BatchDto
		if err := json.Unmarshal([]byte(stdout), &made); err != nil || int(made.TotalJobs) != want || code != 0 {
			t.Errorf("%s selects %d, want %d; exit %d, %v\n%s", args, made.TotalJobs, want, code, err, stderr)
		}
	}
}

func TestRetryRefuses(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	s.failed(t, 1)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/forbidden") {
			http.Error(w, strings.Repeat("this is not for you\n", 100), http.StatusForbidden)
			return
		}
		fmt.Fprint(w, "<html>")
	}))
	t.Cleanup(web.Close)
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte("\n \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const gone = "01a20f14-3ff8-7dda-babb-5fb85d0b7da1"
	for args, c := range map[string]struct {
		code int
		says string
	}{
		"--topic=demo":                        {2, "--retries is needed"},
		"--retries=3":                         {2, "say which tasks"},
		"--retries=3 --no-retries-left=false": {2, "say which tasks"},
		`--retries=3 --query={"topicName":null,"activityIdIn":[],"suspended":false,"sortBy":"id"}`: {2, "say which tasks"},
		"--retries=3 --all --topic=demo":                       {2, "--all leaves no room"},
		"--retries=-1 --all":                                   {2, `"-1" is not a number from 0`},
		"--retries=many --all":                                 {2, `"many" is not a number`},
		"--retries=3 --all more":                               {2, `"more" is no flag`},
		"--retries=3 --topic=":                                 {2, "must not be empty"},
		"--retries=3 --id=":                                    {2, "must not be empty"},
		"--retries=3 --min-priority=x":                         {2, "invalid syntax"},
		"--retries=3 --variable=x":                             {2, `"x" is not NAME=VALUE`},
		`--retries=3 --query={"topic":"demo"}`:                 {2, `unknown field "topic"`},
		`--retries=3 --query={"topicName":"demo"}{}`:           {2, "more than one JSON object"},
		"--retries=3 --ids-file=/nowhere/ids":                  {2, "no such file"},
		"--retries=3 --ids-file=" + empty:                      {2, "there is no id in"},
		"--retries=3 --all --on-missing=panic":                 {2, "not one of fail, skip"},
		"--retries=3 --all --timeout=0s":                       {2, "more than nothing"},
		"--retries=3 --all --server=localhost":                 {2, "is no address such as"},
		"--retries=3 --all --server=ftp://x/":                  {2, "is no address such as"},
		"--retries=3 --topic=none":                             {2, "the server answers 400: externalTaskIds is empty"},
		"--retries=3 --id=" + gone + " --id=x":                 {2, "the server answers 404: Cannot find external tasks with ids " + gone + ", x; --on-missing skip goes on without these"},
		"--retries=3 --all --server=" + web.URL:                {2, `answers "text/html; charset=utf-8", which is not the contract`},
		"--retries=3 --all --server=" + web.URL + "/forbidden": {2, "the server answers 403: this is not for you this is"},
	} {
		code, stdout, stderr := outcome(t, nil, append([]string{"retry", s.at()}, strings.Fields(args)...)...)
		if code != c.code || !strings.Contains(stderr, c.says) || stdout != "" || len(stderr) > 500 {
			t.Errorf("%s: exit %d\n%s%s\nwant %s", args, code, stdout, stderr, c.says)
		}
	}
	if open := incidents(t, s); open != 1 {
		t.Error("something was retried")
	}
	code, _, stderr := outcome(t, env{"REARM_TOKEN": "hush", "REARM_USER": "mary"}, "retry", "--retries=3", "--all")
	says(t, code, "", stderr, 2, ``, `rearm retry: wrong setting: --user and REARM_TOKEN exclude each other\n`)
}

// nowhere gives an address at which nobody listens.
func nowhere(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close() //nolint:errcheck // only its address was wanted
	return "http://" + l.Addr().String() + "/engine-rest"
}

// A server that is not there is said at once, by every command.
func TestServerIsAway(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"retry", "--all", "--retries=3"}, {"batch", "list"}, {"batch", "show", "x"}, {"batch", "watch", "x"}, {"batch", "suspend", "x"}, {"batch", "delete", "x"},
	} {
		code, stdout, stderr := outcome(t, env{"REARM_SERVER": nowhere(t)}, args...)
		says(t, code, stdout, stderr, 1, ``, `rearm `+args[0]+`: [^\n]*connection refused\n`)
	}
}

// A command says who it is: by name and password, or by a token.
func TestCredentials(t *testing.T) {
	t.Parallel()
	var got atomic.Value
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got.Store(r.Header.Get("Authorization"))
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = io.WriteString(w, `{"type": "AuthenticationException", "message": "who are you?", "code": null}`)
	}))
	t.Cleanup(web.Close)
	for _, c := range []struct {
		env  env
		want string
	}{
		{env{}, ""},
		{env{"REARM_USER": "mary", "REARM_PASSWORD": "hush"}, "Basic bWFyeTpodXNo"},
		{env{"REARM_TOKEN": "hush"}, "Bearer hush"},
		{env{"REARM_PASSWORD": "hush"}, ""},
	} {
		code, stdout, stderr := outcome(t, c.env, "batch", "list", "--server="+web.URL)
		says(t, code, stdout, stderr, 2, ``, `rearm batch: list batches: the server answers 401: who are you\?\n`)
		if got.Load() != c.want {
			t.Errorf("%v: %q, want %q", c.env, got.Load(), c.want)
		}
	}
}

// On a server with log-ins a command may do what its user's role may, by a password or by a token.
func TestCommandsWithLogIns(t *testing.T) {
	t.Parallel()
	m := newMint(t)
	s := startServer(t, "sqlite::memory:", "--auth=basic,jwt", "--users-file="+usersFile(t), "--jwt-keys="+m.file, "--jwt-issuer=issuer", "--jwt-audience=rearm")
	var task struct{ ID string }
	if status := s.asks(t, worker(t), "worker", "I am worker", http.MethodPost, "/external-task/create", "", `{"topicName": "t", "retries": 0}`, &task); status != http.StatusOK {
		t.Fatalf("%d", status)
	}
	bearer, _ := strings.CutPrefix(m.token(t, "mary", time.Now().Add(time.Hour), "operator"), "Bearer ")
	for _, c := range []struct {
		env  env
		code int
		says string
	}{
		{env{}, 2, `rearm retry: make a batch: the server answers 401: [^\n]+\n`},
		{env{"REARM_USER": "operator", "REARM_PASSWORD": "I am mary"}, 2, `rearm retry: make a batch: the server answers 401: [^\n]+\n`},
		{env{"REARM_TOKEN": "I am mary"}, 2, `rearm retry: make a batch: the server answers 401: [^\n]+\n`},
		{env{"REARM_USER": "worker", "REARM_PASSWORD": "I am worker"}, 2, `rearm retry: make a batch: the server answers 403: [^\n]*operator[^\n]*\n`},
		{env{"REARM_USER": "operator", "REARM_PASSWORD": "I am operator"}, 0, `batch .*all 1 jobs are done\n`},
		{env{"REARM_TOKEN": bearer}, 0, `batch .*all 1 jobs are done\n`},
	} {
		code, stdout, stderr := outcome(t, c.env, "retry", s.at(), "--all", "--retries=3")
		says(t, code, stdout+stderr, "", c.code, c.says, ``)
	}
	code, stdout, stderr := outcome(t, env{"REARM_USER": "viewer", "REARM_PASSWORD": "I am viewer"}, "batch", "list", "--ended", s.at())
	says(t, code, stdout, stderr, 0, `ID .*\n.* (operator|mary)\n.* (operator|mary)\n`, ``)
}

// A server may have a certificate that only a private authority vouches for, and ask for one.
func TestCommandsOverTLS(t *testing.T) {
	t.Parallel()
	web := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, "[]")
	}))
	web.TLS = &tls.Config{ClientAuth: tls.RequireAnyClientCert}
	web.Config.ErrorLog = log.New(io.Discard, "", 0)
	web.StartTLS()
	t.Cleanup(web.Close)
	dir := t.TempDir()
	ca, cert, key, empty := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"), filepath.Join(dir, "empty.pem")
	own := web.TLS.Certificates[0]
	private, err := x509.MarshalPKCS8PrivateKey(own.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{
		ca: {Type: "CERTIFICATE", Bytes: web.Certificate().Raw}, cert: {Type: "CERTIFICATE", Bytes: own.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: private}, empty: {Type: "NOTHING"},
	} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for args, c := range map[string]struct {
		code int
		says string
	}{
		"--ca=" + ca + " --cert=" + cert + " --key=" + key: {0, `ID .*\n`},
		"--cert=" + cert + " --key=" + key:                 {1, `.*failed to verify certificate.*`},
		"--ca=" + ca:                                       {1, `.*certificate required.*`},
		"--ca=" + empty:                                    {2, `.*--ca: there is no certificate in .*`},
		"--ca=" + ca + "x":                                 {2, `.*--ca: .*no such file.*`},
		"--cert=" + cert:                                   {2, `.*--cert and --key belong together\n`},
		"--cert=" + empty + " --key=" + key:                {2, `.*--cert: .*`},
	} {
		code, stdout, stderr := outcome(t, nil, append([]string{"batch", "list", "--server=" + web.URL}, strings.Fields(args)...)...)
		says(t, code, stdout+stderr, "", c.code, c.says, ``)
	}
}

// between is a proxy before a server; meet may answer in its place.
func between(t *testing.T, s *server, meet func(w http.ResponseWriter, r *http.Request, pass func(http.ResponseWriter)) bool) string {
	t.Helper()
	to, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !meet(w, r, func(w http.ResponseWriter) { proxy.ServeHTTP(w, r) }) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(web.Close)
	return web.URL + "/engine-rest"
}

// When the answer to the one request that matters is lost, it is asked again, and there is one batch; and a server that is away for
// a while is waited for.
func TestRetryInsists(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	s.failed(t, 20)
	var asked atomic.Int32
	address := between(t, s, func(w http.ResponseWriter, r *http.Request, pass func(http.ResponseWriter)) bool {
		switch asked.Add(1) {
		case 1: // the batch is made, and nobody hears of it
			pass(httptest.NewRecorder())
			panic(http.ErrAbortHandler)
		case 3, 4:
			http.Error(w, "the server restarts", http.StatusServiceUnavailable)
		default:
			return false
		}
		return true
	})
	code, stdout, stderr := outcome(t, nil, "retry", "--server="+address, "--topic=demo", "--retries=3")
	says(t, code, stdout, stderr, 0, `waiting  make a batch: [^\n]*EOF\nbatch    .*waiting  look at the batch: the server answers 503: the server restarts\n.*ended    after .*`, ``)
	code, stdout, stderr = outcome(t, nil, "batch", "list", "--ended", s.at())
	says(t, code, stdout, stderr, 0, `ID [^\n]*\n`+anID+` [^\n]*\n`, ``)
}

// A command that never hears an answer says what it does not know.
func TestRetryGivesUp(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:")
	s.failed(t, 2)
	address := between(t, s, func(_ http.ResponseWriter, _ *http.Request, pass func(http.ResponseWriter)) bool {
		pass(httptest.NewRecorder())
		panic(http.ErrAbortHandler)
	})
	r := &retrying{remote: newRemote(), key: "K"}
	r.server, r.insistence = address, 0
	r.watcher = watcher{remote: &r.remote, out: io.Discard}
	r.request = gen.SetRetriesForExternalTasksDto{Retries: 3, ExternalTaskQuery: nullable.NewNullableWithValue(gen.ExternalTaskQueryDto{})}
	if err := r.dial(); err != nil {
		t.Fatal(err)
	}
	if _, err := r.make(t.Context()); err == nil || !strings.Contains(err.Error(), "nobody knows whether there is a batch now: the same command with --idempotency-key K makes it, or finds it") {
		t.Errorf("%v", err)
	}
	r.watcher.seen, r.met = true, true
	if _, err := r.watcher.watch(t.Context(), "B"); err == nil || !strings.Contains(err.Error(), "when the server is back this watches on: rearm batch watch B --server "+address) {
		t.Errorf("%v", err)
	}
}

// A very long list of ids comes by the standard input of a real process. None of them is a task: all are skipped.
func TestRetryManyIDs(t *testing.T) {
	t.Parallel()
	s := startServer(t, "sqlite::memory:", "--invocations-per-batch-job=5000")
	const n = 50_000
	var ids bytes.Buffer
	for range n {
		ids.WriteString(uuid.NewString() + "\n")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "retry", s.at(), "--retries=3", "--ids-file=-", "--on-missing=skip")
	cmd.Env, cmd.Stdin = append(os.Environ(), asProgram+"=1"), &ids
	out, err := cmd.CombinedOutput()
	if err != nil || !regexp.MustCompile(` sets the retries of up to 50000 tasks to 3, by 10 jobs\n(.*\n)*ended    after .*: all 10 jobs are done\n$`).Match(out) {
		t.Errorf("%v\n%s", err, out)
	}
}

// untilSaid runs a command until it has said something, calls then, and gives how it ended and all that it said.
func untilSaid(t *testing.T, text string, then func(stop context.CancelFunc), args ...string) (code int, said string) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	out := &lines{until: text, seen: make(chan struct{})}
	ended := make(chan int, 1)
	go func() { ended <- run(ctx, args, env(nil).get, out, out) }()
	select {
	case <-out.seen:
		then(stop)
		code = <-ended
	case code = <-ended:
		t.Errorf("it ended before it said %q", text)
	}
	return code, out.String()
}
