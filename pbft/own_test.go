package pbft_test

import (
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// TestD3_AnOwnVoteThatTheRecordLacksStopsVoting: somebody else signs with this
// replica's key, or its disk lost a vote.
func TestD3_AnOwnVoteThatTheRecordLacksStopsVoting(t *testing.T) {
	voted := func() *pbft.Sequencer {
		s := newSequencer(1)
		release(t, s, 1, reach(s, 4, digestOf(1)))
		s.OnStable(certificateOf(4, digestOf(1)))
		hear(s, 5, batchOf(5))
		release(t, s, 1, s.OnProposeVote(prepare(5, batchOf(5).Digest())))
		return s
	}
	for name, c := range map[string]struct {
		vote    messages.Vote
		doubled bool
	}{
		"its own":             {prepare(5, batchOf(5).Digest()), false},
		"stable":              {prepare(4, digestOf(9)), false},
		"a stable checkpoint": {checkpoint(4, digestOf(9)), false},
		"another kind":        {commit(5, batchOf(5).Digest()), true},
		"another digest":      {prepare(5, digestOf(9)), true},
		"another sequence":    {prepare(6, digestOf(9)), true},
		"a higher view":       {inView(1, prepare(5, batchOf(5).Digest())), true},
		"another checkpoint":  {checkpoint(8, digestOf(9)), true},
		"a view not left":     {messages.Vote{Kind: messages.ViewChange, View: 1, Digest: digestOf(9)}, true},
		"a view not begun":    {messages.Vote{Kind: messages.NewView, View: 1, Digest: digestOf(9)}, true},
	} {
		s := voted()
		alarms := only[pbft.Doubled](s.OnOwnVotes([]verifiedVote{signed(1, c.vote)}))
		if (len(alarms) == 1) != c.doubled || s.Active() == c.doubled {
			t.Errorf("%s: %d alarms, active: %v", name, len(alarms), s.Active())
		}
	}
	s := voted()
	if alarms := only[pbft.Doubled](s.OnOwnVotes([]verifiedVote{signed(2, prepare(6, digestOf(9)))})); len(alarms) > 0 {
		t.Error("a vote of another member is taken for an own one")
	}
	s.ChangeView(1)
	left := messages.Vote{Kind: messages.ViewChange, View: 1, Digest: digestOf(9)}
	if alarms := only[pbft.Doubled](s.OnOwnVotes([]verifiedVote{signed(1, prepare(6, digestOf(9))), signed(1, left)})); len(alarms) > 0 {
		t.Error("a replica stops voting over a vote of a view it has left")
	}
}

// TestD3_AMemberIsToldOfItsOwnVotes which, by its Status, it does not know of.
func TestD3_AMemberIsToldOfItsOwnVotes(t *testing.T) {
	s := newSequencer(0)
	d := batchOf(1).Digest()
	s.OnVotes([]verifiedVote{signed(2, prepare(1, d)), signed(2, inView(1, prepare(2, d))), signed(3, prepare(1, d))})
	s.OnTick()
	s.OnTick()
	if got := resent(s, &messages.Status{Active: true}); len(got) != 2 || got[0] != prepare(1, d) || got[1] != inView(1, prepare(2, d)) {
		t.Errorf("told of %v", got)
	}
	knows := &messages.Status{Active: true, View: 1, Slots: []messages.SlotHeld{
		{Seq: 1, Digest8: d.Prefix(), Prepares: 1 << 2}, {Seq: 2, Digest8: d.Prefix(), Prepares: 1 << 2},
	}}
	if got := resent(s, knows); len(got) != 0 {
		t.Errorf("told of %v, which it knows", got)
	}
}
