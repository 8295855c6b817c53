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
	accepted    time.Time // when it was, and prepared, in optimistic mode
	prepared    time.Time
	commits     bool // it proposed a Commit
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
		effects := p.slot.Step(m.Event)
		p.watch(m.Event)
		for _, e := range effects {
			p.perform(c, e)
		}
	}
}

// watch notes how quick the members are, in optimistic mode.
func (p *phaseTracker) watch(event pbft.SlotEvent) {
	if !p.optimistic() {
		return
	}
	if _, ok := event.(pbft.Accepted); ok {
		p.accepted, p.prepared = p.since, time.Time{}
	}
	if p.prepared.IsZero() && p.slot.Prepared() {
		p.prepared = p.t.cfg.Clock.Now()
	}
}

// lateBy is how much later than the Prepares of a quorum the last ones may come, beside
// twice what those took: processors and disks are not always equally busy.
const lateBy = 5 * time.Millisecond

// late reports whether waiting for the last members took so long that committing would
// have been quicker.
func (p *phaseTracker) late() bool {
	return p.t.cfg.Clock.Now().Sub(p.prepared) > 2*p.prepared.Sub(p.accepted)+lateBy
}

func (p *phaseTracker) perform(c actor.Context, e pbft.SlotEffect) {
	switch e := e.(type) {
	case pbft.ProposeVote:
		if e.Vote.Kind == messages.Commit {
			p.phase(metrics.PhasePrepare)
			p.commits = true
			if !p.optimistic() {
				p.t.quorums.prepared(p.seq, e.Vote.View, e.Vote.Digest)
			}
		}
		c.Send(p.t.links.sequencer, &proposeVote{e.Vote})
	case pbft.NeedBatch:
		c.Send(p.t.links.sequencer, &e)
	case pbft.Committed:
		p.decides(c, e)
		p.decided = &decided{e, p.batches[e.Digest]}
		c.Send(p.t.links.executor, p.decided)
	}
}

// decides counts a decision, and says which votes are not needed any more.
func (p *phaseTracker) decides(c actor.Context, e pbft.Committed) {
	switch {
	case !e.Unanimous:
		p.phase(metrics.PhaseCommit)
		p.t.cfg.Metrics.SequenceDecided(metrics.ByQuorum)
		if p.optimistic() {
			p.t.quorums.decided(p.seq, e.View, e.Digest)
		} else {
			p.t.quorums.committed(p.seq, e.View, e.Digest)
		}
		return
	case p.commits:
		p.phase(metrics.PhaseCommit)
	default:
		p.phase(metrics.PhasePrepare)
		c.Send(p.t.links.sequencer, &waited{p.seq, p.late()})
	}
	p.t.cfg.Metrics.SequenceDecided(metrics.ByAll)
	p.t.quorums.prepared(p.seq, e.View, e.Digest) // others' Commits may ask for the own one
}

func (p *phaseTracker) optimistic() bool { return p.t.cfg.Genesis.Params.OptimisticMode }

// phase observes how long a phase took; the next one begins.
func (p *phaseTracker) phase(name string) {
	now := p.t.cfg.Clock.Now()
	if !p.since.IsZero() {
		p.t.cfg.Metrics.ObservePhase(name, now.Sub(p.since))
	}
	p.since = now
}
