package replica_test

import (
	"slices"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// customActor gives replica 1 an actor.
func customActor(produce func() actor.Actor) testkit.Option {
	return testkit.WithReplica(func(i int) []replica.Option {
		if i != 1 {
			return nil
		}
		return []replica.Option{replica.WithActor("odd", produce)}
	})
}

// panicking is an actor that panics at all messages but those it is given.
func panicking(lives *atomic.Int32, spares ...func(any) bool) func() actor.Actor {
	return func() actor.Actor {
		lives.Add(1)
		return actor.ReceiveFunc(func(c actor.Context) {
			if !slices.ContainsFunc(spares, func(spared func(any) bool) bool { return spared(c.Message()) }) {
				panic("odd")
			}
		})
	}
}

func isA[T any](m any) bool { _, ok := m.(T); return ok }

// TestACustomActorCannotTakeTheReplicaDown: whenever it panics, and if there is none,
// the replica finalises and stops.
func TestACustomActorCannotTakeTheReplicaDown(t *testing.T) {
	var lives, parents atomic.Int32
	for name, test := range map[string]struct {
		produce func() actor.Actor
		lives   int32 // at the most, 0 for any number
	}{
		"at its end":  {panicking(&lives, isA[*actor.Started], isA[messages.Event]), 1},
		"at an event": {panicking(&lives, isA[*actor.Started]), 11},
		"always":      {panicking(&lives), 11},
		"in the making": {func() actor.Actor {
			lives.Add(1)
			panic("odd")
		}, 11},
		"as nothing": {func() actor.Actor {
			lives.Add(1)
			return nil
		}, 11},
		"with its family": {func() actor.Actor {
			lives.Add(1)
			return actor.ReceiveFunc(func(c actor.Context) {
				if _, ok := c.Message().(*actor.Started); ok {
					c.Spawn(actor.PropsFromProducer(panicking(&parents, isA[*actor.Started])))
					return
				}
				panic("odd")
			})
		}, 11},
	} {
		t.Run(name, func(t *testing.T) {
			lives.Store(0)
			c := testkit.NewCluster(t, 4, customActor(test.produce))
			proposeMany(c, 1, 20)
			c.Kill(1) // which fails the test for an error
			if got := lives.Load(); got == 0 || got > test.lives {
				t.Errorf("it was made %d times, and may be %d times", got, test.lives)
			}
		})
	}
}

// TestACustomActorThatIsLongInTheMaking: the replica does not wait for it, and it
// gets what happened meanwhile.
func TestACustomActorThatIsLongInTheMaking(t *testing.T) {
	made := make(chan struct{})
	told := make(chan messages.Seq, 64)
	c := testkit.NewCluster(t, 4, customActor(func() actor.Actor {
		<-made
		return actor.ReceiveFunc(func(c actor.Context) {
			if e, ok := c.Message().(messages.Finalized); ok {
				told <- e.Seq
			}
		})
	}))
	c.AwaitEqual(c.Propose(1, "before it is there"))
	close(made)
	c.Propose(1, "and after")
	for want := messages.Seq(1); want <= 2; want++ {
		if got := <-told; got != want {
			t.Fatalf("told of sequence %d, and not of %d", got, want)
		}
	}
}

// TestACustomActorThatStopsItsParent: all custom actors end with it, and nothing else.
func TestACustomActorThatStopsItsParent(t *testing.T) {
	stopped := make(chan struct{})
	c := testkit.NewCluster(t, 4, customActor(func() actor.Actor {
		return actor.ReceiveFunc(func(c actor.Context) {
			switch c.Message().(type) {
			case messages.Finalized:
				c.Stop(c.Parent())
			case *actor.Stopped:
				close(stopped)
			}
		})
	}))
	c.Propose(1, "the end")
	<-stopped
	c.AwaitEqual(proposeMany(c, 1, 5))
	if ready, reason := c.Replica(1).Ready(); !ready {
		t.Errorf("without its custom actors the replica is not ready: %s", reason)
	}
}
