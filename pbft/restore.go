package pbft

import "github.com/cretoai/consensus/messages"

// Restore brings one durable record back, before any other input, in the order
// in which the records were written. [D5]
func (s *Sequencer) Restore(r Record) {
	s.voter.Restore(r)
	if nv := r.NewView; nv != nil {
		s.highest = max(s.highest, nv.Body.Last())
		s.raise(nv.Stable)
		s.onCertificate(nv.Stable)
	}
	if r.Batch != nil && s.voter.Marks().Contains(r.Vote.Seq) {
		s.bodies.Bind(r.Batch, r.Vote.Seq)
	}
	switch r.Kind {
	case RecordAccepted, RecordPrepared:
		s.highest = max(s.highest, r.Vote.Seq)
	case RecordVote, RecordBundle, RecordViewChange, RecordNewView:
	}
}

// RestoreVote brings back a vote of another member that a claim P rests on.
func (s *Sequencer) RestoreVote(v verifiedVote) {
	if vote := v.Value(); vote.Kind == messages.Prepare && vote.Seq > s.voter.Marks().Low {
		s.log.Admit(v)
	}
}

// OnOwnVotes takes votes that are signed with this member's key and came from
// elsewhere. One the record lacks was cast by somebody else who has the key, or
// by this replica before its disk lost what it was told to keep: it stops voting,
// for it cannot know what else it signed. [D3]
func (s *Sequencer) OnOwnVotes(votes []verifiedVote) []Effect {
	for _, v := range votes {
		if s.newcomer != nil && v.From() == s.cfg.Self {
			s.newcomer.recollect(v.Value())
			continue
		}
		if v.From() == s.cfg.Self && !s.halted && !s.voter.Remembers(v.Value()) {
			s.Halt()
			s.emit(Doubled{v.Value()})
		}
	}
	return s.take()
}

// Resume ends the restoring: what was accepted goes to its trackers again, and
// every vote above the low watermark is signed and sent again, as it was.
func (s *Sequencer) Resume() []Effect {
	s.reopen()
	for _, vote := range s.voter.Sent() {
		s.gatherer.Add(Grant{Vote: vote})
	}
	return s.take()
}

// reopen has everything that was accepted in the current view tracked: also
// what was executed, if the view's NewView lists it.
func (s *Sequencer) reopen() {
	for _, pp := range s.voter.Accepted() {
		if pp.Seq <= s.executed && pp.Seq <= s.voter.settled {
			s.reopened[pp.Seq] = true
		}
		if s.tracks(pp.Seq) && pp.Digest != messages.NullDigest && s.bodies.Get(pp.Digest) == nil {
			s.fetching.want(pp.Digest, pp.Seq, s.cfg.Leader(pp.View), s.tick)
		}
		for _, e := range s.Replay(pp.Seq) {
			s.emit(e)
		}
	}
}

// Replay gives the events that bring a new tracker of seq to where the old one
// was: what was accepted, the batches at hand, and every kept vote. A sequence
// executed meanwhile needs no tracker.
func (s *Sequencer) Replay(seq messages.Seq) []ToSlot {
	if !s.tracks(seq) {
		return nil
	}
	var events []ToSlot
	view := s.voter.View()
	accepted, ok := s.voter.AcceptedAt(seq)
	if ok {
		events = append(events, ToSlot{Seq: seq, Event: Accepted{view, s.cfg.Leader(view), accepted, s.optimism(seq)}})
		// By digest: a batch proposed twice is bound to the higher sequence.
		if batch := s.bodies.Get(accepted); batch != nil {
			events = append(events, ToSlot{Seq: seq, Event: BatchHeld{accepted}, Batch: batch})
		}
	}
	for _, batch := range s.bodies.boundTo(seq) {
		if batch.Digest() != accepted {
			events = append(events, ToSlot{Seq: seq, Event: BatchHeld{batch.Digest()}, Batch: batch})
		}
	}
	for _, v := range s.log.Votes(seq) {
		if v.Value().Kind != messages.PrePrepare || s.cfg.Params.OptimisticMode {
			events = append(events, ToSlot{Seq: seq, Event: VoteReceived{v}})
		}
	}
	return events
}
