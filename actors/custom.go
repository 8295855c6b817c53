package actors

import (
	"errors"
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

// incarnate makes an actor, or one that panics at its start in its place: that is
// within the supervision, and making it is not.
func (u Custom) incarnate() (a actor.Actor) {
	defer func() {
		if cause := recover(); cause != nil {
			a = stillborn{fmt.Errorf("making it panicked: %v", cause)}
		}
	}()
	if a = u.Produce(); a == nil {
		a = stillborn{errNoActor}
	}
	return a
}

var errNoActor = errors.New("what is to produce it gave nil")

// stillborn is an actor that could not be made.
type stillborn struct{ cause error }

func (s stillborn) Receive(c actor.Context) {
	if _, ok := c.Message().(*actor.Started); ok {
		panic(s.cause)
	}
}

// customs supervises the embedder's actors: a failing one never reaches the
// replica's own supervision.
type customs struct {
	t       *Tree
	failing *supervision
	gone    map[string]bool // those stopped over their failures
	ending  bool            // what ends from now on was told to
}

func newCustoms(t *Tree) *customs {
	s := &customs{t: t, gone: make(map[string]bool)}
	s.failing = t.supervise(func(string) restarts { return customRestarts }, nil)
	s.failing.exceeded = func(child *actor.PID, budget restarts, reason, _ any) {
		s.gone[child.Id] = true
		t.log.Error().Str("actor", name(child)).Str("cause", fmt.Sprint(reason)).
			Msgf("custom actor stopped after more than %v failures; the replica goes on without it", budget)
	}
	return s
}

// HandleFailure implements actor.SupervisorStrategy. The library would restart even
// what is stopping, or has stopped.
func (s *customs) HandleFailure(system *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, stats *actor.RestartStatistics, reason, message any) {
	if s.ending || s.gone[child.Id] {
		supervisor.StopChildren(child)
		return
	}
	s.failing.HandleFailure(system, supervisor, child, stats, reason, message)
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
		props := s.t.props(custom.incarnate, stopAlone{}).Configure(s.t.composed()...)
		pid, err := c.SpawnNamed(props, custom.Name)
		if err != nil {
			s.t.log.Error().Str("actor", custom.Name).Err(err).Msg("custom actor not started; the replica goes on without it")
			continue
		}
		s.t.hub.add(pid)
	}
	s.t.hub.begin()
}

// composed is what a custom actor, and all below it, ends with: composure. From the
// moment it is told to stop, or to make room for its next life, a panic is logged and
// nothing else, for the library goes on with the ending only if there is none.
func (t *Tree) composed() []actor.PropsOption {
	ending := false // of the one actor that is made with these options
	keep := func(next actor.ReceiverFunc) actor.ReceiverFunc {
		return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
			switch e.Message.(type) {
			case *actor.Started:
				ending = false
			case *actor.Stopping, *actor.Stopped, *actor.Restarting:
				ending = true
			}
			if ending {
				defer t.compose(c.Self(), e.Message)
			}
			next(c, e)
		}
	}
	below := func(next actor.SpawnFunc) actor.SpawnFunc {
		return func(system *actor.ActorSystem, id string, props *actor.Props, parent actor.SpawnerContext) (*actor.PID, error) {
			return next(system, id, props.Clone(t.composed()...), parent)
		}
	}
	return []actor.PropsOption{actor.WithReceiverMiddleware(keep), actor.WithSpawnMiddleware(below)}
}

// compose ends a panic of an actor that is ending.
func (t *Tree) compose(pid *actor.PID, message any) {
	if cause := recover(); cause != nil {
		t.log.Error().Str("actor", name(pid)).Str("on", fmt.Sprintf("%T", message)).Str("cause", fmt.Sprint(cause)).
			Msg("custom actor panicked while it ended")
	}
}

// stopAlone stops a failing child of a custom actor, which may watch it.
type stopAlone struct{}

func (stopAlone) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID, _ *actor.RestartStatistics, _, _ any) {
	supervisor.StopChildren(child)
}
