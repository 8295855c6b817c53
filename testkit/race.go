//go:build race

package testkit

// slowness is how much longer everything takes under the race detector, with
// the work of all members on one machine: members wait as much longer for each
// other.
const slowness = 5
