package pbft_test

import (
	"slices"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// The state digest covers each of its parts, and the ledger head the whole
// history, so that states that differ anywhere differ in what is voted for.
func TestC1_TheStateDigestCoversEverything(t *testing.T) {
	d := digestOf
	base := pbft.StateDigest(4, d(1), 5, d(2), d(3))
	for name, other := range map[string]messages.Digest{
		"sequence":    pbft.StateDigest(5, d(1), 5, d(2), d(3)),
		"head":        pbft.StateDigest(4, d(9), 5, d(2), d(3)),
		"vertices":    pbft.StateDigest(4, d(1), 6, d(2), d(3)),
		"application": pbft.StateDigest(4, d(1), 5, d(9), d(3)),
		"clients":     pbft.StateDigest(4, d(1), 5, d(2), d(9)),
		"their order": pbft.StateDigest(4, d(2), 5, d(1), d(3)),
	} {
		if other == base {
			t.Errorf("the state digest does not depend on the %s", name)
		}
	}
	head := pbft.NextHead(d(1), 4, d(2))
	for name, other := range map[string]messages.Digest{
		"head": pbft.NextHead(d(9), 4, d(2)), "sequence": pbft.NextHead(d(1), 5, d(2)), "batch": pbft.NextHead(d(1), 4, d(9)),
	} {
		if other == head {
			t.Errorf("the ledger head does not depend on the %s", name)
		}
	}
}

func TestC1_EachIntervalIsVotedFor(t *testing.T) {
	r := newSolo(1)
	r.perform(reach(r.core, 4, digestOf(1)))
	if got, want := r.flushed(), []messages.Vote{checkpoint(4, digestOf(1))}; !slices.Equal(got, want) {
		t.Errorf("at the checkpoint granted %v, want %v", got, want)
	}
}

func TestC2_AQuorumOfEqualVotesIsACertificate(t *testing.T) {
	state, other := digestOf(1), digestOf(2)
	c := pbft.NewCheckpoints(5, 3)
	for _, v := range []verifiedVote{
		signed(3, checkpoint(4, state)),
		signed(3, checkpoint(4, state)), // again
		signed(1, checkpoint(4, other)), // another state
		signed(1, checkpoint(4, state)), // by one who voted already
		signed(0, checkpoint(8, state)), // another sequence
		signed(0, commit(4, state)),     // another kind
		signed(7, checkpoint(4, state)), // no member
		signed(2, checkpoint(4, state)), // two of three
	} {
		if got, ok := c.Add(v); ok {
			t.Fatalf("%v of member %d made a certificate %v", v.Value(), v.From(), got)
		}
	}
	got, ok := c.Add(signed(0, checkpoint(4, state)))
	if !ok || got.Seq != 4 || got.Digest != state || len(got.Bundles) != 3 {
		t.Fatalf("a quorum made %v %+v", ok, got)
	}
	for i, from := range []messages.Index{0, 2, 3} {
		if got.Bundles[i].From != from || !slices.Contains(got.Bundles[i].Votes, checkpoint(4, state)) {
			t.Errorf("bundle %d is of member %d: %v", i, got.Bundles[i].From, got.Bundles[i].Votes)
		}
	}
	for _, m := range []messages.Index{0, 4} {
		if _, again := c.Add(signed(m, checkpoint(4, state))); again {
			t.Errorf("reported again with the vote of member %d", m)
		}
	}
}

// votesFor are Checkpoint votes of members 0, 2 and 3.
func votesFor(seq messages.Seq, state messages.Digest) []verifiedVote {
	return []verifiedVote{
		signed(0, checkpoint(seq, state)), signed(2, checkpoint(seq, state)), signed(3, checkpoint(seq, state)),
	}
}

func TestC2_StableIsReportedOnceTheStateIsReached(t *testing.T) {
	s := newSequencer(1)
	if early := only[pbft.BecameStable](s.OnVotes(votesFor(4, digestOf(1)))); len(early) > 0 {
		t.Fatal("stable although the state is not reached")
	}
	got := one[pbft.BecameStable](t, reach(s, 4, digestOf(1)))
	if got.Checkpoint.Seq != 4 || got.Checkpoint.Digest != digestOf(1) || len(got.Checkpoint.Bundles) != 3 {
		t.Errorf("stable %+v", got.Checkpoint)
	}
	if again := s.OnStableCheckpoint(certificateOf(4, digestOf(1))); len(only[pbft.BecameStable](again)) > 0 {
		t.Error("reported twice")
	}
}

// An older certificate that comes later does not displace the one that brings
// the window further.
func TestC2_TheHighestCertificateCounts(t *testing.T) {
	s := newSequencer(1)
	s.OnStableCheckpoint(certificateOf(8, digestOf(8)))
	s.OnStableCheckpoint(certificateOf(4, digestOf(4)))
	effects := append(reach(s, 4, digestOf(4)), reach(s, 8, digestOf(8))...)
	if got := one[pbft.BecameStable](t, effects).Checkpoint.Seq; got != 8 {
		t.Errorf("stable at %d, want 8", got)
	}
}

// What is stable is nobody's to vote on: who lacks it gets the certificate and
// none of the votes below.
func TestC3_VotesBelowAreDropped(t *testing.T) {
	r := newSolo(1)
	r.perform(hear(r.core, 3, batchOf(3)))
	r.settle()
	reach(r.core, 4, digestOf(1))
	r.core.OnTick()
	r.core.OnTick()
	behind := &messages.Status{Active: true}
	if got := resent(r.core, behind); !slices.Equal(got, []messages.Vote{prepare(3, batchOf(3).Digest())}) {
		t.Fatalf("before the checkpoint is stable sent %v", got)
	}
	r.core.OnStable(certificateOf(4, digestOf(1)))
	effects := r.core.OnStatus(2, behind)
	if one[pbft.SendStable](t, effects); len(effects) != 1 {
		t.Errorf("sent %v, want the certificate alone", effects)
	}
}

func TestC3_TheWindowMovesWhenTheCertificateIsDurable(t *testing.T) {
	s, late := newSequencer(1), batchOf(9)
	beyond := []verifiedVote{signed(0, prePrepare(9, late.Digest()))}
	hear(s, 3, batchOf(3))
	s.OnVotes([]verifiedVote{signed(2, prepare(3, batchOf(3).Digest())), signed(2, prepare(5, digestOf(5)))})
	reach(s, 4, digestOf(1))
	stable := one[pbft.BecameStable](t, s.OnVotes(votesFor(4, digestOf(1)))).Checkpoint
	s.OnBatch(0, late)
	if _, ok := acceptedHere(s.OnVotes(beyond)); ok || s.Marks() != pbft.NewWatermarks(0, 8) {
		t.Fatalf("the window moved to %v before the certificate is durable", s.Marks())
	}
	if st := s.Status(); st.Low != 0 || len(st.Checkpoints) == 0 {
		t.Errorf("status before: low %d, checkpoints %v", st.Low, st.Checkpoints)
	}
	s.OnStable(stable)
	if s.Marks() != pbft.NewWatermarks(4, 8) || s.StableCheckpoint().Seq != 4 {
		t.Errorf("window %v, stable %d", s.Marks(), s.StableCheckpoint().Seq)
	}
	if _, ok := acceptedHere(s.OnVotes(beyond)); !ok {
		t.Error("what the window holds now is not accepted")
	}
	// Below it everything is dropped, above it nothing.
	if st := s.Status(); len(st.Checkpoints) > 0 {
		t.Errorf("checkpoint votes below are kept: %v", st.Checkpoints)
	}
	if kept := s.Replay(5); len(kept) != 1 {
		t.Errorf("votes above are gone: %v", kept)
	}
	s.OnStable(certificateOf(4, digestOf(1)))
	s.OnStable(pbft.StableCheckpoint{})
	if s.Marks() != pbft.NewWatermarks(4, 8) {
		t.Errorf("an old checkpoint moved the window to %v", s.Marks())
	}
}

// diverged is a replica whose state a quorum contradicts, by either road.
func TestV5_AnotherStateThanAQuorumsStopsVoting(t *testing.T) {
	for _, c := range []struct {
		name    string
		diverge func(*pbft.Sequencer) []pbft.Effect
	}{
		{"votes after the own state", func(s *pbft.Sequencer) []pbft.Effect {
			reach(s, 4, digestOf(1))
			return s.OnVotes(votesFor(4, digestOf(2)))
		}},
		{"the own state after votes", func(s *pbft.Sequencer) []pbft.Effect {
			s.OnVotes(votesFor(4, digestOf(2)))
			return reach(s, 4, digestOf(1))
		}},
		{"a certificate", func(s *pbft.Sequencer) []pbft.Effect {
			reach(s, 4, digestOf(1))
			return s.OnStableCheckpoint(certificateOf(4, digestOf(2)))
		}},
		{"another state than voted for before a crash", func(s *pbft.Sequencer) []pbft.Effect {
			s.Restore(pbft.Record{Kind: pbft.RecordVote, Vote: checkpoint(4, digestOf(2))})
			return reach(s, 4, digestOf(1))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSequencer(1)
			hear(s, 6, batchOf(6))
			effects := c.diverge(s)
			alarm := one[pbft.Diverged](t, effects)
			if want := (pbft.Diverged{Seq: 4, Own: digestOf(1), Certified: digestOf(2)}); alarm != want {
				t.Errorf("alarm %+v, want %+v", alarm, want)
			}
			if stable := only[pbft.BecameStable](effects); len(stable) > 0 || s.Active() {
				t.Errorf("active %v, stable %v after divergence", s.Active(), stable)
			}
			// It votes no more, but says where it is: peers help and do not take it for dead.
			if err := s.Status().Validate(); err != nil {
				t.Errorf("its status is refused: %v", err)
			}
			for _, e := range s.OnProposeVote(prepare(6, batchOf(6).Digest())) {
				if r, ok := e.(pbft.Refused); !ok || r.Refusal != pbft.Halted {
					t.Errorf("a vote after divergence: %T %v", e, e)
				}
			}
			if effects := reach(s, 8, digestOf(3)); len(effects) > 0 {
				t.Errorf("a checkpoint after divergence: %v", effects)
			}
		})
	}
}

func TestV5_VotesThatWaitWhenAReplicaDivergesNeverLeave(t *testing.T) {
	s := newSequencer(1)
	hear(s, 5, batchOf(5))
	hear(s, 6, batchOf(6))
	first := s.OnProposeVote(prepare(5, batchOf(5).Digest()))
	bundles, votes := signGroup(1, one[pbft.Flush](t, first).Group)
	s.OnProposeVote(prepare(6, batchOf(6).Digest())) // waits for the group in flight
	reach(s, 4, digestOf(1))
	s.OnStableCheckpoint(certificateOf(4, digestOf(2)))
	if next := only[pbft.Flush](s.OnReleased(bundles, votes)); len(next) > 0 {
		t.Errorf("%v left after divergence", next[0].Group.Bundles)
	}
}
