package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/leader"
	"github.com/cretoai/consensus/messages"
)

// viewchange is the view-change timer and manager around leader.Manager: it
// judges the leader by its signs of life and by how long vertices wait, tells
// the others through Status what it thinks, collects ViewChanges, and makes or
// examines NewViews. It proposes views; the voter, in the sequencer, owns them.
type viewchange struct {
	t        *Tree
	life     int             // 1 for the first
	manager  *leader.Manager // nil until the sequencer has said where the replica stands
	executed messages.Seq
	settled  messages.Seq   // what the view's NewView lists ends here
	behind   []messages.Seq // what each member says it executed
	leftFor  messages.View  // the highest view this replica said it changes to
	last     leader.Suspicion
}

func newViewchange(t *Tree, life int) *viewchange {
	return &viewchange{t: t, life: life, executed: t.Progress().Seq, behind: make([]messages.Seq, t.n)}
}

// newManager makes a manager that knows nothing yet.
func (v *viewchange) newManager() *leader.Manager {
	ceiling := v.t.cfg.FinalityTimeout
	timeout := leader.DefaultTimeoutConfig()
	timeout.Ceiling, timeout.Floor = ceiling, min(timeout.Floor, ceiling)
	return leader.NewManager(leader.ManagerConfig{
		Self: v.t.cfg.Self, N: v.t.n, Quorum: v.t.quorum, Window: v.t.cfg.Genesis.Params.Window,
		Optimistic: v.t.cfg.Genesis.Params.OptimisticMode,
		Heartbeat:  v.t.cfg.Heartbeat, HeartbeatTimeout: v.t.cfg.HeartbeatTimeout, Timeout: timeout,
	}, v.t.cfg.Clock.Now())
}

// begin is all that concerns an actor without a manager: it asks the sequencer,
// which tells of its own accord at a start and when it was rebuilt. Then it
// begins with a new manager, whoever lost the old one.
func (v *viewchange) begin(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if v.life > 1 {
			c.Send(v.t.links.sequencer, &standingWanted{c.Self()})
		}
	case *viewState:
		v.manager = v.newManager()
		v.restore(m)
		v.setPatience()
	case *viewChangeOffered:
		m.in.Release()
	}
}

func (v *viewchange) Receive(c actor.Context) {
	now := v.t.cfg.Clock.Now()
	if _, again := c.Message().(*viewState); again || v.manager == nil {
		v.begin(c)
		return
	}
	switch m := c.Message().(type) {
	case *standing:
		v.settled = m.settled
		v.perform(c, v.manager.OnStanding(now, leader.Standing{View: m.view, Active: m.active, Stable: m.certified}))
	case *statusArrived:
		v.t.peers.heard(m.from, m.status)
		v.behind[m.from] = m.status.Executed
		v.perform(c, v.manager.OnStatus(now, m.from, m.status))
	case *tick:
		v.perform(c, v.manager.OnTick(now, v.load()))
	case *installed:
		v.executed = max(v.executed, m.stable.Seq)
	case *executed:
		v.onExecuted(m)
	case *viewChangeOffered:
		v.onOffered(c, m)
	case *viewChangeArrived:
		v.perform(c, v.manager.OnViewChange(now, m.viewChange))
	case *newViewArrived:
		v.perform(c, v.manager.OnNewView(now, m.via, m.newView))
	case *preparedArrived:
		v.perform(c, v.manager.OnPrepared(now, m.prepared))
	case *viewChangeReleased:
		v.perform(c, v.manager.OnViewChange(now, *ownViewChange(v.t.cfg.Self, m)))
	case *newViewReleased:
		nv := m.newView
		v.perform(c, v.manager.OnNewView(now, v.t.cfg.Self, leader.NewView{
			From: v.t.cfg.Self, Bundle: nv.Bundle, Body: nv.Body, Stable: nv.Stable,
		}))
	case *recallWanted:
		v.t.peers.recalling(m.from)
		c.Send(v.t.links.sequencer, &recallWanted{m.from, m.recall, v.manager.Seen(m.from)})
	case *preparedWanted:
		v.onPreparedWanted(c, m)
	case *viewChangeWanted:
		v.perform(c, v.manager.OnFetchViewChange(m.from, m.request.View, m.request.Member, m.request.Digest))
	case *invalidPrePrepare:
		v.perform(c, v.manager.OnInvalidPrePrepare(now, m.view))
	}
	v.setPatience()
}

// setPatience tells the proposer, and operators, the view's timeout.
func (v *viewchange) setPatience() {
	timeout := v.manager.Timeout()
	if v.t.patience.Swap(int64(timeout)) != int64(timeout) {
		v.t.cfg.Metrics.SetViewTimeout(timeout)
	}
}

// restore tells a new manager where the replica stood.
func (v *viewchange) restore(m *viewState) {
	var own *leader.ViewChange
	if m.left != nil {
		own = ownViewChange(v.t.cfg.Self, m.left)
	}
	var nv *leader.NewView
	var support []leader.ViewChange
	var marks []leader.Prepared
	if e := m.entered; e != nil {
		nv = &leader.NewView{From: v.t.schedule.Leader(e.Body.View), Bundle: e.Bundle, Body: e.Body, Stable: e.Stable}
		for _, s := range e.Support {
			support = append(support, leader.ViewChange{From: s.Bundle.From, Bundle: s.Bundle, Body: s.Body})
		}
		for _, p := range e.Marks {
			marks = append(marks, leader.Prepared{Claim: p.Claim, Bundles: p.Bundles})
		}
	}
	v.manager.Resume(v.t.cfg.Clock.Now(), m.standing, own, nv, support, marks)
}

// load is what the leader answers for. A replica that knows itself behind does
// not time vertices: they may have been executed.
func (v *viewchange) load() leader.Load {
	o := leader.Load{Convicted: v.t.detector.Convicted()}
	if !v.isBehind() {
		o.OldestVertex = v.t.pool.Oldest()
	}
	return o
}

// isBehind reports whether more members than can lie say they executed more
// than is in flight beyond this replica.
func (v *viewchange) isBehind() bool {
	ahead := 0
	for _, seq := range v.behind {
		if seq > v.executed+messages.Seq(v.t.cfg.PipelineDepth) {
			ahead++
		}
	}
	return ahead >= messages.Weak(v.t.n)
}

func (v *viewchange) onExecuted(m *executed) {
	v.executed = max(v.executed, m.seq)
	v.manager.OnExecuted(leader.Progress{
		Proposed: m.seq > v.settled, Fresh: m.fresh > 0, OldestVertex: v.t.pool.Oldest(),
	}, m.finality)
}

// onOffered has verified what the manager wants, and drops the rest unlooked at.
func (v *viewchange) onOffered(c actor.Context, m *viewChangeOffered) {
	wanted := true
	switch msg := m.message.(type) {
	case *messages.ViewChangeMessage:
		wanted = v.manager.WantsViewChange(msg.Bundle.From, msg.Body.View, msg.Body.Digest())
	case *messages.NewViewMessage:
		wanted = v.manager.WantsNewView(msg.Body.View, msg.Body.Digest())
	case *messages.PreparedCertificate:
		wanted = v.manager.WantsPrepared(messages.Claim{Seq: msg.Seq, View: msg.View, Digest: msg.Digest})
	}
	if !wanted {
		m.in.Release()
		v.t.cfg.Metrics.Dropped("stale", 1)
		return
	}
	c.Send(v.t.links.signers, &verify{m.in, m.message})
}

func (v *viewchange) perform(c actor.Context, effects []leader.Effect) {
	for _, e := range effects {
		switch e := e.(type) {
		case leader.Suspects:
			v.suspects(c, e)
		case leader.ChangeView:
			v.leaves(e)
			c.Send(v.t.links.sequencer, &changeView{e.View})
		case leader.EnterView:
			c.Send(v.t.links.sequencer, &enterView{e.ForVoter()})
		case leader.BroadcastViewChange:
			c.Send(v.t.links.egress, &broadcast{cluster.LaneViewChange, viewChangeMessage(e.ViewChange)})
		case leader.SendViewChange:
			c.Send(v.t.links.egress, &send{e.To, cluster.LaneViewChange, viewChangeMessage(e.ViewChange)})
		case leader.BroadcastNewView:
			c.Send(v.t.links.egress, &broadcast{cluster.LaneViewChange, newViewMessage(e.NewView)})
		case leader.SendNewView:
			c.Send(v.t.links.egress, &send{e.To, cluster.LaneViewChange, newViewMessage(e.NewView)})
		case leader.FetchViewChange:
			c.Send(v.t.links.egress, &send{e.To, cluster.LaneViewChange, &messages.FetchViewChange{View: e.View, Member: e.Member, Digest: e.Digest}})
		case leader.FetchPrepared:
			v.fetchPrepared(c, e)
		case leader.SendPrepared:
			c.Send(v.t.links.egress, &send{e.To, cluster.LaneViewChange, preparedCertificate(e.Prepared)})
		case leader.NewViewRefused:
			v.t.log.Warn().Int("peer", int(e.NewView.From)).Uint64("view", uint64(e.NewView.Body.View)).Str("reason", e.Reason).
				Msg("a new-view does not follow from its view-changes")
			c.Send(v.t.links.detector, &newViewRefused{proofOf(e)})
		}
	}
}

// fetchPrepared asks for the proof of a claim. One's own is asked of the
// sequencer, which answers as if it had come from another.
func (v *viewchange) fetchPrepared(c actor.Context, e leader.FetchPrepared) {
	if e.To == v.t.cfg.Self {
		c.Send(v.t.links.sequencer, &preparedWanted{e.To, e.Claim})
		return
	}
	c.Send(v.t.links.egress, &send{e.To, cluster.LaneViewChange, &messages.FetchPrepared{Seq: e.Claim.Seq, View: e.Claim.View, Digest: e.Claim.Digest}})
}

// onPreparedWanted answers from what the NewView rests on, or has the sequencer
// answer from its votes.
func (v *viewchange) onPreparedWanted(c actor.Context, m *preparedWanted) {
	effects := v.manager.OnFetchPrepared(m.from, m.claim)
	v.perform(c, effects)
	if len(effects) == 0 {
		c.Send(v.t.links.sequencer, m)
	}
}

// leaves notes that the replica changes to a view; the manager repeats it until it
// does.
func (v *viewchange) leaves(e leader.ChangeView) {
	if e.View <= v.leftFor {
		return
	}
	v.leftFor = e.View
	v.t.log.Info().Uint64("next_view", uint64(e.View)).Int("next_leader", int(v.t.schedule.Leader(e.View))).
		Str("reason", e.Reason).Msg("leaving the view")
}

// suspects tells the others, through Status.
func (v *viewchange) suspects(c actor.Context, e leader.Suspects) {
	if s := e.Suspicion; s.Reasons != 0 && s != v.last {
		v.last = s
		v.tell(s, "suspecting the leader")
	} else if s.Reasons == 0 && v.last.Reasons != 0 {
		v.last.Reasons = 0
		v.tell(v.last, "the leader is no longer suspected")
	}
	c.Send(v.t.links.sequencer, &suspicion{e.Suspicion.View, uint8(e.Suspicion.Level()), e.Held})
}

func (v *viewchange) tell(s leader.Suspicion, what string) {
	told := messages.LeaderSuspected{View: s.View, Leader: v.t.schedule.Leader(s.View)}
	if s.Reasons != 0 {
		told.Reason = s.Reasons.String()
	}
	v.t.hub.publish(told)
	if s.Reasons == 0 && s.View < v.leftFor {
		return // the suspicion was followed, not given up
	}
	line := v.t.log.Info().Uint64("view", uint64(s.View)).Int("leader", int(told.Leader))
	if s.Reasons != 0 {
		line.Str("reason", told.Reason)
	}
	line.Msg(what)
}

func ownViewChange(self messages.Index, m *viewChangeReleased) *leader.ViewChange {
	s := m.released.Support
	return &leader.ViewChange{From: self, Bundle: s.Bundle, Body: s.Body, Stable: m.released.Stable}
}

func viewChangeMessage(vc leader.ViewChange) *messages.ViewChangeMessage {
	return &messages.ViewChangeMessage{Bundle: vc.Bundle, Body: vc.Body, Certificate: vc.Stable.Bundles}
}

func preparedCertificate(p leader.Prepared) *messages.PreparedCertificate {
	k := p.Claim
	return &messages.PreparedCertificate{View: k.View, Seq: k.Seq, Digest: k.Digest, Certificate: p.Bundles}
}

func newViewMessage(nv leader.NewView) *messages.NewViewMessage {
	return &messages.NewViewMessage{Bundle: nv.Bundle, Body: nv.Body, Certificate: nv.Stable.Bundles}
}
