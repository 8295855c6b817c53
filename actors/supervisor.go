package actors

import (
	"fmt"
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
	t     *Tree
	timer runtime.Timer
}

func (r *root) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		r.start(c)
	case *actor.Stopping:
		if r.timer != nil {
			r.timer.Stop()
		}
	case *actor.Terminated:
		r.onTerminated(m)
	case *tick:
		r.beat(c)
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
		pid, err := c.SpawnNamed(t.props(child.produce, strategy), child.name)
		if err != nil {
			t.opened <- fmt.Errorf("start actor %s: %w", child.name, err)
			return
		}
		c.Watch(pid)
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
	self, system := c.Self(), c.ActorSystem()
	r.timer = r.t.cfg.Clock.AfterFunc(r.t.cfg.Heartbeat, func() { system.Root.Send(self, &tick{}) })
}

// onTerminated notices a child that is gone. During a stop that is as it
// should be; at any other time the library has given up on it.
func (r *root) onTerminated(m *actor.Terminated) {
	if r.t.stopping() {
		return
	}
	r.t.fail(fmt.Errorf("actor %s stopped by itself", name(m.Who)))
}
