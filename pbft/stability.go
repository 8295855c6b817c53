package pbft

import (
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// OnCheckpointReached takes the digest of the state after seq, a multiple of
// the checkpoint interval, from the executor and asks for its Checkpoint vote.
// [C1]
func (s *Sequencer) OnCheckpointReached(seq messages.Seq, state messages.Digest) []Effect {
	if seq <= s.stable.Seq || s.halted {
		return s.take()
	}
	s.states[seq] = state
	if seq <= s.voter.Marks().Low { // certified already, by a NewView's min-s
		s.settle()
		return s.take()
	}
	grant, refusal := s.voter.Checkpoint(seq, state)
	if refusal == Observing {
		s.settle()
		return s.take()
	}
	if refusal != Granted {
		// A state that differs from the one voted for before a crash: executing
		// the same batches gave two results.
		own := messages.Vote{Kind: messages.Checkpoint, Seq: seq, Digest: state}
		s.emit(Refused{From: s.cfg.Self, Vote: own, Refusal: refusal})
		if refusal == OtherStateVoted {
			s.diverge(seq, state, s.voter.checkpoints[seq])
		}
		return s.take()
	}
	s.gatherer.Add(grant)
	s.settle()
	return s.take()
}

// onCheckpoint counts a member's Checkpoint vote. Votes reach as far above the
// window as a peer may be ahead by one window.
func (s *Sequencer) onCheckpoint(v verifiedVote) {
	vote := v.Value()
	marks := s.voter.Marks()
	if !NewWatermarks(marks.Low, 2*s.cfg.Params.Window).Contains(vote.Seq) || vote.Seq%s.cfg.Params.CheckpointInterval != 0 {
		return
	}
	if stable, ok := s.checkpoints.Add(v); ok {
		s.onCertificate(stable)
	}
}

// OnStableCheckpoint takes a verified certificate from a peer.
func (s *Sequencer) OnStableCheckpoint(c StableCheckpoint) []Effect {
	s.onCertificate(c)
	return s.take()
}

func (s *Sequencer) onCertificate(c StableCheckpoint) {
	if c.Seq > s.certified.Seq {
		s.certified = c
	}
	s.settle()
}

// settle reports the highest certificate as stable once the own state at its
// sequence is known to agree. A certificate for another state is divergence:
// this replica is faulty or its application is not deterministic. [C2, V5]
func (s *Sequencer) settle() {
	c := s.certified
	own, reached := s.states[c.Seq]
	if s.halted || c.Seq <= s.reported || !reached {
		return
	}
	if own != c.Digest {
		s.diverge(c.Seq, own, c.Digest)
		return
	}
	s.reported = c.Seq
	s.emit(BecameStable{c})
}

// ReportAgain has the highest certificate of an executed state reported once
// more, if it is not durable yet: the report was lost.
func (s *Sequencer) ReportAgain() []Effect {
	s.reported = s.stable.Seq
	s.settle()
	return s.take()
}

func (s *Sequencer) diverge(seq messages.Seq, own, certified messages.Digest) {
	s.Halt()
	s.emit(Diverged{Seq: seq, Own: own, Certified: certified})
}

// Halt ends all voting: nothing that waits is signed any more. [V5, V6]
func (s *Sequencer) Halt() {
	s.halted = true
	s.voter.Halt()
	s.gatherer.Drop()
}

// OnStable moves the window: the checkpoint's certificate, and all that a
// restart needs, are durable. Votes, batches and claims at or below are
// dropped only now. [C3]
func (s *Sequencer) OnStable(c StableCheckpoint) []Effect {
	if c.Seq <= s.stable.Seq {
		return s.take()
	}
	s.stable, s.stableAt = c, s.tick
	s.patience.stable()
	if c.Seq > s.certified.Seq { // certified in an earlier life of the sequencer
		s.certified = c
	}
	s.reported = max(s.reported, c.Seq)
	s.raise(c)
	s.bodies.Forget(c.Seq)
	s.checkpoints.Forget(c.Seq)
	for _, seq := range slices.Sorted(maps.Keys(s.reopened)) {
		if seq <= c.Seq {
			delete(s.reopened, seq)
			s.emit(StopSlot{seq})
		}
	}
	forgetUpTo(s.states, c.Seq)
	forgetUpTo(s.agreed, c.Seq)
	forgetUpTo(s.released, c.Seq)
	s.welcome()
	return s.take()
}

// OnInstalled notes that the state at a checkpoint came here by state transfer and
// is durable, with the ledger head there. Execution and the window move; views,
// votes and claims above them stay what they are. [R4, C3]
func (s *Sequencer) OnInstalled(c StableCheckpoint, head messages.Digest) []Effect {
	if c.Seq > s.executed {
		tracked := s.voter.Marks() // nothing outside has a tracker
		for seq := max(s.executed, tracked.Low) + 1; seq <= min(c.Seq, tracked.High); seq++ {
			s.emit(StopSlot{seq})
		}
		s.executed, s.head, s.highest = c.Seq, head, max(s.highest, c.Seq)
		s.fetching.executed(c.Seq)
	}
	return s.OnStable(c)
}

// raise moves the window above a checkpoint whose certificate is durable.
func (s *Sequencer) raise(c StableCheckpoint) {
	if c.Seq > s.floor.Seq {
		s.floor = c
	}
	s.voter.Stable(c.Seq)
	s.log.Forget(c.Seq)
}

// forgetUpTo drops what is kept of sequences at or below low.
func forgetUpTo[V any](kept map[messages.Seq]V, low messages.Seq) {
	maps.DeleteFunc(kept, func(seq messages.Seq, _ V) bool { return seq <= low })
}
