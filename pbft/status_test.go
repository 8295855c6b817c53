package pbft_test

import (
	"reflect"
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

func TestR1_AStatusTellsWhatIsHeld(t *testing.T) {
	s := newSequencer(1)
	reach(s, 4, digestOf(1))
	s.OnStable(certificateOf(4, digestOf(1)))
	reach(s, 5, digestOf(2))
	here, missing := batchOf(6), digestOf(7)
	hear(s, 6, here)
	s.OnVotes([]verifiedVote{
		signed(2, prepare(6, here.Digest())), signed(3, prepare(6, here.Digest())),
		signed(0, commit(6, here.Digest())), signed(2, commit(6, digestOf(99))), // not for what was accepted
		signed(3, inView(1, commit(6, here.Digest()))), // not of this view
		signed(0, prePrepare(7, missing)),
		signed(2, commit(9, digestOf(9))), // of 9 nothing but a vote, of 8 nothing
		signed(3, checkpoint(8, digestOf(8))),
	})
	got := s.Status()
	want := &messages.Status{
		Active: true, Low: 4, LowDigest: digestOf(1), Executed: 5, LedgerHead: digestOf(1005),
		Checkpoints: []messages.CheckpointHeld{{Seq: 8, Members: 1 << 3}},
		Slots: []messages.SlotHeld{
			{Seq: 6, Digest8: here.Digest().Prefix(), HasBatch: true, Prepares: 1<<2 | 1<<3, Commits: 1 << 0},
			{Seq: 7, Digest8: missing.Prefix()},
			{Seq: 8},
			{Seq: 9},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("status\n%+v, want\n%+v", got, want)
	}
	if err := got.Validate(); err != nil {
		t.Error(err)
	}
}

// answering is the leader with two sequences proposed, both in flight at the
// backups for two heartbeats, and its Checkpoint at 4.
func answering(t *testing.T) (s *pbft.Sequencer, d messages.Digest) {
	t.Helper()
	s = newSequencer(0)
	release(t, s, 0, reach(s, 4, digestOf(1)))
	batch := batchOf(5)
	effects, _ := s.Propose(batch)
	release(t, s, 0, effects)
	return s, batch.Digest()
}

// resent are the votes that answer a Status of member 2.
func resent(s *pbft.Sequencer, st *messages.Status) (votes []messages.Vote) {
	for _, r := range only[pbft.Resend](s.OnStatus(2, st)) {
		for _, b := range r.Bundles {
			votes = append(votes, b.Votes...)
		}
	}
	return votes
}

func TestR2_VotesOnTheirWayAreNotSentAgain(t *testing.T) {
	s, _ := answering(t)
	for tick := range 2 {
		if got := resent(s, &messages.Status{Active: true}); len(got) > 0 {
			t.Errorf("after %d heartbeats sent %v again", tick, got)
		}
		s.OnTick()
	}
	if got := resent(s, &messages.Status{Active: true}); len(got) != 2 {
		t.Errorf("after two heartbeats sent %v, want the PrePrepare and the Checkpoint", got)
	}
}

func TestR2_AStatusIsAnsweredWithWhatItsSenderLacks(t *testing.T) {
	s, d := answering(t)
	s.OnProposeVote(commit(5, d))
	s.OnVotes([]verifiedVote{signed(3, prepare(5, d))}) // another's votes are its own to send
	s.OnTick()
	s.OnTick()
	check := []messages.CheckpointHeld{{Seq: 4, Members: 1 << 0}}
	for _, c := range []struct {
		name string
		st   messages.Status
		want []messages.Vote
	}{
		{"it holds nothing", messages.Status{}, []messages.Vote{prePrepare(5, d), checkpoint(4, digestOf(1))}},
		{"it holds the Checkpoint", messages.Status{Checkpoints: check}, []messages.Vote{prePrepare(5, d)}},
		{"it holds another's Checkpoint", messages.Status{Checkpoints: []messages.CheckpointHeld{{Seq: 4, Members: 1 << 1}}},
			[]messages.Vote{prePrepare(5, d), checkpoint(4, digestOf(1))}},
		{"it is stable there", messages.Status{Low: 4, LowDigest: digestOf(1), Executed: 4}, []messages.Vote{prePrepare(5, d)}},
		{"it holds the PrePrepare", messages.Status{Checkpoints: check, Slots: []messages.SlotHeld{{Seq: 5, Digest8: d.Prefix()}}}, nil},
		{"it holds another digest", messages.Status{Checkpoints: check, Slots: []messages.SlotHeld{{Seq: 5, Digest8: 1}}},
			[]messages.Vote{prePrepare(5, d)}},
		{"it executed that", messages.Status{Checkpoints: check, Executed: 5}, nil},
		{"it is in another view", messages.Status{Checkpoints: check, View: 1}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.st.Active = true
			if got := resent(s, &c.st); !slices.Equal(got, c.want) {
				t.Errorf("sent %v, want %v", got, c.want)
			}
		})
	}
	if effects := s.OnStatus(0, &messages.Status{Active: true}); len(effects) > 0 {
		t.Errorf("answered itself: %v", effects)
	}
}

func TestR2_PreparesAndCommitsAreSentByBitmap(t *testing.T) {
	d := batchOf(1).Digest()
	r := newSolo(1)
	r.perform(hear(r.core, 1, batchOf(1)))
	r.perform(r.core.OnVotes([]verifiedVote{signed(2, prepare(1, d)), signed(3, prepare(1, d))}))
	r.settle()
	r.core.OnTick()
	r.core.OnTick()
	for _, c := range []struct {
		prepares, commits uint64
		want              []messages.Vote
	}{
		{1 << 2, 0, []messages.Vote{prepare(1, d), commit(1, d)}},
		{1<<1 | 1<<2, 0, []messages.Vote{commit(1, d)}},
		{1 << 2, 1 << 1, []messages.Vote{prepare(1, d)}},
		{1<<1 | 1<<2, 1 << 1, nil},
		{^uint64(1 << 1), ^uint64(1 << 1), []messages.Vote{prepare(1, d), commit(1, d)}},
	} {
		st := &messages.Status{Active: true, Slots: []messages.SlotHeld{
			{Seq: 1, Digest8: d.Prefix(), Prepares: c.prepares, Commits: c.commits},
		}}
		if got := resent(r.core, st); !slices.Equal(got, c.want) {
			t.Errorf("prepares %b, commits %b: sent %v, want %v", c.prepares, c.commits, got, c.want)
		}
	}
}

func TestR2_AMemberBelowGetsTheStableCheckpoint(t *testing.T) {
	s := newSequencer(1)
	reach(s, 4, digestOf(1))
	stable := certificateOf(4, digestOf(1))
	s.OnStable(stable)
	got := one[pbft.SendStable](t, s.OnStatus(2, &messages.Status{Active: true}))
	if got.To != 2 || !reflect.DeepEqual(got.Checkpoint, stable) {
		t.Errorf("sent %+v", got)
	}
	level := &messages.Status{Active: true, Low: 4, LowDigest: digestOf(1), Executed: 4}
	if effects := s.OnStatus(2, level); len(effects) > 0 {
		t.Errorf("a member that lacks nothing got %v", effects)
	}
}

// Members take turns to write a stable checkpoint: who holds a quorum's votes for it
// is not sent what it has, but for longer than an interval nobody waits. [C3]
func TestR2_AMemberThatWritesTheCheckpointIsLeftAlone(t *testing.T) {
	s := newSequencer(1)
	reach(s, 4, digestOf(1))
	s.OnStable(certificateOf(4, digestOf(1)))
	for _, c := range []struct {
		name     string
		seq      messages.Seq
		members  uint64
		executed messages.Seq
		sent     bool
	}{
		{"it has a quorum's votes", 4, 0b0111, 4, false},
		{"and goes on", 4, 0b1101, 7, false},
		{"it lacks one", 4, 0b0011, 4, true},
		{"of nobody", 4, 0b110011, 4, true},
		{"for another checkpoint", 8, 0b1111, 4, true},
		{"for an interval", 4, 0b1111, 8, true},
	} {
		st := &messages.Status{Active: true, Executed: c.executed, Checkpoints: []messages.CheckpointHeld{{Seq: c.seq, Members: c.members}}}
		if got := len(only[pbft.SendStable](s.OnStatus(2, st))) > 0; got != c.sent {
			t.Errorf("%s: it is sent the certificate: %t, want %t", c.name, got, c.sent)
		}
	}
	// One of the votes may be a lie, and the chain idle from here on.
	st := &messages.Status{Active: true, Executed: 5, Checkpoints: []messages.CheckpointHeld{{Seq: 4, Members: 0b0111}}}
	for tick := 1; len(only[pbft.SendStable](s.OnStatus(2, st))) == 0; tick++ {
		if s.OnTick(); tick > 20 {
			t.Fatal("a member told a lie is never sent the certificate while nothing is proposed")
		}
	}
}
