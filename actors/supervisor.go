package actors

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
)

// What a panic means for each actor. The order is that of starting; stopping
// goes the other way round. "5 in 10 s" is the budget: one failure more within
// that time stops the replica. Stopping loses nothing, for whatever was promised
// is on disk, and the process ends with an error that names the actor.
//
//	journal       stop at once       what is half written must not be voted on
//	preparer      5 in 10 s          it holds nothing; who needs a segment asks again
//	checkpointer  5 in 10 s          it holds nothing; the executor has the checkpoint written again
//	signers       5 in 10 s          the group in flight is handed out again; verifications are lost
//	  signer-n    5 in 10 s          likewise its one
//	egress        5 in 10 s          it holds nothing; Status brings again what was lost
//	ingress       5 in 10 s          it holds the watermarks, and asks for them
//	sequencer     5 in 10 s          rebuilt from disk before anything else, as after a crash (rebuild.go)
//	  phase-n     5 in 10 s          the sequencer replays the votes it has; one that panics a tracker twice is set aside
//	proposer      5 in 10 s          the pool is the replica's; what is not on its way goes back into it
//	executor      5 in 10 s          its state is the replica's; it goes on with the step it was at (execution.go)
//	viewchange    5 in 10 s          asks the sequencer where it stands; ViewChanges are sent again
//	detector      5 in 10 s          what it knows is the replica's
//	sync          5 in 10 s          asks again
//	custom        5 in 10 s          starts the embedder's actors anew
//	  <name>      10 in 10 s         then stopped, and said so; never the replica
//
// A panic on an unverified message of a peer is counted in the metric but not in
// the budget. A child that is gone without having been told to stops the replica, but
// for custom, which every actor below it can stop.
func (t *Tree) children() []child {
	return []child{
		{name: "journal", produce: func(int) actor.Actor { return newJournal(t) }, budget: never},
		{name: "preparer", produce: func(int) actor.Actor { return newPreparer(t) }},
		{name: "checkpointer", produce: func(life int) actor.Actor { return newCheckpointer(t, life) }},
		{name: "signers", produce: func(life int) actor.Actor { return newSigners(t, life) }, strategy: t.superviseWorkers()},
		{name: "egress", produce: func(int) actor.Actor { return &egress{t} }},
		{name: "ingress", produce: func(life int) actor.Actor { return newIngress(t, life) }},
		{name: "sequencer", produce: func(life int) actor.Actor { return newSequencer(t, life) }, strategy: t.superviseTrackers()},
		{name: "proposer", produce: func(life int) actor.Actor { return newProposer(t, life) }},
		{name: "executor", produce: func(life int) actor.Actor { return newExecutor(t, life) }},
		{name: "viewchange", produce: func(life int) actor.Actor { return newViewchange(t, life) }},
		{name: "detector", produce: func(int) actor.Actor { return &detectorActor{t: t} }},
		{name: "sync", produce: func(int) actor.Actor { return newCatchUp(t) }},
		{name: customsName, produce: func(int) actor.Actor { return newCustoms(t) }},
	}
}

// customsName is the actor's above the embedder's.
const customsName = "custom"

var (
	never          = &restarts{}
	actorRestarts  = restarts{max: 5, within: 10 * time.Second}
	customRestarts = restarts{max: 10, within: 10 * time.Second}
)

// child is one line of the table.
type child struct {
	name     string
	produce  func(life int) actor.Actor
	budget   *restarts                // nil is actorRestarts
	strategy actor.SupervisorStrategy // for its own children; nil stops the replica
}

// superviseChildren is the root's strategy.
func (t *Tree) superviseChildren() actor.SupervisorStrategy {
	budgets := make(map[string]restarts)
	for _, child := range t.children() {
		budgets[child.name] = actorRestarts
		if child.budget != nil {
			budgets[child.name] = *child.budget
		}
	}
	return t.supervise(func(child string) restarts { return budgets[child] }, func(child string, _ any) {
		if d := t.depths[child]; d != nil {
			d.waiting.Add(-1) // the mailbox does not count what an actor panicked on
		}
	})
}

// name is an actor's own name, without its parents'.
func name(pid *actor.PID) string { return pid.Id[strings.LastIndexByte(pid.Id, '/')+1:] }

// root starts the children, beats the heart, and stops everything.
type root struct {
	t        *Tree
	timer    runtime.Timer
	children []*actor.PID // those alive, in the order of starting
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
		r.t.snapshots.close()
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
		pid, err := c.SpawnNamed(t.lastingProps(child.name, incarnations(child.produce), strategy, t.depths[child.name]), child.name)
		if err != nil {
			t.opened <- fmt.Errorf("start actor %s: %w", child.name, err)
			return
		}
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
	for queue, d := range r.t.depths { // one gauge each: the order plays no role
		r.t.cfg.Metrics.SetQueueDepth(queue, int(d.waiting.Load()))
	}
	r.timer = r.t.after(c, r.t.cfg.Heartbeat, &tick{})
}

// after has an actor get a message of its own after a while.
func (t *Tree) after(c actor.Context, d time.Duration, m any) runtime.Timer {
	self, system := c.Self(), c.ActorSystem()
	return t.cfg.Clock.AfterFunc(d, func() { system.Root.Send(self, m) })
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
	if name(m.Who) == customsName {
		r.t.hub.begin() // for nobody, if it ended while it started
		r.t.log.Error().Msg("one of the custom actors stopped the actor above them, and so all of them; the replica goes on without them")
		return
	}
	r.t.fail(fmt.Errorf("actor %s stopped by itself", name(m.Who)))
}
