package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"golang.org/x/crypto/bcrypt"

	"rearm/db"
	"rearm/db/dbtest"
	"rearm/gen"
	"rearm/impl/auth"
	"rearm/impl/contract"
	"rearm/impl/contract/contracttest"
	"rearm/impl/engine"
	"rearm/impl/observe"
	"rearm/impl/poll"
	"rearm/openapi/wire"
)

// someone is somebody who calls every operation.
type someone struct {
	name   string
	header string   // Authorization
	roles  []string // nil: nobody believes who it is
}

// includes says what each role holds, once more: the test must not ask the code.
var includes = map[string][]string{
	"viewer": {"viewer"}, "worker": {"worker"}, "operator": {"operator", "viewer"}, "admin": {"admin", "operator", "worker", "viewer"},
}

// wants gives the status that an operation refuses somebody with; 0 if it must not refuse.
func (s someone) wants(needs []string) int {
	if s.roles == nil {
		return http.StatusUnauthorized
	}
	for _, role := range s.roles {
		for _, included := range includes[role] {
			if slices.Contains(needs, included) {
				return 0
			}
		}
	}
	return http.StatusForbidden
}

// password gives the header of a name and a password.
func password(name, word string) string {
	r := &http.Request{Header: http.Header{}}
	r.SetBasicAuth(name, word)
	return r.Header.Get("Authorization")
}

// mint signs tokens, and gives the file of its public key.
type mint struct {
	signer jose.Signer
	file   string
}

func newMint(t *testing.T) *mint {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	m := &mint{file: filepath.Join(t.TempDir(), "key.pem")}
	if err := os.WriteFile(m.file, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o600); err != nil {
		t.Fatal(err)
	}
	if m.signer, err = jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil); err != nil {
		t.Fatal(err)
	}
	return m
}

// token gives the header of a token that lasts until a time.
func (m *mint) token(t *testing.T, name string, until time.Time, roles ...string) string {
	t.Helper()
	text, err := jwt.Signed(m.signer).Claims(map[string]any{"iss": "issuer", "aud": "rearm", "sub": name, "exp": until.Unix(), "roles": roles}).Serialize()
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + text
}

// usersFile makes a users file with one user for each role, of the role's name, and cheap hashes of its password.
func usersFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	for _, role := range wire.Roles() {
		hash, err := bcrypt.GenerateFromPassword([]byte("I am "+string(role)), bcrypt.MinCost)
		if err != nil {
			t.Fatal(err)
		}
		if err := auth.AddUser(path, &auth.User{Name: string(role), Roles: []wire.Role{role}, Hash: string(hash)}, false); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// guardedServer is a server with log-ins of both kinds, as its clients see it. Its guard's clock runs fast, so that an address may
// be wrong as often as it likes.
func guardedServer(t *testing.T, m *mint) *httptest.Server {
	t.Helper()
	c, log := defaults(), slog.New(slog.DiscardHandler)
	c.Auth.Ways, c.Auth.UsersFile = []string{auth.Basic, auth.JWT}, usersFile(t)
	c.Auth.Tokens.Keys, c.Auth.Tokens.Issuer, c.Auth.Tokens.Audience = m.file, "issuer", "rearm"
	var asked atomic.Int64
	guard, err := c.newGuard(func() time.Time { return time.Unix(1_700_000_000+asked.Add(60), 0) }, log)
	if err != nil {
		t.Fatal(err)
	}
	store, err := db.Open(t.Context(), "sqlite::memory:", db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if _, err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	e := engine.New(store, engine.Options{Now: time.Now, NewID: dbtest.ID, Log: log, Wake: func([]string) {}, Run: func() {}, Settings: c.Engine})
	health := &health{database: store}
	health.state.Store(serving)
	handler, err := newHandler(&c, e, poll.New(e, c.Waiting, log, time.Now), health, guard, observe.New(observe.Options{Log: log, Now: time.Now, NewID: requestID}), log)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	return s
}

// operation is one operation of the document as a request can be made of it.
type operation struct {
	id, method, path string
	body             bool
	needs            []string
}

// operations gives every operation of the document.
func operations(t *testing.T, document *openapi3.T) (list []operation) {
	t.Helper()
	for path, item := range document.Paths.Map() {
		for method, op := range item.Operations() {
			needs, many := op.Extensions["x-rearm-role"].([]any)
			if !many {
				needs = []any{op.Extensions["x-rearm-role"]}
			}
			o := operation{id: op.OperationID, method: method, path: path, body: op.RequestBody != nil}
			for _, one := range needs {
				o.needs = append(o.needs, fmt.Sprint(one))
			}
			for _, parameter := range []string{"id", "varName"} {
				o.path = strings.ReplaceAll(o.path, "{"+parameter+"}", "01a20f14-3ff8-7dda-babb-5fb85d0b7da1")
			}
			if strings.Contains(o.path, "{") {
				t.Fatalf("%s has a parameter that this test does not know", path)
			}
			list = append(list, o)
		}
	}
	return list
}

// Everybody tries everything: each identity calls each operation of the document over HTTP. Nobody, and whoever is not
// believed, gets a 401, who lacks the role a 403, and everybody else another answer; all of them fit the document.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	document, err := contract.Load(gen.Document)
	if err != nil {
		t.Fatal(err)
	}
	m := newMint(t)
	s := guardedServer(t, m)
	client := &http.Client{Transport: contracttest.Transport(t, document, s.Client().Transport)}
	later, earlier := time.Unix(4_000_000_000, 0), time.Unix(1_000_000_000, 0)
	everybody := []someone{
		{"nobody", "", nil},
		{"a wrong password", password("admin", "I am viewer"), nil},
		{"an unknown name", password("root", "I am admin"), nil},
		{"an expired token", m.token(t, "x", earlier, "admin"), nil},
		{"another's token", newMint(t).token(t, "x", later, "admin"), nil},
		{"no role", m.token(t, "x", later), []string{}},
		{"a role of another", m.token(t, "x", later, "king"), []string{}},
		{"two roles", m.token(t, "x", later, "worker", "viewer"), []string{"worker", "viewer"}},
	}
	for role := range includes {
		everybody = append(everybody, someone{role, password(role, "I am "+role), []string{role}}, someone{role + "'s token", m.token(t, role, later, role), []string{role}})
	}
	if len(document.Security) != 3 || len(document.Components.SecuritySchemes) != 2 {
		t.Errorf("the document offers clients the log-ins %v", document.Security)
	}
	all := operations(t, document)
	if len(all) < 80 {
		t.Fatalf("only %d operations", len(all))
	}
	refusals := map[int]int{}
	for _, who := range everybody {
		for _, o := range all {
			refusals[tries(t, client, s.URL+"/engine-rest", who, o)]++
		}
	}
	if refusals[401] != 5*len(all) || refusals[403] < 2*len(all) || refusals[0] < 4*len(all) {
		t.Errorf("the numbers of answers are %v", refusals)
	}
}

// tries lets somebody call an operation, and gives the status of the refusal; 0 for any other answer.
func tries(t *testing.T, client *http.Client, url string, who someone, o operation) (refused int) {
	t.Helper()
	var body io.Reader
	if o.body {
		body = strings.NewReader("{}")
	}
	r, err := http.NewRequestWithContext(t.Context(), o.method, url+o.path, body)
	if err != nil {
		t.Fatal(err)
	}
	if o.body {
		r.Header.Set("Content-Type", "application/json")
	}
	if who.header != "" {
		r.Header.Set("Authorization", who.header)
	}
	res, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	if res.StatusCode == 401 || res.StatusCode == 403 {
		refused = res.StatusCode
	}
	if refused != who.wants(o.needs) || res.StatusCode >= 500 || (len(res.Header.Values("WWW-Authenticate")) == 2) != (refused == 401) {
		t.Errorf("%s, %s: %d %s %v", who.name, o.id, res.StatusCode, text, res.Header)
	}
	if refused == 403 && (!strings.Contains(string(text), `"AuthorizationException"`) || !strings.Contains(string(text), o.needs[0])) {
		t.Errorf("%s, %s: %s", who.name, o.id, text)
	}
	return refused
}

// asks sends a request with a name and a password, reads the answer into dest, and gives its status.
func (s *server) asks(t *testing.T, c *http.Client, name, word, method, path, key, body string, dest any) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.url+"/engine-rest"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	if name != "" {
		r.SetBasicAuth(name, word)
	}
	res, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close() //nolint:errcheck // it is read to its end
	if err := json.NewDecoder(res.Body).Decode(dest); err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return res.StatusCode
}

// A server with log-ins: what is open stays open, batches bear the names of those who made them, one caller's Idempotency-Key is
// not another's, and users come and go while it runs.
func TestServeWithLogIns(t *testing.T) {
	t.Parallel()
	users := usersFile(t)
	client := worker(t)
	s := startServer(t, "sqlite::memory:", "--auth=basic", "--users-file="+users, "--job-executor=false")
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/docs": 200, "/openapi.yaml": 200, "/openapi.json": 200, "/engine-rest/engine": 401, "/engine-rest/nothing": 404} {
		if status, body := fetched(t, s.url+path); status != want {
			t.Errorf("%s: %d %.200s", path, status, body)
		}
	}
	var first, again, others struct{ ID, Message string }
	task := `{"topicName": "t", "retries": 0}`
	for _, c := range []struct {
		name string
		dest any
	}{{"worker", &first}, {"worker", &again}, {"admin", &others}} {
		if status := s.asks(t, client, c.name, "I am "+c.name, http.MethodPost, "/external-task/create", "one key", task, c.dest); status != 200 {
			t.Fatalf("%s: %d %+v", c.name, status, c.dest)
		}
	}
	if first.ID != again.ID || first.ID == others.ID {
		t.Errorf("one caller's key gave %s and %s, another's %s", first.ID, again.ID, others.ID)
	}
	var batch, other struct{ ID, CreateUserID string }
	retry := `{"retries": 3, "externalTaskQuery": {"topicName": "t"}}`
	for name, dest := range map[string]any{"operator": &batch, "admin": &other} {
		if status := s.asks(t, client, name, "I am "+name, http.MethodPost, "/external-task/retries-async", "another key", retry, dest); status != 200 {
			t.Fatalf("%s: %d", name, status)
		}
	}
	if batch.CreateUserID != "operator" || other.CreateUserID != "admin" || batch.ID == other.ID {
		t.Errorf("the batches are %+v and %+v", batch, other)
	}
	var list []struct{ ID string }
	if status := s.asks(t, client, "viewer", "I am viewer", http.MethodGet, "/batch/statistics?createdBy=operator", "", "", &list); status != 200 || len(list) != 1 || list[0].ID != batch.ID {
		t.Errorf("%d %+v", status, list)
	}
	if status := s.asks(t, client, "mary", "correct horse", http.MethodGet, "/batch", "", "", &others); status != 401 {
		t.Errorf("mary before she is there: %d", status)
	}
	adds(t, users, "correct horse\n", "mary", "--role=viewer")
	if status := s.asks(t, client, "mary", "correct horse", http.MethodGet, "/batch", "", "", &list); status != 200 || len(list) != 2 {
		t.Errorf("mary: %d %+v", status, list)
	}
	if err := auth.RemoveUser(users, "mary"); err != nil {
		t.Fatal(err)
	}
	if status := s.asks(t, client, "mary", "correct horse", http.MethodGet, "/batch", "", "", &others); status != 401 {
		t.Errorf("mary after she has gone: %d", status)
	}
}

// A user's tenants decide what the user sees, by password as by token.
func TestServeTenantsOfUsers(t *testing.T) {
	t.Parallel()
	file, m, client := usersFile(t), newMint(t), worker(t)
	adds(t, file, "battery staple", "eu", "--role=worker", "--tenant=eu")
	adds(t, file, "battery staple", "both", "--role=worker", "--tenant=eu", "--tenant=us", "--untenanted")
	s := startServer(t, "sqlite::memory:", "--auth=basic,jwt", "--users-file="+file, "--jwt-keys="+m.file, "--jwt-issuer=issuer", "--jwt-audience=rearm",
		"--jwt-tenants-claim=sub")
	for _, task := range []string{`{"topicName": "t", "tenantId": "eu"}`, `{"topicName": "t", "tenantId": "us"}`, `{"topicName": "t"}`} {
		var made struct{ ID string }
		if status := s.asks(t, client, "admin", "I am admin", http.MethodPost, "/external-task/create", "", task, &made); status != 200 {
			t.Fatalf("create: %d", status)
		}
	}
	count := func(header string) (n struct{ Count int }) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/engine-rest/external-task/count", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", header)
		res, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close() //nolint:errcheck // it is read to its end
		if err := json.NewDecoder(res.Body).Decode(&n); err != nil || res.StatusCode != 200 {
			t.Errorf("%d, %v", res.StatusCode, err)
		}
		return n
	}
	later := time.Now().Add(time.Hour)
	for header, want := range map[string]int{
		password("admin", "I am admin"): 3, password("eu", "battery staple"): 1, password("both", "battery staple"): 3,
		m.token(t, "us", later, "viewer"): 1, m.token(t, "nowhere", later, "viewer"): 0, m.token(t, "*", later, "viewer"): 3,
	} {
		if got := count(header); got.Count != want {
			t.Errorf("%s sees %d tasks, want %d", header, got.Count, want)
		}
	}
}

// Settings that would let strangers in, or nobody, end the program with one line before it opens anything.
func TestLogInsThatCannotBe(t *testing.T) {
	t.Parallel()
	none := filepath.Join(t.TempDir(), "none")
	for _, c := range []struct{ args, says string }{
		{"--listen=0.0.0.0:0", "without a log-in only this machine is served, not 0.0.0.0:0"},
		{"--listen=:0", "without a log-in only this machine is served"},
		{"--listen=[::]:0", "without a log-in only this machine is served"},
		{"--listen=192.0.2.1:0 --auth=none", "without a log-in only this machine is served"},
		{"--listen=example.org:0", "without a log-in only this machine is served"},
		{"--auth=none,basic", "none stands alone"},
		{"--auth=digest", `"digest" is not one of none, basic, jwt`},
		{"--auth=basic,basic", "basic stands twice"},
		{"--auth=basic --users-file=" + none, "--users-file: "},
		{"--auth=jwt", "needs --jwt-keys"},
		{"--auth=jwt --jwt-keys=" + none, "needs --jwt-issuer"},
		{"--auth=basic,jwt --jwt-keys=" + none + " --jwt-issuer=i", "needs --jwt-audience"},
		{"--auth=jwt --jwt-issuer=i --jwt-audience=a --jwt-keys=" + none, "--jwt-keys: "},
		{"--auth=jwt --jwt-issuer=i --jwt-audience=a --jwt-keys=http://issuer/keys", "use https"},
	} {
		args := append([]string{"serve", "--log-level=error", "--database-url=sqlite:" + filepath.Join(none, "none.db")}, strings.Fields(c.args)...)
		code, _, stderr := outcome(t, nil, args...)
		if code != 2 || !strings.Contains(stderr, c.says) || strings.Count(stderr, "\n") != 1 {
			t.Errorf("%s: exit %d\n%s", c.args, code, stderr)
		}
	}
	for _, args := range []string{
		"--listen=localhost:0", "--listen=127.0.0.2:0", "--listen=[::1]:0", "--listen=[::ffff:127.0.0.1]:0", "--listen=:0 --insecure", "--listen=:0 --auth=basic",
		"--auth=jwt --jwt-issuer=i --jwt-audience=a --jwt-keys=https://issuer/keys", "--auth=jwt --jwt-issuer=i --jwt-audience=a --jwt-keys=http://127.0.0.1:9/keys",
		"--auth=jwt --jwt-issuer=i --jwt-audience=a --jwt-keys=http://issuer/keys --insecure",
	} {
		if _, err := parsed(t, nil, strings.Fields(args)...); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
}
