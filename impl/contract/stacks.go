package contract

import "time"

// stackIdle is how long a stack is kept that nobody borrows.
const stackIdle = time.Second

// stacks lends goroutines whose stacks have grown already.
type stacks struct{ jobs chan func() }

func newStacks() *stacks { return &stacks{make(chan func())} }

// run runs f on a stack of another goroutine and waits for its end. A panic goes on in the caller.
func (s *stacks) run(f func()) {
	done := make(chan any, 1)
	job := func() {
		defer func() { done <- recover() }()
		f()
	}
	select {
	case s.jobs <- job:
	default:
		go s.lend(job)
	}
	if panicked := <-done; panicked != nil {
		panic(panicked)
	}
}

// lend runs a job, and then what else comes until it is quiet.
func (s *stacks) lend(job func()) {
	quiet := time.NewTimer(stackIdle)
	defer quiet.Stop()
	for {
		job()
		quiet.Reset(stackIdle)
		select {
		case job = <-s.jobs:
		case <-quiet.C:
			return
		}
	}
}
