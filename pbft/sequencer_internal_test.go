package pbft

import (
	"testing"

	"github.com/cretoai/consensus/messages"
)

// No view but the first is entered in this release; what the rules say about
// others is tested from inside.

func inside(self messages.Index) *Sequencer {
	p := messages.DefaultParams()
	return NewSequencer(Config{
		Self: self, N: 4, Quorum: 3, Params: p, PipelineDepth: 1,
		Leader: func(v messages.View) messages.Index { return messages.Index(v % 4) },
	}, StableCheckpoint{}, messages.Digest{})
}

func TestN8_OfOlderViewsOnlyCommitsAreKept(t *testing.T) {
	s := inside(1)
	s.voter.view = 5
	for _, c := range []struct {
		view            messages.View
		prepare, commit bool
	}{
		{0, false, false}, {2, false, false}, {3, false, true}, {4, false, true},
		{5, true, true}, {6, true, true}, {7, false, false}, {^messages.View(0), false, false},
	} {
		for kind, want := range map[messages.Kind]bool{
			messages.PrePrepare: c.prepare, messages.Prepare: c.prepare, messages.Commit: c.commit,
		} {
			if got := s.near(messages.Vote{Kind: kind, View: c.view, Seq: 1}); got != want {
				t.Errorf("a %v of view %d in view 5 is kept: %v, want %v", kind, c.view, got, want)
			}
		}
	}
}

func TestV3_NothingIsVotedWhileChangingViews(t *testing.T) {
	v := inside(1).voter
	d := messages.Digest{1}
	if _, got := v.Accept(0, messages.Vote{Kind: messages.PrePrepare, Seq: 1, Digest: d}, nil); got != Granted {
		t.Fatal(got)
	}
	v.active = false
	for kind := messages.PrePrepare; kind <= messages.Commit; kind++ {
		if g, got := v.Grant(messages.Vote{Kind: kind, Seq: 1, Digest: d}); got != ChangingViews || len(g.Records) > 0 {
			t.Errorf("a %v while changing views: %v", kind, got)
		}
	}
	if _, got := v.Accept(0, messages.Vote{Kind: messages.PrePrepare, Seq: 2, Digest: d}, nil); got != ChangingViews {
		t.Errorf("accepting while changing views: %v", got)
	}
	v.view, v.active = 1, true
	if _, got := v.Grant(messages.Vote{Kind: messages.Commit, Seq: 1, Digest: d}); got != WrongView {
		t.Errorf("a Commit of the view that was left: %v", got)
	}
	if _, got := v.Grant(messages.Vote{Kind: messages.Commit, View: 1, Seq: 1, Digest: d}); got != NotAccepted {
		t.Errorf("a Commit for what another view accepted: %v", got)
	}
	if got := v.Sent(); len(got) != 0 {
		t.Errorf("would send again %v", got)
	}
}

// A slot keeps the votes of few views, and the admitted ones always fit.
func TestN8_ASlotKeepsFewRounds(t *testing.T) {
	s := NewSlot(1, 0, 4, 3)
	for _, view := range []messages.View{9, 3, 7, 5, 1, 8, 2, 6, 4, 100} {
		s.round(view)
		if len(s.rounds) > slotRoundsMax {
			t.Fatalf("%d rounds", len(s.rounds))
		}
		for i := 1; i < len(s.rounds); i++ {
			if s.rounds[i-1].view >= s.rounds[i].view {
				t.Fatalf("rounds out of order at view %d", view)
			}
		}
	}
	if s.find(100) < 0 || s.find(9) < 0 || s.round(1) != nil {
		t.Error("a low view took the place of a high one")
	}
}
