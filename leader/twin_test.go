package leader

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
)

// The twin decides a NewView by the words of protocol §5 alone, as naively as they
// can be read, and shares no helper with this package.

type twinDecision struct {
	decided bool
	null    bool // by B, not by a claim
	digest  messages.Digest
	view    messages.View
	marked  bool
}

func twinFaulty(n int) int {
	f := 0
	for 3*(f+1)+1 <= n {
		f++
	}
	return f
}

// twinQuorum is the least number of members any two sets of which share f+1.
func twinQuorum(n int) int {
	q := 0
	for 2*q-n < twinFaulty(n)+1 {
		q++
	}
	return q
}

func twinChoose(n int, s []*messages.ViewChangeBody, marks []messages.Claim, seq messages.Seq) twinDecision {
	best := twinDecision{}
	for _, claimant := range s {
		for _, p := range claimant.Prepared {
			if p.Seq != seq {
				continue
			}
			a1 := 0
			for _, m := range s {
				contradicts := false
				for _, other := range m.Prepared {
					if other.Seq == seq && !(other.View < p.View || other.View == p.View && other.Digest == p.Digest) {
						contradicts = true
					}
				}
				if !contradicts {
					a1++
				}
			}
			a2 := 0
			for _, m := range s {
				for _, q := range m.Accepted {
					if q.Seq == seq && q.Digest == p.Digest && q.View >= p.View {
						a2++
						break
					}
				}
			}
			marked := false
			for _, c := range marks {
				if c.Seq == seq && c.Digest == p.Digest && c.View == p.View {
					marked = true
				}
			}
			byA2 := a2 > twinFaulty(n)
			if a1 < twinQuorum(n) || !byA2 && !marked {
				continue
			}
			if !best.decided || p.View > best.view || p.View == best.view && bytes.Compare(p.Digest[:], best.digest[:]) < 0 {
				best = twinDecision{decided: true, digest: p.Digest, view: p.View, marked: !byA2}
			}
		}
	}
	if best.decided {
		return best
	}
	b := 0
	for _, m := range s {
		claims := 0
		for _, p := range m.Prepared {
			if p.Seq == seq {
				claims++
			}
		}
		if claims == 0 {
			b++
		}
	}
	if b >= twinQuorum(n) {
		return twinDecision{decided: true, null: true, digest: messages.NullDigest}
	}
	return twinDecision{}
}

// twinNewView gives the list and the marks used, or false if some sequence is
// undecided.
func twinNewView(n int, s []*messages.ViewChangeBody, marks []messages.Claim, minS, l messages.Seq) (list []messages.Digest, used []messages.Claim, ok bool) {
	end := 0
	for seq := minS + 1; seq <= minS+l; seq++ {
		d := twinChoose(n, s, marks, seq)
		if !d.decided {
			return nil, nil, false
		}
		list = append(list, d.digest)
		if !d.null {
			end = len(list)
		}
		if d.marked {
			used = append(used, messages.Claim{Seq: seq, View: d.view, Digest: d.digest})
		}
	}
	return list[:end], used, true
}

// compareWithTwin holds plan against the twin, and CheckNewView against both.
func compareWithTwin(n int, s []*messages.ViewChangeBody, marks []messages.Claim, minS messages.Seq) error {
	r := rulesOf(n)
	p := r.plan(s, minS, func(c messages.Claim) bool { return slices.Contains(marks, c) })
	list, used, ok := twinNewView(n, s, marks, minS, window)
	switch {
	case ok != (len(p.open) == 0):
		return fmt.Errorf("undecided at %v, the twin decides: %t", p.open, ok)
	case !ok:
		return nil
	case !slices.Equal(list, p.list):
		return fmt.Errorf("lists %v, the twin %v", p.list, list)
	case !slices.Equal(used, p.marks):
		return fmt.Errorf("marks %v, the twin %v", p.marks, used)
	}
	b := &messages.NewViewBody{View: s[0].View, MinS: minS, List: list, Marks: used}
	for i, vc := range s {
		b.ViewChanges = append(b.ViewChanges, messages.ViewChangeRef{Member: messages.Index(i), Digest: vc.Digest()})
	}
	if len(s) >= twinQuorum(n) {
		if err := r.CheckNewView(b, s); err != nil {
			return fmt.Errorf("refuses what the twin decided: %w", err)
		}
	}
	return nil
}

// TestH3_ChooseLikeTheTwin_Exhaustive compares all ViewChanges there can be about
// one sequence, two views and three digests, for n = 4 and every set of three or
// four members.
func TestH3_ChooseLikeTheTwin_Exhaustive(t *testing.T) {
	compared := 0
	eachSet(t, func(s []*messages.ViewChangeBody, m []messages.Claim) {
		compared++
		want := twinChoose(4, s, m, 1)
		got := rulesOf(4).choose(s, func(c messages.Claim) bool { return slices.Contains(m, c) }, 1)
		if got.decided != want.decided || got.decided && (got.claim.Digest != want.digest || got.claim.View != want.view || got.claimed == want.null || got.marked != want.marked) {
			t.Fatalf("chooses %+v, the twin %+v\nof %+v\nwith %v", got, want, s, m)
		}
	})
	t.Logf("%d choices compared", compared)
}

// eachSet gives all ViewChanges there can be about one sequence, two views and three
// digests, of every three or four members, with certificates of none, one or all of
// what is claimed to be prepared.
func eachSet(t *testing.T, visit func(s []*messages.ViewChangeBody, marks []messages.Claim)) {
	t.Helper()
	names := []string{"a", "b", "null"}
	var all []*messages.ViewChangeBody
	accepted := []string{""}
	for _, x := range names {
		accepted = append(accepted, "1:"+x+"@0", "1:"+x+"@1")
		for _, y := range names {
			if x != y {
				accepted = append(accepted, "1:"+x+"@0 1:"+y+"@1")
			}
		}
	}
	for _, q := range accepted {
		all = append(all, body(2, "", q))
		for _, x := range names {
			for _, p := range []string{"1:" + x + "@0", "1:" + x + "@1"} {
				b := &messages.ViewChangeBody{View: 2, Prepared: claims(p), Accepted: claims(q)}
				if b.Validate() == nil {
					all = append(all, b)
				}
			}
		}
	}
	if len(all) != 40 {
		t.Fatalf("%d bodies, want 40", len(all))
	}
	try := func(s ...*messages.ViewChangeBody) {
		var claimed []messages.Claim
		for _, b := range s {
			claimed = append(claimed, b.Prepared...)
		}
		marks := [][]messages.Claim{nil}
		if len(claimed) > 0 {
			marks = append(marks, claimed, claimed[:1])
		}
		for _, m := range marks {
			visit(s, m)
		}
	}
	for i, a := range all { // the order of members enters nowhere
		if i%raceShare != 0 {
			continue
		}
		for j, b := range all[:i+1] {
			for k, c := range all[:j+1] {
				try(a, b, c)
				for _, d := range all[:k+1] {
					try(a, b, c, d)
				}
			}
		}
	}
}

// randomBody claims at random about sequences 1 to 4 above low in views below w.
// Few digests and views, so that claims meet.
func randomBody(rng *rand.Rand, w messages.View, low messages.Seq) *messages.ViewChangeBody {
	names := []string{"a", "b", "c", "null"}
	b := &messages.ViewChangeBody{View: w, Low: low}
	if low > 0 {
		b.LowDigest = state(low)
	}
	for seq := low + 1; seq <= low+4; seq++ {
		first := len(b.Accepted)
		used := map[string]bool{}
		for v := range w {
			if name := names[min(rng.IntN(6), 3)]; rng.IntN(2) == 0 && !used[name] {
				used[name] = true
				b.Accepted = append(b.Accepted, messages.Claim{Seq: seq, View: v, Digest: named(name)})
			}
		}
		if q := b.Accepted[first:]; len(q) > 0 && rng.IntN(2) == 0 {
			p := q[rng.IntN(len(q))]
			p.View -= messages.View(rng.IntN(int(p.View) + 1))
			b.Prepared = append(b.Prepared, p)
		}
	}
	return b
}

// TestH4_PlanLikeTheTwin_Random: several sequences, checkpoints, memberships of
// every remainder.
func TestH4_PlanLikeTheTwin_Random(t *testing.T) {
	decided := 0
	for seed := range uint64(30000 / raceShare) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := 4 + rng.IntN(7)
		minS := messages.Seq(rng.IntN(3))
		s := make([]*messages.ViewChangeBody, twinQuorum(n)+rng.IntN(n-twinQuorum(n)+1))
		like := randomBody(rng, 3, minS-min(minS, messages.Seq(rng.IntN(2))))
		var marks []messages.Claim
		for i := range s {
			if s[i] = like; rng.IntN(3) == 0 {
				s[i] = randomBody(rng, 3, minS-min(minS, messages.Seq(rng.IntN(2))))
			}
			if len(s[i].Prepared) > 0 && rng.IntN(2) == 0 {
				if c := s[i].Prepared[rng.IntN(len(s[i].Prepared))]; !slices.Contains(marks, c) {
					marks = append(marks, c)
				}
			}
		}
		if err := compareWithTwin(n, s, marks, minS); err != nil {
			t.Fatalf("seed %d, n=%d: %v", seed, n, err)
		}
		if _, _, ok := twinNewView(n, s, marks, minS, window); ok {
			decided++
		}
	}
	if decided < 10000/raceShare || decided > 29000/raceShare {
		t.Errorf("%d were decided: the inputs test little", decided)
	}
}

// TestH3_MoreViewChangesUndoNothing: what A1, A2 and B allow by some ViewChanges
// they allow by more, so a leader need not wait for the right ones, only for
// enough.
func TestH3_MoreViewChangesUndoNothing(t *testing.T) {
	for seed := range uint64(8000 / raceShare) {
		rng := rand.New(rand.NewPCG(seed, 2))
		n := 4 + rng.IntN(7)
		r := rulesOf(n)
		var s []*messages.ViewChangeBody
		for range n - 1 {
			s = append(s, randomBody(rng, 3, 0))
		}
		more := append(slices.Clone(s), randomBody(rng, 3, 0))
		for seq := messages.Seq(1); seq <= 4; seq++ {
			for _, b := range s {
				p, ok := preparedAt(b, seq)
				if ok && (r.uncontradicted(s, p) && !r.uncontradicted(more, p) || r.accepted(s, p) && !r.accepted(more, p)) {
					t.Fatalf("seed %d: a ViewChange more undid A1 or A2 of %v", seed, p)
				}
			}
			if r.unclaimed(s, seq) && !r.unclaimed(more, seq) || r.choose(s, nothing, seq).decided && !r.choose(more, nothing, seq).decided {
				t.Fatalf("seed %d: a ViewChange more undid the decision at %d", seed, seq)
			}
		}
	}
}
