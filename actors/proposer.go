package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// proposer brings pending vertices into batches: as the leader by cutting
// them, else by passing its own on to the leader. It holds no vertices; the
// pool does.
//
// The leader proposes at once when nothing is in flight, and otherwise when a
// batch is full or a sequence in flight completes. So a lone vertex waits for
// nothing, and under load batches grow by themselves: there is no delay to
// tune. [B1]
type proposer struct {
	t        *Tree
	stand    *standing // nil until the sequencer has said
	inFlight map[messages.Digest]bool
	blocked  bool // the window is full; wait until it moves
}

func newProposer(t *Tree) *proposer { return &proposer{t: t, inFlight: make(map[messages.Digest]bool)} }

func (p *proposer) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *wake:
		p.work(c, false)
	case *tick:
		p.work(c, false)
		p.t.cfg.Metrics.SetPendingVertices(p.t.pool.Len())
	case *executed:
		completed := p.inFlight[m.digest]
		delete(p.inFlight, m.digest)
		p.work(c, completed)
	case *proposalRefused:
		delete(p.inFlight, m.batch.Digest())
		p.t.pool.Return(m.batch)
		p.blocked = true
	case *standing:
		if m.leads && (p.stand == nil || !p.stand.leads) {
			p.t.pool.Recall()
		}
		p.stand, p.blocked = m, false
		p.work(c, false)
	}
}

func (p *proposer) work(c actor.Context, completed bool) {
	switch {
	case p.stand == nil:
	case p.stand.leads:
		p.propose(c, completed)
	default:
		p.forward(c)
	}
}

// propose cuts batches while there is a reason to.
func (p *proposer) propose(c actor.Context, completed bool) {
	params := p.t.cfg.Genesis.Params
	bytesMax := int(params.BatchBytes) - messages.BatchHeaderBytes
	for !p.blocked && len(p.inFlight) < p.t.cfg.PipelineDepth {
		vertices, bytes := p.t.pool.Ready()
		full := vertices >= int(params.BatchVertices) || bytes >= bytesMax
		if vertices == 0 || len(p.inFlight) > 0 && !full && !completed {
			return
		}
		completed = false
		cut, hashes := p.t.pool.Cut(int(params.BatchVertices), bytesMax)
		if len(cut) == 0 {
			return
		}
		batch, err := messages.BuildBatch(cut, hashes, params)
		if err != nil {
			panic(fmt.Sprintf("the pool gave what makes no batch: %v", err))
		}
		p.inFlight[batch.Digest()] = true
		c.Send(p.t.links.sequencer, &proposal{batch})
	}
}

// forwardBytesMax is how much one Forward carries.
const forwardBytesMax = messages.BatchBytesMax

// forward passes own vertices on, many at a time. Those not final after a
// finality timeout are passed on again: the message was lost, or the leader
// had no room.
func (p *proposer) forward(c actor.Context) {
	again := p.t.cfg.Clock.Now().Add(-p.t.cfg.FinalityTimeout)
	for {
		vertices := p.t.pool.Forward(forwardBytesMax, again)
		if len(vertices) == 0 {
			return
		}
		c.Send(p.t.links.egress, &send{p.stand.leader, cluster.LaneBatches, &messages.Forward{Vertices: vertices}})
	}
}
