package actors

import (
	"bytes"
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// signers hands work to its workers: sealing first, for the cluster waits for
// it, then verification, one peer after the other, so that a peer that floods
// delays its own messages only.
type signers struct {
	t       *Tree
	idle    []*actor.PID
	seal    []*signGroup
	waiting *fairQueue[*verify]
}

// idle is a worker's word that it is free.
type idle struct{ worker *actor.PID }

func newSigners(t *Tree) *signers { return &signers{t: t, waiting: newFairQueue[*verify](t.n)} }

func (s *signers) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		for i := range s.t.cfg.Signers {
			pid, err := c.SpawnNamed(s.t.props(func() actor.Actor { return &signer{t: s.t} }, stopReplica{s.t}), "signer-"+itoa(i))
			if err != nil {
				panic(err)
			}
			s.idle = append(s.idle, pid)
		}
	case *signGroup:
		s.seal = append(s.seal, m)
	case *verify:
		s.waiting.push(m.in.From, m)
	case *idle:
		s.idle = append(s.idle, m.worker)
	}
	s.dispatch(c)
}

func (s *signers) dispatch(c actor.Context) {
	for len(s.idle) > 0 {
		work := s.next()
		if work == nil {
			return
		}
		last := len(s.idle) - 1
		c.Send(s.idle[last], work)
		s.idle = s.idle[:last]
	}
}

// next is what to do next, nil if there is nothing.
func (s *signers) next() any {
	if len(s.seal) > 0 {
		group := s.seal[0]
		s.seal = s.seal[1:]
		return group
	}
	if v, ok := s.waiting.pop(); ok {
		return v
	}
	return nil
}

// signer is one worker: it does nothing but seal, open and hash.
type signer struct{ t *Tree }

func (s *signer) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *signGroup:
		s.sign(c, m)
	case *verify:
		s.verify(c, m)
		m.in.Release()
	default:
		return
	}
	c.Send(c.Parent(), &idle{c.Self()})
}

// sign seals the bundles of a group. The votes were granted and are being made
// durable at this moment; the bundles leave when both are done.
func (s *signer) sign(c actor.Context, m *signGroup) {
	out := &signed{number: m.number}
	for _, votes := range m.bundles {
		start := s.t.cfg.Clock.Now()
		bundle, verified, err := crypto.Seal(s.t.cfg.Keyring, s.t.cfg.Self, s.t.cfg.Key, votes)
		if err != nil {
			panic(err) // a key that cannot sign is no replica's
		}
		s.t.cfg.Metrics.ObserveSign(s.t.cfg.Clock.Now().Sub(start), len(votes))
		out.bundles = append(out.bundles, bundle)
		out.votes = append(out.votes, verified...)
	}
	c.Send(s.t.links.sequencer, out)
}

// verify checks what a peer sent and passes on what holds. Whatever does not
// is the channel peer's fault: it was obliged to check, too. [E1, E4]
func (s *signer) verify(c actor.Context, m *verify) {
	switch msg := m.message.(type) {
	case *messages.Bundles:
		s.openBundles(c, m.in.From, msg.Bundles)
	case *messages.BatchBody:
		batch, err := messages.ParseBatch(msg.Body, s.t.cfg.Genesis.Params)
		if err != nil {
			s.reject(c, m.in.From, sentMalformed, "invalid batch", err)
			return
		}
		c.Send(s.t.links.sequencer, &batchArrived{m.in.From, batch})
	case *messages.Forward:
		s.forward(c, m.in.From, msg)
	case *messages.Decided:
		s.decided(c, m.in.From, msg)
	case *messages.StableCheckpoint:
		if stable, ok := s.checkpoint(c, m.in.From, msg.Seq, msg.Digest, msg.Certificate); ok {
			c.Send(s.t.links.sequencer, &certificateArrived{stable})
		}
	case *messages.ViewChangeMessage:
		s.viewChange(c, m.in.From, msg)
	case *messages.NewViewMessage:
		s.newView(c, m.in.From, msg)
	case *messages.PreparedCertificate:
		s.prepared(c, m.in.From, msg)
	case *messages.Evidence:
		s.evidence(c, m.in.From, msg)
	}
}

// checkpoint checks a checkpoint's certificate.
func (s *signer) checkpoint(c actor.Context, from messages.Index, seq messages.Seq, digest messages.Digest, bundles []*messages.Bundle) (pbft.StableCheckpoint, bool) {
	if err := s.t.cfg.Keyring.OpenCertificate(messages.Checkpoint, 0, seq, digest, bundles, s.t.quorum); err != nil {
		s.reject(c, from, sentInvalidSignature, "bad certificate", err)
		return pbft.StableCheckpoint{}, false
	}
	return pbft.StableCheckpoint{Seq: seq, Digest: digest, Bundles: bundles}, true
}

func (s *signer) openBundles(c actor.Context, from messages.Index, bundles []*messages.Bundle) {
	out := &verifiedVotes{}
	for _, b := range bundles {
		if b.From == s.t.cfg.Self {
			// Members send their own votes only. What this replica voted is in its
			// record and comes from there.
			s.t.cfg.Metrics.Dropped("unsolicited", 1)
			continue
		}
		start := s.t.cfg.Clock.Now()
		votes, err := s.t.cfg.Keyring.Open(b)
		s.t.cfg.Metrics.ObserveVerify(s.t.cfg.Clock.Now().Sub(start))
		if err != nil {
			s.rejectBundle(c, from, err)
			continue // one bad bundle says nothing about the others
		}
		// A copy: votes outlive their frame, which may hold much else.
		b.Signature = bytes.Clone(b.Signature)
		out.votes = append(out.votes, votes...)
	}
	if len(out.votes) > 0 {
		c.Send(s.t.links.sequencer, out)
		c.Send(s.t.links.detector, out)
	}
}

func (s *signer) rejectBundle(c actor.Context, from messages.Index, err error) {
	var bad *crypto.BundleError
	if errors.As(err, &bad) && bad.Reason == crypto.WrongEpoch {
		s.t.cfg.Metrics.Dropped("wrong_epoch", 1) // early or late, nobody's fault
		return
	}
	s.reject(c, from, sentInvalidSignature, "bad signature", err)
}

func (s *signer) reject(c actor.Context, from messages.Index, what misbehaviour, reason string, err error) {
	s.t.cfg.Metrics.Dropped(reason, 1)
	s.t.peerLog.warn(from, reason).Err(err).Msg("rejected")
	c.Send(s.t.links.detector, &misbehaved{from, what})
}
