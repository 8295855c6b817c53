package leader

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
)

// The core is the protocol without time, messages or disks: voters that follow
// rules V1 to V6, liars that vote and claim as it suits them, and the Rules of this
// package between the views. Any interleaving may happen. If a choice were wrong,
// two batches would be committed at one sequence.

type core struct {
	rng    *rand.Rand
	n, f   int
	rules  Rules
	keep   int // digests a sequence in Q
	voters []*coreVoter
	// prepares and commits are the correct members' votes, a bit a member.
	prepares, commits map[messages.Claim]uint64
	proposed          map[messages.Claim]messages.Digest // by a correct leader, for (seq, view)
	committed         map[messages.Seq]messages.Digest
	committedIn       map[messages.Seq]messages.View // the lowest view
	certified         []messages.Seq
	newViews          map[messages.View][]*messages.NewViewBody
}

type coreVoter struct {
	self          messages.Index
	view          messages.View
	active        bool
	low, executed messages.Seq
	floor         messages.Seq                       // fresh pre-prepares are above
	accepted      map[messages.Claim]messages.Digest // by (seq, view)
	prepared      map[messages.Claim]bool
	left          map[messages.View]*messages.ViewChangeBody
}

const coreWindow = 3

func newCore(seed uint64, n int) *core {
	rng := rand.New(rand.NewPCG(seed, 4))
	c := &core{
		rng: rng, n: n, f: messages.MaxFaulty(n), keep: 1 + rng.IntN(messages.ClaimDigestsMax),
		rules:    Rules{Members: n, Quorum: messages.Quorum(n), Window: coreWindow},
		prepares: make(map[messages.Claim]uint64), commits: make(map[messages.Claim]uint64),
		proposed: make(map[messages.Claim]messages.Digest), committed: make(map[messages.Seq]messages.Digest),
		committedIn: make(map[messages.Seq]messages.View),
		newViews:    make(map[messages.View][]*messages.NewViewBody),
	}
	// The liars are the last f members, or the first: they lead the views then.
	first := 0
	if rng.IntN(2) == 0 {
		first = c.f
	}
	for i := range n - c.f {
		c.voters = append(c.voters, &coreVoter{
			self: messages.Index(first + i), active: true,
			accepted: make(map[messages.Claim]messages.Digest), prepared: make(map[messages.Claim]bool),
			left: make(map[messages.View]*messages.ViewChangeBody),
		})
	}
	return c
}

func (c *core) correct(i messages.Index) *coreVoter {
	for _, v := range c.voters {
		if v.self == i {
			return v
		}
	}
	return nil
}

func (c *core) leader(view messages.View) messages.Index { return messages.Index(int(view) % c.n) }

func (c *core) digest() messages.Digest { return named(string(rune('a' + c.rng.IntN(2)))) }

// step lets one thing happen. Its error is a violation of safety.
func (c *core) step() error {
	v := c.voters[c.rng.IntN(len(c.voters))]
	switch p := c.rng.IntN(100); {
	case p < 3:
		c.leave(v, v.view+1+messages.View(c.rng.IntN(2)))
	case p < 10: // after another
		if other := c.voters[c.rng.IntN(len(c.voters))]; other.view > v.view {
			c.leave(v, other.view)
		}
	case p < 25:
		c.makeNewView(v.view)
	case p < 40:
		return c.enter(v)
	case p < 60:
		c.acceptFresh(v)
	case p < 95:
		return c.prepare(v)
	case p < 98:
		if _, ok := c.committed[v.executed+1]; ok {
			v.executed++
		}
	default:
		c.checkpoint(v)
	}
	return nil
}

func slot(seq messages.Seq, view messages.View) messages.Claim {
	return messages.Claim{Seq: seq, View: view}
}

// leave records a ViewChange with all claims above low.
func (c *core) leave(v *coreVoter, w messages.View) {
	b := &messages.ViewChangeBody{View: w, Low: v.low}
	if v.low > 0 {
		b.LowDigest = state(v.low)
	}
	for seq := v.low + 1; seq <= v.low+coreWindow; seq++ {
		var best *messages.Claim
		for p := range v.prepared {
			if p.Seq == seq && (best == nil || p.View > best.View) {
				best = &messages.Claim{Seq: p.Seq, View: p.View, Digest: p.Digest}
			}
		}
		highest := make(map[messages.Digest]messages.View)
		for at, d := range v.accepted {
			if at.Seq == seq {
				highest[d] = max(highest[d], at.View)
			}
		}
		var q []messages.Claim
		for d, view := range highest {
			q = append(q, messages.Claim{Seq: seq, View: view, Digest: d})
		}
		slices.SortFunc(q, func(a, b messages.Claim) int { return cmp.Compare(b.View, a.View) })
		kept := 0
		q = slices.DeleteFunc(q, func(a messages.Claim) bool {
			kept++
			return kept > c.keep && (best == nil || a.Digest != best.Digest)
		})
		slices.Reverse(q)
		b.Accepted = append(b.Accepted, q...)
		if best != nil {
			b.Prepared = append(b.Prepared, *best)
		}
	}
	if err := b.Validate(); err != nil {
		panic(err)
	}
	v.view, v.active, v.left[w] = w, false, b
}

// liar is a ViewChange of a liar, who claims what it likes.
func (c *core) liar(w messages.View, minS messages.Seq) *messages.ViewChangeBody {
	b := &messages.ViewChangeBody{View: w}
	if minS > 0 && c.rng.IntN(2) == 0 {
		b.Low, b.LowDigest = minS, state(minS)
	}
	names := []string{"a", "b", "null"}
	for seq := b.Low + 1; seq <= b.Low+coreWindow; seq++ {
		var q []messages.Claim
		for _, i := range c.rng.Perm(3)[:c.rng.IntN(4)] {
			if view := messages.View(c.rng.IntN(int(w))); !slices.ContainsFunc(q, func(x messages.Claim) bool { return x.View == view }) {
				q = append(q, messages.Claim{Seq: seq, View: view, Digest: named(names[i])})
			}
		}
		slices.SortFunc(q, func(a, b messages.Claim) int { return cmp.Compare(a.View, b.View) })
		b.Accepted = append(b.Accepted, q...)
		if len(q) > 0 && c.rng.IntN(3) > 0 {
			b.Prepared = append(b.Prepared, q[c.rng.IntN(len(q))])
		}
	}
	return b
}

// makeNewView adds a NewView for w that follows from some ViewChanges. A
// liar that leads may make several.
func (c *core) makeNewView(w messages.View) {
	if w == 0 {
		return
	}
	if made := len(c.newViews[w]); made > 0 && (c.correct(c.leader(w)) != nil || made > 2) {
		return
	}
	minS := messages.Seq(0)
	if len(c.certified) > 0 {
		minS = c.certified[c.rng.IntN(len(c.certified))]
	}
	var s []*messages.ViewChangeBody
	for _, v := range c.voters {
		if b := v.left[w]; b != nil && b.Low <= minS {
			s = append(s, b)
		}
	}
	c.rng.Shuffle(len(s), func(i, j int) { s[i], s[j] = s[j], s[i] })
	liars := c.rng.IntN(c.f + 1)
	if c.rng.IntN(3) > 0 {
		liars = c.f
	}
	s = s[:min(len(s), max(c.rules.Quorum-liars, 0)+c.rng.IntN(2))]
	for range liars {
		s = append(s, c.liar(w, minS))
	}
	if len(s) < c.rules.Quorum {
		return
	}
	p := c.rules.plan(s, minS, func(claim messages.Claim) bool { return c.isPrepared(claim) && c.rng.IntN(2) == 0 })
	if len(p.open) == 0 {
		c.newViews[w] = append(c.newViews[w], &messages.NewViewBody{View: w, MinS: minS, List: p.list})
	}
}

// isPrepared: q-1 members other than the leader have voted for it, or would lie.
func (c *core) isPrepared(claim messages.Claim) bool {
	votes := c.f
	if c.correct(c.leader(claim.View)) == nil {
		votes--
	}
	for _, v := range c.voters {
		if v.self != c.leader(claim.View) && c.prepares[claim]&(1<<v.self) != 0 {
			votes++
		}
	}
	return votes >= messages.Quorum(c.n)-1
}

func (c *core) enter(v *coreVoter) error {
	w := v.view + messages.View(c.rng.IntN(2))
	if w == v.view && v.active || len(c.newViews[w]) == 0 {
		return nil
	}
	nv := c.newViews[w][c.rng.IntN(len(c.newViews[w]))]
	v.view, v.active, v.floor = w, true, nv.Last()
	v.stable(nv.MinS)
	for seq := nv.MinS + 1; seq <= nv.Last(); seq++ {
		d, _ := nv.Listed(seq)
		if seq <= v.low {
			continue
		}
		// In the same view two NewViews of a liar may list different batches, of
		// which at most one gets a quorum; in a lower one nothing was decided yet.
		if other, ok := c.committed[seq]; ok && other != d && c.committedIn[seq] < w {
			return fmt.Errorf("view %d lists %v at %d, where %v was committed in view %d", w, d, seq, other, c.committedIn[seq])
		}
		c.accept(v, messages.Claim{Seq: seq, View: w, Digest: d})
	}
	return nil
}

func (c *core) accept(v *coreVoter, claim messages.Claim) {
	at := slot(claim.Seq, claim.View)
	if _, ok := v.accepted[at]; ok { // V1
		return
	}
	v.accepted[at] = claim.Digest
	if v.mayVote(c, claim) {
		c.prepares[claim] |= 1 << v.self
	}
}

// mayVote is V6: never for another digest than the one executed.
func (v *coreVoter) mayVote(c *core, claim messages.Claim) bool {
	return claim.Seq > v.low && (claim.Seq > v.executed || c.committed[claim.Seq] == claim.Digest)
}

// acceptFresh accepts a pre-prepare above what the view's NewView settled.
func (c *core) acceptFresh(v *coreVoter) {
	seq := max(v.floor, v.low) + 1 + messages.Seq(c.rng.IntN(2))
	if !v.active || seq > v.low+coreWindow {
		return
	}
	d := c.digest()
	if c.correct(c.leader(v.view)) != nil { // proposes one
		at := slot(seq, v.view)
		if _, ok := c.proposed[at]; !ok {
			c.proposed[at] = d
		}
		d = c.proposed[at]
	}
	c.accept(v, messages.Claim{Seq: seq, View: v.view, Digest: d})
}

// prepare records what is prepared in the voter's view, and commits it.
func (c *core) prepare(v *coreVoter) error {
	seq := v.low + 1 + messages.Seq(c.rng.IntN(coreWindow))
	d, ok := v.accepted[slot(seq, v.view)]
	claim := messages.Claim{Seq: seq, View: v.view, Digest: d}
	if !v.active || !ok || !c.isPrepared(claim) {
		return nil
	}
	if other, ok := c.committed[seq]; ok && other != d && c.committedIn[seq] <= v.view {
		return fmt.Errorf("%v is prepared at %d in view %d, %v was committed in view %d", d, seq, v.view, other, c.committedIn[seq])
	}
	v.prepared[claim] = true
	if !v.mayVote(c, claim) {
		return nil
	}
	c.commits[claim] |= 1 << v.self
	votes := c.f
	for _, v := range c.voters {
		if c.commits[claim]&(1<<v.self) != 0 {
			votes++
		}
	}
	if votes < messages.Quorum(c.n) {
		return nil
	}
	if other, ok := c.committed[seq]; ok && other != d {
		return fmt.Errorf("%v and %v are committed at %d", other, d, seq)
	}
	if _, ok := c.committed[seq]; !ok || v.view < c.committedIn[seq] {
		c.committed[seq], c.committedIn[seq] = d, v.view
	}
	return nil
}

// checkpoint certifies what enough have executed, or raises low to a certified one.
func (c *core) checkpoint(v *coreVoter) {
	reached := 0
	for _, other := range c.voters {
		if other.executed >= v.executed {
			reached++
		}
	}
	if v.executed > 0 && reached >= messages.Quorum(c.n)-c.f && !slices.Contains(c.certified, v.executed) {
		c.certified = append(c.certified, v.executed)
	}
	if len(c.certified) > 0 {
		v.stable(c.certified[c.rng.IntN(len(c.certified))])
	}
}

// stable raises the low watermark; the state comes along.
func (v *coreVoter) stable(low messages.Seq) {
	v.low, v.executed = max(v.low, low), max(v.executed, low)
}

// TestCoreAgrees lets anything happen, in any order, in many small runs. [H3, H4]
func TestCoreAgrees(t *testing.T) {
	for _, n := range []int{4, 5, 6, 7} {
		t.Run(fmt.Sprint("n=", n), func(t *testing.T) {
			commits, views := 0, 0
			for run := range uint64(coreRuns / raceShare) {
				seed := coreSeeds + run
				c := newCore(seed, n)
				for range 400 {
					if err := c.step(); err != nil {
						t.Fatalf("seed %d: %v", seed, err)
					}
				}
				commits += len(c.committed)
				views += len(c.newViews)
			}
			if commits < coreRuns/raceShare/2 || views < coreRuns/raceShare {
				t.Errorf("%d commits in %d new views: the runs test little", commits, views)
			}
			t.Logf("%d commits, %d new views", commits, views)
		})
	}
}

const (
	coreRuns = 1500
	// Among these seeds is one, 3788, that frees the place of a committed null batch
	// if a list ends before it.
	coreSeeds = 2500
)
