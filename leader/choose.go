package leader

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Rules decide what a new view takes over from earlier ones. They depend on the
// membership and the window alone, so all correct replicas decide alike.
type Rules struct {
	Members int
	Quorum  int // messages.Quorum(Members)
	Window  messages.Seq
	// Optimistic: what all members accepted may have been decided by that. [F2]
	Optimistic bool
}

// choice is what a set of ViewChanges decides about one sequence.
type choice struct {
	decided bool
	// claimed: a claim won. Otherwise, if decided, nothing can have been
	// committed, and the null batch fills the place.
	claimed bool
	claim   messages.Claim // the one that won, or the null batch
	// marked: claim rests on a prepared certificate.
	marked bool
	// wanted, of an undecided sequence, are the claims nothing contradicts, which
	// a prepared certificate would let win.
	wanted []messages.Claim
}

// choose decides about seq, in (min-s, min-s + window], by the ViewChanges of s
// and the claims certified by prepared certificates. It is a function of these
// and of nothing else: who checks a NewView must come to the same choice, and
// whether he holds a batch, or what he executed, is his own affair.
//
// Among the P-claims for seq that satisfy A1, and A2 or A2′, the one with the
// highest view wins, then the smallest digest. Without one, B makes it the null
// batch. Further ViewChanges never undo A1, A2 or B. [H3]
//
// In optimistic mode Q-claims that satisfy A1 and F win among them, behind the
// P-claims of their view. Further ViewChanges may undo F: a leader takes the first
// set that decides. [F2]
func (r Rules) choose(s []*messages.ViewChangeBody, certified func(messages.Claim) bool, seq messages.Seq) choice {
	var undecided choice
	for _, c := range r.candidates(s, seq) {
		switch {
		case !r.uncontradicted(s, c.Claim):
		case c.prepared && r.accepted(s, c.Claim), !c.prepared && r.unanimous(s, c.Claim):
			return choice{decided: true, claimed: true, claim: c.Claim}
		case !c.prepared:
		case certified(c.Claim):
			return choice{decided: true, claimed: true, claim: c.Claim, marked: true}
		default:
			undecided.wanted = append(undecided.wanted, c.Claim)
		}
	}
	if r.unclaimed(s, seq) {
		return choice{decided: true, claim: messages.Claim{Seq: seq, Digest: messages.NullDigest}}
	}
	return undecided
}

// candidate is a P-claim, or else a Q-claim.
type candidate struct {
	messages.Claim
	prepared bool
}

// candidates lists the distinct claims for seq that could win, in the order in which
// they are preferred.
func (r Rules) candidates(s []*messages.ViewChangeBody, seq messages.Seq) []candidate {
	var list []candidate
	add := func(c candidate) {
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	for _, b := range s {
		if p, ok := preparedAt(b, seq); ok {
			add(candidate{p, true})
		}
		if !r.Optimistic {
			continue
		}
		for _, q := range acceptedAt(b, seq) {
			add(candidate{q, false})
		}
	}
	slices.SortFunc(list, func(a, b candidate) int {
		if a.View == b.View && a.prepared != b.prepared {
			if a.prepared {
				return -1
			}
			return 1
		}
		return cmp.Or(cmp.Compare(b.View, a.View), bytes.Compare(a.Digest[:], b.Digest[:]))
	})
	return list
}

// uncontradicted is A1: at least a quorum of s claims nothing for the sequence
// that contradicts p. A claim of a lower view does not, for p may have been
// prepared after it. [H3]
func (r Rules) uncontradicted(s []*messages.ViewChangeBody, p messages.Claim) bool {
	agree := 0
	for _, b := range s {
		if other, ok := preparedAt(b, p.Seq); !ok || other.View < p.View || other == p {
			agree++
		}
	}
	return agree >= r.Quorum
}

// accepted is A2: at least f+1 of s, so one that is correct, accepted what p
// claims, in p's view or later. A liar alone makes no batch that never was.
// [H3]
func (r Rules) accepted(s []*messages.ViewChangeBody, p messages.Claim) bool {
	vouch := 0
	for _, b := range s {
		if acceptedSince(b, p) {
			vouch++
		}
	}
	return vouch >= messages.Weak(r.Members)
}

// unclaimed is B: at least a quorum of s claims nothing for seq, so nothing was
// committed there. [H3]
func (r Rules) unclaimed(s []*messages.ViewChangeBody, seq messages.Seq) bool {
	silent := 0
	for _, b := range s {
		if _, ok := preparedAt(b, seq); !ok {
			silent++
		}
	}
	return silent >= r.Quorum
}
