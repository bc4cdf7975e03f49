package main

import (
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"github.com/labstack/echo/v4"
	limit "golang.org/x/time/rate"

	"rearm/impl/contract"
	"rearm/impl/fault"
)

// paced is how many callers are remembered. One that comes back after as many others may start anew.
const paced = 10_000

// pace bounds how many requests a second each caller makes. A caller may make those of one second at once.
type pace struct {
	perSecond int // 0: as many as they like
	now       func() time.Time

	mu      sync.Mutex
	callers *simplelru.LRU[string, *limit.Limiter] // by callerOf
}

func newPace(perSecond int, now func() time.Time) (*pace, error) {
	callers, err := simplelru.NewLRU[string, *limit.Limiter](paced, nil)
	return &pace{perSecond: perSecond, now: now, callers: callers}, err
}

// admit refuses a request that comes too early.
func (p *pace) admit(next echo.HandlerFunc) echo.HandlerFunc {
	return func(ec echo.Context) error {
		if p.perSecond > 0 && !p.allows(callerOf(ec.Request())) {
			return fault.New(fault.TooMany, fault.Rest, "More than %d requests a second are too many of one caller. Please try again later.", p.perSecond)
		}
		return next(ec)
	}
}

// allows tells whether a caller may make a request now, and counts it.
func (p *pace) allows(caller string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	limiter, known := p.callers.Get(caller)
	if !known {
		limiter = limit.NewLimiter(limit.Limit(p.perSecond), p.perSecond)
		p.callers.Add(caller, limiter)
	}
	return limiter.AllowN(p.now(), 1)
}

// callerOf tells who makes a request: by the name of who is logged in, else by the address. Of IPv6 that is the network, since a
// host has as many addresses there as it likes.
func callerOf(r *http.Request) string {
	if name := contract.CallerOf(r.Context()).Name; name != "" {
		return "name " + name
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	address, err := netip.ParseAddr(host)
	if err != nil || address.Is4() {
		return host
	}
	if address = address.Unmap(); address.Is4() {
		return address.String()
	}
	network, err := address.WithZone("").Prefix(64)
	if err != nil { // an address of IPv6 has 64 bits
		return host
	}
	return network.String()
}
