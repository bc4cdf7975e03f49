package auth

import (
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// An address may be wrong maxFailures times, and once more every failureTime after that.
const (
	maxFailures  = 10
	failureTime  = 6 * time.Second
	maxAddresses = 10_000 // those that were wrong last
)

// failures slows down whoever guesses: an address that was wrong too often has to wait before a password of its is looked at
// again. An attempt is paid for before it is made, so that many at the same time are no way around it.
type failures struct {
	now func() time.Time

	mu        sync.Mutex
	addresses *simplelru.LRU[netip.Prefix, *allowance]
}

// allowance is what an address may still do.
type allowance struct {
	debt time.Duration // failureTime for each failure, less the time since
	at   time.Time
}

func newFailures(now func() time.Time) *failures {
	addresses, err := simplelru.NewLRU[netip.Prefix, *allowance](maxAddresses, nil)
	if err != nil { // only a size below 1 is an error
		panic(err)
	}
	return &failures{now: now, addresses: addresses}
}

// take pays for an attempt, or says how long to wait for the next one.
func (f *failures) take(from netip.Prefix) (wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.of(from)
	if wait = a.wait(); wait == 0 {
		a.debt += failureTime
		f.addresses.Add(from, a)
	}
	return wait
}

// wait says how long an address has to wait for its next attempt.
func (f *failures) wait(from netip.Prefix) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.of(from).wait()
}

// giveBack returns what an attempt has cost that was right.
func (f *failures) giveBack(from netip.Prefix) {
	f.mu.Lock()
	defer f.mu.Unlock()
	a := f.of(from)
	if a.debt -= failureTime; a.debt <= 0 {
		f.addresses.Remove(from)
	}
}

// of gives an address's allowance as it is now.
func (f *failures) of(from netip.Prefix) *allowance {
	now := f.now()
	a, ok := f.addresses.Get(from)
	if !ok {
		return &allowance{at: now}
	}
	a.debt, a.at = max(0, a.debt-max(0, now.Sub(a.at))), now
	return a
}

func (a *allowance) wait() time.Duration { return max(0, a.debt-(maxFailures-1)*failureTime) }

// sourceOf gives the address that failures are counted for: an IPv6 subscriber has a whole /64.
func sourceOf(remote string) netip.Prefix {
	at, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{} // all that have no address share one
	}
	address, bits := at.Addr().Unmap().WithZone(""), 32
	if address.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(address, bits).Masked()
}
