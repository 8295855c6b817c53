package testkit_test

import (
	"strings"
	"testing"

	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/testkit"
)

// isVote is an event of a tracker that brings a vote of the given replica.
func isVote(message any) bool {
	e, ok := message.(*pbft.ToSlot)
	if !ok {
		return false
	}
	_, ok = e.Event.(pbft.VoteReceived)
	return ok
}

// A tracker that panics has lost its memory and the message. It is restarted,
// the sequencer replays what it had, the voter remembers what it voted, and the
// sequence commits all the same.
func TestATrackerThatPanicsIsRestartedAndReplayed(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	for i := range 4 {
		fault := c.PanicOn(i, "phase-*", 3, isVote)
		seq := c.Propose(i, "survives its tracker")
		c.AwaitEqual(seq)
		fault.Await()
	}
}

// A bug that does not go away must not become a loop of restarts: the replica
// stops and names the actor.
func TestATrackerThatKeepsPanickingStopsTheReplica(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.PanicOn(2, "phase-*", 1000, nil)
	c.Propose(0, "the others go on")
	if err := c.AwaitEnd(2); err == nil || !strings.Contains(err.Error(), "phase-1 ") {
		t.Errorf("the replica ended with %v", err)
	}
}

func TestAPanicOfAnActorThatIsNotRestartedStopsTheReplicaAndItComesBack(t *testing.T) {
	for _, name := range []string{"journal", "signers", "signer-*", "egress", "ingress", "sequencer", "proposer", "executor", "viewchange", "detector", "sync"} {
		t.Run(name, func(t *testing.T) {
			c := testkit.NewCluster(t, 4)
			before := c.Propose(0, "before")
			c.AwaitEqual(before)
			c.PanicOn(3, name, 1, nil)
			c.Propose(0, "meanwhile")
			if err := c.AwaitEnd(3); err == nil || !strings.Contains(err.Error(), strings.TrimSuffix(name, "*")) {
				t.Errorf("the replica ended with %v", err)
			}
			c.Start(3)
			c.AwaitEqual(c.Propose(3, "and after"))
		})
	}
}
