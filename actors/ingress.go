package actors

import (
	"errors"
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/detector"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// ingress is the only actor reachable from outside: frames come here from the
// transport, which vouches for who sent them. It decodes within bounds and each
// member's budget, drops what nobody needs before anyone verifies a signature,
// has the rest verified, and routes it.
type ingress struct {
	t       *Tree
	life    int // 1 for the first
	stand   standing
	budgets []budget
	saved   uint64                  // verifications, as of the last heartbeat
	refused map[messages.Index]bool // told once that its chain is another
}

func newIngress(t *Tree, life int) *ingress {
	return &ingress{
		t: t, life: life, stand: standing{marks: pbft.NewWatermarks(0, t.cfg.Genesis.Params.Window)},
		budgets: newBudgets(t.n), refused: make(map[messages.Index]bool),
	}
}

func (i *ingress) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if i.life > 1 {
			i.resume(c)
		}
	case *cluster.Inbound:
		i.onInbound(c, m)
	case *cluster.PeerChange:
		i.onPeer(c, m)
	case *settled:
		i.budgets[m.from].settle(m.votes, m.spared)
		i.budgets[m.from].refund(m.refund)
		i.drain(c, m.from)
	case *standing:
		i.onStanding(m)
	case *tick:
		i.onTick(c)
	case *actor.Restarting:
		i.lose()
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
	i.t.showPeers()
}

func (i *ingress) greet(c actor.Context, peer messages.Index) {
	c.Send(i.t.links.egress, &send{peer, cluster.LaneVotes, i.t.hello()})
	c.Send(i.t.links.sequencer, &greet{peer})
	c.Send(i.t.links.detector, &greet{peer})
}

// onInbound handles a frame, or lets it wait until its sender has credit.
func (i *ingress) onInbound(c actor.Context, in *cluster.Inbound) {
	i.t.cfg.Metrics.NetworkReceived(int(in.From), len(in.Frame))
	b := &i.budgets[in.From]
	switch {
	case !b.busy():
		i.onFrame(c, in)
	case !b.hold(in):
		i.t.cfg.Metrics.Dropped("over budget", 1)
		i.t.cfg.Metrics.LimitReached("held_bytes")
		in.Release()
	}
}

func (i *ingress) drain(c actor.Context, from messages.Index) {
	for in := i.budgets[from].next(); in != nil; in = i.budgets[from].next() {
		handling(in, func() { i.onFrame(c, in) })
	}
}

// lose gives back what the frames that wait hold: their senders must not wait
// for a memory that is gone.
func (i *ingress) lose() {
	for p := range i.budgets {
		for _, in := range i.budgets[p].waiting {
			in.Release()
		}
	}
}

func (i *ingress) onStanding(m *standing) {
	if m.marks.Low > i.stand.marks.Low {
		for p := range i.budgets {
			i.budgets[p].known.forget(m.marks.Low)
		}
	}
	i.stand = *m
}

// onTick gives every member its credit. One that floods answers for it. [S10]
func (i *ingress) onTick(c actor.Context) {
	waiting := 0
	for p := range i.budgets {
		from, b := messages.Index(p), &i.budgets[p]
		if b.credit <= 0 {
			i.t.cfg.Metrics.LimitReached("verification")
		}
		if b.beat(i.t.share(from, creditRefill)) {
			i.t.peerLog.warn(from, "flood").Msg("a member sends the same again and again")
			c.Send(i.t.links.detector, &misbehaved{from, sentFlood})
		}
		i.drain(c, from)
		waiting += len(b.waiting)
	}
	i.t.cfg.Metrics.SetQueueDepth("unverified", waiting)
	i.t.showPeers()
	saved := i.t.cfg.Keyring.Remembered()
	i.t.cfg.Metrics.SignaturesRemembered(int(saved - i.saved))
	i.saved = saved
}

// onFrame decodes a frame and sends on what it holds. Frames that are to be
// verified are released when they were.
func (i *ingress) onFrame(c actor.Context, in *cluster.Inbound) {
	b := &i.budgets[in.From]
	b.spend(costOf(in.Frame))
	if kind, ok := messages.PeekFrameKind(in.Frame); ok && kind == messages.FrameForward && i.t.detector.IsBanned(in.From) {
		i.t.cfg.Metrics.Dropped("banned", 1) // before looking at what may be thousands of vertices
		in.Release()
		return
	}
	message, err := messages.DecodeFrame(in.Frame)
	if err != nil {
		in.Release()
		i.onUndecodable(c, in.From, err)
		return
	}
	if unverified, cost := i.unverified(b, in.From, message); unverified != nil {
		b.spend(cost)
		c.Send(i.t.links.signers, &verify{in, unverified})
		return
	}
	if held := i.route(c, in, message); !held {
		in.Release()
	}
}

// unverified gives what the signers are to look at, and what that costs; nil
// for what is none of their business, or not worth it.
func (i *ingress) unverified(b *budget, from messages.Index, message messages.Message) (messages.Message, int) {
	switch m := message.(type) {
	case *messages.Bundles:
		needed := i.needed(m.Bundles)
		if vain := len(m.Bundles) - len(needed); vain > 0 {
			b.spend(vain * costVain)
			i.t.cfg.Metrics.Dropped("stale", vain)
		}
		if len(needed) > 0 {
			return &messages.Bundles{Bundles: needed}, len(needed) * costBundle
		}
	case *messages.BatchBody:
		if from == i.stand.leader {
			return m, 0
		}
		return m, len(m.Body) / (costBytes / 8)
	case *messages.Forward:
		return m, forwardCost(m)
	case *messages.StableCheckpoint:
		if m.Seq > i.stand.marks.Low {
			return m, len(m.Certificate) * costBundle
		}
		i.t.cfg.Metrics.Dropped("stale", 1)
	case *messages.Evidence:
		if i.t.detector.wants(detector.EvidenceOf(m)) {
			return m, len(m.Bundles) * costBundle
		}
		i.t.cfg.Metrics.Dropped("duplicate", 1)
	case *messages.InvalidNewView:
		if i.t.detector.wantsNewView(m) {
			return m, (1 + len(m.ViewChanges)) * costBundle
		}
		i.t.cfg.Metrics.Dropped("duplicate", 1)
	}
	return nil, 0
}

// forwardCost comes back if one of the vertices was new.
func forwardCost(m *messages.Forward) int {
	return (len(m.Vertices)+len(m.Authorisation))/(costBytes/4) + messages.CountGrants(m.Authorisation)*costBundle
}

// needed gives the bundles of which a vote may matter. Others are normal after a
// checkpoint, a view change, or while this replica is behind: nobody's fault,
// and not worth a verification. [E3]
func (i *ingress) needed(bundles []*messages.Bundle) []*messages.Bundle {
	var needed []*messages.Bundle
	for _, b := range bundles {
		if slices.ContainsFunc(b.Votes, i.relevant) {
			needed = append(needed, b)
		}
	}
	return needed
}

// viewsBelow and viewsAbove are the views near the own whose votes are looked
// at: what counts, and what may still hold evidence. Where the sequencer stands
// is known here a little late, hence one more above, and a second window.
const (
	viewsBelow = 2
	viewsAbove = 2
)

func (i *ingress) relevant(v messages.Vote) bool {
	if v.Seq == 0 { // a ViewChange or NewView without its body, good for evidence alone
		return v.View+viewsBelow >= i.stand.view
	}
	if v.Kind != messages.Checkpoint && (v.View+viewsBelow < i.stand.view || v.View > i.stand.view+viewsAbove) {
		return false
	}
	return pbft.NewWatermarks(i.stand.marks.Low, 2*i.t.cfg.Genesis.Params.Window).Contains(v.Seq)
}

// route sends on what the channel alone vouches for, or what its receiver has
// verified if it is wanted; held says that the frame is released by others.
func (i *ingress) route(c actor.Context, in *cluster.Inbound, message messages.Message) (held bool) {
	l := &i.t.links
	switch m := message.(type) {
	case *messages.Status:
		s := &statusArrived{in.From, m}
		c.Send(l.sequencer, s)
		c.Send(l.viewchange, s)
		c.Send(l.sync, s)
	case *messages.ViewChangeMessage, *messages.NewViewMessage, *messages.PreparedCertificate:
		i.budgets[in.From].spend(costBundle)
		c.Send(l.viewchange, &viewChangeOffered{in, m})
		return true
	case *messages.Decided:
		c.Send(l.sync, &decidedOffered{in, m})
		return true
	case *messages.FetchViewChange:
		c.Send(l.viewchange, &viewChangeWanted{in.From, m})
	case *messages.FetchPrepared:
		c.Send(l.viewchange, &preparedWanted{in.From, messages.Claim{Seq: m.Seq, View: m.View, Digest: m.Digest}})
	case *messages.FetchBatch:
		c.Send(l.sequencer, &batchWanted{in.From, m.Digests})
	case *messages.FetchDecided:
		c.Send(l.sync, &decidedWanted{in.From, m})
	case *messages.Manifest:
		i.budgets[in.From].spend(len(m.Certificate) * costBundle)
		c.Send(l.sync, &manifestOffered{in, m})
		return true
	case *messages.FetchManifest:
		c.Send(l.sync, &manifestWanted{in.From, m.Seq})
	case *messages.FetchChunk:
		c.Send(l.sync, &chunkWanted{in.From, m})
	case *messages.Chunk:
		c.Send(l.sync, &chunkArrived{in, m})
		return true
	case *messages.Retained:
		c.Send(l.sync, &retainedArrived{in.From, m})
	case *messages.Recall:
		c.Send(l.viewchange, &recallWanted{from: in.From, recall: m})
	case *messages.Recalled:
		c.Send(l.sequencer, &recallArrived{in.From, m})
	case *messages.Hello:
		i.onHello(c, in.From, m)
	case *messages.Refusal:
		i.onRefusal(in.From, m)
	}
	return false
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
	i.t.showPeers()
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
