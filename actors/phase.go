package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/metrics"
	"github.com/cretoai/consensus/pbft"
)

// phaseTracker follows one sequence through its phases. It decides nothing:
// the slot does, and what the slot wants to vote goes through the voter.
type phaseTracker struct {
	t           *Tree
	seq         messages.Seq
	incarnation int // 1 for the first; a later one has its memory to rebuild
	slot        *pbft.Slot
	batches     map[messages.Digest]*messages.Batch
	decided     *decided  // what it reported, if it did
	since       time.Time // when the current phase began
}

func newPhaseTracker(t *Tree, seq messages.Seq, incarnation int) *phaseTracker {
	return &phaseTracker{
		t: t, seq: seq, incarnation: incarnation,
		slot:    pbft.NewSlot(seq, t.cfg.Self, t.n, t.quorum),
		batches: make(map[messages.Digest]*messages.Batch, 1),
	}
}

func (p *phaseTracker) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if p.incarnation > 1 {
			p.t.quorums.forget(p.seq)
			c.Send(p.t.links.sequencer, &trackerRestarted{p.seq})
		}
	case *reportAgain:
		if p.decided != nil {
			c.Send(p.t.links.executor, p.decided)
		}
	case *pbft.ToSlot:
		if m.Batch != nil {
			p.batches[m.Batch.Digest()] = m.Batch
		}
		if _, ok := m.Event.(pbft.Accepted); ok {
			p.since = p.t.cfg.Clock.Now()
		}
		for _, e := range p.slot.Step(m.Event) {
			p.perform(c, e)
		}
	}
}

func (p *phaseTracker) perform(c actor.Context, e pbft.SlotEffect) {
	switch e := e.(type) {
	case pbft.ProposeVote:
		if e.Vote.Kind == messages.Commit {
			p.phase(metrics.PhasePrepare)
			p.t.quorums.prepared(p.seq, e.Vote.View, e.Vote.Digest)
		}
		c.Send(p.t.links.sequencer, &proposeVote{e.Vote})
	case pbft.NeedBatch:
		c.Send(p.t.links.sequencer, &e)
	case pbft.Committed:
		p.phase(metrics.PhaseCommit)
		p.decided = &decided{e, p.batches[e.Digest]}
		c.Send(p.t.links.executor, p.decided)
		p.t.quorums.committed(p.seq, e.View, e.Digest)
	}
}

// phase observes how long a phase took; the next one begins.
func (p *phaseTracker) phase(name string) {
	now := p.t.cfg.Clock.Now()
	if !p.since.IsZero() {
		p.t.cfg.Metrics.ObservePhase(name, now.Sub(p.since))
	}
	p.since = now
}
