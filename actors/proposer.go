package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// proposer brings pending vertices into batches: as the leader by cutting
// them, else by passing its own on to the leader. It holds no vertices; the
// pool does.
//
// The leader proposes at once when nothing is in flight, and otherwise when a
// batch is full or a sequence in flight completes; those whom that completion
// freed are waited for, if they usually come back. So a lone vertex waits for
// nothing, and under load batches grow by themselves: there is no delay to
// tune. [B1]
type proposer struct {
	t        *Tree
	life     int       // 1 for the first
	stand    *standing // nil until the sequencer has said
	inFlight map[messages.Digest]flight
	due      bool // a sequence completed, and no batch was cut since
	blocked  bool // the window is full; wait until it moves
	cohort   cohort
	timer    runtime.Timer // of the cohort's window
}

// cohortOver ends a window of the cohort.
type cohortOver struct{ window int }

func newProposer(t *Tree, life int) *proposer {
	return &proposer{t: t, life: life, inFlight: make(map[messages.Digest]flight)}
}

func (p *proposer) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		if p.life > 1 {
			c.Send(p.t.links.sequencer, &standingWanted{c.Self()})
		}
	case *actor.Restarting, *actor.Stopping:
		if p.timer != nil {
			p.timer.Stop()
		}
	case *wake:
		p.work(c)
	case *cohortOver:
		p.cohort.close(m.window, p.t.pool.backlog())
		p.work(c)
	case *tick:
		p.work(c)
		p.tellOthers(c)
		p.t.cfg.Metrics.SetPendingVertices(p.t.pool.Len())
	case *executed:
		p.completed(c, m)
		p.work(c)
	case *installed: // what was in flight was executed elsewhere, or is underway
		p.stand = nil
		c.Send(p.t.links.sequencer, &standingWanted{c.Self()})
	case *proposalRefused:
		delete(p.inFlight, m.batch.Digest())
		p.t.pool.Return(m.batch)
		p.blocked = true
	case *standing:
		p.onStanding(m)
		p.work(c)
	}
}

// completed notes that a batch was executed, if it was one of the leader's.
func (p *proposer) completed(c actor.Context, m *executed) {
	f, mine := p.inFlight[m.digest]
	if !mine {
		return
	}
	delete(p.inFlight, m.digest)
	p.due = true
	if window := p.cohort.completed(p.t.cfg.Clock.Now(), f, m.before); window > 0 {
		p.timer = p.t.after(c, window, &cohortOver{p.cohort.opened})
	}
}

// onStanding begins a view, or ends one. A new incarnation of this actor or of
// the sequencer begins the view again: what was cut and is not on its way, by
// the sequencer's word, goes back into the pool.
func (p *proposer) onStanding(m *standing) {
	switch before := p.stand; {
	case !m.active:
		p.t.pool.Leave()
	case before == nil || !before.active || before.view != m.view || before.leads != m.leads || before.life != m.life:
		clear(p.inFlight)
		p.cohort.reset()
		executed := p.t.Progress().Seq
		var batches []*messages.Batch
		for _, u := range m.underway {
			if u.Seq <= executed {
				continue // its vertices have left the pool, and its word may have come before
			}
			batches = append(batches, u.Batch)
			if m.leads {
				p.inFlight[u.Batch.Digest()] = flight{}
			}
		}
		p.t.pool.Enter(m.leads, batches)
	}
	p.stand, p.blocked = m, false
}

func (p *proposer) work(c actor.Context) {
	switch {
	case p.stand == nil, !p.stand.active:
	case p.stand.leads:
		p.propose(c)
	default:
		p.forward(c)
	}
}

// propose cuts batches while there is a reason to.
func (p *proposer) propose(c actor.Context) {
	params, now := p.t.cfg.Genesis.Params, p.t.cfg.Clock.Now()
	bytesMax := int(params.BatchBytes) - messages.BatchHeaderBytes
	for !p.blocked && len(p.inFlight) < p.t.cfg.PipelineDepth {
		vertices, bytes := p.t.pool.Ready()
		if full := vertices >= int(params.BatchVertices) || bytes >= bytesMax; !full {
			if p.cohort.waits(vertices) {
				return // what is due stays so
			}
			if vertices == 0 || len(p.inFlight) > 0 && !p.due {
				break
			}
		}
		p.due = false
		cut, hashes, seals := p.t.pool.Cut(int(params.BatchVertices), bytesMax)
		if len(cut) == 0 {
			return
		}
		batch, err := messages.BuildSealedBatch(cut, hashes, seals, params)
		if err != nil {
			panic(fmt.Sprintf("the pool gave what makes no batch: %v", err))
		}
		p.inFlight[batch.Digest()] = flight{len(cut), now}
		c.Send(p.t.links.sequencer, &proposal{batch})
	}
	p.due = false
}

// forwardBytesMax is how much one Forward carries.
const forwardBytesMax = messages.BatchBytesMax

// shareBytesMax is how much of what the leader leaves waiting is told to everybody
// with each heartbeat, oldest first. It has to be little: in a cluster that is busy
// and not censored all of it waits, and telling it would make the cluster busier.
const shareBytesMax = 32 << 10

// forward passes vertices on to the leader, many at a time, and those not final
// after the view's timeout again: the message was lost, or the leader had no room.
func (p *proposer) forward(c actor.Context) {
	again := p.t.cfg.Clock.Now().Add(-time.Duration(p.t.patience.Load()))
	runtime.Yield() // to the callers who were woken with the one who woke this
	for {
		m := p.t.pool.Forward(forwardBytesMax, again)
		if len(m.Vertices) == 0 {
			return
		}
		c.Send(p.t.links.egress, &send{p.stand.leader, cluster.LaneBatches, &m})
	}
}

// tellOthers tells everybody of what waits, with each heartbeat.
func (p *proposer) tellOthers(c actor.Context) {
	switch {
	case p.stand == nil:
	case !p.stand.active:
		p.appeal(c)
	case !p.stand.leads:
		p.share(c)
	}
}

// share lets everybody know of the oldest vertices that are not final after half of
// the view's timeout: the others time them, too, and replace a leader that passes
// over them. [L4]
func (p *proposer) share(c actor.Context) {
	now, patience := p.t.cfg.Clock.Now(), time.Duration(p.t.patience.Load())
	if m := p.t.pool.Share(shareBytesMax, now.Add(-patience/2), now.Add(-patience)); len(m.Vertices) > 0 {
		c.Send(p.t.links.egress, &broadcast{cluster.LaneBatches, &m})
	}
}

// appeal tells everybody of vertices that wait for this replica to enter a view.
func (p *proposer) appeal(c actor.Context) {
	since := p.t.cfg.Clock.Now().Add(-time.Duration(p.t.patience.Load()))
	if m := p.t.pool.Appeal(forwardBytesMax, since); len(m.Vertices) > 0 {
		c.Send(p.t.links.egress, &broadcast{cluster.LaneBatches, &m})
	}
}
