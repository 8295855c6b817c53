package testkit_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// busyEnd has a replica end while votes come in: its trackers do not stop before the
// sequencer, which is stopping, has got more votes.
type busyEnd struct {
	crash, ending atomic.Bool // the journal is to panic; the sequencer stops
	votes         atomic.Int32
	over          chan struct{}
}

func (b *busyEnd) middleware(next actor.ReceiverFunc) actor.ReceiverFunc {
	return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
		name := c.Self().Id[strings.LastIndexByte(c.Self().Id, '/')+1:]
		_, stopping := e.Message.(*actor.Stopping)
		switch {
		case name == "journal" && b.crash.Swap(false):
			panic("injected")
		case name == "sequencer" && stopping:
			b.ending.Store(true)
		case strings.HasPrefix(name, "phase-") && stopping:
			<-b.over
		}
		next(c, e)
		if name == "sequencer" && b.ending.Load() && fmt.Sprintf("%T", e.Message) == "*actors.verifiedVotes" && b.votes.Add(1) == 16 {
			close(b.over)
		}
	}
}

// A sequencer that is stopping starts no tracker: nobody would stop that one, and the
// sequencer waits for all.
func TestAReplicaEndsWhileVotesComeIn(t *testing.T) {
	end := &busyEnd{over: make(chan struct{})}
	c := testkit.NewCluster(t, 4, testkit.WithReplica(func(i int) []replica.Option {
		if i != 2 {
			return nil
		}
		return []replica.Option{replica.WithRuntime(actors.Runtime{Middleware: []actor.ReceiverMiddleware{end.middleware}})}
	}))
	c.AwaitEqual(c.Propose(0, "with all of them"))
	end.crash.Store(true)
	for over := false; !over; {
		c.Propose(0, "the others go on")
		select {
		case <-end.over:
			over = true
		default:
		}
	}
	if err := c.AwaitEnd(2); err == nil || !strings.Contains(err.Error(), "journal") {
		t.Errorf("the replica ended with %v", err)
	}
}
