package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/cluster"
	"github.com/cretoai/consensus/messages"
)

// restarts is a budget: more than max failures within the period exceed it.
// The zero value allows none.
type restarts struct {
	max    int
	within time.Duration
}

func (r restarts) String() string { return fmt.Sprintf("%d times in %v", r.max, r.within) }

// supervision decides what becomes of a child that panicked: it is restarted,
// with the cause logged and counted under its name, until its budget is used
// up; then exceeded decides. The message it panicked on is gone. What that
// message held is given back, and lost is told of it. The failures are counted
// on the tree's clock, not the library's, whose own strategies stop a child
// without a word once its budget is used up.
//
// A panic on what a peer sent and nobody has verified yet is not counted against
// the budget: or a peer that knows how to cause one could stop the replica.
type supervision struct {
	t        *Tree
	budget   func(child string) restarts
	lost     func(child string, message any)
	exceeded func(child *actor.PID, budget restarts, reason, message any)
	failures map[string][]time.Time
}

// supervise makes the strategy under which a child that uses up its budget
// stops the replica.
func (t *Tree) supervise(budget func(child string) restarts, lost func(child string, message any)) *supervision {
	return &supervision{t: t, budget: budget, lost: lost, failures: make(map[string][]time.Time), exceeded: t.gaveUp}
}

// gaveUp stops the replica over an actor that may not be restarted any more.
func (t *Tree) gaveUp(child *actor.PID, budget restarts, reason, message any) {
	if budget.max == 0 {
		t.fail(fmt.Errorf("actor %s panicked on %T: %v", name(child), message, reason))
	} else {
		t.fail(fmt.Errorf("actor %s panicked more than %v, last on %T: %v", name(child), budget, message, reason))
	}
}

// HandleFailure implements actor.SupervisorStrategy. It runs in the supervisor,
// between two of its messages.
func (s *supervision) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, message any) {
	message = actor.UnwrapEnvelopeMessage(message)
	if order, ok := message.(*lift); ok {
		order.done <- fmt.Errorf("the detector panicked: %v", reason)
	}
	in := unverified(message)
	if p, ok := reason.(*poison); ok {
		in, reason = p.in, p.cause
	}
	if in != nil {
		in.Release()
		s.t.peerLog.warn(in.From, "made "+name(child)+" panic").Str("cause", fmt.Sprint(reason)).Msg("actor restarted")
	} else if budget := s.budget(name(child)); s.count(child) > budget.max {
		delete(s.failures, child.Id)
		s.exceeded(child, budget, reason, message)
		supervisor.StopChildren(child)
		return
	}
	s.t.cfg.Metrics.ActorRestarted(name(child))
	if in == nil {
		s.t.log.Error().Str("actor", name(child)).Str("on", fmt.Sprintf("%T", message)).
			Str("cause", fmt.Sprint(reason)).Int("failures", len(s.failures[child.Id])).Msg("actor restarted")
	}
	if s.lost != nil {
		s.lost(name(child), message)
	}
	supervisor.RestartChildren(child)
}

// count notes a failure and gives how many there were within the period.
func (s *supervision) count(child *actor.PID) int {
	now, within := s.t.cfg.Clock.Now(), s.budget(name(child)).within
	recent := s.failures[child.Id][:0]
	for _, at := range s.failures[child.Id] {
		if now.Sub(at) < within {
			recent = append(recent, at)
		}
	}
	s.failures[child.Id] = append(recent, now)
	return len(recent) + 1
}

// unverified gives the frame of a peer that a message carries, nil if it is of
// our own making.
func unverified(message any) *cluster.Inbound {
	switch m := message.(type) {
	case *cluster.Inbound:
		return m
	case *verify:
		return m.in
	case *viewChangeOffered:
		return m.in
	case *decidedOffered:
		return m.in
	case *manifestOffered:
		return m.in
	case *chunkArrived:
		return m.in
	}
	return nil
}

// poison is what an actor panics with over a peer's frame that did not come with
// the message it handles.
type poison struct {
	in    *cluster.Inbound
	cause any
}

// handling runs f for a frame.
func handling(in *cluster.Inbound, f func()) {
	defer func() {
		if cause := recover(); cause != nil {
			panic(&poison{in, cause})
		}
	}()
	f()
}

// stopReplica is the strategy where no child may be restarted.
type stopReplica struct{ t *Tree }

// HandleFailure implements actor.SupervisorStrategy.
func (s stopReplica) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, message any) {
	s.t.gaveUp(child, restarts{}, reason, message)
	supervisor.StopChildren(child)
}

// incarnations gives each incarnation of an actor its number, 1 for the first.
// A later one has lost its memory, and the message its predecessor panicked on.
func incarnations(produce func(life int) actor.Actor) func() actor.Actor {
	life := 0
	return func() actor.Actor {
		life++
		return produce(life)
	}
}

func errTrackerGone(seq messages.Seq) error {
	return fmt.Errorf("the phase tracker of sequence %d is gone", seq)
}
