package byzantine

import (
	"bytes"
	"slices"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// Forging makes certificates of what it has: too few votes, the same vote again
// and again, votes of another kind, digest or sequence, others' signatures under
// words they never said. Whoever believes one is broken.
func Forging() Behaviour { return &forging{} }

type forging struct {
	digests digests
	votes   []*messages.Bundle // others', genuine
}

// Send implements Behaviour.
func (g *forging) Send(m *Member, f Frame, pass func(Frame)) {
	pass(f)
	if _, alive := f.Message.(*messages.Status); !alive || !m.Often(250) || len(g.votes) == 0 {
		return
	}
	switch message := g.forge(m).(type) {
	case nil:
	case *messages.Decided:
		pass(Frame{f.To, cluster.LaneBulk, message})
	default:
		pass(Frame{f.To, cluster.LaneVotes, message})
	}
}

// Receive implements Behaviour.
func (g *forging) Receive(m *Member, _ messages.Index, message messages.Message) bool {
	g.digests.seeAll(message)
	if bundles, ok := message.(*messages.Bundles); ok {
		g.votes = append(g.votes, bundles.Bundles...)
		if len(g.votes) > heardMax {
			g.votes = slices.Clone(g.votes[len(g.votes)-heardMax/2:])
		}
	}
	return true
}

func (g *forging) forge(m *Member) messages.Message {
	genuine := g.votes[m.IntN(len(g.votes))]
	vote := genuine.Votes[m.IntN(len(genuine.Votes))]
	if vote.Seq == 0 {
		return nil
	}
	digest := vote.Digest
	if m.Often(700) {
		digest = g.digests.other(m, vote.Seq, digest)
	}
	switch m.IntN(4) {
	case 0: // another member's word, changed under its signature
		lie := vote
		lie.Digest = digest
		forged := &messages.Bundle{Epoch: genuine.Epoch, From: genuine.From, Votes: []messages.Vote{lie}, Signature: bytes.Clone(genuine.Signature)}
		return &messages.Bundles{Bundles: []*messages.Bundle{forged}}
	case 1:
		return &messages.StableCheckpoint{Seq: vote.Seq, Digest: digest, Certificate: g.certificate(m, messages.Checkpoint, 0, vote.Seq, digest)}
	case 2:
		return &messages.PreparedCertificate{View: vote.View, Seq: vote.Seq, Digest: digest, Certificate: g.certificate(m, messages.Prepare, vote.View, vote.Seq, digest)}
	}
	batch := g.batch(m)
	return &messages.Decided{
		View: vote.View, Seq: vote.Seq, Digest: batch.Digest(), Body: batch.Bytes(),
		Certificate: g.certificate(m, messages.Commit, vote.View, vote.Seq, batch.Digest()),
	}
}

// batch is one nobody proposed.
func (g *forging) batch(m *Member) *messages.Batch {
	v, seal := m.Invent()
	b, err := messages.BuildSealedBatch([][]byte{v}, []messages.Digest{messages.HashVertex(v)}, []messages.Seal{seal}, m.Params())
	if err != nil {
		panic(err) // one small vertex fits
	}
	return b
}

// certificate gathers what looks like a quorum.
func (g *forging) certificate(m *Member, kind messages.Kind, view messages.View, seq messages.Seq, digest messages.Digest) []*messages.Bundle {
	vote := messages.Vote{Kind: kind, View: view, Seq: seq, Digest: digest}
	own := m.Seal(vote)
	if own == nil {
		return g.votes[:1]
	}
	quorum := messages.Quorum(m.N())
	certificate := []*messages.Bundle{own}
	switch m.IntN(4) {
	case 0: // the same again and again
		for len(certificate) < quorum {
			certificate = append(certificate, m.Seal(vote))
		}
	case 1: // others' names, the own signature
		for i := 1; i < quorum; i++ {
			from := messages.Index((int(m.Self()) + i) % m.N())
			certificate = append(certificate, &messages.Bundle{From: from, Votes: own.Votes, Signature: own.Signature})
		}
	case 2: // genuine votes for something else at that place
		for _, b := range g.votes {
			if slices.ContainsFunc(b.Votes, func(v messages.Vote) bool { return v.Seq == seq }) && len(certificate) < messages.CertificateBundlesMax {
				certificate = append(certificate, b)
			}
		}
	default: // all genuine ones for the very vote, however few
		for _, b := range g.votes {
			if slices.Contains(b.Votes, vote) && len(certificate) < messages.CertificateBundlesMax {
				certificate = append(certificate, b)
			}
		}
		if len(certificate) >= quorum {
			certificate = certificate[:quorum-1]
		}
	}
	return certificate
}
