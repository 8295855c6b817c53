package actors

import (
	"testing"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// voter makes verified votes of a member.
func voter(t *testing.T) func(votes ...messages.Vote) []crypto.Verified[messages.Vote] {
	t.Helper()
	_, keys, keyring := testKeyring(t, 4)
	return func(votes ...messages.Vote) []crypto.Verified[messages.Vote] {
		t.Helper()
		_, verified, err := crypto.Seal(keyring, 1, keys[1], votes)
		if err != nil {
			t.Fatal(err)
		}
		return verified
	}
}

func commitOf(seq messages.Seq) messages.Vote {
	return messages.Vote{Kind: messages.Commit, Seq: seq, Digest: messages.Digest{1}}
}

// frame has the cost of one bundle's and is handled if there is credit.
func (b *budget) frame(frame []byte) (handled bool) {
	if b.busy() {
		return false
	}
	b.spend(costOf(frame) + costBundle)
	return true
}

var small = make([]byte, 5000)

// Valid votes that are new never wait, however fast they come.
func TestBudget_NewVotesAreFree(t *testing.T) {
	sign := voter(t)
	b := &newBudgets(1)[0]
	for seq := range messages.Seq(votedMax / 2) {
		if !b.frame(small) {
			t.Fatalf("the vote for sequence %d waits", seq+1)
		}
		b.settle(sign(commitOf(seq+1), messages.Vote{Kind: messages.Prepare, Seq: seq + 1, Digest: messages.Digest{1}}), nil)
	}
	if b.credit != creditMax || b.wasted != 0 {
		t.Errorf("credit %d of %d, wasted %d", b.credit, creditMax, b.wasted)
	}
}

// Garbage is verified at the pace of credit, that of a banned member at an
// eighth of it; nothing of it is a flood, for each piece is charged by itself.
func TestBudget_GarbageIsPaced(t *testing.T) {
	for _, refill := range []int{creditRefill, creditRefill / bannedShare} {
		b := &newBudgets(1)[0]
		for n := 0; b.frame(small); n++ {
			if n > creditMax {
				t.Fatal("credit has no end")
			}
		}
		for range 20 {
			if b.beat(refill) {
				t.Fatal("a flood")
			}
			handled := 0
			for b.frame(small) && handled <= refill {
				handled++
			}
			if most := refill/(costBundle+costFrame) + 1; handled > most || handled < most-2 {
				t.Fatalf("%d verified in a heartbeat, want about %d", handled, most)
			}
		}
	}
}

// What a correct member sends again, because it is told that it is lacking, is
// no flood, were it ever so long, and a quarter more than it can be; several
// times as much is one.
func TestBudget_TheSameAgain(t *testing.T) {
	const resent = 64 // bundles a heartbeat, see pbft's resendBundlesMax
	sign := voter(t)
	again := sign(commitOf(1))
	run := func(bundles, beats int) (floods int) {
		b := &newBudgets(1)[0]
		b.settle(again, nil)
		for range beats {
			for range bundles {
				if b.frame(small) {
					b.settle(again, nil)
				}
			}
			if b.beat(creditRefill) {
				floods++
			}
		}
		return floods
	}
	if got := run(resent+resent/4, 1000); got != 0 {
		t.Errorf("a correct member flooded %d times", got)
	}
	if got := run(1<<16, 10*floodedMax); got != 10 {
		t.Errorf("a member that floods was charged %d times in %d heartbeats, want 10", got, 10*floodedMax)
	}
}

// Another signature or bundle does not make old votes new, nor does another
// digest: that convicts.
func TestBudget_WhatIsNew(t *testing.T) {
	sign := voter(t)
	b := &budget{}
	other := commitOf(1)
	other.Digest = messages.Digest{2}
	tests := []struct {
		name  string
		votes []messages.Vote
		news  bool
	}{
		{"a vote", []messages.Vote{commitOf(1)}, true},
		{"signed anew", []messages.Vote{commitOf(1)}, false},
		{"another digest", []messages.Vote{other}, false},
		{"beside a new one", []messages.Vote{commitOf(1), commitOf(2)}, true},
		{"in another order", []messages.Vote{commitOf(2), commitOf(1)}, false},
		{"another view", []messages.Vote{{Kind: messages.Commit, View: 1, Seq: 1, Digest: messages.Digest{1}}}, true},
		{"a view change without its body", []messages.Vote{{Kind: messages.ViewChange, View: 1, Digest: messages.Digest{1}}}, false},
	}
	for _, tt := range tests {
		b.credit, b.wasted = 0, 0
		b.settle(sign(tt.votes...), nil)
		if news := b.credit > 0; news != tt.news || news == (b.wasted > 0) {
			t.Errorf("%s: credit %d and %d wasted, want news: %t", tt.name, b.credit, b.wasted, tt.news)
		}
	}
	b.known.forget(1)
	if len(b.known) != 1 {
		t.Errorf("%d places are remembered above sequence 1, want 1", len(b.known))
	}
	for seq := range messages.Seq(votedMax + 100) {
		b.known.add(commitOf(seq + 10))
	}
	if len(b.known) != votedMax {
		t.Errorf("%d places are remembered, want the bound of %d", len(b.known), votedMax)
	}
}

// What waits keeps its order and is bounded in bytes.
func TestBudget_Waiting(t *testing.T) {
	b := &budget{}
	frame := func(size int) *cluster.Inbound { return &cluster.Inbound{Frame: make([]byte, size)} }
	first, second := frame(1), frame(2)
	if !b.busy() || !b.hold(first) || !b.hold(second) {
		t.Fatal("a frame without credit was not held")
	}
	if b.next() != nil {
		t.Error("a frame was handled without credit")
	}
	b.refund(1)
	if !b.busy() {
		t.Error("a frame overtakes those that wait")
	}
	if b.next() != first || b.next() != second || b.next() != nil || b.held != 0 {
		t.Error("frames were handled in another order")
	}
	b.credit = 0
	held := 0
	for b.hold(frame(1 << 20)) {
		held++
	}
	if held != heldBytesMax>>20 {
		t.Errorf("%d MiB wait, want %d", held, heldBytesMax>>20)
	}
}

// Which votes are worth a verification: those that may count, and those that may
// convict somebody of what it did lately.
func TestIngress_Relevant(t *testing.T) {
	params := messages.Params{Window: 256}
	i := &ingress{t: &Tree{cfg: Config{Genesis: &messages.Genesis{Params: params}}}}
	i.stand = standing{view: 7, marks: pbft.NewWatermarks(1024, params.Window)}
	at := func(kind messages.Kind, view messages.View, seq messages.Seq) messages.Vote {
		return messages.Vote{Kind: kind, View: view, Seq: seq, Digest: messages.Digest{1}}
	}
	tests := []struct {
		name string
		vote messages.Vote
		want bool
	}{
		{"of this view", at(messages.Prepare, 7, 1025), true},
		{"at the end of the window", at(messages.Commit, 7, 1024+256), true},
		{"at the checkpoint", at(messages.Commit, 7, 1024), false},
		{"long executed", at(messages.Commit, 7, 1), false},
		{"of the next window", at(messages.Prepare, 7, 1024+257), true},
		{"of the far future", at(messages.Prepare, 7, 1024+513), false},
		{"of the end of all sequences", at(messages.Prepare, 7, 1<<64-1), false},
		{"of the view before", at(messages.Prepare, 6, 1025), true},
		{"of an old view", at(messages.Prepare, 4, 1025), false},
		{"of the next view", at(messages.Prepare, 8, 1025), true},
		{"of a view far ahead", at(messages.Prepare, 10, 1025), false},
		{"of the last view", at(messages.Prepare, 1<<64-1, 1025), false},
		{"a checkpoint, which has no view", at(messages.Checkpoint, 0, 1152), true},
		{"a checkpoint far ahead", at(messages.Checkpoint, 0, 1024+640), false},
		{"a view change", at(messages.ViewChange, 8, 0), true},
		{"an old view change", at(messages.ViewChange, 4, 0), false},
	}
	for _, tt := range tests {
		if got := i.relevant(tt.vote); got != tt.want {
			t.Errorf("a vote %s is relevant: %t, want %t", tt.name, got, tt.want)
		}
		bundle := &messages.Bundle{Votes: []messages.Vote{tt.vote}}
		mixed := &messages.Bundle{Votes: []messages.Vote{tt.vote, at(messages.Commit, 7, 1030)}}
		if got := len(i.needed([]*messages.Bundle{bundle, mixed})); got != map[bool]int{false: 1, true: 2}[tt.want] {
			t.Errorf("%d of two bundles with a vote %s are verified", got, tt.name)
		}
	}
}
