package actors

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// signers hands work to its workers: sealing first, for the cluster waits for
// it, then verification, one peer after the other, so that a peer that floods
// delays its own messages only.
//
// After a panic of its own it has nothing: it has the sequencer hand out the
// group in flight again. Verifications that waited, or were in a worker's hands,
// are lost, and the credit of their senders is given back: Status brings again
// what was in them.
type signers struct {
	t       *Tree
	life    int // 1 for the first
	ending  bool
	idle    []*actor.PID
	hands   map[string]*verify // by worker, what it was given last
	seal    []*signGroup
	waiting *fairQueue[*verify]
}

// idle is a worker's word to the dispatcher that started it that it is free.
type idle struct {
	worker *actor.PID
	life   int // of the dispatcher
}

func newSigners(t *Tree, life int) *signers {
	return &signers{t: t, life: life, hands: make(map[string]*verify), waiting: newFairQueue[*verify](t.n)}
}

// superviseWorkers is the dispatcher's strategy for its workers.
func (t *Tree) superviseWorkers() actor.SupervisorStrategy {
	return t.supervise(func(string) restarts { return actorRestarts }, func(_ string, message any) {
		if _, ok := message.(*signGroup); ok {
			t.system.Root.Send(t.links.sequencer, &signAgain{})
		}
	})
}

func (s *signers) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		s.start(c)
	case *signGroup:
		s.seal = append(s.seal, m)
	case *verify:
		s.waiting.push(m.in.From, m)
	case *idle:
		if m.life == s.life {
			s.idle = append(s.idle, m.worker)
		}
	case *actor.Restarting, *actor.Stopping:
		s.ending = true
		for v, ok := s.waiting.pop(); ok; v, ok = s.waiting.pop() {
			v.in.Release()
		}
		return
	case *actor.Terminated:
		s.onTerminated(m)
		return
	}
	s.dispatch(c)
}

func (s *signers) start(c actor.Context) {
	for i := range s.t.cfg.Signers {
		produce := incarnations(func(life int) actor.Actor { return &signer{t: s.t, life: life, dispatcher: s.life} })
		name := "signer-" + itoa(i)
		pid, err := c.SpawnNamed(s.t.lastingProps(name, produce, stopReplica{s.t}), name)
		if err != nil {
			s.t.fail(fmt.Errorf("start worker %d of the signers: %w", i, err))
			return
		}
		s.idle = append(s.idle, pid)
	}
	if s.life > 1 {
		c.Send(s.t.links.sequencer, &signAgain{})
	}
}

// onTerminated gives back what a worker had in its hands when it ended.
func (s *signers) onTerminated(m *actor.Terminated) {
	if v := s.hands[m.Who.Id]; v != nil {
		v.in.Release()
	}
	if !s.ending {
		s.t.fail(fmt.Errorf("actor %s is gone", name(m.Who)))
	}
}

func (s *signers) dispatch(c actor.Context) {
	for len(s.idle) > 0 {
		work := s.next()
		if work == nil {
			return
		}
		last := len(s.idle) - 1
		v, _ := work.(*verify)
		s.hands[s.idle[last].Id] = v
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
type signer struct {
	t          *Tree
	life       int // 1 for the first
	dispatcher int // the life of the one that started it
	forwarded  forwarded
}

func (s *signer) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if s.life == 1 {
			return // the dispatcher knows
		}
	case *signGroup:
		s.sign(c, m)
	case *verify:
		s.verify(c, m)
		m.in.Release()
	default:
		return
	}
	c.Send(c.Parent(), &idle{c.Self(), s.dispatcher})
}

// sign seals the bundles of a group. The votes were granted and are being made
// durable at this moment; the bundles leave when both are done.
func (s *signer) sign(c actor.Context, m *signGroup) {
	out := &signed{id: m.id}
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
		s.openBundles(c, m.in, msg.Bundles)
	case *messages.BatchBody:
		s.batch(c, m.in.From, msg)
	case *messages.Forward:
		s.forward(c, m.in.From, msg)
	case *messages.Decided:
		s.decided(c, m.in.From, msg)
	case *messages.StableCheckpoint:
		if stable, ok := s.checkpoint(c, m.in.From, msg.Seq, msg.Digest, msg.Certificate); ok {
			c.Send(s.t.links.ingress, &settled{from: m.in.From, refund: len(msg.Certificate) * costBundle})
			c.Send(s.t.links.sequencer, &certificateArrived{stable})
		}
	case *messages.Manifest:
		s.manifest(c, m.in.From, msg)
	case *messages.ViewChangeMessage:
		s.viewChange(c, m.in.From, msg)
	case *messages.NewViewMessage:
		s.newView(c, m.in.From, msg)
	case *messages.PreparedCertificate:
		s.prepared(c, m.in.From, msg)
	case *messages.Evidence:
		s.evidence(c, m.in.From, msg)
	case *messages.InvalidNewView:
		s.invalidNewView(c, m.in.From, msg)
	}
}

// checkpoint checks a checkpoint's certificate.
func (s *signer) checkpoint(c actor.Context, from messages.Index, seq messages.Seq, digest messages.Digest, bundles []*messages.Bundle) (pbft.StableCheckpoint, bool) {
	if err := s.t.cfg.Keyring.OpenCertificate(messages.Checkpoint, 0, seq, digest, bundles, s.t.quorum); err != nil {
		s.reject(c, from, sentInvalidSignature, "bad certificate", err)
		return pbft.StableCheckpoint{}, false
	}
	s.openOwn(c, bundles)
	return pbft.StableCheckpoint{Seq: seq, Digest: digest, Bundles: bundles}, true
}

func (s *signer) openBundles(c actor.Context, in *cluster.Inbound, bundles []*messages.Bundle) {
	from := in.From
	out := &verifiedVotes{}
	var spared []*messages.Bundle
	s.openOwn(c, bundles)
	for _, b := range bundles {
		if b.From == s.t.cfg.Self {
			continue // what this replica voted counts when it is in its record
		}
		detach(b, in.Frame)
		if s.spared(from, b) {
			spared = append(spared, b)
			continue
		}
		start := s.t.cfg.Clock.Now()
		votes, err := s.t.cfg.Keyring.Open(b)
		s.t.cfg.Metrics.ObserveVerify(s.t.cfg.Clock.Now().Sub(start))
		if err != nil {
			s.rejectBundle(c, from, err)
			continue // one bad bundle says nothing about the others
		}
		out.votes = append(out.votes, votes...)
	}
	if len(out.votes) > 0 {
		c.Send(s.t.links.sequencer, out)
		c.Send(s.t.links.detector, out)
	}
	if len(out.votes)+len(spared) > 0 {
		c.Send(s.t.links.ingress, &settled{from: from, votes: out.votes, spared: spared})
	}
}

// detach gives a bundle a signature of its own if the frame in which it came holds much
// else: votes outlive their frames.
func detach(b *messages.Bundle, frame []byte) {
	if len(frame) > 2*len(b.Signature) {
		b.Signature = bytes.Clone(b.Signature)
	}
}

// spared reports that a bundle need not be verified: none of its votes is needed, and
// none differs from what its signer said before. It is kept before that is asked: so
// whichever of two votes that differ the detector sees first, it finds the other.
func (s *signer) spared(from messages.Index, b *messages.Bundle) bool {
	if b.Epoch != s.t.cfg.Keyring.Epoch() || s.t.quorums.need(b.Votes) {
		return false
	}
	if from == b.From {
		s.t.unopened.keep(b)
	}
	if s.t.detector.differs(b) {
		return false
	}
	s.t.cfg.Metrics.Dropped("not needed", 1)
	return true
}

// openOwn has the votes among a peer's that are signed with the own key compared
// with the record. [D3]
func (s *signer) openOwn(c actor.Context, bundles []*messages.Bundle) {
	for _, b := range bundles {
		if b.From != s.t.cfg.Self {
			continue
		}
		if votes, err := s.t.cfg.Keyring.Open(b); err == nil {
			c.Send(s.t.links.sequencer, &ownVotes{votes})
		}
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
