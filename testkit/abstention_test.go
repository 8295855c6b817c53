package testkit_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/testkit"
)

// ready says whether a replica can be expected to finalise, and if not, why.
func ready(c *testkit.Cluster, i int) string {
	_, reason := c.Replica(i).Ready()
	return reason
}

// metric waits until a metric of a replica is as it should be.
func metric(c *testkit.Cluster, i int, name string, want float64, labels ...string) {
	c.AwaitTrue(fmt.Sprintf("%s %q of replica %d is %v", name, labels, i, want), func() bool {
		return c.Metric(i, name, labels...) == want
	})
}

// A member that lost its disk is connected and does not vote: with two others it is
// no quorum, and nobody says that it is.
func TestAnObserverIsNotCountedTowardsAQuorum(t *testing.T) {
	c := testkit.NewCluster(t, 4, shortIntervals)
	c.AwaitEqual(c.Propose(3, "with a disk"))
	c.Kill(3)
	c.SetDisk(3, vfs.NewMem())
	c.Start(3)
	const observes = "it observes, since its disk or its journal was empty"
	c.AwaitTrue("replica 0 knows that 3 observes", func() bool { return c.Replica(0).Status().Peers[2].Abstains == observes })
	metric(c, 3, "observing", 1)
	metric(c, 0, "observing", 0)
	metric(c, 0, "peers_voting", 2)
	metric(c, 0, "peers_connected", 3)
	metric(c, 0, "quorum", 3)
	c.AwaitTrue("replica 0 is ready with two voters", func() bool { return ready(c, 0) == "" })
	c.Kill(2)
	c.AwaitTrue("replica 0 has lost 2", func() bool { return !c.Replica(0).Status().Peers[1].Connected })
	if reason, want := ready(c, 0), "too few of the connected members vote for a quorum: of member 3, "+observes; reason != want {
		t.Errorf("with an observer in a quorum's place it says %q, want %q", reason, want)
	}
	c.Start(2)
	for range 100 { // until it may vote again
		if c.Replica(3).Status().Observing == "" {
			break
		}
		c.Propose(0, "the others go on")
		c.AwaitHeartbeat(3)
	}
	c.AwaitTrue("3 counts again", func() bool { return c.Replica(0).Status().Peers[2].Abstains == "" })
	metric(c, 3, "observing", 0)
	metric(c, 0, "peers_voting", 3)
	c.Kill(2)
	c.AwaitTrue("replica 0 has lost 2", func() bool { return !c.Replica(0).Status().Peers[1].Connected })
	c.AwaitTrue("replica 0 is ready with 3 in the place of 2", func() bool { return ready(c, 0) == "" })
}

// Of a member that has halted nothing tells but that the others leave it behind.
func TestAHaltedMemberIsNotCountedOnceItIsLeftBehind(t *testing.T) {
	c := testkit.NewCluster(t, 4, shortIntervals)
	c.AwaitEqual(c.Propose(3, "with a disk"))
	c.Kill(3)
	old := cloned(t, c, 3)
	c.Start(3)
	c.Kill(1) // so that the votes of 3 count
	c.AwaitEqual(c.Propose(3, "what the copy does not know"))
	c.Start(1)
	c.Kill(3)
	c.SetDisk(3, old)
	c.Start(3)
	c.AwaitHalted(3)
	metric(c, 3, "halted", 1)
	metric(c, 0, "halted", 0)
	stands := c.Replica(3).Status().Sequence
	if why := c.Replica(0).Status().Peers[2].Abstains; why != "" {
		t.Errorf("nothing has shown yet that 3 does not vote, but %q", why)
	}
	for c.Propose(0, "the others go on") <= stands+8 { // a window
	}
	c.AwaitTrue("replica 0 knows that 3 stands still", func() bool {
		return strings.HasPrefix(c.Replica(0).Status().Peers[2].Abstains, "it stands still at sequence ")
	})
	metric(c, 0, "peers_voting", 2)
	metric(c, 0, "peer_behind_sequences", float64(c.Replica(0).Status().Sequence-stands), "peer", "3")
	metric(c, 0, "peer_behind_sequences", 0, "peer", "1")
	c.AwaitTrue("replica 0 is ready with two voters", func() bool { return ready(c, 0) == "" })
	c.Kill(2)
	c.AwaitTrue("replica 0 says why no quorum votes", func() bool {
		return strings.HasPrefix(ready(c, 0), "too few of the connected members vote for a quorum: of member 3, it stands still")
	})
}

// The leader is a member's index: another one's after a view change.
func TestMetricsNameTheLeader(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.Kill(0)
	c.Propose(1, "for the next leader")
	s := c.Replica(1).Status()
	if s.Leader == 0 {
		t.Fatalf("a leader that is dead leads: %+v", s)
	}
	metric(c, 1, "current_leader", float64(s.Leader))
}
