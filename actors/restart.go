package actors

import (
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
)

// restarts is a budget: more than max failures within the period exceed it.
type restarts struct {
	max    int
	within time.Duration
}

var (
	trackerRestarts = restarts{max: 5, within: 10 * time.Second}
	customRestarts  = restarts{max: 10, within: 10 * time.Second}
)

// restartWithin restarts a failing child, with its cause logged and counted,
// until its budget is used up; then exceeded decides. The failures are counted
// on the tree's clock, not the library's.
type restartWithin struct {
	t        *Tree
	budget   restarts
	failures map[string][]time.Time
	exceeded func(child *actor.PID, reason any)
}

func (t *Tree) restartTrackers() actor.SupervisorStrategy {
	return &restartWithin{t: t, budget: trackerRestarts, failures: make(map[string][]time.Time),
		exceeded: func(child *actor.PID, reason any) {
			t.fail(fmt.Errorf("actor %s panicked more than %d times in %v: %v", name(child), trackerRestarts.max, trackerRestarts.within, reason))
		}}
}

func (s *restartWithin) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, reason, message any) {
	now := s.t.cfg.Clock.Now()
	recent := s.failures[child.Id][:0]
	for _, at := range s.failures[child.Id] {
		if now.Sub(at) < s.budget.within {
			recent = append(recent, at)
		}
	}
	recent = append(recent, now)
	s.failures[child.Id] = recent
	if len(recent) > s.budget.max {
		delete(s.failures, child.Id)
		s.exceeded(child, reason)
		supervisor.StopChildren(child)
		return
	}
	s.t.cfg.Metrics.ActorRestarted(name(child))
	s.t.log.Error().Str("actor", name(child)).Str("message", fmt.Sprintf("%T", message)).
		Str("cause", fmt.Sprint(reason)).Int("failures", len(recent)).Msg("actor restarted")
	supervisor.RestartChildren(child)
}

func errTrackerGone(seq messages.Seq) error {
	return fmt.Errorf("the phase tracker of sequence %d is gone", seq)
}
