package actors

import (
	"testing"

	"github.com/cretoai/consensus/messages"
)

func TestQuorumsNeed(t *testing.T) {
	d, other := messages.Digest{1}, messages.Digest{2}
	at := func(kind messages.Kind, view messages.View, seq messages.Seq, digest messages.Digest) messages.Vote {
		return messages.Vote{Kind: kind, View: view, Seq: seq, Digest: digest}
	}
	var q quorums
	needs := func(when string, want bool, votes ...messages.Vote) {
		t.Helper()
		if got := q.need(votes); got != want {
			t.Errorf("%s, %v are needed: %t, want %t", when, votes, got, want)
		}
	}
	prepare, commit := at(messages.Prepare, 3, 7, d), at(messages.Commit, 3, 7, d)
	needs("at first", true, prepare)
	q.prepared(7, 3, d)
	needs("when prepared", false, prepare)
	needs("when prepared", true, commit)
	needs("when prepared", true, prepare, commit)
	q.committed(7, 3, d)
	needs("when committed", false, prepare, commit)
	for _, v := range []messages.Vote{
		at(messages.Prepare, 3, 7, other), at(messages.Commit, 3, 7, other), at(messages.Commit, 4, 7, d), at(messages.Commit, 2, 7, d),
		at(messages.Commit, 3, 7+quorumSlots, d), at(messages.PrePrepare, 3, 7, d), at(messages.Checkpoint, 3, 7, d),
	} {
		needs("when committed", true, commit, v)
	}
	q.prepared(7, 4, other) // the next view
	needs("in the next view", false, at(messages.Prepare, 4, 7, other))
	needs("in the next view", true, at(messages.Commit, 4, 7, d))
	q.forget(7)
	needs("when its tracker begins anew", true, at(messages.Prepare, 4, 7, other))
	q.committed(8, 1, d)
	needs("when committed without being prepared", true, at(messages.Prepare, 1, 8, d))
	q.reset()
	needs("when all votes are lost", true, at(messages.Commit, 1, 8, d))
}

func TestUnopenedIsBoundedAndFindsContradictions(t *testing.T) {
	u := newUnopened(2)
	bundle := func(seq messages.Seq, digest messages.Digest) *messages.Bundle {
		return &messages.Bundle{From: 1, Votes: []messages.Vote{{Kind: messages.Commit, Seq: seq, Digest: digest}}, Signature: []byte{byte(seq)}}
	}
	for seq := range messages.Seq(unopenedMax + 1) {
		u.keep(bundle(seq+1, messages.Digest{1}))
	}
	if got := u.contradicting(bundle(1, messages.Digest{2})); len(got) != 0 {
		t.Error("kept without a bound")
	}
	if got := u.contradicting(bundle(2, messages.Digest{1})); len(got) != 0 {
		t.Error("the same vote contradicts itself")
	}
	got := u.contradicting(bundle(2, messages.Digest{2}))
	if len(got) != 1 || got[0].Votes[0].Seq != 2 || got[0].Signature[0] != 2 {
		t.Errorf("contradicted by %v", got)
	}
	if got := u.contradicting(bundle(2, messages.Digest{2})); len(got) != 0 {
		t.Error("given out twice")
	}
}

// A bundle is found by any of its places, the first and the last of it as well.
func TestUnopenedFindsEveryPlace(t *testing.T) {
	bundle := func(digest byte, sequences ...messages.Seq) *messages.Bundle {
		b := &messages.Bundle{}
		for _, seq := range sequences {
			b.Votes = append(b.Votes, messages.Vote{Kind: messages.Commit, Seq: seq, Digest: messages.Digest{digest}})
		}
		return b
	}
	for _, places := range [][]messages.Seq{{5}, {9}, {7}, {1, 5}, {9, 12}, {12, 1, 7}} {
		u := newUnopened(1)
		u.keep(bundle(1, 9, 5, 7))
		if got := u.contradicting(bundle(2, places...)); len(got) != 1 {
			t.Errorf("what contradicts it at %d finds %d bundles", places, len(got))
		}
	}
}

// A signature lies in its frame where that is little more, and does not keep alive one
// that holds much else.
func TestSignaturesKeepNoLargeFrames(t *testing.T) {
	for _, more := range []int{100, 4000, 5000, 1 << 20} {
		frame := make([]byte, 4627+more)
		b := &messages.Bundle{Signature: frame[more:]}
		detach(b, frame)
		frame[more] = 1
		if within := b.Signature[0] == 1; within != (more <= 4627) {
			t.Errorf("a signature with %d bytes beside it lies in its frame: %v", more, within)
		}
	}
}
