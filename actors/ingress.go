package actors

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// ingress is the only actor reachable from outside: frames come here from the
// transport, which vouches for who sent them. It decodes within bounds, drops
// what is stale before anyone verifies a signature, has the rest verified, and
// routes it.
type ingress struct {
	t       *Tree
	life    int // 1 for the first
	marks   pbft.Watermarks
	refused map[messages.Index]bool // told once that its chain is another
}

func newIngress(t *Tree, life int) *ingress {
	return &ingress{t: t, life: life, marks: pbft.NewWatermarks(0, t.cfg.Genesis.Params.Window), refused: make(map[messages.Index]bool)}
}

func (i *ingress) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if i.life > 1 {
			i.resume(c)
		}
	case *cluster.Inbound:
		i.onFrame(c, m)
	case *cluster.PeerChange:
		i.onPeer(c, m)
	case *standing:
		i.marks = m.marks
	}
}

// resume asks for what the incarnation before knew, and greets everyone again,
// for what it panicked on may have been a peer's coming.
func (i *ingress) resume(c actor.Context) {
	c.Send(i.t.links.sequencer, &standingWanted{c.Self()})
	for p := range i.t.n {
		if peer := messages.Index(p); i.t.cfg.Transport.Connected(peer) {
			i.greet(c, peer)
		}
	}
	i.t.cfg.Metrics.SetPeersConnected(i.t.Connected())
}

func (i *ingress) greet(c actor.Context, peer messages.Index) {
	c.Send(i.t.links.egress, &send{peer, cluster.LaneVotes, i.t.hello()})
	c.Send(i.t.links.sequencer, &greet{peer})
}

func (i *ingress) onFrame(c actor.Context, in *cluster.Inbound) {
	i.t.cfg.Metrics.NetworkReceived(int(in.From), len(in.Frame))
	message, err := messages.DecodeFrame(in.Frame)
	if err != nil {
		in.Release()
		i.onUndecodable(c, in.From, err)
		return
	}
	switch m := message.(type) {
	case *messages.Bundles:
		if i.stale(m) {
			i.t.cfg.Metrics.Dropped("stale", len(m.Bundles))
			break
		}
		c.Send(i.t.links.signers, &verify{in, m})
		return // released when verified
	case *messages.Evidence:
		if i.t.detector.wants(detector.EvidenceOf(m)) {
			c.Send(i.t.links.signers, &verify{in, m})
			return
		}
		i.t.cfg.Metrics.Dropped("duplicate", 1)
	case *messages.BatchBody, *messages.Forward, *messages.Decided, *messages.StableCheckpoint:
		c.Send(i.t.links.signers, &verify{in, m})
		return
	case *messages.Status:
		s := &statusArrived{in.From, m}
		c.Send(i.t.links.sequencer, s)
		c.Send(i.t.links.viewchange, s)
		c.Send(i.t.links.sync, s)
	case *messages.ViewChangeMessage, *messages.NewViewMessage, *messages.PreparedCertificate:
		c.Send(i.t.links.viewchange, &viewChangeOffered{in, m})
		return // released once it is verified, or not wanted
	case *messages.FetchViewChange:
		c.Send(i.t.links.viewchange, &viewChangeWanted{in.From, m})
	case *messages.FetchPrepared:
		c.Send(i.t.links.viewchange, &preparedWanted{in.From, messages.Claim{Seq: m.Seq, View: m.View, Digest: m.Digest}})
	case *messages.FetchBatch:
		c.Send(i.t.links.sequencer, &batchWanted{in.From, m.Digests})
	case *messages.FetchDecided:
		c.Send(i.t.links.sync, &decidedWanted{in.From, m})
	case *messages.Hello:
		i.onHello(c, in.From, m)
	case *messages.Refusal:
		i.onRefusal(in.From, m)
	}
	in.Release()
}

// stale reports whether nothing in the frame concerns the window: such votes
// are normal after a checkpoint and not worth a verification.
func (i *ingress) stale(m *messages.Bundles) bool {
	for _, b := range m.Bundles {
		for _, v := range b.Votes {
			if v.Seq == 0 || v.Seq > i.marks.Low {
				return false
			}
		}
	}
	return true
}

func (i *ingress) onUndecodable(c actor.Context, from messages.Index, err error) {
	var frame *messages.FrameError
	reason, what := "malformed", sentMalformed
	if errors.As(err, &frame) {
		reason = frame.Reason.String()
		switch frame.Reason {
		case messages.UnknownVersion, messages.UnknownKind:
			// A newer release speaks so: counted, never held against it. [W11]
			i.t.cfg.Metrics.Dropped(reason, 1)
			return
		case messages.TooLarge:
			what = sentOversized
		}
	}
	i.t.cfg.Metrics.Dropped(reason, 1)
	i.t.peerLog.warn(from, reason).Err(err).Msg("frame rejected")
	c.Send(i.t.links.detector, &misbehaved{from, what})
}

// onPeer greets a peer whose channel came up.
func (i *ingress) onPeer(c actor.Context, m *cluster.PeerChange) {
	switch {
	case m.Connected:
		i.t.log.Info().Int("peer", int(m.Peer)).Msg("peer connected")
		i.greet(c, m.Peer)
	case m.Reason != "":
		i.t.log.Warn().Int("peer", int(m.Peer)).Str("reason", m.Reason).Msg("peer not connected")
	default:
		i.t.log.Info().Int("peer", int(m.Peer)).Msg("peer disconnected")
	}
	i.t.cfg.Metrics.SetPeersConnected(i.t.Connected())
}

// onHello compares chains. Members of another genesis may share keys with ours
// by mistake: each side says why it does not talk. [M6]
func (i *ingress) onHello(c actor.Context, from messages.Index, h *messages.Hello) {
	if h.Genesis == i.t.cfg.Keyring.Chain() {
		return
	}
	i.t.cfg.Metrics.Dropped("wrong chain", 1)
	i.t.peerLog.warn(from, "another genesis").Str("theirs", h.Genesis.Hex()).Str("ours", i.t.cfg.Keyring.Chain().Hex()).
		Msg("peer refused")
	if !i.refused[from] {
		i.refused[from] = true
		c.Send(i.t.links.egress, &send{from, cluster.LaneVotes, &messages.Refusal{
			Reason: "your genesis is not mine: compare the genesis files", Genesis: i.t.cfg.Keyring.Chain(),
		}})
	}
}

func (i *ingress) onRefusal(from messages.Index, m *messages.Refusal) {
	i.t.peerLog.warn(from, "refused us").Str("answer", m.Reason).Str("theirs", m.Genesis.Hex()).Msg("peer refused us")
}
