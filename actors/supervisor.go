package actors

import (
	"fmt"
	"slices"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
)

// The children of the root and what a panic in each means. The order is that
// of starting; stopping goes the other way round.
//
//	journal    stop the replica    never vote on what may not be on disk
//	signers    stop the replica    a worker that panics on a vote would do so again
//	egress     stop the replica    it holds nothing; its panic is a bug of ours
//	ingress    stop the replica    bytes from a peer never reach a panic; if they do, say so
//	sequencer  stop the replica    the record on disk decides; a start reads it
//	  phase-n  restart, replay     5 in 10 s; the sequencer holds every vote it had
//	proposer   stop the replica    the pool outlives it, but nothing else proposes
//	executor   stop the replica    nothing is executed over a state that may be half written
//	viewchange, detector, sync    stop the replica
//	custom     (embedders' actors below it)
//	  <name>   restart             10 in 10 s, then stopped and said so; never the replica
//
// Stopping the replica loses nothing: whatever was promised is on disk, and
// the process ends with an error that names the actor.

// stopReplica is the strategy of every supervisor whose children must not be
// restarted from an empty memory.
type stopReplica struct{ t *Tree }

func (s stopReplica) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, message any) {
	s.t.fail(fmt.Errorf("actor %s panicked on %T: %v", name(child), message, reason))
	supervisor.StopChildren(child)
}

// name is an actor's own name, without its parents'.
func name(pid *actor.PID) string { return pid.Id[strings.LastIndexByte(pid.Id, '/')+1:] }

// root starts the children, beats the heart, and stops everything.
type root struct {
	t        *Tree
	timer    runtime.Timer
	children []*actor.PID // those alive, in the order of starting
	depths   []*depth     // of the children's mailboxes
	ending   bool
}

// end asks the root to stop its children, the last first, each when it has
// handled what it was sent: what was finalised reaches the disk.
type end struct{}

func (r *root) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		r.start(c)
	case *actor.Stopped:
		close(r.t.ended)
	case *end:
		if r.ending {
			return
		}
		r.ending = true
		if r.timer != nil {
			r.timer.Stop()
		}
		r.next(c)
	case *actor.Terminated:
		r.onTerminated(c, m)
	case *tick:
		if !r.ending {
			r.beat(c)
		}
	}
}

// start spawns the children and, once all are there, opens the network and lets
// them work.
func (r *root) start(c actor.Context) {
	t := r.t
	for _, child := range t.children() {
		strategy := child.strategy
		if strategy == nil {
			strategy = stopReplica{t}
		}
		waiting := &depth{queue: child.name}
		r.depths = append(r.depths, waiting)
		pid, err := c.SpawnNamed(t.props(child.produce, strategy, waiting), child.name)
		if err != nil {
			t.opened <- fmt.Errorf("start actor %s: %w", child.name, err)
			return
		}
		c.Watch(pid)
		r.children = append(r.children, pid)
	}
	for _, pid := range t.links.beginning() {
		c.Send(pid, &begin{})
	}
	r.beat(c)
	t.opened <- t.open()
}

// beat passes the heartbeat on and arms the next one.
func (r *root) beat(c actor.Context) {
	for _, pid := range r.t.links.ticked() {
		c.Send(pid, &tick{})
	}
	for _, d := range r.depths {
		r.t.cfg.Metrics.SetQueueDepth(d.queue, int(d.waiting.Load()))
	}
	self, system := c.Self(), c.ActorSystem()
	r.timer = r.t.cfg.Clock.AfterFunc(r.t.cfg.Heartbeat, func() { system.Root.Send(self, &tick{}) })
}

// next stops the last child alive, and the root after the first.
func (r *root) next(c actor.Context) {
	if n := len(r.children); n > 0 {
		c.Poison(r.children[n-1])
	} else {
		c.Stop(c.Self())
	}
}

// onTerminated goes on stopping. At any other time a child that is gone means
// that the library has given up on it.
func (r *root) onTerminated(c actor.Context, m *actor.Terminated) {
	r.children = slices.DeleteFunc(r.children, func(pid *actor.PID) bool { return pid.Equal(m.Who) })
	if r.ending {
		r.next(c)
		return
	}
	r.t.fail(fmt.Errorf("actor %s stopped by itself", name(m.Who)))
}
