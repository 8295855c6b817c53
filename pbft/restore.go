package pbft

import "github.com/cretoai/consensus/messages"

// Restore brings one durable record back, before any other input, in the order
// in which the records were written. [D5]
func (s *Sequencer) Restore(r Record) {
	s.voter.Restore(r)
	if r.Batch != nil && s.voter.Marks().Contains(r.Vote.Seq) {
		s.bodies.Bind(r.Batch, r.Vote.Seq)
	}
	if r.Vote.Kind != messages.Checkpoint {
		s.highest = max(s.highest, r.Vote.Seq)
	}
}

// Resume ends the restoring: what was accepted goes to its trackers again, and
// every vote above the low watermark is signed and sent again, as it was.
func (s *Sequencer) Resume() []Effect {
	for _, pp := range s.voter.Accepted() {
		if batch := s.bodies.Get(pp.Digest); batch != nil {
			s.accepted(pp, batch, nil)
		}
	}
	for _, vote := range s.voter.Sent() {
		s.gatherer.Add(Grant{Vote: vote})
	}
	return s.take()
}

// Replay gives the events that bring a new tracker of seq to where the old one
// was: what was accepted, the batches at hand, and every kept vote. A sequence
// executed meanwhile needs no tracker.
func (s *Sequencer) Replay(seq messages.Seq) []ToSlot {
	if seq <= s.executed {
		return nil
	}
	var events []ToSlot
	for _, pp := range s.voter.Accepted() {
		if pp.Seq != seq {
			continue
		}
		events = append(events, ToSlot{Seq: seq, Event: Accepted{pp.View, s.cfg.Leader(pp.View), pp.Digest}})
		// By digest: a batch proposed twice is bound to the higher sequence.
		if batch := s.bodies.Get(pp.Digest); batch != nil {
			events = append(events, ToSlot{Seq: seq, Event: BatchHeld{pp.Digest}, Batch: batch})
		}
	}
	for _, batch := range s.bodies.boundTo(seq) {
		events = append(events, ToSlot{Seq: seq, Event: BatchHeld{batch.Digest()}, Batch: batch})
	}
	for _, v := range s.log.Votes(seq) {
		if v.Value().Kind != messages.PrePrepare {
			events = append(events, ToSlot{Seq: seq, Event: VoteReceived{v}})
		}
	}
	return events
}
