// Package leader decides who leads a view, how long to wait for a leader, and
// whether to suspect one: the schedule, the timeout policy and the suspicions
// of protocol §5.
//
// Everything here is pure: plain values in, plain values out. Times and chance
// are arguments; there is no clock, goroutine, disk, logger or actor, and no
// output depends on the order of a map. Package actors performs what is
// decided here.
//
// Suspecting is saying so, nothing more: a replica that suspects goes on voting
// in its view. Leaving a view takes the suspicion of a quorum, see Counts.
package leader
