package pbft_test

import (
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// replica is a Sequencer with its Slots, and nothing between them but a queue:
// what actors are in the product.
type replica struct {
	self  messages.Index
	n     int
	core  *pbft.Sequencer
	slots map[messages.Seq]*pbft.Slot

	// later runs what one part says to another; outside takes every effect that
	// is not for a slot.
	later   func(func() []pbft.Effect)
	outside func(pbft.Effect)
	decided func(pbft.Committed)
}

func newReplica(core *pbft.Sequencer, self messages.Index, n int) *replica {
	return &replica{self: self, n: n, core: core, slots: make(map[messages.Seq]*pbft.Slot)}
}

func (r *replica) perform(effects []pbft.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case pbft.ToSlot:
			s := r.slots[e.Seq]
			if s == nil {
				s = pbft.NewSlot(e.Seq, r.self, r.n, messages.Quorum(r.n))
				r.slots[e.Seq] = s
			}
			r.fromSlot(s.Step(e.Event))
		case pbft.StopSlot:
			delete(r.slots, e.Seq)
		default:
			r.outside(e)
		}
	}
}

func (r *replica) fromSlot(effects []pbft.SlotEffect) {
	for _, e := range effects {
		switch e := e.(type) {
		case pbft.ProposeVote:
			r.later(func() []pbft.Effect { return r.core.OnProposeVote(e.Vote) })
		case pbft.NeedBatch:
			r.later(func() []pbft.Effect { return r.core.OnNeedBatch(e.Seq, e.Digest, e.Holders) })
		case pbft.Committed:
			r.decided(e)
		}
	}
}

// forgetSlot crashes one tracker and brings a new one to where it was.
func (r *replica) forgetSlot(seq messages.Seq) {
	delete(r.slots, seq)
	for _, e := range r.core.Replay(seq) {
		r.perform([]pbft.Effect{e})
	}
}

// solo is a replica of four that a test leads by the hand: local messages run
// at once, a group in flight waits for release.
type solo struct {
	*replica
	inFlight  *pbft.Group
	granted   []messages.Vote // in groups, since flushed was asked last
	out       []pbft.Effect   // what left, since it was cleared last
	committed []pbft.Committed
}

func newSolo(self messages.Index) *solo {
	s := &solo{replica: newReplica(newSequencer(self), self, 4)}
	s.later = func(f func() []pbft.Effect) { s.perform(f()) }
	s.decided = func(c pbft.Committed) { s.committed = append(s.committed, c) }
	s.outside = func(e pbft.Effect) {
		if f, ok := e.(pbft.Flush); ok {
			if s.inFlight != nil {
				panic("two groups in flight")
			}
			s.inFlight = &f.Group
			for _, votes := range f.Group.Bundles {
				s.granted = append(s.granted, votes...)
			}
			return
		}
		s.out = append(s.out, e)
	}
	return s
}

func (s *solo) flushed() []messages.Vote {
	votes := s.granted
	s.granted = nil
	return votes
}

func (s *solo) release() {
	g := s.inFlight
	s.inFlight = nil
	s.perform(s.core.OnReleased(signGroup(s.self, *g)))
}

// settle releases until nothing is in flight.
func (s *solo) settle() {
	for s.inFlight != nil {
		s.release()
	}
}
