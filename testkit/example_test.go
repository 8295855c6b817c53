package testkit_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/replica/kvstore"
	"github.com/cretoai/consensus/testkit"
	"github.com/cretoai/consensus/testkit/byzantine"
)

// t stands for the test that a function of an application's test file gets.
var t *testing.T

// A replica that is killed comes back with what its disk holds and catches up. The
// one killed here leads, so the others change the view first.
func ExampleCluster_Kill() {
	c := testkit.NewCluster(t, 4)
	c.AwaitEqual(c.Propose(0, "all are there"))
	c.Kill(0)
	c.Propose(1, "final in a later view")
	c.Start(0)
	c.AwaitEqual(c.Propose(0, "and equal again"))
}

// Kill the leader's phase tracker as it counts commits, and still finalise: the
// tracker is restarted, its sequence replayed to it, and the vote is not signed
// twice.
func ExampleCluster_PanicOn() {
	c := testkit.NewCluster(t, 4)
	fault := c.PanicOn(0, "phase-*", 1, testkit.BringsVote(messages.Commit))
	seq := c.Propose(1, "survives")
	fault.Await()
	c.AwaitEqual(seq)
}

// An actor that panics is restarted in place, and counted; a panic of the journal
// ends its replica.
func ExampleCluster_CrashActor() {
	c := testkit.NewCluster(t, 4)
	fault := c.CrashActor(1, "executor")
	c.Propose(0, "brings the executor something to do")
	fault.Await()
	c.AwaitTrue("the executor is restarted", func() bool {
		return c.Metric(1, "actor_restarts_total", "actor", "executor") == 1
	})
	fault = c.CrashActor(2, "journal")
	c.Propose(0, "brings the journal something to do")
	fault.Await()
	t.Log(c.AwaitEnd(2))
	c.Start(2)
	c.AwaitEqual(c.Propose(2, "and it comes back"))
}

// A replica that cannot write its votes down stops, rather than vote.
func ExampleCluster_DiskFault() {
	c := testkit.NewCluster(t, 4)
	fault := c.DiskFault(2)
	seq := c.Propose(0, "the others go on")
	fault.Await()
	if err := c.AwaitEnd(2); !errors.Is(err, testkit.ErrDisk) {
		t.Errorf("the replica ended for another reason: %v", err)
	}
	c.Start(2)
	c.Await(2, seq)
}

// A leader that lies costs time, never agreement, and the lie is proved: the two
// votes it signed convict it on every replica.
func ExampleCluster_Byzantine() {
	c := testkit.NewCluster(t, 4)
	c.Byzantine(0, byzantine.Equivocating(), byzantine.Slow(20*time.Millisecond))
	for i := 1; i < 4; i++ {
		c.Propose(i, "final whatever the leader says")
	}
	for i := 1; i < 4; i++ {
		c.AwaitEvent(i, func(e messages.Event) bool {
			found, ok := e.(messages.EvidenceFound)
			return ok && found.Evidence.Member == 0
		}, func() bool { return c.Replica(i).Detector().Convicted()[0] })
	}
}

// Seven replicas tolerate two that are cut off, behind bad links besides.
func ExampleCluster_Partition() {
	c := testkit.NewCluster(t, 7)
	c.Drop(testkit.Any, testkit.Any, 50)
	c.Partition([]int{0, 1, 2, 3, 4}, []int{5, 6})
	c.Propose(2, "five of seven are a quorum")
	c.Heal()
	c.AwaitEqual(c.Propose(6, "and the two catch up"))
}

// Wait for the next view on all that are left, whether or not it has begun already.
func ExampleCluster_AwaitEvent() {
	c := testkit.NewCluster(t, 4)
	c.Kill(0)
	for i := 1; i < 4; i++ {
		c.AwaitEvent(i, func(e messages.Event) bool {
			v, ok := e.(messages.ViewChanged)
			return ok && v.View >= 1
		}, func() bool { return c.Replica(i).CurrentView() >= 1 })
	}
}

// Run an application, here the key-value store, with an actor of one's own beside it.
// Both are made anew at every start; what the actor counts lies outside of it, or it
// would be lost when it panics.
func ExampleWithReplica() {
	var executed atomic.Int64 // on replica 1
	audit := func() actor.Actor {
		return actor.ReceiveFunc(func(ctx actor.Context) {
			if f, ok := ctx.Message().(messages.Finalized); ok {
				executed.Add(int64(f.Executed))
			}
		})
	}
	c := testkit.NewCluster(t, 4, testkit.WithReplica(func(i int) []replica.Option {
		opts := []replica.Option{replica.WithStateMachine(kvstore.New())}
		if i == 1 {
			opts = append(opts, replica.WithActor("audit", audit))
		}
		return opts
	}))
	if _, _, err := kvstore.Do(c.Context(), c.Replica(0), replica.Vertex{}, kvstore.Put("colour", "green")); err != nil {
		t.Fatal(err)
	}
	c.AwaitTrue("the audit has counted it", func() bool { return executed.Load() == 1 })
	c.Restart(1)
	answer, _, err := kvstore.Do(c.Context(), c.Replica(1), replica.Vertex{}, kvstore.Get("colour"))
	if err != nil || answer.Value != "green" {
		t.Errorf("the store answers %+v, %v", answer, err)
	}
}

// TestExamples runs the examples' bodies, which need a test.
func TestExamples(test *testing.T) {
	for name, example := range map[string]func(){
		"Kill": ExampleCluster_Kill, "PanicOn": ExampleCluster_PanicOn, "CrashActor": ExampleCluster_CrashActor,
		"DiskFault": ExampleCluster_DiskFault, "Byzantine": ExampleCluster_Byzantine, "Partition": ExampleCluster_Partition,
		"AwaitEvent": ExampleCluster_AwaitEvent, "WithReplica": ExampleWithReplica,
	} {
		test.Run(name, func(test *testing.T) {
			t = test
			defer func() { t = nil }()
			example()
		})
	}
}
