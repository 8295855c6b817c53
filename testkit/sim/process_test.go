package sim

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors/runtime"
)

// TestAuditFindsWhoEscapes: an actor on a goroutine of its own would make runs
// differ, and only now and then.
func TestAuditFindsWhoEscapes(t *testing.T) {
	nothing := func(actor.Context) {}
	guard := actor.WithGuardian(actor.NewOneForOneStrategy(1, time.Second, actor.DefaultDecider))
	for _, test := range []struct {
		name  string
		spawn func(s *actor.ActorSystem, p *process)
		want  string // "" when all is well
	}{
		{"nobody", func(*actor.ActorSystem, *process) {}, ""},
		{"a default mailbox and dispatcher", func(s *actor.ActorSystem, _ *process) {
			_, _ = s.Root.SpawnNamed(actor.PropsFromFunc(nothing), "stray")
		}, "actor stray has a mailbox of its own"},
		{"a default dispatcher", func(s *actor.ActorSystem, p *process) {
			_, _ = s.Root.SpawnNamed(actor.PropsFromFunc(nothing, actor.WithMailbox(p.runtime().Mailbox)), "stray")
		}, "actor stray has a dispatcher of its own"},
		{"a default mailbox", func(s *actor.ActorSystem, p *process) {
			_, _ = s.Root.SpawnNamed(actor.PropsFromFunc(nothing, actor.WithDispatcher(p)), "stray")
		}, "a mailbox that is not the simulator's was scheduled"},
		{"no name", func(s *actor.ActorSystem, p *process) {
			s.Root.Spawn(actor.PropsFromFunc(nothing, actor.WithDispatcher(p), actor.WithMailbox(p.runtime().Mailbox)))
		}, "1 futures or actors without a name"},
		{"a future", func(s *actor.ActorSystem, _ *process) { actor.NewFuture(s, -1) }, "1 futures or actors without a name"},
	} {
		t.Run(test.name, func(t *testing.T) {
			system := actor.NewActorSystem(actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }))
			defer system.Shutdown()
			clock := runtime.NewVirtual(time.Unix(0, 0))
			p := &process{actors: make(map[string]*mailbox), scheduler: &scheduler{clock: clock, trace: newTrace(clock, nil)}}
			own := actor.PropsFromFunc(nothing, guard, actor.WithDispatcher(p), actor.WithMailbox(p.runtime().Mailbox))
			if _, err := system.Root.SpawnNamed(own, "root"); err != nil {
				t.Fatal(err)
			}
			test.spawn(system, p)
			switch err := p.audit(); {
			case test.want == "" && err != nil:
				t.Errorf("nobody escaped: %v", err)
			case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)):
				t.Errorf("the audit says %v, want %q", err, test.want)
			}
		})
	}
}
