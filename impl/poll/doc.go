// Package poll lets requests wait for tasks: the long polling of fetchAndLock. Nobody asks the database again and again; a
// request is tried once, and if it finds nothing it waits until something happens on one of its topics.
//
// # Words
//
// A room holds the waiters. Each topic has a line of those who wait for its tasks, in order of arrival; a waiter stands in the
// line of every topic that it asked for. A few hands fetch for the waiters, at first and when something
// happens, so that a waiter costs no stack and no connection.
//
// # Rounds
//
// A wake-up opens a round on a topic. In a round the hands fetch for the waiters of its line, one after the other:
//
//	woken -> open -> a waiter has got all that it may take  -> next waiter (two, four at once when this goes on)
//	              -> a waiter has got less than it may take -> its filter is spent: others with the same find nothing
//	              -> nobody is left, or the waiter had no filter -> shut, until the next wake-up
//
// So one task wakes one waiter, however many there are, and costs one more look into an index. A waiter is busy while somebody
// fetches for it, and whether a round has seen it already is known by the round's number, so that a wake-up which comes during
// an attempt is not lost.
//
// # What opens a round
//
//   - Wake, called after a commit here or, through the bus, on another node.
//   - A lock that runs out. When the first one does is known by a survey, one query for all topics in doubt, and from Hold; a
//     timer waits for it.
//   - A survey that finds a task ready. A topic is surveyed when its first waiter comes, soon after each of its rounds (a fetch
//     passes over tasks that somebody else is changing at that moment), and with all others every few seconds, in case a
//     message of another node was lost. Tasks that are ready and that nobody wants are looked at less and less often.
package poll
