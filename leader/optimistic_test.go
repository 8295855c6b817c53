package leader

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
)

func optimisticRules(n int) Rules {
	r := rulesOf(n)
	r.Optimistic = true
	return r
}

// TestF2_Choose is the choice about sequence 1 by hand, where the Q-claims matter.
func TestF2_Choose(t *testing.T) {
	tests := []struct {
		name string
		n    int
		s    []member
		want string // "undecided", or the digest's name
	}{
		{"nobody claims", 4, []member{{}, {}, {}}, "null"},
		{"accepted by all", 4, []member{{"", "1:a@0"}, {"", "1:a@0"}, {"", "1:a@0"}}, "a"},
		{"one of f denies it", 4, []member{{"", "1:a@0"}, {"", "1:a@0"}, {}}, "a"},
		{"two deny it", 4, []member{{"", "1:a@0"}, {}, {}}, "null"},
		{"two of four deny it", 4, []member{{"", "1:a@0"}, {"", "1:a@0"}, {}, {}}, "null"},
		{"accepted later, too", 4, []member{{"", "1:a@0"}, {"", "1:a@1"}, {}}, "a"},
		{"another was accepted later", 4, []member{{"", "1:a@0"}, {"", "1:a@0"}, {"", "1:a@0 1:b@1"}}, "a"},
		{"another was accepted later by more than f", 4, []member{{"", "1:a@0"}, {"", "1:a@0 1:b@1"}, {"", "1:a@0 1:b@1"}}, "b"},
		{"another of the same view by one", 4, []member{{"", "1:a@0"}, {"", "1:a@0"}, {"", "1:b@0"}}, "a"},
		{"prepared before by one", 4, []member{{"1:b@0", "1:a@1"}, {"", "1:a@1"}, {}}, "a"},
		{"prepared in the same view by a liar, and no quorum without it", 4, []member{{"", "1:a@0"}, {"", "1:a@0"}, {"1:b@0", "1:b@1"}}, "undecided"},
		{"and with one", 4, []member{{"", "1:a@0"}, {"", "1:a@0"}, {"1:b@0", "1:b@1"}, {"", "1:a@0"}}, "a"},
		{"prepared later by a liar: undecided, not null", 4, []member{{"", "1:a@0"}, {"", "1:a@0"}, {"1:b@1", ""}}, "undecided"},
		{"what is prepared wins over what is accepted in its view", 4, []member{{"1:a@1", "1:a@1"}, {"", "1:a@1"}, {"", "1:b@0"}}, "a"},
		{"a lower one wins if the higher is impossible", 4, []member{{"", "1:a@0"}, {"", "1:a@0"}, {"", "1:b@1"}}, "a"},
		{"a null batch that all accepted", 4, []member{{"", "1:null@1"}, {"", "1:null@1"}, {"", "1:null@1"}}, "null"},
		{"n=7: two deny it", 7, []member{{"", "1:a@0"}, {"", "1:a@0"}, {"", "1:a@0"}, {}, {}}, "a"},
		{"n=7: three deny it", 7, []member{{"", "1:a@0"}, {"", "1:a@0"}, {}, {}, {}}, "null"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := bodies(2, tt.s...)
			for range len(s) { // members in any order choose alike
				c := optimisticRules(tt.n).choose(s, nothing, 1)
				switch {
				case !c.decided && tt.want == "undecided":
				case !c.decided || c.claim.Digest != named(tt.want):
					t.Fatalf("chooses %+v, want %s", c, tt.want)
				}
				s = append(s[1:], s[0])
			}
		})
	}
}

// twinOptimistic decides by the words of protocol §7 alone.
func twinOptimistic(n int, s []*messages.ViewChangeBody, marks []messages.Claim, seq messages.Seq) twinDecision {
	count := func(holds func(m *messages.ViewChangeBody) bool) (members int) {
		for _, m := range s {
			if holds(m) {
				members++
			}
		}
		return members
	}
	about := func(claims []messages.Claim, is func(c messages.Claim) bool) bool {
		return slices.ContainsFunc(claims, func(c messages.Claim) bool { return c.Seq == seq && is(c) })
	}
	for view := messages.View(9); ; view-- {
		for _, prepared := range []bool{true, false} {
			var claimed []messages.Claim
			for _, m := range s {
				list := m.Accepted
				if prepared {
					list = m.Prepared
				}
				for _, c := range list {
					if c.Seq == seq && c.View == view && !slices.Contains(claimed, c) {
						claimed = append(claimed, c)
					}
				}
			}
			slices.SortFunc(claimed, func(x, y messages.Claim) int { return bytes.Compare(x.Digest[:], y.Digest[:]) })
			for _, c := range claimed {
				a1 := count(func(m *messages.ViewChangeBody) bool {
					return !about(m.Prepared, func(o messages.Claim) bool { return o.View > view || o.View == view && o.Digest != c.Digest })
				}) >= twinQuorum(n)
				since := func(m *messages.ViewChangeBody) bool {
					return about(m.Accepted, func(o messages.Claim) bool { return o.Digest == c.Digest && o.View >= view })
				}
				a2 := count(since) > twinFaulty(n)
				deny := count(func(m *messages.ViewChangeBody) bool { return !since(m) })
				switch {
				case prepared && a1 && (a2 || slices.Contains(marks, c)):
					return twinDecision{decided: true, digest: c.Digest, view: view, marked: !a2}
				case !prepared && deny <= twinFaulty(n) && a1:
					return twinDecision{decided: true, digest: c.Digest, view: view}
				}
			}
		}
		if view == 0 {
			break
		}
	}
	if count(func(m *messages.ViewChangeBody) bool {
		return !about(m.Prepared, func(messages.Claim) bool { return true })
	}) >= twinQuorum(n) {
		return twinDecision{decided: true, null: true, digest: messages.NullDigest}
	}
	return twinDecision{}
}

// TestF2_ChooseLikeTheTwin_Exhaustive is TestH3_ChooseLikeTheTwin_Exhaustive in
// optimistic mode.
func TestF2_ChooseLikeTheTwin_Exhaustive(t *testing.T) {
	byQ := 0
	eachSet(t, func(s []*messages.ViewChangeBody, m []messages.Claim) {
		want := twinOptimistic(4, s, m, 1)
		got := optimisticRules(4).choose(s, func(c messages.Claim) bool { return slices.Contains(m, c) }, 1)
		if got.decided != want.decided || got.decided && (got.claim.Digest != want.digest || got.claim.View != want.view || got.claimed == want.null || got.marked != want.marked) {
			t.Fatalf("chooses %+v, the twin %+v\nof %+v\nwith %v", got, want, s, m)
		}
		if plain := twinChoose(4, s, m, 1); plain.decided != want.decided || plain.digest != want.digest {
			byQ++
		}
	})
	if byQ < 1000/raceShare {
		t.Errorf("of all sets %d are decided otherwise than without Q-claims: the test shows little", byQ)
	}
}

// history is what n−f correct members did about one sequence, view after view: who
// accepted what, who prepared it, and what may have been decided by then.
type history struct {
	rng      *rand.Rand
	n        int
	view     messages.View
	accepted []map[messages.Digest]messages.View // by correct member
	prepared []messages.Claim
	locked   messages.Digest // zero while nothing may have been decided
}

func newHistory(rng *rand.Rand, n int) *history {
	h := &history{rng: rng, n: n}
	for range n - twinFaulty(n) {
		h.accepted = append(h.accepted, make(map[messages.Digest]messages.View))
	}
	h.prepared = make([]messages.Claim, len(h.accepted))
	return h
}

// claim is the ViewChange of a correct member.
func (h *history) claim(i int) *messages.ViewChangeBody {
	b := &messages.ViewChangeBody{View: h.view}
	if h.prepared[i].Seq > 0 {
		b.Prepared = []messages.Claim{h.prepared[i]}
	}
	for d, v := range h.accepted[i] {
		b.Accepted = append(b.Accepted, messages.Claim{Seq: 1, View: v, Digest: d})
	}
	slices.SortFunc(b.Accepted, func(x, y messages.Claim) int { return int(x.View) - int(y.View) })
	return b
}

// lie is the ViewChange of a liar.
func (h *history) lie() *messages.ViewChangeBody {
	b := randomBody(h.rng, h.view, 0)
	b.Prepared = slices.DeleteFunc(b.Prepared, func(c messages.Claim) bool { return c.Seq != 1 })
	b.Accepted = slices.DeleteFunc(b.Accepted, func(c messages.Claim) bool { return c.Seq != 1 })
	return b
}

// play has members vote in the view: each for the digest offered to it, or for none.
func (h *history) play(offer func(i int) messages.Digest) error {
	votes := make(map[messages.Digest][]int)
	most := h.rng.IntN(5)
	for i := range h.accepted {
		if d := offer(i); most > 0 && h.rng.IntN(most+1) > 0 || most == 0 {
			h.accepted[i][d], votes[d] = h.view, append(votes[d], i)
		}
	}
	for d, members := range votes {
		committed := 0
		if len(members)+twinFaulty(h.n) >= twinQuorum(h.n) { // with the liars' word
			for _, i := range members {
				if h.rng.IntN(2) == 0 {
					h.prepared[i] = messages.Claim{Seq: 1, View: h.view, Digest: d}
					committed++
				}
			}
		}
		if len(members) < len(h.accepted) && committed+twinFaulty(h.n) < twinQuorum(h.n) {
			continue
		}
		if h.locked != (messages.Digest{}) && h.locked != d {
			return fmt.Errorf("in view %d %v may be decided, before it was %v", h.view, d, h.locked)
		}
		h.locked = d
	}
	return nil
}

// TestF2_HistoriesKeepWhatWasDecided plays views with liars among those whose
// ViewChanges count: what all correct members accepted, and what a quorum may have
// committed, is all that a later view lists; and the ViewChanges of the correct
// members always decide, so a view can begin.
func TestF2_HistoriesKeepWhatWasDecided(t *testing.T) {
	kept := 0
	for seed := range uint64(40000 / raceShare) {
		rng := rand.New(rand.NewPCG(seed, 3))
		h := newHistory(rng, 4+rng.IntN(10))
		r := optimisticRules(h.n)
		fresh := func(int) messages.Digest { return named([]string{"a", "b", "c"}[rng.IntN(3)]) }
		if one := fresh(0); rng.IntN(2) == 0 {
			fresh = func(int) messages.Digest { return one }
		}
		err := h.play(fresh)
		for h.view = 1; h.view < 5 && err == nil; h.view++ {
			var s []*messages.ViewChangeBody
			for i := range h.accepted {
				s = append(s, h.claim(i))
			}
			if !r.choose(s, nothing, 1).decided {
				t.Fatalf("seed %d, n=%d: the %d correct members' view-changes for view %d do not decide:\n%+v", seed, h.n, len(s), h.view, s)
			}
			all := slices.Clone(s)
			for range rng.IntN(twinFaulty(h.n) + 1) {
				all = append(all, h.lie())
			}
			rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			all = all[:max(twinQuorum(h.n), len(all)-rng.IntN(3))]
			c := r.choose(all, nothing, 1)
			if !c.decided {
				c = r.choose(s, nothing, 1)
			}
			if h.locked != (messages.Digest{}) {
				if kept++; c.claim.Digest != h.locked {
					t.Fatalf("seed %d, n=%d: view %d lists %v, decided was %v, by\n%+v", seed, h.n, h.view, c.claim.Digest, h.locked, all)
				}
			}
			listed := func(int) messages.Digest { return c.claim.Digest }
			if !c.claimed {
				listed = fresh // behind the list a leader proposes
			}
			err = h.play(listed)
		}
		if err != nil {
			t.Fatalf("seed %d, n=%d: %v", seed, h.n, err)
		}
	}
	if kept < 10000/raceShare {
		t.Errorf("%d choices about what was decided: the test shows little", kept)
	}
}

// TestF2_ThePlanReachesWhatWasOnlyAccepted: sequences that nobody claims to have
// prepared are listed, or left open, as far as anybody accepted one.
func TestF2_ThePlanReachesWhatWasOnlyAccepted(t *testing.T) {
	s := bodies(1, member{"", "1:a@0 3:b@0"}, member{"", "1:a@0 3:b@0"}, member{"", "3:b@0 4:c@0"})
	p := optimisticRules(4).plan(s, 0, nothing)
	if !slices.Equal(p.list, digests("a null b")) || len(p.open) > 0 || len(p.marks) > 0 {
		t.Errorf("lists %v, open %v, marks %v; want a null b", p.list, p.open, p.marks)
	}
	if p := rulesOf(4).plan(s, 0, nothing); len(p.list) > 0 {
		t.Errorf("without the mode it lists %v", p.list)
	}
	b := supported(1, s)
	b.List = digests("a null b")
	if err := optimisticRules(4).CheckNewView(b, s); err != nil {
		t.Error(err)
	}
	if rulesOf(4).CheckNewView(b, s) == nil {
		t.Error("follows without the mode, too")
	}
}
