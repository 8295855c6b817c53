package pbft_test

import (
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// accept has a voter accept the batch at seq in view 0.
func accept(t *testing.T, v *pbft.Voter, seq messages.Seq, batch *messages.Batch) []pbft.Record {
	t.Helper()
	records, refusal := v.Accept(0, prePrepare(seq, batch.Digest()), batch)
	if refusal != pbft.Granted {
		t.Fatalf("pre-prepare refused: %v", refusal)
	}
	return records
}

func grant(t *testing.T, v *pbft.Voter, vote messages.Vote) pbft.Grant {
	t.Helper()
	g, refusal := v.Grant(vote)
	if refusal != pbft.Granted {
		t.Fatalf("%v refused: %v", vote, refusal)
	}
	return g
}

func refuses(t *testing.T, v *pbft.Voter, vote messages.Vote, want pbft.Refusal) {
	t.Helper()
	if g, got := v.Grant(vote); got != want || len(g.Records) > 0 {
		t.Errorf("%v: %v with %v, want %v and nothing", vote, got, g, want)
	}
}

// What was accepted counts, though nothing was sent, and though the replica
// crashed since.
func TestV1_NeverTwoDigestsForOneSequence(t *testing.T) {
	a, b := batchOf(1), batchOf(2)
	v := newVoter(1)
	records := accept(t, v, 1, a)
	restored := newVoter(1)
	for _, r := range records {
		restored.Restore(r)
	}
	for name, v := range map[string]*pbft.Voter{"live": v, "restored": restored} {
		t.Run(name, func(t *testing.T) {
			if records, got := v.Accept(0, prePrepare(1, b.Digest()), b); got != pbft.OtherDigestAccepted || len(records) > 0 {
				t.Errorf("a second digest: %v with %v", got, records)
			}
			refuses(t, v, prepare(1, b.Digest()), pbft.NotAccepted)
			refuses(t, v, commit(1, b.Digest()), pbft.NotAccepted)
			if records, got := v.Accept(0, prePrepare(1, a.Digest()), a); got != pbft.Granted || len(records) > 0 {
				t.Errorf("the same digest again: %v with %v, want nothing to record", got, records)
			}
			if g := grant(t, v, prepare(1, a.Digest())); len(g.Records) != 1 {
				t.Errorf("a first prepare records %v", g.Records)
			}
			if g := grant(t, v, prepare(1, a.Digest())); len(g.Records) != 0 {
				t.Errorf("the same prepare again records %v", g.Records)
			}
		})
	}
}

func TestV1_TheLeaderIsBoundByWhatItProposed(t *testing.T) {
	v := newVoter(0)
	accept(t, v, 1, batchOf(1))
	if _, got := v.Accept(0, prePrepare(1, batchOf(2).Digest()), batchOf(2)); got != pbft.OtherDigestAccepted {
		t.Errorf("the leader's second digest: %v", got)
	}
	refuses(t, v, prePrepare(1, batchOf(2).Digest()), pbft.NotAccepted)
	grant(t, v, prePrepare(1, batchOf(1).Digest()))
	refuses(t, v, prepare(1, batchOf(1).Digest()), pbft.NotLeader)
	refuses(t, newVoterAccepting(t, 1), prePrepare(1, batchOf(1).Digest()), pbft.NotLeader)
}

func newVoterAccepting(t *testing.T, self messages.Index) *pbft.Voter {
	t.Helper()
	v := newVoter(self)
	accept(t, v, 1, batchOf(1))
	return v
}

// A tracker may ask for anything when it comes back from a crash: kinds that
// are no phase of a sequence are not its to ask for. [V1]
func TestGrantKnowsPhasesOnly(t *testing.T) {
	d := batchOf(1).Digest()
	v := newVoterAccepting(t, 1)
	for _, kind := range []messages.Kind{0, messages.Checkpoint, messages.ViewChange, messages.NewView, 99} {
		refuses(t, v, messages.Vote{Kind: kind, Seq: 1, Digest: d}, pbft.NotAccepted)
	}
}

func TestV2_ACommitRecordsThePreparedState(t *testing.T) {
	d := batchOf(1).Digest()
	v := newVoter(1)
	refuses(t, v, commit(1, d), pbft.NotAccepted)
	accept(t, v, 1, batchOf(1))
	g := grant(t, v, commit(1, d))
	want := []pbft.Record{{Kind: pbft.RecordPrepared, Vote: commit(1, d)}, {Kind: pbft.RecordVote, Vote: commit(1, d)}}
	if !slices.Equal(g.Records, want) {
		t.Errorf("recorded %v, want %v", g.Records, want)
	}
}

// The sequencer as a whole asks for a Commit only when its slot saw quorum−1
// Prepares of backups; its own counts when it is durable. [V2]
func TestV2_ACommitFollowsThePrepares(t *testing.T) {
	batch := batchOf(1)
	r := newSolo(1)
	r.perform(hear(r.core, 1, batch))
	if got, want := r.flushed(), []messages.Vote{prepare(1, batch.Digest())}; !slices.Equal(got, want) {
		t.Fatalf("after the pre-prepare granted %v, want %v", got, want)
	}
	r.perform(r.core.OnVotes([]verifiedVote{signed(2, prepare(1, batch.Digest()))}))
	if got := r.flushed(); len(got) > 0 {
		t.Fatalf("granted %v while the own Prepare is not durable", got)
	}
	r.release()
	if got, want := r.flushed(), []messages.Vote{commit(1, batch.Digest())}; !slices.Equal(got, want) {
		t.Errorf("when prepared granted %v, want %v", got, want)
	}
}

func TestV3_NothingIsVotedOutsideTheActiveView(t *testing.T) {
	a := batchOf(1)
	v := newVoterAccepting(t, 1)
	if records, got := v.Accept(1, inView(1, prePrepare(2, a.Digest())), a); got != pbft.WrongView || len(records) > 0 {
		t.Errorf("a pre-prepare of the next view: %v with %v", got, records)
	}
	for _, vote := range []messages.Vote{prepare(1, a.Digest()), commit(1, a.Digest()), prePrepare(1, a.Digest())} {
		refuses(t, v, inView(1, vote), pbft.WrongView)
	}
	if _, got := v.Checkpoint(4, digestOf(1)); got != pbft.Granted {
		t.Errorf("a Checkpoint stands outside views, yet: %v", got)
	}
}

func TestV5_NeverTwoStatesForOneSequence(t *testing.T) {
	v := newVoter(1)
	g, refusal := v.Checkpoint(4, digestOf(1))
	if refusal != pbft.Granted || len(g.Records) != 1 || g.Records[0] != (pbft.Record{Kind: pbft.RecordVote, Vote: checkpoint(4, digestOf(1))}) {
		t.Fatalf("the first state: %v with %v", refusal, g.Records)
	}
	restored := newVoter(1)
	restored.Restore(g.Records[0])
	for name, v := range map[string]*pbft.Voter{"live": v, "restored": restored} {
		if _, got := v.Checkpoint(4, digestOf(2)); got != pbft.OtherStateVoted {
			t.Errorf("%s: a second state: %v", name, got)
		}
		if g, got := v.Checkpoint(4, digestOf(1)); got != pbft.Granted || len(g.Records) > 0 {
			t.Errorf("%s: the same state again: %v with %v", name, got, g.Records)
		}
	}
	if _, got := v.Checkpoint(5, digestOf(1)); got != pbft.NotACheckpoint {
		t.Errorf("a sequence between checkpoints: %v", got)
	}
	v.Halt()
	if _, got := v.Checkpoint(8, digestOf(1)); got != pbft.Halted {
		t.Errorf("halted: %v", got)
	}
	refuses(t, v, prepare(1, digestOf(1)), pbft.Halted)
}

func TestV6_NothingAtOrBelowTheStableCheckpoint(t *testing.T) {
	a := batchOf(1)
	v := newVoter(1)
	accept(t, v, 4, a)
	v.Stable(4)
	for _, seq := range []messages.Seq{1, 4} {
		if _, got := v.Accept(0, prePrepare(seq, a.Digest()), a); got != pbft.BelowLowWatermark {
			t.Errorf("accepting %d below: %v", seq, got)
		}
		refuses(t, v, prepare(seq, a.Digest()), pbft.BelowLowWatermark)
		refuses(t, v, commit(seq, a.Digest()), pbft.BelowLowWatermark)
		if _, got := v.Checkpoint(seq, digestOf(1)); got != pbft.BelowLowWatermark {
			t.Errorf("checkpoint %d below: %v", seq, got)
		}
	}
	v.Restore(pbft.Record{Kind: pbft.RecordAccepted, Vote: prePrepare(4, a.Digest()), Batch: a})
	if got := v.Accepted(); len(got) > 0 {
		t.Errorf("records below the checkpoint came back: %v", got)
	}
}

func TestV6_NothingButWhatWasExecuted(t *testing.T) {
	a, b := batchOf(1), batchOf(2)
	v := newVoter(1)
	accept(t, v, 1, a)
	v.Fix(1, 0, b.Digest())
	v.Fix(2, 0, b.Digest())
	refuses(t, v, prepare(1, a.Digest()), pbft.ContradictsExecuted)
	refuses(t, v, commit(1, a.Digest()), pbft.ContradictsExecuted)
	if _, got := v.Accept(0, prePrepare(2, a.Digest()), a); got != pbft.ContradictsExecuted {
		t.Errorf("accepting another digest than the executed: %v", got)
	}
	accept(t, v, 2, b)
	grant(t, v, prepare(2, b.Digest()))
}

// The sequencer tells the voter what was executed, so that a leader's late
// second digest finds the place taken, and so does a tracker's late wish.
func TestV6_AnExecutedSequenceIsTaken(t *testing.T) {
	s := newSequencer(1)
	hear(s, 1, batchOf(1))
	s.OnExecuted(1, 0, digestOf(1), digestOf(9))
	s.OnExecuted(2, 0, digestOf(2), digestOf(10))
	late := append(s.OnProposeVote(prepare(1, batchOf(1).Digest())), hear(s, 2, batchOf(1))...)
	want := []pbft.Refused{
		{From: 1, Vote: prepare(1, batchOf(1).Digest()), Refusal: pbft.ContradictsExecuted},
		{From: 0, Vote: prePrepare(2, batchOf(1).Digest()), Refusal: pbft.ContradictsExecuted},
	}
	if got := only[pbft.Refused](late); !slices.Equal(got, want) || len(late) != 2 {
		t.Errorf("after the execution of others: %v, want %v", late, want)
	}
}

// What the voter says in logs names the reason, whatever the number.
func TestRefusalsHaveNames(t *testing.T) {
	seen := map[string]bool{}
	for r := pbft.Granted; r <= pbft.Observing; r++ {
		if s := r.String(); s == "unknown refusal" || seen[s] {
			t.Errorf("refusal %d is called %q", r, s)
		} else {
			seen[s] = true
		}
	}
	if got := (pbft.Observing + 1).String(); got != "unknown refusal" {
		t.Errorf("a refusal beyond the last is called %q", got)
	}
}
