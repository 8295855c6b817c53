package pbft_test

import (
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

func TestN1_TheLeaderRecordsThenSignsThenSends(t *testing.T) {
	s, batch := newSequencer(0), batchOf(1)
	effects, ok := s.Propose(batch)
	if !ok {
		t.Fatal("the leader may not propose")
	}
	if p := one[pbft.Proposed](t, effects); p.Seq != 1 || p.Batch != batch {
		t.Errorf("proposed %+v", p)
	}
	group := one[pbft.Flush](t, effects).Group
	pp := prePrepare(1, batch.Digest())
	want := []pbft.Record{{Kind: pbft.RecordAccepted, Vote: pp, Batch: batch}, {Kind: pbft.RecordVote, Vote: pp}}
	if !slices.Equal(group.Records, want) {
		t.Errorf("recorded %v, want %v", group.Records, want)
	}
	if len(group.Bundles) != 1 || !slices.Equal(group.Bundles[0], []messages.Vote{pp}) {
		t.Errorf("signed %v, want one bundle of %v", group.Bundles, pp)
	}
	if early := only[pbft.Broadcast](effects); len(early) > 0 {
		t.Errorf("sent %v before it is durable", early)
	}
	bundles, votes := signGroup(0, group)
	if got := one[pbft.Broadcast](t, s.OnReleased(bundles, votes)); !slices.Equal(got.Bundles, bundles) {
		t.Errorf("sent %v, want %v", got.Bundles, bundles)
	}
}

func TestN1_SequencesFollowEachOtherInsideTheWindow(t *testing.T) {
	s := newSequencer(0)
	for i := range uint64(8) {
		effects, ok := s.Propose(batchOf(i))
		if p := only[pbft.Proposed](effects); !ok || len(p) != 1 || p[0].Seq != messages.Seq(i+1) {
			t.Fatalf("batch %d: %v %v", i, ok, effects)
		}
	}
	if effects, ok := s.Propose(batchOf(8)); ok || len(effects) > 0 {
		t.Errorf("proposed beyond the window: %v", effects)
	}
	reach(s, 4, digestOf(9))
	s.OnStable(certificateOf(4, digestOf(9)))
	effects, ok := s.Propose(batchOf(8))
	if !ok || one[pbft.Proposed](t, effects).Seq != 9 {
		t.Errorf("with the window moved: %v %v, want sequence 9", ok, effects)
	}
}

func TestN1_WhoDoesNotLeadProposesNothing(t *testing.T) {
	if effects, ok := newSequencer(1).Propose(batchOf(1)); ok || len(effects) > 0 {
		t.Errorf("a backup proposed: %v", effects)
	}
	s := newSequencer(0)
	reach(s, 3, digestOf(1)) // by certificates of others, as after a long absence
	effects, _ := s.Propose(batchOf(1))
	if got := one[pbft.Proposed](t, effects).Seq; got != 4 {
		t.Errorf("proposed at %d, want the first not executed, 4", got)
	}
}

func TestN2_WhatABackupAccepts(t *testing.T) {
	batch := batchOf(1)
	d := batch.Digest()
	for _, c := range []struct {
		name   string
		before func(*pbft.Sequencer)
		from   messages.Index
		vote   messages.Vote
		accept bool
	}{
		{"the leader's", nil, 0, prePrepare(1, d), true},
		{"the last of the window", nil, 0, prePrepare(8, d), true},
		{"another member's", nil, 2, prePrepare(1, d), false},
		{"the own, from outside", nil, 1, prePrepare(1, d), false},
		{"the next view's", nil, 1, inView(1, prePrepare(1, d)), false},
		{"the leader's for the next view", nil, 0, inView(1, prePrepare(1, d)), false},
		{"beyond the window", nil, 0, prePrepare(9, d), false},
		{"without its batch", nil, 0, prePrepare(1, digestOf(1)), false},
		{"a second digest", func(s *pbft.Sequencer) { hear(s, 1, batchOf(2)) }, 0, prePrepare(1, d), false},
		{"a second digest after a restart", func(s *pbft.Sequencer) {
			s.Restore(pbft.Record{Kind: pbft.RecordAccepted, Vote: prePrepare(1, batchOf(2).Digest()), Batch: batchOf(2)})
		}, 0, prePrepare(1, d), false},
		{"below the stable checkpoint", func(s *pbft.Sequencer) {
			reach(s, 4, digestOf(9))
			s.OnStable(certificateOf(4, digestOf(9)))
		}, 0, prePrepare(4, d), false},
		{"another than the executed", func(s *pbft.Sequencer) { reach(s, 1, digestOf(9)) }, 0, prePrepare(1, d), false},
		{"executed at an earlier sequence", func(s *pbft.Sequencer) {
			hear(s, 1, batchOf(1))
			s.OnExecuted(1, 0, d, digestOf(9))
		}, 0, prePrepare(2, d), true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSequencer(1)
			if c.before != nil {
				c.before(s)
			}
			s.OnBatch(0, batch)
			got, ok := acceptedHere(s.OnVotes([]verifiedVote{signed(c.from, c.vote)}))
			if ok != c.accept || ok && got != c.vote.Digest {
				t.Errorf("accepted %v %v, want %v", ok, got, c.accept)
			}
		})
	}
}

func TestN2_ALateBatchIsAcceptedWhenItComes(t *testing.T) {
	s, batch := newSequencer(1), batchOf(1)
	s.OnVotes([]verifiedVote{signed(0, prePrepare(1, batch.Digest()))})
	if d, ok := acceptedHere(s.OnBatch(3, batch)); !ok || d != batch.Digest() {
		t.Errorf("accepted %v %v when the batch came", ok, d)
	}
}

func TestN7_UnaskedOnlyTheLeaderSendsBatches(t *testing.T) {
	s := newSequencer(1)
	s.OnBatch(2, batchOf(1))
	s.OnBatch(0, batchOf(2))
	sent := only[pbft.SendBatch](s.OnFetchBatch(3, []messages.Digest{batchOf(1).Digest(), batchOf(2).Digest()}))
	if len(sent) != 1 || sent[0].To != 3 || sent[0].Batch.Digest() != batchOf(2).Digest() {
		t.Errorf("kept and served %v, want the leader's batch alone", sent)
	}
}

// A leader with a full pipeline may send all its batches ahead of the votes.
func TestN7_TheLeadersBatchesMayComeFirst(t *testing.T) {
	s := newSequencer(1)
	ahead := config(1, 4).PipelineDepth + 1
	for i := range ahead {
		s.OnBatch(0, batchOf(uint64(i)))
	}
	for i := range ahead {
		vote := prePrepare(messages.Seq(i+1), batchOf(uint64(i)).Digest())
		if _, ok := acceptedHere(s.OnVotes([]verifiedVote{signed(0, vote)})); !ok {
			t.Errorf("batch %d of %d was not kept", i, ahead)
		}
	}
}

func TestN7_AMissingBatchIsAskedForAfterAHeartbeat(t *testing.T) {
	s, d := newSequencer(2), batchOf(1).Digest()
	effects := s.OnVotes([]verifiedVote{signed(0, prePrepare(1, d))})
	effects = append(effects, s.OnNeedBatch(1, d, []messages.Index{3, 2})...)
	effects = append(effects, s.OnTick()...) // not a whole heartbeat later
	if asked := only[pbft.FetchBatches](effects); len(asked) > 0 {
		t.Errorf("asked at once: %v", asked)
	}
	// First those whose votes name it, then everybody but itself, for as long as
	// it takes.
	var order []messages.Index
	for range 8 {
		f := one[pbft.FetchBatches](t, s.OnTick())
		if !slices.Equal(f.Digests, []messages.Digest{d}) {
			t.Fatalf("asked for %v, want %v", f.Digests, d)
		}
		order = append(order, f.To)
	}
	if want := []messages.Index{0, 3, 0, 1, 3, 0, 1, 3}; !slices.Equal(order, want) {
		t.Errorf("asked %v, want %v", order, want)
	}
	s.OnBatch(3, batchOf(1))
	if asked := s.OnTick(); len(asked) > 0 {
		t.Errorf("asked for what is here: %v", asked)
	}
}

// Members to be shunned are asked last, and asked: they may be the only ones to
// hold what is needed.
func TestN7_TheShunnedAreAskedLast(t *testing.T) {
	s, d := newSequencer(2), batchOf(1).Digest()
	s.OnVotes([]verifiedVote{signed(0, prePrepare(1, d))})
	s.OnNeedBatch(1, d, []messages.Index{3})
	s.Shun(1<<0 | 1<<2)
	s.OnTick()
	var order []messages.Index
	for range 7 {
		order = append(order, one[pbft.FetchBatches](t, s.OnTick()).To)
	}
	if want := []messages.Index{3, 1, 3, 0, 1, 3, 0}; !slices.Equal(order, want) {
		t.Errorf("asked %v, want %v", order, want)
	}
}

func TestN7_BatchesAreKeptUntilStable(t *testing.T) {
	s, batch := newSequencer(1), batchOf(1)
	hear(s, 4, batch)
	fetch := func() int { return len(only[pbft.SendBatch](s.OnFetchBatch(2, []messages.Digest{batch.Digest()}))) }
	reach(s, 4, digestOf(9))
	if fetch() != 1 {
		t.Error("an executed batch is gone before its checkpoint is stable")
	}
	s.OnStable(certificateOf(4, digestOf(9)))
	if fetch() != 0 {
		t.Error("a batch outlived its checkpoint")
	}
}

// What an executed sequence needs, nobody needs any more: a late word of its
// tracker neither brings the tracker back nor starts a search. [N7]
func TestN7_NothingIsFetchedForWhatIsExecuted(t *testing.T) {
	s, batch := newSequencer(1), batchOf(1)
	hear(s, 1, batch)
	s.OnVotes([]verifiedVote{signed(0, prePrepare(2, digestOf(5)))})
	s.OnExecuted(1, 0, batch.Digest(), digestOf(9))
	s.OnExecuted(2, 0, digestOf(5), digestOf(10))
	effects := s.OnNeedBatch(1, batch.Digest(), []messages.Index{2})
	effects = append(effects, s.OnNeedBatch(2, digestOf(5), []messages.Index{2})...)
	effects = append(effects, s.OnTick()...)
	if effects = append(effects, s.OnTick()...); len(effects) > 0 {
		t.Errorf("effects for an executed sequence: %v", effects)
	}
	if events := s.Replay(1); len(events) > 0 {
		t.Errorf("a tracker of an executed sequence is brought back: %v", events)
	}
}

func TestN8_EarlyVotesHaveOnePlaceEach(t *testing.T) {
	d, other := digestOf(1), digestOf(2)
	for _, c := range []struct {
		name string
		vote messages.Vote
		kept bool
	}{
		{"prepare", prepare(1, d), true},
		{"commit", commit(8, d), true},
		{"prepare of the next view", inView(1, prepare(1, d)), true},
		{"commit of the next view", inView(1, commit(1, d)), true},
		{"prepare two views on", inView(2, prepare(1, d)), false},
		{"commit two views on", inView(2, commit(1, d)), false},
		{"beyond the window", prepare(9, d), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSequencer(1)
			got := only[pbft.ToSlot](s.OnVotes([]verifiedVote{signed(2, c.vote)}))
			if (len(got) == 1) != c.kept {
				t.Errorf("passed on %v, want %v", got, c.kept)
			}
			second := c.vote
			second.Digest = other
			again := s.OnVotes([]verifiedVote{signed(2, c.vote), signed(2, second)})
			if len(again) > 0 {
				t.Errorf("a second vote in one place had effects %v", again)
			}
		})
	}
}

// What is in flight is what the leader proposed: a member that votes for the far end
// of the window would have everyone wait for sequences that nobody proposed.
func TestHighestIsWhatIsInFlight(t *testing.T) {
	s, batch := newSequencer(1), batchOf(1)
	for _, step := range []struct {
		name string
		do   func()
		want messages.Seq
	}{
		{"a vote for the far end", func() { s.OnVotes([]verifiedVote{signed(2, commit(8, digestOf(9)))}) }, 0},
		{"a pre-prepare", func() {
			s.OnBatch(0, batch)
			s.OnVotes([]verifiedVote{signed(0, prePrepare(1, batch.Digest()))})
		}, 1},
		{"executed beyond", func() { reach(s, 3, digestOf(1)) }, 3},
	} {
		if step.do(); s.Highest() != step.want {
			t.Errorf("after %s: %d, want %d", step.name, s.Highest(), step.want)
		}
	}
}

// A tracker that crashed is brought to where it was: it proposes what it had
// proposed, and the voter grants nothing new.
func TestN8_KeptVotesRebuildATracker(t *testing.T) {
	d := batchOf(1).Digest()
	r := newSolo(1)
	r.perform(hear(r.core, 1, batchOf(1)))
	r.perform(r.core.OnVotes([]verifiedVote{signed(2, prepare(1, d)), signed(3, prepare(1, d)), signed(3, commit(1, d))}))
	r.settle()
	r.flushed()
	r.forgetSlot(1)
	for _, vote := range r.flushed() {
		if vote.Digest != d {
			t.Errorf("the new tracker brought a vote %v", vote)
		}
	}
	if !r.slots[1].Prepared() {
		t.Fatal("the new tracker is not where the old one was")
	}
	r.perform(r.core.OnVotes([]verifiedVote{signed(0, commit(1, d))}))
	if len(r.committed) != 1 || r.committed[0].Digest != d {
		t.Errorf("committed %v", r.committed)
	}
}

// A group's votes leave, and the own ones count, when it is back, not before.
func TestD1_OwnVotesCountWhenDurable(t *testing.T) {
	d := batchOf(1).Digest()
	r := newSolo(1)
	r.perform(hear(r.core, 1, batchOf(1)))
	own := func() uint64 { return r.core.Status().Slots[0].Prepares }
	if len(only[pbft.Broadcast](r.out)) > 0 || own() != 0 {
		t.Fatalf("before the flush: sent %v, counted %b", r.out, own())
	}
	r.release()
	if b := one[pbft.Broadcast](t, r.out); !slices.Equal(b.Bundles[0].Votes, []messages.Vote{prepare(1, d)}) || own() != 1<<1 {
		t.Errorf("after the flush: sent %v, counted %b", b.Bundles, own())
	}
}
