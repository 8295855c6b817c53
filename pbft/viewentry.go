package pbft

import (
	"slices"

	"github.com/cretoai/consensus/messages"
)

// ChangeView leaves the current view for a higher one. The ViewChange is
// recorded together with what proves its claims P, and released like any vote;
// until then, and until a NewView is entered, nothing is voted. [V2, V3, V4]
func (s *Sequencer) ChangeView(view messages.View) []Effect {
	before, wasActive := s.voter.View(), s.voter.Active()
	grant, refusal := s.voter.ChangeView(view, s.floor)
	if refusal != Granted {
		s.emit(Refused{From: s.cfg.Self, Vote: messages.Vote{Kind: messages.ViewChange, View: view}, Refusal: refusal})
		return s.take()
	}
	if len(grant.Records) > 0 {
		s.stamp(grant.Records)
		grant.Records = append(s.proofs(s.voter.Left().Prepared), grant.Records...)
		s.forgetViews()
	}
	s.gatherer.Add(grant)
	if s.voter.View() != before || s.voter.Active() != wasActive {
		s.emit(Moved{})
	}
	return s.take()
}

// stamp gives records about views a sequence above everything this replica has
// executed, may vote for, or is about to take over: the journal keeps what is above the stable
// checkpoint, and by the time that one is passed a newer record, or the state
// beside the checkpoint, says where the voter stands.
func (s *Sequencer) stamp(records []Record) {
	for i := range records {
		records[i].Vote.Seq = max(s.voter.Marks().High, s.executed, s.beside) + 1
	}
}

// proofs are the bundles that prove the claims P of a ViewChange. They must
// outlive a crash, for the new view's leader may ask for one of them. [V2]
func (s *Sequencer) proofs(claims []messages.Claim) []Record {
	var records []Record
	recorded := make(map[*messages.Bundle]bool)
	for _, p := range claims {
		for _, b := range s.prepared(p) {
			if !recorded[b] {
				recorded[b] = true
				records = append(records, bundleRecord(p.Seq, b))
			}
		}
	}
	return records
}

func bundleRecord(seq messages.Seq, b *messages.Bundle) Record {
	return Record{Kind: RecordBundle, Vote: messages.Vote{Seq: seq}, Bundle: b}
}

// prepared gives the bundles of Prepares for a claim by members other than the
// view's leader, a quorum less one of them; nil if fewer are at hand.
func (s *Sequencer) prepared(c messages.Claim) []*messages.Bundle {
	want := messages.Vote{Kind: messages.Prepare, View: c.View, Seq: c.Seq, Digest: c.Digest}
	var bundles []*messages.Bundle
	for _, v := range s.log.Votes(c.Seq) {
		if v.Value() == want && v.From() != s.cfg.Leader(c.View) && len(bundles) < s.cfg.Quorum-1 {
			bundles = append(bundles, v.Bundle())
		}
	}
	if len(bundles) < s.cfg.Quorum-1 {
		return nil
	}
	return bundles
}

// OnFetchPrepared answers who needs proof of a claim: a view's leader, of one it
// is to mark, or another member, of one that is marked.
func (s *Sequencer) OnFetchPrepared(from messages.Index, c messages.Claim) []Effect {
	proof := Proof{c, s.prepared(c)}
	if nv := s.voter.Entered(); nv != nil && proof.Bundles == nil {
		if i := slices.IndexFunc(nv.Marks, func(m Proof) bool { return m.Claim == c }); i >= 0 {
			proof = nv.Marks[i]
		}
	}
	if proof.Bundles != nil {
		s.emit(SendPrepared{from, proof})
	}
	return s.take()
}

// forgetViews drops the votes of views left long ago, but for those that prove
// a claim.
func (s *Sequencer) forgetViews() {
	mine := s.voter.View()
	s.log.Retain(func(v messages.Vote) bool {
		switch {
		case v.View >= mine:
			return true
		case v.Kind == messages.Commit:
			return mine-v.View <= olderViewsKept
		}
		m := s.voter.memory[v.Seq]
		return m != nil && v.Kind == messages.Prepare && m.prepared.is(v.View, v.Digest)
	})
}

// EnterView makes a view active with a NewView that package leader found to
// follow from its ViewChanges, or made itself. What it lists is tracked again,
// also where it was executed: others may need this replica's votes. [V1, V3]
func (s *Sequencer) EnterView(nv *NewView) []Effect {
	vote := newViewVote(nv.Body)
	grant, refusal := s.voter.EnterView(nv)
	switch refusal {
	case Granted:
	case ContradictsExecuted:
		seq, own, _ := s.voter.contradiction(nv.Body)
		listed, _ := nv.Body.Listed(seq)
		s.diverge(seq, own, listed)
		return s.take()
	default:
		s.emit(Refused{From: s.cfg.Leader(nv.Body.View), Vote: vote, Refusal: refusal})
		return s.take()
	}
	s.raise(nv.Stable)
	s.highest = max(s.highest, nv.Body.Last())
	s.forgetViews()
	for _, m := range nv.Marks {
		for _, b := range m.Bundles {
			s.gatherer.Remember([]Record{bundleRecord(m.Claim.Seq, b)})
		}
	}
	s.stamp(grant.Records)
	s.gatherer.Remember(grant.Records)
	s.rememberListed()
	if !grant.Vote.Digest.IsZero() {
		s.gatherer.Add(Grant{Vote: grant.Vote})
	}
	s.emit(Moved{})
	s.onCertificate(nv.Stable)
	s.reopen()
	s.hearEarly()
	s.welcome()
	return s.take()
}

// rememberListed records the batches at hand of what was listed: whoever votes
// can serve them after a crash, too.
func (s *Sequencer) rememberListed() {
	for _, pp := range s.voter.Accepted() {
		if batch := s.bodies.Get(pp.Digest); batch != nil {
			s.bodies.Bind(batch, pp.Seq)
			s.gatherer.Remember([]Record{s.acceptedRecord(pp.Seq, batch)})
		}
	}
}

// hearEarly takes up the pre-prepares of the view that came before its NewView.
func (s *Sequencer) hearEarly() {
	for _, seq := range s.log.Seqs() {
		for _, v := range slices.Clone(s.log.Votes(seq)) {
			if vote := v.Value(); vote.Kind == messages.PrePrepare && vote.View == s.voter.View() && vote.Seq > s.voter.settled {
				s.onPrePrepare(v)
			}
		}
	}
}

// announceViews hands over the ViewChange and NewView among released bundles,
// whose bodies travel with them, and gives back the others. One that a later
// view has overtaken meanwhile serves nobody.
func (s *Sequencer) announceViews(bundles []*messages.Bundle) []*messages.Bundle {
	var ordinary []*messages.Bundle
	for _, b := range bundles {
		switch vote := b.Votes[0]; vote.Kind {
		case messages.ViewChange:
			if left := s.voter.Left(); left != nil && left.View == vote.View {
				s.emit(ViewChangeReleased{Support{b, left}, s.lowOf(left)})
			}
		case messages.NewView:
			if nv := s.voter.Entered(); nv != nil && nv.Body.View == vote.View {
				signed := *nv
				signed.Bundle = b
				s.voter.entered = &signed
				s.emit(NewViewReleased{&signed})
			}
		default:
			ordinary = append(ordinary, b)
		}
	}
	return ordinary
}

// lowOf is the certificate of the checkpoint a ViewChange begins at, if it is
// still the newest: a later one serves the new view as well.
func (s *Sequencer) lowOf(body *messages.ViewChangeBody) StableCheckpoint {
	if s.floor.Seq == body.Low {
		return s.floor
	}
	return StableCheckpoint{}
}
