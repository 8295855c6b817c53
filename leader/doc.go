// Package leader decides who leads a view, how long to wait for a leader, when
// to leave its view, and what the next one takes over: the schedule, the timeout
// policy and the suspicions of protocol §5, and the view change itself.
//
// A Manager is what package actors drives. It composes the Tracker, which counts
// who suspects whom, the Timeout, and the Rules, which decide about every
// sequence that earlier views left open and check what others decided.
//
// Everything here is pure: plain values in, plain values out. Times and chance
// are arguments; there is no clock, goroutine, disk, logger or actor, and no
// output depends on the order of a map. Package actors performs what is
// decided here.
//
// Suspecting is saying so, nothing more: a replica that suspects goes on voting
// in its view. Leaving a view takes the suspicion of a quorum, see Counts.
package leader
