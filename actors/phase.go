package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
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
			c.Send(p.t.links.sequencer, &trackerRestarted{p.seq})
		}
	case *pbft.ToSlot:
		if m.Batch != nil {
			p.batches[m.Batch.Digest()] = m.Batch
		}
		for _, e := range p.slot.Step(m.Event) {
			p.perform(c, e)
		}
	}
}

func (p *phaseTracker) perform(c actor.Context, e pbft.SlotEffect) {
	switch e := e.(type) {
	case pbft.ProposeVote:
		c.Send(p.t.links.sequencer, &proposeVote{e.Vote})
	case pbft.NeedBatch:
		c.Send(p.t.links.sequencer, &e)
	case pbft.Committed:
		c.Send(p.t.links.executor, &decided{e, p.batches[e.Digest]})
	}
}
