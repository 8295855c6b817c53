package messages

import (
	"fmt"
	"math"
	"math/bits"
	"strings"
	"testing"
)

func TestQ1_QuorumTable(t *testing.T) {
	for _, test := range []struct{ n, f, q int }{
		{1, 0, 1}, {2, 0, 2}, {3, 0, 2}, {4, 1, 3}, {5, 1, 4}, {6, 1, 4}, {7, 2, 5}, {8, 2, 6}, {9, 2, 6},
		{10, 3, 7}, {13, 4, 9}, {16, 5, 11}, {64, 21, 43}, {100, 33, 67},
	} {
		if f, q, weak := MaxFaulty(test.n), Quorum(test.n), Weak(test.n); f != test.f || q != test.q || weak != test.f+1 {
			t.Errorf("n=%d: f=%d q=%d weak=%d, want f=%d q=%d weak=%d", test.n, f, q, weak, test.f, test.q, test.f+1)
		}
	}
	for _, n := range []int{0, -1, -4} {
		if f := MaxFaulty(n); f != 0 {
			t.Errorf("%d members tolerate %d faulty ones", n, f)
		}
	}
}

// TestQ1_QuorumsIntersect: two quorums of q among n share at least 2q−n
// members. More than f of them must, or each quorum could decide for itself;
// the n−f correct members must suffice, or f silent ones could stop the rest;
// and no smaller q does.
func TestQ1_QuorumsIntersect(t *testing.T) {
	for n := 1; n <= 100; n++ {
		f, q := MaxFaulty(n), Quorum(n)
		switch {
		case 3*f+1 > n || 3*(f+1)+1 <= n:
			t.Errorf("n=%d: f=%d is not the most that 3f+1 ≤ n allows", n, f)
		case 2*q-n < f+1:
			t.Errorf("n=%d: quorums of %d may share %d members, all of them faulty (f=%d)", n, q, 2*q-n, f)
		case n-f < q:
			t.Errorf("n=%d: %d correct members are no quorum of %d", n, n-f, q)
		case 2*(q-1)-n >= f+1:
			t.Errorf("n=%d: a quorum of %d would do, not %d", n, q-1, q)
		}
	}
}

// TestQ1_EveryPairOfQuorums looks at each pair of quorums itself.
func TestQ1_EveryPairOfQuorums(t *testing.T) {
	for n := 1; n <= 9; n++ {
		var quorums []uint
		for set := range uint(1) << n {
			if bits.OnesCount(set) == Quorum(n) {
				quorums = append(quorums, set)
			}
		}
		for _, a := range quorums {
			for _, b := range quorums {
				if bits.OnesCount(a&b) < Weak(n) {
					t.Fatalf("n=%d: quorums %b and %b share %d members", n, a, b, bits.OnesCount(a&b))
				}
			}
		}
	}
}

func TestQ1_CheckQuorumThreshold(t *testing.T) {
	const (
		below       = "is below the safe quorum"
		unreachable = "could not be reached with f members silent"
		noFraction  = "is not a fraction"
	)
	for _, test := range []struct {
		threshold float64
		n         int
		want      string // part of the refusal; "" if accepted
	}{
		{0.75, 4, ""},
		{0.7143, 7, ""},
		{0.714, 7, ""},
		{0.8, 5, ""},
		{5. / 6, 6, ""}, // more than the quorum, and five of six can be had
		{0.5, 4, below},
		{0.51, 100, below},
		{0.65, 4, below},
		{0.7, 7, below},
		{0.75, 5, below}, // 2f+1 of 3f+1 is three quarters at n=4 only
		{0.68, 5, below},
		{1, 4, unreachable},
		{1, 64, unreachable},
		{0.76, 4, unreachable},
		{0.75, 7, unreachable},
		{0, 4, noFraction},
		{-0.67, 4, noFraction},
		{1.001, 4, noFraction},
		{67, 4, noFraction},
		{math.NaN(), 4, noFraction},
		{math.Inf(1), 4, noFraction},
		{math.Inf(-1), 4, noFraction},
	} {
		err := CheckQuorumThreshold(test.threshold, test.n)
		if test.want == "" {
			if err != nil {
				t.Errorf("%v of %d: %v", test.threshold, test.n, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v of %d: got %v, want %s", test.threshold, test.n, err, test.want)
			continue
		}
		numbers := fmt.Sprintf("%d members tolerate f=%d faulty ones and need a quorum of q=%d", test.n, MaxFaulty(test.n), Quorum(test.n))
		if !strings.Contains(err.Error(), numbers) {
			t.Errorf("%v of %d: %v does not say %q", test.threshold, test.n, err, numbers)
		}
	}
}

// TestQ1_ThresholdsOfEveryMembership: two thirds are always understood, what a
// refusal advises is accepted, and one member less or too many is refused.
func TestQ1_ThresholdsOfEveryMembership(t *testing.T) {
	for n := MembersMin; n <= MembersMax; n++ {
		f, q := MaxFaulty(n), Quorum(n)
		advised := math.Round(1000*float64(q)/float64(n)) / 1000
		for _, ok := range []float64{0.66, 0.666, 0.6667, 2. / 3, 0.67, float64(q) / float64(n), advised} {
			if err := CheckQuorumThreshold(ok, n); err != nil {
				t.Errorf("%v of %d: %v", ok, n, err)
			}
		}
		for _, members := range []int{q - 1, n - f + 1, n} {
			bad := float64(members) / float64(n)
			if bad >= 0.66 && bad <= 0.67 {
				continue // two thirds
			}
			if CheckQuorumThreshold(bad, n) == nil {
				t.Errorf("%d of %d members accepted as quorum, though f=%d and q=%d", members, n, f, q)
			}
		}
	}
}
