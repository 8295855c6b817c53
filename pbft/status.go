package pbft

import (
	"cmp"
	"math/bits"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// resendBundlesMax bounds what one Status of a peer makes this replica send.
const resendBundlesMax = 64

// Status says what this replica holds and where it stands. Peers answer it
// with what they have and it lacks: that is all the retransmission there is.
// The caller adds suspicion. [R1]
func (s *Sequencer) Status() *messages.Status {
	st := &messages.Status{
		View: s.voter.View(), Active: s.voter.active, // halted or not: nobody changes to view 0
		Low: s.stable.Seq, LowDigest: s.stable.Digest,
		Executed: s.executed, LedgerHead: s.head,
		Checkpoints: s.checkpoints.Held(),
	}
	top := min(s.highest, s.voter.Marks().High)
	for seq := s.executed + 1; seq <= top && len(st.Slots) < messages.WindowMax; seq++ {
		slot := messages.SlotHeld{Seq: seq}
		if digest, ok := s.heardDigest(seq); ok {
			slot.Digest8 = digest.Prefix()
			slot.HasBatch = digest == messages.NullDigest || s.bodies.Get(digest) != nil
			slot.Prepares, slot.Commits = s.log.Held(seq, st.View, digest)
			if s.cfg.Params.OptimisticMode && s.log.Accepts(messages.Vote{View: st.View, Seq: seq, Digest: digest}, s.cfg.Leader(st.View)) {
				slot.Prepares |= 1 << s.cfg.Leader(st.View) // its PrePrepare
			}
		}
		st.Slots = append(st.Slots, slot)
	}
	return st
}

// heardDigest is the digest accepted for seq in the current view, or that of the
// pre-prepare whose batch is waited for.
func (s *Sequencer) heardDigest(seq messages.Seq) (messages.Digest, bool) {
	if d, ok := s.voter.AcceptedAt(seq); ok {
		return d, true
	}
	for _, v := range s.log.Votes(seq) {
		if vote := v.Value(); vote.Kind == messages.PrePrepare && vote.View == s.voter.View() {
			return vote.Digest, true
		}
	}
	return messages.Digest{}, false
}

// Shun says which members, a bit each, are to be asked for batches last.
func (s *Sequencer) Shun(members uint64) { s.fetching.shun = members }

// OnTick is a heartbeat: batches that did not come by themselves are asked for, and
// members that have not accepted by now are not waited for.
func (s *Sequencer) OnTick() []Effect {
	s.tick++
	for _, f := range s.fetching.due(s.tick) {
		s.emit(f)
	}
	s.hurry()
	return s.take()
}

// OnStatus answers a peer's Status with what it lacks and only this replica can
// give: own votes, and the stable checkpoint; and with votes of its own that it
// does not know of: somebody else signs with its key. Batches are pulled, not
// pushed.
// Votes released less than a heartbeat ago are still on their way. [R2, D3]
func (s *Sequencer) OnStatus(from messages.Index, st *messages.Status) []Effect {
	if from == s.cfg.Self {
		return nil
	}
	if st.Low < s.stable.Seq && !s.writesStable(st) {
		s.emit(SendStable{from, s.stable})
	}
	var bundles []*messages.Bundle
	add := func(v verifiedVote) {
		if len(bundles) < resendBundlesMax && !slices.Contains(bundles, v.Bundle()) {
			bundles = append(bundles, v.Bundle())
		}
	}
	for _, seq := range s.log.Seqs() {
		if seq <= st.Executed || s.released[seq]+2 > s.tick {
			continue
		}
		for _, v := range s.log.Votes(seq) {
			own := v.From() == s.cfg.Self && v.Value().View == st.View
			theirs := v.From() == from && v.Value().View >= st.View // which it does not know of
			if (own || theirs) && s.lacks(st, v) {
				add(v)
			}
		}
	}
	for _, held := range s.checkpoints.Held() {
		v, ok := s.checkpoints.Own(held.Seq, s.cfg.Self)
		if ok && held.Seq > st.Low && s.released[held.Seq]+2 <= s.tick && checkpointVotes(st, held.Seq)&(1<<s.cfg.Self) == 0 {
			add(v)
		}
	}
	if len(bundles) > 0 {
		s.emit(Resend{from, bundles})
	}
	return s.take()
}

// turnTicks is how many heartbeats a member's turn to write a checkpoint takes at most.
const turnTicks = 16

// writesStable reports whether a peer, by its Status, has the certificate of the
// stable checkpoint and is about to write it: members take turns at that, within an
// interval. One that was told a lie has as many votes and no certificate; it is sent
// one when the interval is over, or on an idle chain after some heartbeats. [C3]
func (s *Sequencer) writesStable(st *messages.Status) bool {
	return s.tick < s.stableAt+turnTicks && st.Executed < s.stable.Seq+s.cfg.Params.CheckpointInterval &&
		bits.OnesCount64(checkpointVotes(st, s.stable.Seq)&(1<<s.cfg.N-1)) >= s.cfg.Quorum
}

// lacks reports whether a peer's Status shows that it misses this vote.
func (s *Sequencer) lacks(st *messages.Status, v verifiedVote) bool {
	vote := v.Value()
	if vote.View != st.View {
		return true // and knows nothing of that view
	}
	i, listed := slices.BinarySearchFunc(st.Slots, vote.Seq, func(h messages.SlotHeld, seq messages.Seq) int {
		return cmp.Compare(h.Seq, seq) // a valid Status lists them ascending
	})
	if !listed {
		return true
	}
	held := st.Slots[i]
	if held.Digest8 != vote.Digest.Prefix() {
		return true
	}
	bit := uint64(1) << v.From()
	switch vote.Kind {
	case messages.Prepare:
		return held.Prepares&bit == 0
	case messages.Commit:
		return held.Commits&bit == 0
	}
	// It knows the pre-prepare. In optimistic mode its signature is needed, too. [F1]
	return s.cfg.Params.OptimisticMode && held.Prepares&bit == 0
}

// checkpointVotes are the members, a bit each, whose votes for a checkpoint a peer holds
// by its Status.
func checkpointVotes(st *messages.Status, seq messages.Seq) uint64 {
	for _, c := range st.Checkpoints {
		if c.Seq == seq { // a valid Status lists each once
			return c.Members
		}
	}
	return 0
}
