package testkit_test

import (
	"testing"
	"time"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// impostor is a member that is played by the test.
type impostor struct {
	t         *testing.T
	c         *testkit.Cluster
	self      messages.Index
	transport cluster.Transport
}

// play starts a member that answers what it hears with hear, if that is not nil.
func play(t *testing.T, c *testkit.Cluster, self messages.Index, hear func(p *impostor, from messages.Index, m messages.Message)) *impostor {
	t.Helper()
	p := &impostor{t: t, c: c, self: self, transport: c.Network.Transport(self)}
	if err := p.transport.Start(func(m any) {
		in, ok := m.(*cluster.Inbound)
		if !ok {
			return
		}
		in.Release()
		if message, err := messages.DecodeFrame(in.Frame); err == nil && hear != nil {
			hear(p, in.From, message)
		}
	}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.transport.Stop(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// answerStatus shows life: a leader that is silent is replaced.
func answerStatus(p *impostor, from messages.Index, m messages.Message) {
	if _, ok := m.(*messages.Status); ok {
		p.send(from, cluster.LaneVotes, &messages.Status{Active: true})
	}
}

func (p *impostor) send(to messages.Index, lane cluster.Lane, m messages.Message) {
	p.t.Helper()
	frame, err := messages.EncodeFrame(m)
	if err != nil {
		p.t.Fatal(err)
	}
	p.transport.Send(to, lane, frame)
}

func (p *impostor) seal(votes ...messages.Vote) *messages.Bundle {
	p.t.Helper()
	keyring, err := crypto.NewKeyring(p.c.Genesis)
	if err != nil {
		p.t.Fatal(err)
	}
	bundle, _, err := crypto.Seal(keyring, p.self, p.c.Key(int(p.self)), votes)
	if err != nil {
		p.t.Fatal(err)
	}
	return bundle
}

// vertex makes the bytes of a vertex with a payload of so many bytes.
func vertex(t *testing.T, nonce uint64, payload int) []byte {
	t.Helper()
	v := messages.Vertex{Payload: make([]byte, payload), Creator: [32]byte{7}, Nonce: nonce, Expires: 1000}
	b, err := v.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A leader that fills the window with one large batch makes its backups record
// more at once than a segment of their journals holds.
func TestALeaderThatFillsTheWindowAtOnceStopsNobody(t *testing.T) {
	// Nothing an honest caller waits for is in that batch, so nobody must be in a
	// hurry with this leader: on a slow machine it may look silent.
	c := testkit.New(t, 4, testkit.WithConfig(func(_ int, cfg *replica.Config) { cfg.HeartbeatTimeout = 20 * time.Second }))
	var vertices [][]byte
	var hashes []messages.Digest
	for nonce := range uint64(2) {
		v := vertex(t, nonce, 250<<10)
		vertices, hashes = append(vertices, v), append(hashes, messages.HashVertex(v))
	}
	batch, err := messages.BuildBatch(vertices, hashes, c.Genesis.Params)
	if err != nil {
		t.Fatal(err)
	}
	const sequences = 3 * messages.BundleVotesMax
	var bundles []*messages.Bundle
	var votes []messages.Vote
	for seq := messages.Seq(1); seq <= sequences; seq++ {
		votes = append(votes, messages.Vote{Kind: messages.PrePrepare, Seq: seq, Digest: batch.Digest()})
	}
	leader := play(t, c, 0, answerStatus)
	for i := 1; i < 4; i++ {
		c.Start(i)
	}
	for ; len(votes) > 0; votes = votes[messages.BundleVotesMax:] {
		bundles = append(bundles, leader.seal(votes[:messages.BundleVotesMax]...))
	}
	for to := messages.Index(1); to < 4; to++ {
		leader.send(to, cluster.LaneBatches, &messages.BatchBody{Body: batch.Bytes()})
		leader.send(to, cluster.LaneVotes, &messages.Bundles{Bundles: bundles})
	}
	c.AwaitEqual(sequences)
	if got := c.Replica(1).Status().Vertices; got != 2 {
		t.Errorf("one batch in %d sequences executed %d vertices, want 2", sequences, got)
	}
}

func TestAForwardedVertexThatFitsNoBatchIsRefused(t *testing.T) {
	c := testkit.New(t, 4, testkit.WithParams(func(p *messages.Params) { p.BatchBytes = 64 << 10 }))
	for i := range 3 {
		c.Start(i)
	}
	play(t, c, 3, nil).send(0, cluster.LaneBatches, &messages.Forward{Vertices: vertex(t, 1, 100<<10)})
	c.AwaitEvent(0, func(e messages.Event) bool {
		v, ok := e.(messages.ViolationDetected)
		return ok && v.Member == 3 && v.Type == "malformed"
	}, func() bool { return c.Replica(0).Detector().Reputation(3) < 1 })
	c.AwaitEqual(c.Propose(1, "the leader goes on"))
}

// A member that answers a request with what is known already must not keep a
// late replica waiting for it.
func TestAServerThatRepeatsItselfIsLeft(t *testing.T) {
	// A window this small leaves a late replica nothing but to fetch.
	c := testkit.New(t, 4, testkit.WithParams(func(p *messages.Params) {
		p.CheckpointInterval, p.Window, p.SnapshotInterval = 4, 8, 8
	}))
	for i := range 3 {
		c.Start(i)
	}
	first, err := func() (*messages.Decided, error) {
		c.AwaitEqual(c.Propose(0, "the first"))
		return c.Replica(0).Decided(1)
	}()
	if err != nil {
		t.Fatal(err)
	}
	var last messages.Seq
	for range 60 {
		last = c.Propose(1, "one of many")
	}
	c.Kill(2) // from now on nothing is finalised without the late one
	play(t, c, 2, func(p *impostor, from messages.Index, m messages.Message) {
		if _, ok := m.(*messages.Status); ok && from == 3 { // every heartbeat
			p.send(3, cluster.LaneVotes, &messages.Status{Active: true, Executed: last + 1000, LedgerHead: messages.Digest{1}})
			p.send(3, cluster.LaneBulk, first)
		}
	})
	c.Start(3)
	c.Await(3, last)
	c.AwaitEqual(c.Propose(3, "and takes part"))
}
