package actors

import (
	"bytes"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// What a signer checks of messages that are no plain votes.

// viewChange checks who signed a ViewChange. The certificate beside it is no
// part of its validity: without it, or with a bad one, the ViewChange counts
// all the same, and whoever sent a bad one answers for it. [protocol §5
// Validation]
func (s *signer) viewChange(c actor.Context, from messages.Index, m *messages.ViewChangeMessage) {
	votes, err := s.t.cfg.Keyring.Open(m.Bundle)
	if err != nil {
		s.rejectBundle(c, from, err)
		return
	}
	c.Send(s.t.links.detector, &verifiedVotes{votes: votes})
	vc := leader.ViewChange{From: m.Bundle.From, Bundle: m.Bundle, Body: m.Body}
	if len(m.Certificate) > 0 && m.Body.Low > s.t.Standing().Stable {
		vc.Stable = s.beside(c, from, m.Body.Low, m.Body.LowDigest, m.Certificate)
	}
	c.Send(s.t.links.viewchange, &viewChangeArrived{vc})
}

// newView checks that a NewView is signed by the leader of its view.
func (s *signer) newView(c actor.Context, from messages.Index, m *messages.NewViewMessage) {
	if m.Bundle.From != s.t.schedule.Leader(m.Body.View) {
		s.reject(c, from, sentMalformed, "malformed", fmt.Errorf("a new-view for view %d by member %d", m.Body.View, m.Bundle.From))
		return
	}
	votes, err := s.t.cfg.Keyring.Open(m.Bundle)
	if err != nil {
		s.rejectBundle(c, from, err)
		return
	}
	c.Send(s.t.links.detector, &verifiedVotes{votes: votes})
	nv := leader.NewView{From: m.Bundle.From, Bundle: m.Bundle, Body: m.Body}
	if len(m.Certificate) > 0 {
		nv.Stable = s.beside(c, from, m.Body.MinS, m.Body.MinSDigest, m.Certificate)
	}
	c.Send(s.t.links.viewchange, &newViewArrived{from, nv})
}

// beside checks a certificate that travels beside something else, and tells the
// sequencer of it.
func (s *signer) beside(c actor.Context, from messages.Index, seq messages.Seq, digest messages.Digest, bundles []*messages.Bundle) pbft.StableCheckpoint {
	stable, ok := s.checkpoint(c, from, seq, digest, bundles)
	if ok {
		c.Send(s.t.links.sequencer, &certificateArrived{stable})
	}
	return stable
}

// prepared checks a prepared certificate: Prepares of a quorum less one, none of
// them the leader's.
func (s *signer) prepared(c actor.Context, from messages.Index, m *messages.PreparedCertificate) {
	err := s.t.cfg.Keyring.OpenCertificate(messages.Prepare, m.View, m.Seq, m.Digest, m.Certificate, s.t.quorum-1)
	for _, b := range m.Certificate {
		if err == nil && b.From == s.t.schedule.Leader(m.View) {
			err = fmt.Errorf("the leader's own Prepare proves nothing")
		}
	}
	if err != nil {
		s.reject(c, from, sentInvalidSignature, "bad certificate", err)
		return
	}
	s.openOwn(c, m.Certificate)
	claim := messages.Claim{Seq: m.Seq, View: m.View, Digest: m.Digest}
	c.Send(s.t.links.viewchange, &preparedArrived{leader.Prepared{Claim: claim, Bundles: m.Certificate}})
}

// batch checks a batch that no certificate covers, whoever sends it: its bytes,
// and that each vertex is its creator's, if the chain requires that. What does
// not pass here is at nobody's hand to vote for. [X9]
func (s *signer) batch(c actor.Context, from messages.Index, m *messages.BatchBody) {
	batch, err := messages.ParseBatch(m.Body, s.t.cfg.Genesis.Params)
	if err != nil {
		s.reject(c, from, sentMalformed, "invalid batch", err)
		return
	}
	if err := s.t.creators.CheckBatch(batch); err != nil {
		s.reject(c, from, sentInvalidSignature, "bad signature", err)
		return
	}
	c.Send(s.t.links.sequencer, &batchArrived{from, batch})
}

// forwarded is room for what one Forward consists of.
type forwarded struct {
	vertices [][]byte
	hashes   []messages.Digest
	views    []messages.VertexView
}

// slabBytes is how much memory of forwarded vertices is made at once. A vertex that
// stays keeps those beside it in memory.
const slabBytes = 4 << 10

// parse takes a Forward's vertices apart, and copies them: the pool would keep the
// whole frame alive for one vertex.
func (f *forwarded) parse(data []byte) error {
	var slab []byte
	for len(data) > 0 {
		view, size, err := messages.ParseVertex(data)
		if err != nil {
			return err
		}
		if cap(slab)-len(slab) < size {
			slab = make([]byte, 0, max(min(len(data), slabBytes), size))
		}
		slab = append(slab, view.Bytes()...)
		copied := slab[len(slab)-size : len(slab) : len(slab)]
		f.vertices, f.hashes, f.views = append(f.vertices, copied), append(f.hashes, view.Hash()), append(f.views, view)
		data = data[size:]
	}
	return nil
}

// empty lets go of what was parsed.
func (f *forwarded) empty() {
	clear(f.vertices)
	clear(f.views)
	f.vertices, f.hashes, f.views = f.vertices[:0], f.hashes[:0], f.views[:0]
}

// forward takes vertices a member passes on into the pool: all, or none if one
// is not its creator's. [X9]
func (s *signer) forward(c actor.Context, from messages.Index, m *messages.Forward) {
	f := &s.forwarded
	defer f.empty()
	if err := f.parse(m.Vertices); err != nil {
		s.reject(c, from, sentMalformed, "malformed", err)
		return
	}
	grants, err := messages.Authorise(m.Authorisation, f.hashes, s.t.cfg.Genesis.Params)
	seals := messages.Seals(grants, len(f.views))
	for i, view := range f.views {
		if err == nil {
			err = fitsAlone(len(view.Bytes()), sealOf(seals, i), s.t.cfg.Genesis.Params)
		}
	}
	if err != nil {
		s.reject(c, from, sentMalformed, "malformed", err)
		return
	}
	if err := s.t.creators.Check(grants, func(i int) messages.VertexView { return f.views[i] }); err != nil {
		s.reject(c, from, sentInvalidSignature, "bad signature", err)
		return
	}
	messages.Detach(grants)
	added, dropped := s.t.pool.AddForwarded(from, m, f.vertices, f.hashes, seals)
	if dropped > 0 {
		s.t.cfg.Metrics.Dropped("pool_full", dropped)
		s.t.cfg.Metrics.LimitReached("forwarded")
	}
	if added > 0 {
		c.Send(s.t.links.ingress, &settled{from: from, refund: forwardCost(m)})
	}
	c.Send(s.t.links.proposer, &wake{})
}

// decided checks a fetched batch and its certificate. Creators' signatures
// in it were verified by the correct members who made the certificate. [X9]
func (s *signer) decided(c actor.Context, from messages.Index, d *messages.Decided) {
	if err := s.t.cfg.Keyring.OpenDecision(d.View, d.Seq, d.Digest, d.Certificate); err != nil {
		s.reject(c, from, sentInvalidSignature, "bad certificate", err)
		return
	}
	decision, err := s.t.ledger.decision(d)
	if err != nil {
		s.reject(c, from, sentMalformed, "wrong digest", err)
		return
	}
	s.openOwn(c, d.Certificate)
	c.Send(s.t.links.sync, &fetched{from, decision})
}

// manifest checks the certificate that proves a manifest, and tells the sequencer
// of it. [R4]
func (s *signer) manifest(c actor.Context, from messages.Index, m *messages.Manifest) {
	stable, err := s.t.prove(m)
	if err != nil {
		s.reject(c, from, sentWrongState, "bad certificate", err)
		return
	}
	s.openOwn(c, m.Certificate)
	for _, b := range m.Certificate {
		b.Signature = bytes.Clone(b.Signature) // it outlives the frame, which holds much else
	}
	c.Send(s.t.links.sequencer, &certificateArrived{stable})
	c.Send(s.t.links.sync, &manifestProved{from, m})
}
