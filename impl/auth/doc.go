// Package auth tells who sends a request and what roles that caller has. It knows two ways to log in, which may be offered
// together: a name and a password that a users file has (Basic, RFC 7617), and a token that somebody else has signed (Bearer with
// a JWT, RFC 6750 and 7519). It knows neither the document nor any resource; impl/contract asks it through an interface, and
// compares the roles with those that the operation names.
//
//	guard.go     reads the header, asks the way to log in that it names, and words the refusal
//	basic.go     names and passwords: the order of checks that costs a stranger more than us
//	users.go     what a line of the users file says        hash.go      the hashes in it
//	verified.go  who was right a moment ago                failures.go  addresses that were wrong too often
//	bearer.go    tokens: signature, times, issuer, audience
//	claims.go    name, roles and tenants in a token
//	keys.go      public keys and how they are written      remote.go    those that an issuer publishes
//	watched.go   files that are read again when they change
//	write.go     changes to the users file, owner_*.go     for whom it is kept
//	settings.go  what an operator decides                  count.go     how many log-ins ended how
package auth
