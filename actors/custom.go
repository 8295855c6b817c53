package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// Custom is an actor of the embedder's. It gets the events of package messages
// as values, is restarted when it panics, and is stopped, with an error in the
// log, when it panics more than ten times in ten seconds. Whatever it does, the
// replica goes on.
type Custom struct {
	Name    string
	Produce func() actor.Actor
}

// customs supervises the embedder's actors: a failing one never reaches the
// replica's own supervision.
type customs struct {
	t      *Tree
	ending bool // what ends from now on was told to
}

func (t *Tree) superviseCustoms() actor.SupervisorStrategy {
	s := t.supervise(func(string) restarts { return customRestarts }, nil)
	s.exceeded = func(child *actor.PID, budget restarts, reason, _ any) {
		t.log.Error().Str("actor", name(child)).Str("cause", fmt.Sprint(reason)).
			Msgf("custom actor stopped after more than %v failures; the replica goes on without it", budget)
	}
	return s
}

func (s *customs) Receive(c actor.Context) {
	switch m := c.Message().(type) {
	case *actor.Started:
		s.start(c)
	case *actor.Restarting, *actor.Stopping:
		s.ending = true
	case *actor.Terminated:
		if !s.ending {
			s.t.log.Warn().Str("actor", name(m.Who)).Msg("custom actor ended; the replica goes on without it")
		}
	}
}

func (s *customs) start(c actor.Context) {
	for _, custom := range s.t.cfg.Custom {
		pid, err := c.SpawnNamed(s.t.props(custom.Produce, stopAlone{}), custom.Name)
		if err != nil {
			s.t.fail(fmt.Errorf("start custom actor %q: %w", custom.Name, err))
			return
		}
		s.t.hub.add(pid)
	}
}

// stopAlone stops a failing child of a custom actor, which may watch it.
type stopAlone struct{}

func (stopAlone) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	supervisor.StopChildren(child)
}
