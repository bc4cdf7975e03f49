// Package executor is the background loop of a node: it asks a source for work until there is none, and then waits for the
// earliest of three things: a wake-up, the time when the next job is due, and the poll interval. It knows no resource.
//
//	        +----------------------------- more work ------------------------------+
//	        v                                                                      |
//	start -> step --- no more ---> wait (wake, due, poll) ---> step ...            |
//	        |  \--- error ---> wait (backoff, doubled up to 5 s) -------> step ----+
//	        v
//	ctx ends: the step that runs is finished, nothing new begins, Run returns
//
// There are no leases: what a step claims, it claims by row locks of the transaction that does the work. When a process dies,
// its work is free as soon as its connection is gone.
package executor
