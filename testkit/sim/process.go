package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors"
)

// process is one life of a replica, from a start to the next crash. It is the
// dispatcher of its actors, and dispatches nothing: the scheduler does.
type process struct {
	member    int
	life      int // 1 for the first
	scheduler *scheduler
	dead      bool // the power is cut: nothing it does has an effect outside any more
	buried    bool // and its actors get nothing any more
	system    *actor.ActorSystem
	actors    map[string]*mailbox // by name, the last of that name
	paused    bool                // the machine runs something else
	escape    error
	panics    panics
}

// runtime is how the replica's actors run.
func (p *process) runtime() actors.Runtime {
	return actors.Runtime{
		Dispatcher: p,
		Mailbox:    func() actor.Mailbox { return &mailbox{process: p, at: -1} },
		Middleware: []actor.ReceiverMiddleware{p.panics.middleware},
		Drive:      p.drive,
		System:     newSystem(),
	}
}

// drive runs the process alone until it has said how starting went.
func (p *process) drive(until <-chan error) {
	for len(until) == 0 {
		if !p.scheduler.stepOf(p) {
			panic(fmt.Sprintf("sim: replica %d waits for nothing while it starts", p.member))
		}
	}
}

// Schedule implements actor.Dispatcher: only a mailbox that is not ours calls it.
func (p *process) Schedule(func()) { p.escaped("a mailbox that is not the simulator's was scheduled") }

// Throughput implements actor.Dispatcher.
func (p *process) Throughput() int { return 1 }

func (p *process) escaped(format string, args ...any) {
	if p.escape == nil {
		p.escape = fmt.Errorf("replica %d escapes the simulator: "+format, append([]any{p.member}, args...)...)
	}
}

func (p *process) adopt(m *mailbox, system *actor.ActorSystem) {
	p.system = system
	p.actors[m.name] = m
}

// pause keeps the scheduler from the process, or lets it go on.
func (p *process) pause(paused bool) {
	p.paused = paused
	for _, name := range slices.Sorted(maps.Keys(p.actors)) {
		p.scheduler.update(p.actors[name])
	}
}

// audit looks for actors the scheduler does not own and for anything that was
// numbered instead of named: futures and nameless actors are, and so is the one
// guardian above the root.
func (p *process) audit() error {
	const guardians = 1
	if n := p.system.ProcessRegistry.SequenceID; n != guardians {
		p.escaped("%d futures or actors without a name", n-guardians)
	}
	for _, bucket := range p.system.ProcessRegistry.LocalPIDs.LocalPIDs {
		bucket.IterCb(func(id string, v any) {
			if _, ok := v.(*actor.ActorProcess); ok && p.actors[id] == nil {
				p.escaped("actor %s has a mailbox of its own", id)
			}
		})
	}
	return p.escape
}

// short is an actor's name below its replica.
func short(id string) string {
	_, name, found := strings.Cut(id, "/")
	if !found {
		return "root"
	}
	return name
}
