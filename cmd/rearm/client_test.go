package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"testing"
	"time"
)

// client talks to a house whose servers come and go. What it asks it asks again, of any server, until there is an answer
// that is not 503.
type client struct {
	house   *house
	http    *http.Client
	answers atomic.Int64 // other than 503
	broken  atomic.Int64 // requests whose connection broke
	busy    atomic.Int64 // answers 503
	wrong   func(format string, args ...any)
}

// request is one request of a client.
type request struct {
	method, path string
	key          string // the Idempotency-Key; "": none
	body         any
}

// reply is what came of a request.
type reply struct {
	status  int // 0: there was no answer
	body    []byte
	unclear int // attempts before the answer of which nobody knows whether they did something
}

// into reads a reply's body, if there was a reply.
func (r reply) into(t testing.TB, dest any) {
	if r.status == 0 {
		return
	}
	if err := json.Unmarshal(r.body, dest); err != nil {
		t.Errorf("%s: %v", r.body, err)
	}
}

// newClient makes a client; wrong hears of answers that nobody may get.
func newClient(h *house, wrong func(string, ...any)) *client {
	return &client{house: h, wrong: wrong, http: &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 20}}}
}

// do asks until there is an answer, for as long as patience lasts.
func (c *client) do(ctx context.Context, r request) reply {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for unclear := 0; ; unclear++ {
		a := c.try(ctx, r)
		a.unclear = unclear
		if a.status != 0 && a.status != http.StatusServiceUnavailable {
			return a
		}
		if !rested(ctx) {
			c.wrong("%s %s: no answer after %d attempts", r.method, r.path, unclear+1)
			return reply{unclear: unclear + 1}
		}
	}
}

// rested waits a moment; false when ctx ended meanwhile.
func rested(ctx context.Context) bool {
	t := time.NewTimer(10*time.Millisecond + rand.N(40*time.Millisecond))
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// try asks once.
func (c *client) try(ctx context.Context, r request) reply {
	body, err := json.Marshal(r.body)
	if err != nil {
		panic(err)
	}
	req, err := http.NewRequestWithContext(ctx, r.method, c.house.url()+"/engine-rest"+r.path, bytes.NewReader(body))
	if err != nil {
		panic(err)
	}
	if r.method != http.MethodGet {
		req.Header.Set("Content-Type", "application/json")
	}
	if r.key != "" {
		req.Header.Set("Idempotency-Key", r.key)
	}
	res, err := c.http.Do(req)
	if err != nil {
		c.broken.Add(1)
		return reply{}
	}
	defer res.Body.Close() //nolint:errcheck // what could not be read is no answer
	text, err := io.ReadAll(res.Body)
	if err != nil {
		c.broken.Add(1)
		return reply{}
	}
	c.judge(r, res, text)
	return reply{status: res.StatusCode, body: text}
}

// judge knows what an answer must be like whatever has happened: never a 500, and a 503 says when to come again.
func (c *client) judge(r request, res *http.Response, body []byte) {
	var said struct {
		Type, Message string
		Code          *int
	}
	switch {
	case res.StatusCode == http.StatusServiceUnavailable:
		c.busy.Add(1)
		if res.Header.Get("Retry-After") == "" || json.Unmarshal(body, &said) != nil || said.Type == "" || said.Message == "" {
			c.wrong("%s %s: a 503 with Retry-After %q and the body %s", r.method, r.path, res.Header.Get("Retry-After"), body)
		}
	case res.StatusCode >= 500:
		c.wrong("%s %s: %d %s", r.method, r.path, res.StatusCode, body)
	default:
		c.answers.Add(1)
	}
}

// String tells how hard the client had it.
func (c *client) String() string {
	return fmt.Sprintf("%d answers, %d connections broken, %d answers 503", c.answers.Load(), c.broken.Load(), c.busy.Load())
}
