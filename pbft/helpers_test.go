package pbft_test

import (
	"encoding/binary"
	"testing"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

type verifiedVote = crypto.Verified[messages.Vote]

// membersMost is the largest membership of these tests.
const membersMost = 10

// keyring makes verified votes of members. The core never looks at a
// signature, so none is made: Restore takes a bundle at its word.
var keyring = func() *crypto.Keyring {
	scheme, err := crypto.SchemeByName("ml-dsa-44")
	if err != nil {
		panic(err)
	}
	genesis, _, _ := cryptotest.NewMembers(membersMost, 1, scheme)
	k, err := crypto.NewKeyring(genesis)
	if err != nil {
		panic(err)
	}
	return k
}()

// sealed is a bundle of a member, opened.
func sealed(from messages.Index, votes ...messages.Vote) (*messages.Bundle, []verifiedVote) {
	b := &messages.Bundle{From: from, Votes: votes, Signature: []byte{1}}
	verified, err := keyring.Restore(b)
	if err != nil {
		panic(err)
	}
	return b, verified
}

// signed is one vote of a member, in a bundle of its own.
func signed(from messages.Index, vote messages.Vote) verifiedVote {
	_, votes := sealed(from, vote)
	return votes[0]
}

func prePrepare(seq messages.Seq, d messages.Digest) messages.Vote {
	return messages.Vote{Kind: messages.PrePrepare, Seq: seq, Digest: d}
}

func prepare(seq messages.Seq, d messages.Digest) messages.Vote {
	return messages.Vote{Kind: messages.Prepare, Seq: seq, Digest: d}
}

func commit(seq messages.Seq, d messages.Digest) messages.Vote {
	return messages.Vote{Kind: messages.Commit, Seq: seq, Digest: d}
}

func checkpoint(seq messages.Seq, d messages.Digest) messages.Vote {
	return messages.Vote{Kind: messages.Checkpoint, Seq: seq, Digest: d}
}

func inView(view messages.View, vote messages.Vote) messages.Vote {
	vote.View = view
	return vote
}

// params have a window that a test can fill: eight sequences, a checkpoint
// every four.
func params() messages.Params {
	p := messages.DefaultParams()
	p.CheckpointInterval, p.Window, p.NonceWindow = 4, 8, 64
	return p
}

func leaderOf(n int) func(messages.View) messages.Index {
	return func(v messages.View) messages.Index { return messages.Index(v % messages.View(n)) }
}

func config(self messages.Index, n int) pbft.Config {
	return pbft.Config{
		Self: self, N: n, Quorum: messages.Quorum(n), Leader: leaderOf(n), Params: params(), PipelineDepth: 3,
	}
}

// newSequencer is member self of four, at genesis.
func newSequencer(self messages.Index) *pbft.Sequencer {
	return pbft.NewSequencer(config(self, 4), pbft.StableCheckpoint{}, messages.Digest{})
}

func newVoter(self messages.Index) *pbft.Voter { return pbft.NewVoter(self, leaderOf(4), params()) }

// batchOf is a batch of one vertex, another for each number.
func batchOf(number uint64) *messages.Batch {
	v := messages.Vertex{Payload: []byte("x"), Creator: [32]byte{1}, Nonce: number, Expires: 1000}
	data, err := v.Encode()
	if err != nil {
		panic(err)
	}
	view, _, err := messages.ParseVertex(data)
	if err != nil {
		panic(err)
	}
	b, err := messages.BuildBatch([][]byte{data}, []messages.Digest{view.Hash()}, params())
	if err != nil {
		panic(err)
	}
	return b
}

// digestOf is the digest of no batch, another for each number.
func digestOf(number uint64) (d messages.Digest) {
	d[0] = 0xd1
	binary.BigEndian.PutUint64(d[8:], number)
	return d
}

// only picks the effects of one type.
func only[E any, T any](effects []T) (list []E) {
	for _, e := range effects {
		if e, ok := any(e).(E); ok {
			list = append(list, e)
		}
	}
	return list
}

// one picks the only effect of a type.
func one[E any, T any](t testing.TB, effects []T) E {
	t.Helper()
	list := only[E](effects)
	if len(list) != 1 {
		var e E
		t.Fatalf("%d effects %T, want one, in %v", len(list), e, effects)
	}
	return list[0]
}

// release makes the group in effects durable, signs it and hands it back.
func release(t testing.TB, s *pbft.Sequencer, self messages.Index, effects []pbft.Effect) []pbft.Effect {
	t.Helper()
	return s.OnReleased(signGroup(self, one[pbft.Flush](t, effects).Group))
}

func signGroup(self messages.Index, g pbft.Group) (bundles []*messages.Bundle, votes []verifiedVote) {
	for _, list := range g.Bundles {
		b, v := sealed(self, list...)
		bundles, votes = append(bundles, b), append(votes, v...)
	}
	return bundles, votes
}

// acceptedHere gives the digest that effects tell a slot was accepted.
func acceptedHere(effects []pbft.Effect) (messages.Digest, bool) {
	for _, e := range only[pbft.ToSlot](effects) {
		if a, ok := e.Event.(pbft.Accepted); ok {
			return a.Digest, true
		}
	}
	return messages.Digest{}, false
}

// hear sends a backup the leader's batch and pre-prepare for it.
func hear(s *pbft.Sequencer, seq messages.Seq, batch *messages.Batch) []pbft.Effect {
	effects := s.OnBatch(0, batch)
	return append(effects, s.OnVotes([]verifiedVote{signed(0, prePrepare(seq, batch.Digest()))})...)
}

// certificateOf is a stable checkpoint that members 0, 1 and 2 signed.
func certificateOf(seq messages.Seq, state messages.Digest) pbft.StableCheckpoint {
	c := pbft.StableCheckpoint{Seq: seq, Digest: state}
	for m := range messages.Index(3) {
		b, _ := sealed(m, checkpoint(seq, state))
		c.Bundles = append(c.Bundles, b)
	}
	return c
}

// reach executes everything up to seq, and reports the state there.
func reach(s *pbft.Sequencer, seq messages.Seq, state messages.Digest) []pbft.Effect {
	for next := s.Executed() + 1; next <= seq; next++ {
		s.OnExecuted(next, 0, digestOf(uint64(next)), digestOf(1000+uint64(next)))
	}
	return s.OnCheckpointReached(seq, state)
}
