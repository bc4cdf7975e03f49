package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"rearm/gen"
)

// errRefused: the server has refused a request, and would refuse it again.
var errRefused = errors.New("the server refused")

// remote is a server that a command talks to by the contract's own client.
type remote struct {
	server, user    string
	password, token string // by the environment alone: everybody on a machine sees the flags of a program
	ca, cert, key   string // PEM files; "": the system's authorities, and no certificate
	insistence      time.Duration
	client          *gen.ClientWithResponses
	met             bool // the server has answered once
}

// newRemote gives a server by the settings that nobody has changed.
func newRemote() remote {
	return remote{server: "http://127.0.0.1:8080/engine-rest", insistence: 30 * time.Second}
}

// flags makes the flags of a command that talks to a server.
func (r *remote) flags(name string) *pflag.FlagSet {
	set := pflag.NewFlagSet(name, pflag.ContinueOnError)
	set.SortFlags = false
	withVariable(set.VarPF(secret(&r.server), "server", "", "the server's address; without a path /engine-rest is meant"))
	withVariable(set.VarPF(text(&r.user, "name"), "user", "", "log in as this user, with the password in REARM_PASSWORD; a token in REARM_TOKEN needs no user"))
	for _, f := range []struct {
		at          *string
		name, usage string
	}{
		{&r.ca, "ca", "trust a server whose certificate one in this PEM file has signed, besides those that the system trusts"},
		{&r.cert, "cert", "show the server the certificate in this PEM file"},
		{&r.key, "key", "the PEM file with the certificate's key"},
	} {
		withVariable(set.VarPF(text(f.at, "file"), f.name, "", f.usage))
	}
	return set
}

// connect reads the flags, and makes the client. What is no flag stays in the set.
func (r *remote) connect(p program, set *pflag.FlagSet, args []string) error {
	if err := readFlags(p, set, args); err != nil {
		return err
	}
	r.password, r.token = p.getenv(prefix+"PASSWORD"), p.getenv(prefix+"TOKEN")
	u, err := url.Parse(r.server)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return fmt.Errorf("%w: --server: %q is no address such as http://127.0.0.1:8080/engine-rest", errConfig, masked(r.server))
	}
	if u.Path == "" || u.Path == "/" {
		r.server = u.JoinPath("engine-rest").String()
	}
	if r.user != "" && r.token != "" {
		return fmt.Errorf("%w: --user and REARM_TOKEN exclude each other", errConfig)
	}
	if (r.cert == "") != (r.key == "") {
		return fmt.Errorf("%w: --cert and --key belong together", errConfig)
	}
	return r.dial()
}

// longestAnswer is how long the server may think about a request.
const longestAnswer = 10 * time.Minute

// dial makes the client; it does not connect yet. The error is errConfig.
func (r *remote) dial() (err error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = longestAnswer
	if transport.TLSClientConfig, err = r.trust(); err != nil {
		return fmt.Errorf("%w: %w", errConfig, err)
	}
	r.client, err = gen.NewClientWithResponses(r.server, gen.WithHTTPClient(&http.Client{Transport: transport}), gen.WithRequestEditorFn(r.authorize))
	return err
}

// trust reads the certificates: whom to trust, and who we are.
func (r *remote) trust() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if r.cert != "" {
		own, err := tls.LoadX509KeyPair(r.cert, r.key)
		if err != nil {
			return nil, fmt.Errorf("--cert: %w", err)
		}
		c.Certificates = []tls.Certificate{own}
	}
	if r.ca == "" {
		return c, nil
	}
	pem, err := os.ReadFile(r.ca)
	if err != nil {
		return nil, fmt.Errorf("--ca: %w", err)
	}
	if c.RootCAs, err = x509.SystemCertPool(); err != nil {
		c.RootCAs = x509.NewCertPool()
	}
	if !c.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("--ca: there is no certificate in %s", r.ca)
	}
	return c, nil
}

// authorize adds who is asking.
func (r *remote) authorize(_ context.Context, req *http.Request) error {
	switch {
	case r.token != "":
		req.Header.Set("Authorization", "Bearer "+r.token)
	case r.user != "":
		req.SetBasicAuth(r.user, r.password)
	}
	return nil
}

// typed is an answer that tells its media type.
type typed interface {
	answer
	ContentType() string
}

// judge makes an error of a request that failed, or whose answer is not the one hoped for; nil when it is.
func (r *remote) judge(doing string, want int, a typed, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	r.met = true
	switch status := a.StatusCode(); {
	case status != want:
		return fmt.Errorf("%s: %w", doing, &answerError{status, messageOf(a)})
	case want == http.StatusOK && !strings.HasPrefix(a.ContentType(), "application/json"):
		return fmt.Errorf("%w: %s: %s answers %q, which is not the contract: is its path right?", errRefused, doing, masked(r.server), a.ContentType())
	}
	return nil
}

// answerError is an answer that nobody hoped for.
type answerError struct {
	status  int
	message string
}

// Error gives the server's own words.
func (e *answerError) Error() string {
	return strings.TrimSuffix(fmt.Sprintf("the server answers %d: %s", e.status, e.message), ": ")
}

// Is makes an answer errRefused when asking again is of no use.
func (e *answerError) Is(target error) bool {
	return target == errRefused && e.status < 500 && e.status != http.StatusRequestTimeout && e.status != http.StatusTooManyRequests
}

// messageOf gives the message of an error's body; of a body that is none of the contract's, its beginning.
func messageOf(a answer) string {
	const longest = 300
	var said gen.ExceptionDto
	if err := json.Unmarshal(a.GetBody(), &said); err == nil {
		if message, err := said.Message.Get(); err == nil && message != "" {
			return message
		}
	}
	body := strings.Join(strings.Fields(string(a.GetBody())), " ")
	return strings.ToValidUTF8(body[:min(len(body), longest)], "")
}

// The pauses between two attempts to get an answer.
const (
	firstRest = 100 * time.Millisecond
	lastRest  = 2 * time.Second
)

// insist asks until there is an answer that asking again would not change. It gives up after a while, and at once on a server that
// has never been there. say is told once that it is waited for an answer.
func (r *remote) insist(ctx context.Context, say func(error), ask func() error) error {
	end, rest := time.Now().Add(r.insistence), firstRest
	for said := false; ; rest = min(2*rest, lastRest) {
		err := ask()
		if err == nil || errors.Is(err, errRefused) || ctx.Err() != nil || r.absent(err) || time.Now().After(end) {
			return err
		}
		if !said {
			said = true
			say(err)
		}
		if !pause(ctx, rest) {
			return err
		}
	}
}

// absent tells whether nobody has ever listened at the server's address.
func (r *remote) absent(err error) bool {
	var broken *net.OpError
	return !r.met && errors.As(err, &broken) && broken.Op == "dial"
}

// pause waits; it gives false when ctx ends before.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
