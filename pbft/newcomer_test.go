package pbft_test

import (
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

func newNewcomer() *pbft.Sequencer {
	s := newSequencer(1)
	s.Observe()
	return s
}

// answer gives a newcomer answers of members 0, 2, 3 and so on, and tells
// whether it may vote.
func answer(s *pbft.Sequencer, answers ...pbft.Answer) (fresh, admissible bool) {
	from := messages.Index(0)
	for _, a := range answers {
		if from == 1 {
			from++
		}
		for _, e := range only[pbft.Admissible](s.OnRecalled(from, a)) {
			fresh, admissible = e.Fresh, true
		}
		from++
	}
	return fresh, admissible
}

var nothing = pbft.Answer{Nothing: true}

func TestD4_ANewcomerNobodyHeardOfVotesAtOnce(t *testing.T) {
	for name, c := range map[string]struct {
		answers []pbft.Answer
		want    bool
	}{
		"too few":                  {[]pbft.Answer{nothing}, false},
		"a quorum with itself":     {[]pbft.Answer{nothing, nothing}, true},
		"one heard of it":          {[]pbft.Answer{nothing, {}}, false},
		"one heard, two did not":   {[]pbft.Answer{{}, nothing, nothing}, true},
		"something is executed":    {[]pbft.Answer{nothing, {Nothing: true, Executed: 1}}, false},
		"a view of it is known":    {[]pbft.Answer{nothing, {Nothing: true, View: 1}}, false},
		"nobody knows of anything": {[]pbft.Answer{{}, {}, {}}, false},
	} {
		s := newNewcomer()
		if fresh, got := answer(s, c.answers...); got != c.want || fresh != c.want {
			t.Errorf("%s: may vote: %v", name, got)
		}
	}
	s := newNewcomer()
	s.OnRecalled(0, nothing)
	if e := only[pbft.Admissible](s.OnRecalled(0, nothing)); len(e) > 0 {
		t.Error("one member answered for two")
	}
	if e := only[pbft.Admissible](s.OnRecalled(1, nothing)); len(e) > 0 {
		t.Error("a newcomer answered itself")
	}
}

func TestD4_ANewcomerVotesForNothing(t *testing.T) {
	s := newNewcomer()
	batch := batchOf(1)
	s.OnBatch(0, batch)
	if effects := s.OnVotes([]verifiedVote{signed(0, prePrepare(1, batch.Digest()))}); len(only[pbft.Flush](effects)) > 0 {
		t.Errorf("it voted for a pre-prepare: %v", effects)
	}
	if effects := s.OnProposeVote(prepare(1, batch.Digest())); len(only[pbft.Flush](effects)) > 0 {
		t.Error("it voted Prepare")
	}
	if effects := reach(s, 4, digestOf(4)); len(only[pbft.Flush](effects)) > 0 {
		t.Error("it voted for a checkpoint")
	}
	if effects := s.ChangeView(1); len(only[pbft.Flush](effects)) > 0 || s.View() != 0 {
		t.Error("it left its view")
	}
	if effects := s.EnterView(newView(1)); len(only[pbft.Flush](effects)) > 0 || s.View() != 0 {
		t.Error("it began a view of its own")
	}
	leads := newSequencer(0)
	leads.Observe()
	if _, ok := leads.Propose(batch); ok || leads.Leads() {
		t.Error("it leads")
	}
	// What it heard meanwhile counts once it may vote.
	s = newNewcomer()
	hear(s, 1, batch)
	if d, accepted := acceptedHere(s.Admit()); !accepted || d != batch.Digest() {
		t.Error("it does not vote on what it heard before it might")
	}
}

// TestD4_ANewcomerWaitsForWhatItMayHaveVotedToPass: for a window beyond what was
// executed, and for a view above the highest it was seen in.
func TestD4_ANewcomerWaitsForWhatItMayHaveVotedToPass(t *testing.T) {
	s := newNewcomer()
	if _, may := answer(s, pbft.Answer{Executed: 3}, pbft.Answer{Executed: 1 << 60, View: 9}, pbft.Answer{Executed: 2}); may {
		t.Fatal("it may vote before anything passed")
	}
	bound, above, ok := s.Bounds()
	if want := 3 + params().Window; !ok || bound != want || above != 0 {
		t.Fatalf("it waits for checkpoint %d and a view above %d, want %d and 0: what one member alone claims plays no role", bound, above, want)
	}
	next := (bound/4 + 1) * 4
	for seq := messages.Seq(4); seq <= next; seq += 4 {
		reach(s, seq, digestOf(uint64(seq)))
		may := len(only[pbft.Admissible](s.OnStable(certificateOf(seq, digestOf(uint64(seq)))))) > 0
		if may != (seq >= bound) {
			t.Errorf("with checkpoint %d stable it may vote: %v", seq, may)
		}
	}

	s = newNewcomer()
	answer(s, pbft.Answer{View: 1}, pbft.Answer{View: 1})
	for seq := messages.Seq(4); seq <= 12; seq += 4 {
		reach(s, seq, digestOf(uint64(seq)))
		if may := only[pbft.Admissible](s.OnStable(certificateOf(seq, digestOf(uint64(seq))))); len(may) > 0 {
			t.Fatalf("it may vote in view %d, and was seen in view 1", s.View())
		}
	}
	for view := messages.View(1); view <= 2; view++ {
		nv := newView(view)
		nv.Bundle = &messages.Bundle{} // another's: it is signed
		if may := len(only[pbft.Admissible](s.EnterView(nv))) > 0; may != (view == 2) {
			t.Errorf("in view %d it may vote: %v", view, may)
		}
	}
}

// TestD4_OwnVotesThatComeBackRaiseTheBound, and are no alarm.
func TestD4_OwnVotesThatComeBackRaiseTheBound(t *testing.T) {
	s := newNewcomer()
	effects := s.OnOwnVotes([]verifiedVote{signed(1, inView(2, prepare(20, digestOf(1))))})
	if len(only[pbft.Doubled](effects)) > 0 {
		t.Error("a newcomer is alarmed by what it has forgotten")
	}
	if _, may := answer(s, nothing, nothing, nothing); may {
		t.Error("a newcomer whose vote came back takes itself for fresh")
	}
	if bound, above, _ := s.Bounds(); bound < 20 || above != 2 {
		t.Errorf("it waits for checkpoint %d and a view above %d, and it voted for 20 in view 2", bound, above)
	}
}

func TestD4_WhatIsRecalledOfAMember(t *testing.T) {
	s := newSequencer(0)
	if got := s.Recall(2); got != nothing {
		t.Errorf("before anything was heard or said: %+v", got)
	}
	s.OnVotes([]verifiedVote{signed(3, prepare(1, digestOf(1))), signed(2, inView(1, commit(2, digestOf(1))))})
	if got := s.Recall(2); got != (pbft.Answer{View: 1}) {
		t.Errorf("of a member that voted: %+v", got)
	}
	if got := s.Recall(1); got != nothing {
		t.Errorf("of one that did not: %+v", got)
	}
	s.OnVotes([]verifiedVote{signed(1, checkpoint(4, digestOf(1)))})
	if got := s.Recall(1); got.Nothing {
		t.Errorf("of one that voted for a checkpoint: %+v", got)
	}
	voter := newSequencer(0)
	effects, _ := voter.Propose(batchOf(1))
	release(t, voter, 0, effects)
	if got := voter.Recall(1); got.Nothing {
		t.Error("a replica that voted may have been outvoted together with the other, unheard")
	}
}
