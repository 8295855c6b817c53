package pbft

import (
	"slices"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Slot is the phase machine of one sequence: it counts votes and says when the
// sequence is prepared and when it is committed. It proposes votes; whether one
// may be signed is the Voter's decision.
//
// A Slot forgets nothing it needs and knows nothing it was not told, so one
// that crashed is rebuilt by stepping a new one through the same events.
type Slot struct {
	seq    messages.Seq
	self   messages.Index
	quorum int
	n      int

	optimism  Optimism          // with which it was accepted
	accepted  accepted          // the pre-prepare of the highest view accepted here
	held      []messages.Digest // the batches at hand
	rounds    []round           // votes by view, ascending
	certified *Committed        // the certificate, once there is one
	reported  bool              // and whether Committed was reported
	asked     []messages.Vote   // votes already proposed
}

// accepted is an accepted pre-prepare.
type accepted struct {
	ok     bool
	view   messages.View
	leader messages.Index
	digest messages.Digest
}

// round is what was heard about the slot in one view. Each member has one
// place a phase, filled by its first verified vote; a second one with another
// digest is evidence for the detector and counts nowhere. [N4]
type round struct {
	view       messages.View
	preprepare crypto.Verified[messages.Vote]   // of its leader, in optimistic mode
	prepares   []crypto.Verified[messages.Vote] // by member
	commits    []crypto.Verified[messages.Vote] // by member
}

// slotRoundsMax bounds the views whose votes a slot keeps: the current one, the
// next, and two older ones, whose commits may still complete a certificate.
const slotRoundsMax = 2 + olderViewsKept

// olderViewsKept is how many views below its own a replica keeps Commits of.
const olderViewsKept = 2

// NewSlot makes the machine of seq in a membership of n with the given quorum.
func NewSlot(seq messages.Seq, self messages.Index, n, quorum int) *Slot {
	return &Slot{seq: seq, self: self, n: n, quorum: quorum}
}

// SlotEvent is what may happen to a slot.
//
//sumtype:decl
type SlotEvent interface{ slotEvent() }

// Accepted says that the voter accepted Digest as the pre-prepare of the slot
// in View, led by Leader.
type Accepted struct {
	View   messages.View
	Leader messages.Index
	Digest messages.Digest
	Optimism
}

// Hurry makes a Patient slot Eager.
type Hurry struct{}

// BatchHeld says that the valid batch with this digest is at hand.
type BatchHeld struct{ Digest messages.Digest }

// VoteReceived brings a verified Prepare or Commit for the slot, or in optimistic mode
// a PrePrepare, own ones included: those come back once they are durable and signed.
type VoteReceived struct {
	Vote crypto.Verified[messages.Vote]
}

func (Accepted) slotEvent()     {}
func (BatchHeld) slotEvent()    {}
func (VoteReceived) slotEvent() {}
func (Hurry) slotEvent()        {}

// SlotEffect is what a slot asks of its surroundings.
//
//sumtype:decl
type SlotEffect interface{ slotEffect() }

// ProposeVote asks the voter for a Prepare or Commit. For a Commit the slot is
// prepared: quorum−1 Prepares of backups agree with the accepted pre-prepare.
type ProposeVote struct{ Vote messages.Vote }

// NeedBatch reports, once, a commit certificate for a batch that is not at
// hand. Holders voted for it, so they have it.
type NeedBatch struct {
	Seq     messages.Seq
	Digest  messages.Digest
	Holders []messages.Index
}

// Committed reports, once, that a batch is decided which is at hand. Bundles prove it,
// in member order: of a quorum of distinct members, each holding Commit(View, Seq,
// Digest), or, if Unanimous, of all, the leader's holding PrePrepare(View, Seq, Digest)
// and the others' Prepare(View, Seq, Digest).
type Committed struct {
	View      messages.View
	Seq       messages.Seq
	Digest    messages.Digest
	Bundles   []*messages.Bundle
	Unanimous bool
}

func (ProposeVote) slotEffect() {}
func (NeedBatch) slotEffect()   {}
func (Committed) slotEffect()   {}

// Step takes one event and gives the effects it has, in order.
func (s *Slot) Step(ev SlotEvent) []SlotEffect {
	switch ev := ev.(type) {
	case Accepted:
		if s.accepted.ok && ev.View <= s.accepted.view {
			return nil // the voter accepts one digest a view; this is a replay
		}
		s.accepted = accepted{true, ev.View, ev.Leader, ev.Digest}
		s.optimism = ev.Optimism
		s.asked = nil // of lower views, where nothing is voted any more
		return s.advance(nil)
	case BatchHeld:
		if !slices.Contains(s.held, ev.Digest) {
			s.held = append(s.held, ev.Digest)
		}
		return s.advance(nil)
	case VoteReceived:
		return s.onVote(ev.Vote)
	case Hurry:
		if s.optimism == Patient {
			s.optimism = Eager
		}
		return s.advance(nil)
	}
	return nil
}

// onVote counts a vote in its round.
func (s *Slot) onVote(v crypto.Verified[messages.Vote]) []SlotEffect {
	vote := v.Value()
	if vote.Seq != s.seq || int(v.From()) >= s.n {
		return nil
	}
	r := s.round(vote.View)
	if r == nil {
		return nil
	}
	var place *crypto.Verified[messages.Vote]
	switch vote.Kind {
	case messages.PrePrepare:
		place = &r.preprepare
	case messages.Prepare:
		place = &r.prepares[v.From()]
	case messages.Commit:
		place = &r.commits[v.From()]
	default:
		return nil
	}
	if place.Valid() {
		return nil
	}
	*place = v
	if vote.Kind == messages.Commit {
		s.hearCommit(v)
		return s.advance(r)
	}
	return s.advance(nil)
}

// hearCommit ends the waiting once another member commits the same: it may wait for
// somebody in vain, and then it takes a quorum. [F3]
func (s *Slot) hearCommit(v crypto.Verified[messages.Vote]) {
	vote := v.Value()
	if s.optimism == Patient && v.From() != s.self && vote.View == s.accepted.view && vote.Digest == s.accepted.digest {
		s.optimism = Eager
	}
}

// advance proposes whatever the evidence now allows, in the order of the
// phases. changed is the round in which a commit arrived, or nil.
func (s *Slot) advance(changed *round) []SlotEffect {
	var effects []SlotEffect
	// Voting waits for the batch: whoever votes can execute it, and serve it to
	// those who cannot. [N3]
	if a := s.accepted; a.ok && s.holds(a.digest) {
		if s.self != a.leader {
			effects = s.propose(effects, messages.Prepare)
		}
		if s.certified == nil && s.optimism != Plain {
			s.certified = s.unanimous()
		}
		if s.Prepared() && s.optimism != Patient {
			effects = s.propose(effects, messages.Commit)
		}
	}
	if changed != nil && s.certified == nil {
		s.certified = s.certificate(changed)
		if c := s.certified; c != nil && !s.holds(c.Digest) {
			effects = append(effects, NeedBatch{c.Seq, c.Digest, signers(c.Bundles)})
		}
	}
	if c := s.certified; c != nil && !s.reported && s.holds(c.Digest) {
		s.reported = true
		effects = append(effects, *c)
	}
	return effects
}

// holds reports whether a batch is at hand; the null batch always is.
func (s *Slot) holds(digest messages.Digest) bool {
	return digest == messages.NullDigest || slices.Contains(s.held, digest)
}

func (s *Slot) propose(effects []SlotEffect, kind messages.Kind) []SlotEffect {
	v := messages.Vote{Kind: kind, View: s.accepted.view, Seq: s.seq, Digest: s.accepted.digest}
	if slices.Contains(s.asked, v) {
		return effects
	}
	s.asked = append(s.asked, v)
	return append(effects, ProposeVote{v})
}

// Prepared reports prepared(v,s,d): the accepted pre-prepare, and Prepares for
// the same (view, seq, digest) from quorum−1 distinct members other than the
// leader, whose own Prepare adds nothing. [N5, PBFT99 §4.2]
func (s *Slot) Prepared() bool {
	if !s.accepted.ok {
		return false
	}
	i := s.find(s.accepted.view)
	if i < 0 {
		return s.quorum <= 1
	}
	count := 0
	for m, v := range s.rounds[i].prepares {
		if v.Valid() && messages.Index(m) != s.accepted.leader && v.Value().Digest == s.accepted.digest {
			count++
		}
	}
	return count >= s.quorum-1
}

// certificate looks for committed(v,s,d) in one round: Commits of a quorum of
// distinct members for one digest. Whoever sees it may execute without having
// voted. Commits of different views are never mixed. [N6]
func (s *Slot) certificate(r *round) *Committed {
	for m, v := range r.commits {
		if !v.Valid() {
			continue
		}
		digest := v.Value().Digest
		if firstWith(r.commits, digest) != m {
			continue // counted already
		}
		bundles := make([]*messages.Bundle, 0, s.quorum)
		for _, w := range r.commits[m:] {
			if w.Valid() && w.Value().Digest == digest && len(bundles) < s.quorum {
				bundles = append(bundles, w.Bundle())
			}
		}
		if len(bundles) == s.quorum {
			return &Committed{View: r.view, Seq: s.seq, Digest: digest, Bundles: bundles}
		}
	}
	return nil
}

// unanimous looks for the acceptance of all members, in the view of the accepted
// pre-prepare. [F1]
func (s *Slot) unanimous() *Committed {
	i := s.find(s.accepted.view)
	if i < 0 {
		return nil
	}
	says := func(m int) crypto.Verified[messages.Vote] {
		if messages.Index(m) == s.accepted.leader {
			return s.rounds[i].preprepare
		}
		return s.rounds[i].prepares[m]
	}
	for m := range s.n {
		if v := says(m); !v.Valid() || int(v.From()) != m || v.Value().Digest != s.accepted.digest {
			return nil
		}
	}
	bundles := make([]*messages.Bundle, s.n)
	for m := range bundles {
		bundles[m] = says(m).Bundle()
	}
	return &Committed{View: s.accepted.view, Seq: s.seq, Digest: s.accepted.digest, Bundles: bundles, Unanimous: true}
}

func signers(bundles []*messages.Bundle) []messages.Index {
	members := make([]messages.Index, len(bundles))
	for i, b := range bundles {
		members[i] = b.From
	}
	return members
}

func firstWith(votes []crypto.Verified[messages.Vote], digest messages.Digest) int {
	return slices.IndexFunc(votes, func(v crypto.Verified[messages.Vote]) bool {
		return v.Valid() && v.Value().Digest == digest
	})
}

// CommittedLocal reports whether a certificate was seen.
func (s *Slot) CommittedLocal() bool { return s.certified != nil }

func (s *Slot) find(view messages.View) int {
	return slices.IndexFunc(s.rounds, func(r round) bool { return r.view == view })
}

// round gives the round of view, making it if there is room. The lowest view
// gives way to a higher one: the caller admits only views near its own.
func (s *Slot) round(view messages.View) *round {
	if i := s.find(view); i >= 0 {
		return &s.rounds[i]
	}
	if len(s.rounds) == slotRoundsMax {
		if view < s.rounds[0].view {
			return nil
		}
		s.rounds = slices.Delete(s.rounds, 0, 1)
	}
	at, _ := slices.BinarySearchFunc(s.rounds, view, func(r round, v messages.View) int {
		if r.view < v {
			return -1
		}
		return 1
	})
	s.rounds = slices.Insert(s.rounds, at, round{
		view:     view,
		prepares: make([]crypto.Verified[messages.Vote], s.n),
		commits:  make([]crypto.Verified[messages.Vote], s.n),
	})
	return &s.rounds[at]
}
