package auth

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rearm/db"
	"rearm/impl/fault"
	"rearm/openapi/wire"
)

// door is a Guard of a users file, which counts how many passwords are compared.
type door struct {
	*Guard
	clock    *clock
	path     string
	log      *strings.Builder
	compared atomic.Int64
}

// newDoor has mary, an operator, and app, a worker of tenant a.
func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{clock: newClock(), log: &strings.Builder{}}
	d.path = written(t, line(t, User{Name: "mary", Roles: []wire.Role{wire.Operator}, Hash: hashed(t, "correct horse")})+
		line(t, User{Name: "app", Roles: []wire.Role{wire.Worker}, Tenants: []string{"a"}, Hash: hashed(t, "battery staple")}))
	s := DefaultSettings()
	s.Ways, s.UsersFile = []string{Basic}, d.path
	d.Guard = guard(t, s, options(d.clock, d.log))
	d.passwords.matches = func(hash, password string) bool {
		d.compared.Add(1)
		return matches(hash, password)
	}
	return d
}

// wants asks with a name and a password, and checks whether they are right and how many passwords were compared.
func (d *door) wants(t *testing.T, name, password string, kind fault.Kind, compared int64) {
	t.Helper()
	before := d.compared.Load()
	caller, _, err := ask(d.Guard, basic(name, password))
	if fault.KindOf(err) != kind || err == nil && caller.Name != name || err != nil && caller.Name != "" {
		t.Errorf("%s, %s: %+v, %v", name, password, caller, err)
	}
	if n := d.compared.Load() - before; n != compared {
		t.Errorf("%s, %s: %d passwords were compared, want %d", name, password, n, compared)
	}
}

// right is the kind of no error.
const right = fault.Internal

func TestPasswords(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	caller, roles, err := ask(d.Guard, basic("app", "battery staple"))
	if err != nil || !reflect.DeepEqual(caller, db.Caller{Name: "app", Tenants: []string{"a"}}) || !reflect.DeepEqual(roles, []wire.Role{wire.Worker}) {
		t.Errorf("%+v, %v, %v", caller, roles, err)
	}
	for _, wrong := range [][2]string{{"app", "correct horse"}, {"mary", ""}, {"", ""}, {"Mary", "correct horse"}, {"nobody", "correct horse"}} {
		_, _, err := ask(d.Guard, basic(wrong[0], wrong[1]))
		f := refused(t, err, fault.Unauthorized, "The name or the password is wrong")
		if !reflect.DeepEqual(f.Challenges, []string{`Basic realm="rearm", charset="UTF-8"`}) {
			t.Errorf("%v: the challenges are %v", wrong, f.Challenges)
		}
	}
	if counted(d.Guard, Basic, Accepted) != 1 || counted(d.Guard, Basic, Wrong) != 5 {
		t.Error("they were not counted so")
	}
}

// Whoever is not let in has cost one comparison, whether the name is known or not: so answers take equally long.
func TestStrangersCostTheSame(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.wants(t, "mary", "wrong", fault.Unauthorized, 1)
	d.wants(t, "nobody", "wrong", fault.Unauthorized, 1)
	d.wants(t, "", "", fault.Unauthorized, 1)
	// The password of the user who stands in for a name does not let that name in.
	for _, password := range []string{"correct horse", "battery staple"} {
		d.wants(t, "nobody", password, fault.Unauthorized, 1)
	}
}

// Who was right is not compared again, until five minutes have passed without a request or the file has changed.
func TestVerifiedPasswords(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.wants(t, "mary", "correct horse", right, 1)
	for range 3 {
		d.clock.pass(verifiedLife - time.Second)
		d.wants(t, "mary", "correct horse", right, 0)
	}
	d.wants(t, "mary", "wrong horse", fault.Unauthorized, 1)
	d.wants(t, "mary", "wrong horse", fault.Unauthorized, 1) // nothing is remembered of those
	d.clock.pass(verifiedLife)
	d.wants(t, "mary", "correct horse", right, 1)
	rewrite(t, d.path, line(t, User{Name: "mary", Roles: []wire.Role{wire.Viewer}, Hash: hashed(t, "new horse")}))
	d.wants(t, "mary", "correct horse", fault.Unauthorized, 1)
	d.wants(t, "mary", "new horse", right, 1)
	d.wants(t, "app", "battery staple", fault.Unauthorized, 1)
	if _, roles, err := ask(d.Guard, basic("mary", "new horse")); err != nil || !reflect.DeepEqual(roles, []wire.Role{wire.Viewer}) {
		t.Errorf("the new role is %v, %v", roles, err)
	}
}

// No more is remembered than a bound, whatever clients do, and those that were used last stay.
func TestVerifiedIsBounded(t *testing.T) {
	t.Parallel()
	v := newVerified([]byte("key"), newClock().Now)
	for i := range maxVerified + 10 {
		v.add(v.digest(fmt.Appendf(nil, "app:%d", i)), 1)
	}
	if n := v.entries.Len(); n != maxVerified {
		t.Errorf("%d entries", n)
	}
	if v.holds(v.digest([]byte("app:9")), 1) || !v.holds(v.digest([]byte("app:10")), 1) || v.holds(v.digest([]byte("app:10")), 2) {
		t.Error("others stay than the last, or for another version of the file")
	}
	if other := newVerified([]byte("another key"), v.now); other.digest([]byte("a:b")) == v.digest([]byte("a:b")) {
		t.Error("what is kept does not depend on the key")
	}
}

// An address that was wrong ten times waits six seconds for each further attempt: nothing is compared before, not even what is
// right. Who is known already is let in, and so are other addresses.
func TestFailuresAreSlowed(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	d.wants(t, "app", "battery staple", right, 1)
	for i := range maxFailures {
		d.wants(t, fmt.Sprintf("name %d", i), "guess", fault.Unauthorized, 1)
	}
	if !strings.Contains(d.log.String(), "slowed down") || !strings.Contains(d.log.String(), "192.0.2.1/32") {
		t.Errorf("the log: %s", d.log)
	}
	d.wants(t, "mary", "guess", fault.TooMany, 0)
	d.wants(t, "mary", "correct horse", fault.TooMany, 0)
	_, _, err := ask(d.Guard, basic("mary", "correct horse"))
	refused(t, err, fault.TooMany, "try again in 6 s")
	d.wants(t, "app", "battery staple", right, 0)
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = "192.0.2.2:1"
	r.Header.Set("Authorization", basic("mary", "correct horse"))
	if _, _, err := d.Identify(r); err != nil {
		t.Errorf("another address: %v", err)
	}
	if n := counted(d.Guard, Basic, Slowed); n != 3 {
		t.Errorf("%d counted as slowed", n)
	}
	d.clock.pass(failureTime - time.Millisecond)
	_, _, err = ask(d.Guard, basic("other", "guess"))
	refused(t, err, fault.TooMany, "try again in 1 s")
	d.clock.pass(time.Millisecond)
	d.wants(t, "other", "guess", fault.Unauthorized, 1)
	d.wants(t, "other", "guess", fault.TooMany, 0)
	d.clock.pass(failureTime)
	for range 3 {
		d.wants(t, "app", "battery staple", right, 0)
	}
	d.wants(t, "other", "guess", fault.Unauthorized, 1)
	d.clock.pass(maxFailures * failureTime)
	for range maxFailures {
		d.wants(t, "other", "guess", fault.Unauthorized, 1)
	}
	d.wants(t, "other", "guess", fault.TooMany, 0)
}

// Being right costs an address nothing, however often.
func TestRightPasswordsAreNoFailures(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	for range 3 * maxFailures {
		d.clock.pass(verifiedLife)
		d.wants(t, "mary", "correct horse", right, 1)
	}
	if n := d.passwords.failures.addresses.Len(); n != 0 {
		t.Errorf("%d addresses are remembered", n)
	}
}

// Many guesses at the same moment are no way around the limit.
func TestGuessesAtTheSameMoment(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	var all sync.WaitGroup
	for i := range 10 * maxFailures {
		all.Go(func() { _, _, _ = ask(d.Guard, basic("mary", fmt.Sprint("guess ", i))) })
	}
	all.Wait()
	if n := d.compared.Load(); n != maxFailures {
		t.Errorf("%d guesses were compared", n)
	}
}

// At most four passwords are compared at the same time; who gives up meanwhile is not waited for.
func TestComparisonsAtTheSameTime(t *testing.T) {
	t.Parallel()
	d := newDoor(t)
	begun, goOn := make(chan struct{}), make(chan struct{})
	d.passwords.matches = func(string, string) bool { begun <- struct{}{}; <-goOn; return true }
	var all sync.WaitGroup
	for i := range maxComparisons {
		all.Go(func() { _, _, _ = ask(d.Guard, basic("mary", fmt.Sprint("guess ", i))) })
	}
	for range maxComparisons {
		<-begun
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", basic("mary", "one more"))
	gone, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, _, err := d.Identify(r.WithContext(gone)); err == nil || fault.KindOf(err) != fault.Internal {
		t.Errorf("who gave up got %v", err)
	}
	close(goOn)
	all.Wait()
	if n := counted(d.Guard, Basic, Accepted); n != maxComparisons {
		t.Errorf("%d were accepted", n)
	}
}

func TestFailuresAreBounded(t *testing.T) {
	t.Parallel()
	f := newFailures(newClock().Now)
	for i := range maxAddresses + 5 {
		f.take(netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32))
	}
	if n := f.addresses.Len(); n != maxAddresses {
		t.Errorf("%d addresses", n)
	}
}

// A clock that is set back lets nobody wait longer than before.
func TestFailuresWhenTheClockIsSetBack(t *testing.T) {
	t.Parallel()
	c := newClock()
	f, from := newFailures(c.Now), sourceOf("192.0.2.1:1")
	for range maxFailures {
		f.take(from)
	}
	c.pass(-time.Hour)
	if wait := f.take(from); wait != failureTime {
		t.Errorf("it has to wait %v", wait)
	}
	c.pass(failureTime)
	if wait := f.take(from); wait != 0 {
		t.Errorf("later it has to wait %v", wait)
	}
}

func TestSourceOf(t *testing.T) {
	t.Parallel()
	for remote, want := range map[string]string{
		"192.0.2.1:80": "192.0.2.1/32", "[::ffff:192.0.2.1]:80": "192.0.2.1/32", "[2001:db8:1:2:3:4:5:6]:80": "2001:db8:1:2::/64",
		"[fe80::1%eth0]:80": "fe80::/64", "@": "invalid Prefix", "": "invalid Prefix",
	} {
		if got := sourceOf(remote).String(); got != want {
			t.Errorf("%s: %s, want %s", remote, got, want)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	c, k := newClock(), keys()
	s := tokenSettings(written(t, block("RSA PUBLIC KEY", x509.MarshalPKCS1PublicKey(&k.rsa.PublicKey))))
	s.Ways, s.UsersFile = []string{Basic, JWT}, written(t, line(t, User{Name: "mary", Roles: []wire.Role{wire.Operator}, Hash: hashed(t, "a:b ü")}))
	both := guard(t, s, options(c, io.Discard))
	token := sign(t, "RS256", k.rsa, "any", claims(c.now, nil))
	encoded := base64.StdEncoding.EncodeToString([]byte("mary:a:b ü"))
	for _, header := range []string{"Basic " + encoded, "basic " + encoded, "BASIC   " + encoded + " ", "Bearer " + token, "bearer " + token} {
		if caller, _, err := ask(both, header); err != nil || caller.Name != "mary" {
			t.Errorf("%s: %+v, %v", header, caller, err)
		}
	}
	encode := func(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }
	for _, row := range []struct {
		headers []string
		says    string
	}{
		{nil, "A log-in is needed"},
		{[]string{""}, "not offered"},
		{[]string{"Basic"}, "no name and password"},
		{[]string{"Basic " + encode("mary")}, "no name and password"},
		{[]string{"Basic !"}, "no name and password"},
		{[]string{"Basic " + encode("mary:\xff")}, "no name and password"},
		{[]string{"Digest username=mary"}, "not offered"},
		{[]string{encoded}, "not offered"},
		{[]string{"Bearer"}, "cannot be read"},
		{[]string{"Bearer " + encoded}, "cannot be read"},
		{[]string{"Basic " + token}, "no name and password"},
		{[]string{"Basic " + encoded, "Basic " + encoded}, "more than one"},
	} {
		_, _, err := ask(both, row.headers...)
		f := refused(t, err, fault.Unauthorized, row.says)
		if len(f.Challenges) != 2 || !strings.HasPrefix(f.Challenges[0], "Basic ") || !strings.HasPrefix(f.Challenges[1], "Bearer ") {
			t.Errorf("%v: the challenges are %v", row.headers, f.Challenges)
		}
	}
	s.Ways = []string{JWT}
	_, _, err := ask(guard(t, s, options(c, io.Discard)), "Basic "+encoded)
	if f := refused(t, err, fault.Unauthorized, "not offered"); !reflect.DeepEqual(f.Challenges, []string{bearerChallenge}) {
		t.Errorf("the challenges are %v", f.Challenges)
	}
	if counted(both, "", Missing) != 1 || counted(both, "", Malformed) != 4 || counted(both, JWT, Malformed) != 2 {
		t.Error("they were not counted so")
	}
}
