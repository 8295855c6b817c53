package pbft

import "github.com/cretoai/consensus/messages"

// Optimism is how a sequence of a chain in optimistic mode is decided. What all members
// accepted is, a round before a quorum's Commits could; but one that is slow, down or
// lies can have the others wait for its word in vain.
type Optimism uint8

const (
	// Plain: by a quorum's Commits alone. It is all there is in other modes, and for
	// what a NewView lists, for its leader sends no PrePrepare of that.
	Plain Optimism = iota
	// Eager: by either, whichever is there first. Commits are sent as ever.
	Eager
	// Patient: as Eager, but Commits are sent only after a Hurry, or another's. [F3]
	Patient
)

// patience says when to be Patient. Whom the others waited for in vain, or again and
// again, they do not wait for until some checkpoints have become stable, twice as many
// each time, and all members are heard of in time: so a member that comes too late on
// purpose costs a wait in ever more sequences, and one that is down a single wait. [F3]
type patience struct {
	eager   int  // checkpoints to become stable yet before it is Patient again
	penalty int  // what the next wait in vain makes of it
	heard   bool // all members accepted some sequence in time since the last one
	late    int  // the last members were late in so many sequences, see waited
}

// waitTicks is how many heartbeats begin before a wait is in vain: after so many the
// others send again what may have been lost, too.
const waitTicks = 2

// penaltyMax bounds the checkpoints during which nobody is waited for.
const penaltyMax = 64

// A late sequence counts as much as lateWeight in time make up for. Those of a busy
// machine come to nothing; more than one in lateWeight end at lateMax.
const (
	lateWeight = 16
	lateMax    = 16 * lateWeight
)

// vain notes that a wait was.
func (p *patience) vain() {
	if p.eager == 0 {
		p.penalty = min(max(2*p.penalty, 1), penaltyMax)
		p.eager = p.penalty
	}
	p.heard, p.late = false, 0
}

// waited notes that a wait ended, and whether the last members were late.
func (p *patience) waited(late bool) {
	switch {
	case p.eager > 0:
	case !late:
		p.late = max(p.late-1, 0)
	default:
		if p.late += lateWeight; p.late >= lateMax {
			p.vain()
		}
	}
}

// stable notes that a checkpoint is.
func (p *patience) stable() {
	switch {
	case p.eager == 0:
		p.penalty /= 2
	case p.heard:
		p.eager--
	}
	p.heard = false
}

// optimism is how a sequence accepted now is to be decided.
func (s *Sequencer) optimism(seq messages.Seq) Optimism {
	switch {
	case !s.cfg.Params.OptimisticMode || seq <= s.voter.settled:
		return Plain
	case s.patience.eager > 0:
		return Eager
	}
	return Patient
}

// hear looks at a vote that was kept, in optimistic mode. That all members accepted a
// sequence before it was executed shows that they are there. Another's Commit for what
// was executed here may come from one that waits in vain for what this replica had:
// without this replica's Commit it might lack a quorum's. [F3]
func (s *Sequencer) hear(v verifiedVote) {
	vote := v.Value()
	switch {
	case vote.Kind != messages.Commit:
		s.patience.heard = s.patience.heard || s.tracks(vote.Seq) && s.log.Unanimous(vote, s.cfg.N)
	case v.From() != s.cfg.Self && !s.tracks(vote.Seq) && s.prepared(messages.Claim{Seq: vote.Seq, View: vote.View, Digest: vote.Digest}) != nil:
		if grant, refusal := s.voter.Grant(vote); refusal == Granted && len(grant.Records) > 0 { // once
			s.gatherer.Add(grant)
		}
	}
}

// OnWaited notes that a Patient sequence was decided by all, and whether its last
// members came so much later than the others that it would have been decided sooner
// without them.
func (s *Sequencer) OnWaited(seq messages.Seq, late bool) []Effect {
	s.patience.waited(late)
	if seq > s.executed {
		s.agreed[seq] = true
	}
	return s.take()
}

// hurry ends all waits once one is in vain: the own vote left long ago, and somebody's
// is missing. What was decided waits for its turn to execute. [F3]
func (s *Sequencer) hurry() {
	if !s.cfg.Params.OptimisticMode {
		return
	}
	var waiting []messages.Seq
	vain := false
	for seq := max(s.executed, s.voter.settled) + 1; seq <= min(s.highest, s.voter.Marks().High); seq++ {
		d, accepted := s.voter.AcceptedAt(seq)
		if !accepted || s.agreed[seq] {
			continue
		}
		waiting = append(waiting, seq)
		own := messages.Vote{View: s.voter.View(), Seq: seq, Digest: d}
		vain = vain || s.log.Accepts(own, s.cfg.Self) && s.released[seq]+waitTicks <= s.tick
	}
	if !vain {
		return
	}
	s.patience.vain()
	for _, seq := range waiting {
		s.emit(ToSlot{Seq: seq, Event: Hurry{}})
	}
}
