package messages

import "fmt"

// This file is the one home of the quorum rule. No other file computes with
// f, and none writes 2f+1: that is a quorum only when n = 3f+1. [protocol Q1]

// MaxFaulty is f = ⌊(n−1)/3⌋, the number of Byzantine members n tolerate.
func MaxFaulty(n int) int {
	if n < 1 {
		return 0
	}
	return (n - 1) / 3
}

// Quorum is q = ⌈(n+f+1)/2⌉: any two quorums share at least f+1 members, hence
// a correct one, and the n−f correct members alone are one.
func Quorum(n int) int { return (n + MaxFaulty(n) + 2) / 2 }

// Weak is f+1: among so many members at least one is correct.
func Weak(n int) int { return MaxFaulty(n) + 1 }

// CheckQuorumThreshold compares the fraction an operator believes in with the
// rule. The fraction never changes the quorum: a configuration that expects a
// quorum too small to be safe, or one that f silent members could prevent, is
// refused. 0.67 and 2/3 mean "two thirds" and are accepted for every n; other
// fractions must ask for exactly the quorum when rounded up to whole members.
func CheckQuorumThreshold(threshold float64, n int) error {
	f, q := MaxFaulty(n), Quorum(n)
	if threshold >= 0.66 && threshold <= 0.67 {
		return nil
	}
	refuse := func(why string) error {
		return fmt.Errorf("quorum_threshold %v %s: %d members tolerate f=%d faulty ones and need a quorum of q=%d; write 0.67 or %.3f",
			threshold, why, n, f, q, float64(q)/float64(n))
	}
	if !(threshold > 0 && threshold <= 1) { // also catches NaN
		return refuse("is not a fraction above 0 and at most 1")
	}
	// A thousandth of a member absorbs the rounding of a printed fraction.
	asked := threshold * float64(n)
	switch {
	case asked < float64(q)-0.001*float64(n):
		return refuse("is below the safe quorum")
	case asked > float64(n-f)+0.001*float64(n):
		return refuse("could not be reached with f members silent")
	}
	return nil
}
