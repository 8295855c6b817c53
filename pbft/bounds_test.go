package pbft_test

import (
	"math"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

func TestTheVoteLogKeepsOneVoteAPlace(t *testing.T) {
	l := pbft.NewVoteLog()
	kinds := []messages.Kind{messages.PrePrepare, messages.Prepare, messages.Commit}
	admitted := 0
	for round := range uint64(5) { // each with another digest
		for seq := messages.Seq(1); seq <= 8; seq++ {
			for view := range messages.View(2) {
				for _, kind := range kinds {
					for m := range messages.Index(4) {
						v := messages.Vote{Kind: kind, View: view, Seq: seq, Digest: digestOf(round)}
						if l.Admit(signed(m, v)) {
							admitted++
						}
					}
				}
			}
		}
	}
	if want := 8 * 2 * 3 * 4; admitted != want || len(l.Seqs()) != 8 {
		t.Errorf("admitted %d votes of %d sequences, want %d of 8", admitted, len(l.Seqs()), want)
	}
	if l.Admit(signed(0, checkpoint(4, digestOf(1)))) {
		t.Error("a Checkpoint has a place in a slot")
	}
	l.Forget(7)
	if got := l.Seqs(); len(got) != 1 || got[0] != 8 || l.Votes(7) != nil {
		t.Errorf("after forgetting up to 7 there are %v", got)
	}
}

// A leader that floods with batches pushes out only batches it sent itself and
// nothing refers to.
func TestN7_LooseBatchesAreFew(t *testing.T) {
	const looseMax = 4
	b := pbft.NewBodies(looseMax)
	held := batchOf(0)
	b.Bind(held, 1)
	for i := range uint64(100) {
		b.Put(batchOf(1 + i))
		b.Put(batchOf(1 + i))
		b.Put(held)
	}
	kept := 0
	for i := range uint64(100) {
		if b.Get(batchOf(1+i).Digest()) != nil {
			kept++
		}
	}
	if kept != looseMax || b.Get(batchOf(100).Digest()) == nil || b.Get(held.Digest()) != held {
		t.Errorf("%d loose batches kept, want the newest %d and the bound one", kept, looseMax)
	}
}

// A batch is kept for the highest sequence that refers to it.
func TestN7_ABoundBatchStaysForItsLastSequence(t *testing.T) {
	b, batch := pbft.NewBodies(1), batchOf(1)
	b.Put(batch)
	b.Bind(batch, 5)
	b.Bind(batch, 2)
	b.Put(batchOf(2)) // the room of the loose one is free again
	b.Forget(4)
	if b.Get(batch.Digest()) == nil || b.Get(batchOf(2).Digest()) == nil {
		t.Error("a batch above the forgotten is gone")
	}
	b.Forget(5)
	if b.Get(batch.Digest()) != nil {
		t.Error("a batch outlived its sequence")
	}
}

// flood sends a backup every vote that members 0, 2 and 3 could ever sign, in
// views, sequences and digests of all kinds, again and again.
func flood(s *pbft.Sequencer) {
	for round := range uint64(3) {
		for seq := messages.Seq(1); seq <= 40; seq++ {
			for view := range messages.View(6) {
				for kind := messages.PrePrepare; kind <= messages.Commit; kind++ {
					for _, m := range []messages.Index{0, 2, 3} {
						d := digestOf(uint64(seq)*1000 + uint64(m)*100 + round)
						s.OnVotes([]verifiedVote{signed(m, messages.Vote{Kind: kind, View: view, Seq: seq, Digest: d})})
					}
				}
			}
			for _, m := range []messages.Index{0, 2, 3} {
				s.OnVotes([]verifiedVote{signed(m, checkpoint(seq, digestOf(round+10*uint64(m))))})
			}
		}
	}
}

// However much is sent, a replica keeps what its window has places for, asks
// for no more than that, and its Status stays legal. [N8, N7]
func TestAFloodFillsOnlyTheWindow(t *testing.T) {
	s := newSequencer(1)
	flood(s)
	votes := 0
	for seq := messages.Seq(0); seq <= 40; seq++ {
		kept := len(s.Replay(seq))
		if seq > 8 && kept > 0 {
			t.Errorf("%d votes beyond the window at %d", kept, seq)
		}
		votes += kept
	}
	if most := 8 * 2 * 2 * 3; votes != most { // sequences, views, Prepare and Commit, members
		t.Errorf("%d votes kept, want %d", votes, most)
	}
	st := s.Status()
	if err := st.Validate(); err != nil {
		t.Error(err)
	}
	if len(st.Slots) != 8 || len(st.Checkpoints) != 4 { // two windows of two
		t.Errorf("status tells of %d sequences and %d checkpoints", len(st.Slots), len(st.Checkpoints))
	}
	// One digest a sequence, the leader's, is waited for.
	s.OnTick()
	for range 5 {
		asked := 0
		for _, f := range only[pbft.FetchBatches](s.OnTick()) {
			asked += len(f.Digests)
		}
		if asked != 8 {
			t.Errorf("asked for %d batches, want 8", asked)
		}
	}
	reach(s, 8, digestOf(1))
	s.OnStable(certificateOf(8, digestOf(1)))
	if st := s.Status(); len(st.Slots) != 0 || len(st.Checkpoints) != 2 {
		t.Errorf("after the checkpoint %d sequences and %d checkpoints are kept", len(st.Slots), len(st.Checkpoints))
	}
	if effects := append(s.OnTick(), s.OnTick()...); len(effects) > 0 {
		t.Errorf("asked for %v after the checkpoint", effects)
	}
}

// One FetchBatch asks for no more than fits; the rest is asked for later.
func TestN7_AFetchIsBounded(t *testing.T) {
	cfg := config(1, 4)
	cfg.Params.Window, cfg.Params.CheckpointInterval = 200, 100
	s := pbft.NewSequencer(cfg, pbft.StableCheckpoint{}, messages.Digest{})
	for i := range messages.Seq(200) {
		s.OnVotes([]verifiedVote{signed(0, prePrepare(i+1, digestOf(uint64(i))))})
	}
	for range 6 {
		for _, f := range only[pbft.FetchBatches](s.OnTick()) {
			if n := len(f.Digests); n > messages.FetchBatchMax || f.To == 1 {
				t.Errorf("asked member %d for %d batches", f.To, n)
			}
		}
	}
}

func TestR2_AnAnswerIsBounded(t *testing.T) {
	cfg := config(0, 4)
	cfg.Params.Window, cfg.Params.CheckpointInterval = 200, 100
	s := pbft.NewSequencer(cfg, pbft.StableCheckpoint{}, messages.Digest{})
	for i := range uint64(200) {
		effects, ok := s.Propose(batchOf(i))
		if !ok {
			t.Fatal("not proposed")
		}
		release(t, s, 0, effects)
	}
	s.OnTick()
	s.OnTick()
	if got := len(resent(s, &messages.Status{Active: true})); got != messages.FrameBundlesMax {
		t.Errorf("one Status brought %d bundles, want %d, which is a frame", got, messages.FrameBundlesMax)
	}
}

func TestWatermarksSaturate(t *testing.T) {
	for _, c := range []struct {
		low, l, seq messages.Seq
		inside      bool
	}{
		{0, 8, 0, false}, {0, 8, 1, true}, {0, 8, 8, true}, {0, 8, 9, false},
		{4, 8, 4, false}, {4, 8, 12, true}, {4, 8, 13, false},
		{math.MaxUint64 - 3, 8, math.MaxUint64, true}, {math.MaxUint64 - 3, 8, 2, false},
	} {
		if got := pbft.NewWatermarks(c.low, c.l).Contains(c.seq); got != c.inside {
			t.Errorf("%d in the window of %d above %d: %v", c.seq, c.l, c.low, got)
		}
	}
}
