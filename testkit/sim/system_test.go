package sim

import (
	"testing"

	"github.com/asynkron/protoactor-go/actor"
)

// TestSystemsShareNothing: what a former life still sends must not reach the next,
// whose actors have the same names.
func TestSystemsShareNothing(t *testing.T) {
	const more = 2100 // than the registries of two systems of the library's
	reached := 0
	for range more {
		s := newSystem()
		if _, ok := s.ProcessRegistry.GetLocal("replica-0"); ok {
			t.Fatal("a new system has an actor of another")
		}
		if _, ok := s.ProcessRegistry.GetLocal("eventstream"); !ok {
			t.Fatal("a new system lacks what every system has")
		}
		p := &process{actors: make(map[string]*mailbox), scheduler: &scheduler{}}
		props := actor.PropsFromFunc(func(actor.Context) {}, actor.WithDispatcher(p), actor.WithMailbox(func() actor.Mailbox { return &mailbox{process: p, at: -1} }))
		pid, err := s.Root.SpawnNamed(props, "replica-0")
		if err != nil {
			t.Fatal(err)
		}
		s.Root.Send(pid, "hello")
		if len(p.actors["replica-0"].user) == 1 && p.system == s {
			reached++
		}
	}
	if reached != more {
		t.Errorf("%d of %d actors got what was sent to them", reached, more)
	}
}
