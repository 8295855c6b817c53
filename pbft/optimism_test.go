package pbft_test

import (
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// newOptimist is member self of four, at genesis, on a chain in optimistic mode.
func newOptimist(self messages.Index) *pbft.Sequencer {
	cfg := config(self, 4)
	cfg.Params.OptimisticMode = true
	return pbft.NewSequencer(cfg, pbft.StableCheckpoint{}, messages.Digest{})
}

// accepts are the acceptances of d at sequence 1 by all of n, leader 0, but for those
// that are left out.
func accepts(n int, d messages.Digest, without ...messages.Index) (events []pbft.SlotEvent) {
	for m := range messages.Index(n) {
		vote := prepare(1, d)
		if m == 0 {
			vote = prePrepare(1, d)
		}
		if !slices.Contains(without, m) {
			events = append(events, received(m, vote))
		}
	}
	return events
}

// F1 for every membership, whoever looks: the acceptance of all decides, in any order,
// and what proves it is one bundle of each.
func TestF1_WhatAllAcceptedIsDecided(t *testing.T) {
	d := digestOf(1)
	for n := messages.MembersMin; n <= membersMost; n++ {
		for last := range messages.Index(n) {
			for _, o := range []pbft.Optimism{pbft.Patient, pbft.Eager} {
				s := newSlot(last%2, n)
				steps(s, pbft.Accepted{Digest: d, Optimism: o}, pbft.BatchHeld{Digest: d})
				steps(s, accepts(n, d, last)...)
				if s.CommittedLocal() {
					t.Fatalf("n=%d: decided without member %d", n, last)
				}
				missing := accepts(n, d)[last]
				c := one[pbft.Committed](t, steps(s, missing, missing))
				if !c.Unanimous || c.Digest != d || c.Seq != 1 || len(c.Bundles) != n {
					t.Fatalf("n=%d: decided %+v", n, c)
				}
				for m, b := range c.Bundles {
					if b.From != messages.Index(m) {
						t.Errorf("n=%d: bundle %d is of member %d", n, m, b.From)
					}
				}
			}
		}
	}
}

func TestF1_NothingElseIsUnanimous(t *testing.T) {
	d, other := digestOf(1), digestOf(2)
	for _, c := range []struct {
		name     string
		optimism pbft.Optimism
		events   []pbft.SlotEvent
	}{
		{"without the mode", pbft.Plain, accepts(4, d)},
		{"the leader prepares, and pre-prepares nothing", pbft.Patient, append(accepts(4, d, 0), received(0, prepare(1, d)))},
		{"a backup pre-prepares", pbft.Patient, append(accepts(4, d, 3), received(3, prePrepare(1, d)))},
		{"a backup pre-prepares in the leader's place", pbft.Patient, append([]pbft.SlotEvent{received(3, prePrepare(1, d))}, accepts(4, d)...)},
		{"one accepted another", pbft.Patient, append(accepts(4, d, 3), received(3, prepare(1, other)), received(3, prepare(1, d)))},
		{"one accepted it in another view", pbft.Patient, append(accepts(4, d, 3), received(3, inView(1, prepare(1, d))))},
		{"one commits, and never said that it accepted", pbft.Patient, append(accepts(4, d, 3), received(3, commit(1, d)))},
		{"all accepted another than this one", pbft.Patient, accepts(4, other)},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSlot(1, 4)
			steps(s, pbft.Accepted{Digest: d, Optimism: c.optimism}, pbft.BatchHeld{Digest: d}, pbft.BatchHeld{Digest: other})
			steps(s, c.events...)
			if s.CommittedLocal() {
				t.Error("decided")
			}
		})
	}
}

// F1: what is decided by all waits for its batch like anything else.
func TestF1_WhatAllAcceptedWaitsForItsBatch(t *testing.T) {
	d := digestOf(1)
	s := newSlot(1, 4)
	steps(s, pbft.Accepted{Digest: d, Optimism: pbft.Patient})
	if got := steps(s, accepts(4, d)...); len(only[pbft.Committed](got)) > 0 {
		t.Error("decided without the batch")
	}
	one[pbft.Committed](t, steps(s, pbft.BatchHeld{Digest: d}))
}

func TestF3_WhoIsPatientCommitsOnlyInAHurry(t *testing.T) {
	d := digestOf(1)
	for _, c := range []struct {
		optimism pbft.Optimism
		want     []messages.Vote // before the hurry
	}{
		{pbft.Plain, []messages.Vote{prepare(1, d), commit(1, d)}},
		{pbft.Eager, []messages.Vote{prepare(1, d), commit(1, d)}},
		{pbft.Patient, []messages.Vote{prepare(1, d)}},
	} {
		s := newSlot(1, 4)
		events := append([]pbft.SlotEvent{pbft.Accepted{Digest: d, Optimism: c.optimism}, pbft.BatchHeld{Digest: d}}, accepts(4, d, 3)...)
		if got := proposals(steps(s, events...)); !slices.Equal(got, c.want) {
			t.Errorf("%d: proposed %v, want %v", c.optimism, got, c.want)
		}
		hurried := proposals(steps(s, pbft.Hurry{}, pbft.Hurry{}))
		if want := []messages.Vote{commit(1, d)}; c.optimism == pbft.Patient && !slices.Equal(hurried, want) || c.optimism != pbft.Patient && len(hurried) > 0 {
			t.Errorf("%d: in a hurry proposed %v", c.optimism, hurried)
		}
		steps(s, received(0, commit(1, d)), received(1, commit(1, d)))
		if c := one[pbft.Committed](t, steps(s, received(2, commit(1, d)))); c.Unanimous {
			t.Errorf("decided by a quorum: %+v", c)
		}
	}
}

// optimismOf is how effects tell a slot to decide.
func optimismOf(t *testing.T, effects []pbft.Effect) pbft.Optimism {
	t.Helper()
	for _, e := range only[pbft.ToSlot](effects) {
		if a, ok := e.Event.(pbft.Accepted); ok {
			return a.Optimism
		}
	}
	t.Fatal("nothing is accepted")
	return pbft.Plain
}

// hurried lists the sequences that effects hurry.
func hurried(effects []pbft.Effect) (seqs []messages.Seq) {
	for _, e := range only[pbft.ToSlot](effects) {
		if e.Event == (pbft.Hurry{}) {
			seqs = append(seqs, e.Seq)
		}
	}
	return seqs
}

// acceptAndVote has member 1 accept a batch, and its Prepare leave.
func acceptAndVote(t *testing.T, s *pbft.Sequencer, seq messages.Seq) pbft.Optimism {
	t.Helper()
	batch := batchOf(uint64(seq))
	effects := hear(s, seq, batch)
	release(t, s, 1, s.OnProposeVote(prepare(seq, batch.Digest())))
	return optimismOf(t, effects)
}

// stableAt executes up to a checkpoint, which is then stable. All members accepted its
// sequence before that, or not.
func stableAt(t *testing.T, s *pbft.Sequencer, seq messages.Seq, heard bool) {
	t.Helper()
	acceptAndVote(t, s, seq)
	if d := batchOf(uint64(seq)).Digest(); heard {
		s.OnVotes([]verifiedVote{signed(2, prepare(seq, d)), signed(3, prepare(seq, d))})
	}
	release(t, s, 1, reach(s, seq, digestOf(uint64(seq))))
	s.OnStable(certificateOf(seq, digestOf(uint64(seq))))
}

func TestF3_OneWaitInVainHurriesAllThatWait(t *testing.T) {
	s := newOptimist(1)
	if o := acceptAndVote(t, s, 1); o != pbft.Patient {
		t.Fatalf("begins with optimism %d", o)
	}
	if got := hurried(s.OnTick()); len(got) > 0 {
		t.Errorf("hurries %v after a heartbeat", got)
	}
	acceptAndVote(t, s, 2)
	hear(s, 3, batchOf(3)) // its own vote has not left
	if got := hurried(s.OnTick()); !slices.Equal(got, []messages.Seq{1, 2, 3}) {
		t.Errorf("hurries %v, want all three", got)
	}
	if o := acceptAndVote(t, s, 4); o != pbft.Eager {
		t.Errorf("after that accepts with optimism %d", o)
	}
	if o := optimismOf(t, toEffects(s.Replay(2))); o != pbft.Eager {
		t.Errorf("a new tracker of what waits begins with optimism %d", o)
	}
}

// F3: a lie is no acceptance: who votes for something else is waited for in vain, and
// not heard.
func TestF3_ALiarIsNotHeard(t *testing.T) {
	s := newOptimist(1)
	acceptAndVote(t, s, 1)
	s.OnVotes([]verifiedVote{signed(2, prepare(1, batchOf(1).Digest())), signed(3, prepare(1, digestOf(9)))})
	s.OnTick()
	if got := hurried(s.OnTick()); !slices.Equal(got, []messages.Seq{1}) {
		t.Errorf("hurries %v, want 1", got)
	}
	acceptAndVote(t, s, 2)
	s.OnVotes([]verifiedVote{signed(2, prepare(2, batchOf(2).Digest())), signed(3, prepare(2, digestOf(9)))})
	release(t, s, 1, reach(s, 4, digestOf(4)))
	s.OnStable(certificateOf(4, digestOf(4)))
	if o := acceptAndVote(t, s, 5); o != pbft.Eager {
		t.Errorf("a checkpoint later accepts with optimism %d", o)
	}
}

func toEffects(list []pbft.ToSlot) (effects []pbft.Effect) {
	for _, e := range list {
		effects = append(effects, e)
	}
	return effects
}

func TestF3_WithoutTheModeNobodyWaits(t *testing.T) {
	s := newSequencer(1)
	if o := acceptAndVote(t, s, 1); o != pbft.Plain {
		t.Errorf("accepts with optimism %d", o)
	}
	for range 5 {
		if got := hurried(s.OnTick()); len(got) > 0 {
			t.Errorf("hurries %v", got)
		}
	}
	for _, e := range only[pbft.ToSlot](s.OnVotes([]verifiedVote{signed(0, prePrepare(2, digestOf(2)))})) {
		t.Errorf("a pre-prepare goes to its tracker: %+v", e)
	}
}

// F3: a wait in vain costs a checkpoint without patience, the next one right after it
// two, and so on; only those count in which all were heard in time. Waits that were
// not in vain make up for it.
func TestF3_PatienceReturnsLaterEachTime(t *testing.T) {
	s := newOptimist(1)
	seq := messages.Seq(1)
	vain := func() {
		t.Helper()
		if o := acceptAndVote(t, s, seq); o != pbft.Patient {
			t.Fatalf("sequence %d is accepted with optimism %d, want patience", seq, o)
		}
		s.OnTick()
		if got := hurried(s.OnTick()); len(got) == 0 {
			t.Fatal("nothing was in vain")
		}
	}
	checkpoint := messages.Seq(0)
	eagerFor := func(stable int, heard bool) {
		t.Helper()
		for range stable {
			if o := acceptAndVote(t, s, checkpoint+3); o != pbft.Eager {
				t.Fatalf("behind checkpoint %d accepts with optimism %d", checkpoint, o)
			}
			checkpoint += 4
			stableAt(t, s, checkpoint, heard)
			seq = checkpoint + 1
		}
	}
	vain()
	eagerFor(2, false) // nobody is heard in time
	eagerFor(1, true)
	vain()
	eagerFor(2, true)
	vain()
	eagerFor(4, true)
	for range 3 { // three checkpoints of patience: 4 becomes 0
		if o := acceptAndVote(t, s, checkpoint+1); o != pbft.Patient {
			t.Fatalf("accepts with optimism %d", o)
		}
		checkpoint += 4
		stableAt(t, s, checkpoint, true)
		seq = checkpoint + 1
	}
	vain()
	eagerFor(1, true)
	vain()
}

// F1: what a NewView lists is committed by a quorum: its leader pre-prepares nothing of
// it, and nobody waits for that.
func TestF1_WhatANewViewListsIsDecidedPlainly(t *testing.T) {
	s := newOptimist(1)
	listed := batchOf(2)
	hear(s, 1, listed)
	s.ChangeView(2)
	effects := s.EnterView(newView(2, listed.Digest()))
	if o := optimismOf(t, effects); o != pbft.Plain {
		t.Errorf("what is listed is accepted with optimism %d", o)
	}
	fresh := batchOf(3)
	effects = s.OnBatch(2, fresh)
	effects = append(effects, s.OnVotes([]verifiedVote{signed(2, inView(2, prePrepare(2, fresh.Digest())))})...)
	if o := optimismOf(t, effects); o != pbft.Patient {
		t.Errorf("what the leader proposes is accepted with optimism %d", o)
	}
}

// F1: a tracker that begins anew is told of the PrePrepare, too.
func TestF1_ANewTrackerHearsOfThePrePrepare(t *testing.T) {
	s := newOptimist(1)
	batch := batchOf(1)
	hear(s, 1, batch)
	s.OnVotes([]verifiedVote{signed(1, prepare(1, batch.Digest())), signed(2, prepare(1, batch.Digest())), signed(3, prepare(1, batch.Digest()))})
	slot := newSlot(1, 4)
	var effects []pbft.SlotEffect
	for _, e := range s.Replay(1) {
		effects = append(effects, slot.Step(e.Event)...)
	}
	if c := one[pbft.Committed](t, effects); !c.Unanimous {
		t.Errorf("decided %+v", c)
	}
}

// F3: another's Commit for the same makes who waits commit as well; its own, or one for
// something else, does not.
func TestF3_AnothersCommitEndsTheWaiting(t *testing.T) {
	d := digestOf(1)
	for _, c := range []struct {
		name string
		from messages.Index
		vote messages.Vote
		want bool
	}{
		{"another's", 2, commit(1, d), true},
		{"its own", 1, commit(1, d), false},
		{"for another digest", 2, commit(1, digestOf(2)), false},
		{"in another view", 2, inView(1, commit(1, d)), false},
	} {
		s := newSlot(1, 4)
		steps(s, append([]pbft.SlotEvent{pbft.Accepted{Digest: d, Optimism: pbft.Patient}, pbft.BatchHeld{Digest: d}}, accepts(4, d, 3)...)...)
		got := proposals(steps(s, received(c.from, c.vote)))
		if want := []messages.Vote{commit(1, d)}; slices.Equal(got, want) != c.want {
			t.Errorf("%s: proposed %v", c.name, got)
		}
	}
}

// F3: what all accepted is executed here, and one that was kept from their votes commits:
// it gets this replica's Commit, once, if it is for the same.
func TestF3_WhoHasExecutedHelpsWhoCommits(t *testing.T) {
	s := newOptimist(1)
	acceptAndVote(t, s, 1)
	d := batchOf(1).Digest()
	s.OnVotes([]verifiedVote{signed(2, prepare(1, d)), signed(3, prepare(1, d))})
	s.OnExecuted(1, 0, d, digestOf(1001))
	if got := only[pbft.Flush](s.OnVotes([]verifiedVote{signed(2, commit(1, digestOf(9)))})); len(got) > 0 {
		t.Errorf("commits what it never accepted: %v", got)
	}
	effects := s.OnVotes([]verifiedVote{signed(3, commit(1, d))})
	if got := one[pbft.Flush](t, effects).Group.Bundles; len(got) != 1 || !slices.Equal(got[0], []messages.Vote{commit(1, d)}) {
		t.Errorf("votes %v, want a Commit", got)
	}
	release(t, s, 1, effects)
	if got := only[pbft.Flush](s.OnVotes([]verifiedVote{signed(0, commit(1, d))})); len(got) > 0 {
		t.Errorf("commits once more: %v", got)
	}
	plain := newSequencer(1)
	acceptAndVote(t, plain, 1)
	plain.OnVotes([]verifiedVote{signed(2, prepare(1, d)), signed(3, prepare(1, d))})
	plain.OnExecuted(1, 0, d, digestOf(1001))
	if got := only[pbft.Flush](plain.OnVotes([]verifiedVote{signed(3, commit(1, d))})); len(got) > 0 {
		t.Errorf("without the mode votes %v", got)
	}
}

// F3: sixteen late sequences in a row are a wait in vain; of those on a busy machine,
// one in twenty, any number is not, and of one in ten some are.
func TestF3_TheLateAreNotWaitedForForEver(t *testing.T) {
	for _, c := range []struct {
		oneIn, sequences int
		want             pbft.Optimism
	}{{1, 15, pbft.Patient}, {1, 16, pbft.Eager}, {20, 100_000, pbft.Patient}, {10, 400, pbft.Eager}} {
		s := newOptimist(1)
		for i := range c.sequences {
			s.OnWaited(messages.Seq(i+2), i%c.oneIn == 0)
		}
		if o := acceptAndVote(t, s, 1); o != c.want {
			t.Errorf("after %d sequences of which one in %d was late, accepts with optimism %d, want %d", c.sequences, c.oneIn, o, c.want)
		}
	}
}

// F3: nobody is waited for where execution takes its time, or a view change decided.
func TestF3_SlowExecutionIsNoWait(t *testing.T) {
	s := newOptimist(1)
	acceptAndVote(t, s, 1)
	d := batchOf(1).Digest()
	s.OnVotes([]verifiedVote{signed(2, prepare(1, d)), signed(3, prepare(1, d))})
	s.OnWaited(1, false)
	for range 5 {
		if got := hurried(s.OnTick()); len(got) > 0 {
			t.Errorf("hurries %v, which all accepted", got)
		}
	}
	acceptAndVote(t, s, 2)
	s.ChangeView(2)
	s.EnterView(newView(2, d))
	s.OnTick()
	s.OnTick()
	fresh := batchOf(2)
	s.OnBatch(2, fresh)
	if o := optimismOf(t, s.OnVotes([]verifiedVote{signed(2, inView(2, prePrepare(2, fresh.Digest())))})); o != pbft.Patient {
		t.Errorf("after a view change accepts with optimism %d", o)
	}
	if got := hurried(s.OnTick()); len(got) > 0 {
		t.Errorf("hurries %v at once, for it voted there in an earlier view", got)
	}
}

// F1: a member that lost the leader's PrePrepare, and knows the batch, is sent it again.
func TestF1_ThePrePrepareIsSentAgain(t *testing.T) {
	s := newOptimist(0)
	effects, _ := s.Propose(batchOf(1))
	release(t, s, 0, effects)
	s.OnTick()
	s.OnTick()
	held := messages.SlotHeld{Seq: 1, Digest8: batchOf(1).Digest().Prefix(), HasBatch: true}
	if got, want := resent(s, &messages.Status{Slots: []messages.SlotHeld{held}}), []messages.Vote{prePrepare(1, batchOf(1).Digest())}; !slices.Equal(got, want) {
		t.Errorf("resends %v, want %v", got, want)
	}
	b := newOptimist(2)
	hear(b, 1, batchOf(1))
	st := b.Status()
	if err := st.Validate(); err != nil || len(st.Slots) != 1 || st.Slots[0].Prepares != 1 {
		t.Fatalf("who has it says so by %+v (%v)", st, err)
	}
	if got := resent(s, st); len(got) > 0 {
		t.Errorf("resends %v to who has it", got)
	}
}
