package testkit_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// A leader that gives one sequence two batches is found out and replaced, and
// nobody honest is charged.
func TestAnEquivocatingLeaderIsConvicted(t *testing.T) {
	c := testkit.New(t, 4)
	c.Byzantine(0, byzantine.Equivocating())
	var convicted, framed atomic.Int32
	c.OnEvent(func(replica int, e messages.Event) {
		v, ok := e.(messages.ViolationDetected)
		switch {
		case ok && replica != 0 && v.Member != 0 && v.Type != "timeout" && v.Type != "non_participation":
			framed.Add(1)
		case ok && v.Type == "equivocation":
			convicted.Add(1)
		}
	})
	for i := range 4 {
		c.Start(i)
	}
	for i := range 12 {
		c.Propose(1+i%3, "final whatever the leader says")
	}
	// Its two votes may be in different hands still: evidence takes a heartbeat.
	c.AwaitEvent(1, func(e messages.Event) bool {
		v, ok := e.(messages.ViolationDetected)
		return ok && v.Type == "equivocation" && v.Member == 0
	}, func() bool { return convicted.Load() > 0 })
	if framed.Load() > 0 {
		t.Errorf("%d charges against others", framed.Load())
	}
}

// Every behaviour at work in a member that does not lead: the others go on. Of the
// member itself nothing is promised: it has signed what its replica has no record of,
// and a replica that is told of such a vote, as by the evidence, stops. [V6]
func TestEveryBehaviourIsSurvived(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	for _, b := range byzantine.Behaviours {
		behaviour := b.New(300)
		if _, only := byzantine.SimulatedOnly(behaviour); only {
			continue
		}
		c.Byzantine(3, behaviour)
		c.Propose(1, b.Name)
	}
	c.Kill(3)
	c.AwaitEqual(c.Propose(0, "and it is over"))
}

func TestBadLinksAreSurvived(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.Delay(0, 2, 5*time.Millisecond)
	c.Drop(testkit.Any, 3, 300)
	c.Duplicate(1, testkit.Any, 500)
	c.Reorder(testkit.Any, testkit.Any, 200)
	for i := range 8 {
		c.Propose(i%4, "on a bad day")
	}
	c.Heal()
	c.AwaitEqual(c.Propose(3, "and on a good one"))
}

// Drop and Delay do what they say: without the leader's frames nothing is
// final in its view.
func TestADroppedLeaderIsReplaced(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.Drop(0, testkit.Any, 1000)
	c.Propose(1, "under the next leader")
	if c.Replica(1).CurrentView() == 0 {
		t.Error("view 0 goes on, and nothing its leader says arrives")
	}
}

func TestAReplicaWhoseDiskFailsStops(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	fault := c.DiskFault(2)
	c.Propose(0, "the others go on")
	fault.Await()
	if err := c.AwaitEnd(2); !errors.Is(err, testkit.ErrDisk) {
		t.Errorf("the replica ended with %v", err)
	}
	c.Start(2)
	c.AwaitEqual(c.Propose(2, "it comes back"))
}
