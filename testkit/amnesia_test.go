package testkit_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/testkit"
)

// At the very first start of a chain nobody has voted, and all vote at once:
// with everybody there, and with a quorum.
func TestD4_AChainStartsOnEmptyDisks(t *testing.T) {
	c := testkit.New(t, 4, testkit.WithoutFirstStart(), shortIntervals)
	for i := range 3 {
		c.Start(i)
	}
	for i := range 3 { // whoever asks after the first vote cannot tell, like the fourth below
		for c.Replica(i).Status().Observing != "" {
			c.AwaitHeartbeat(i)
		}
	}
	c.AwaitEqual(c.Propose(0, "a quorum"))
	for i := range 3 {
		if s := c.Replica(i).Status(); s.Observing != "" {
			t.Errorf("replica %d does not vote: %s", i, s.Observing)
		}
	}
	// The fourth cannot tell its first start from a lost disk: what is executed
	// may rest on votes of its own. It observes, and votes when that has passed.
	c.Start(3)
	awaitVoter(t, c, 3)
	c.Kill(2)
	c.AwaitEqual(c.Propose(3, "and its votes count"))
}

// awaitVoter has the others go on until a newcomer votes.
func awaitVoter(t *testing.T, c *testkit.Cluster, i int) {
	t.Helper()
	observed := false
	for range 100 {
		ready, _ := c.Replica(i).Ready()
		s := c.Replica(i).Status()
		if s.Observing == "" {
			if !observed {
				t.Error("it never said why it does not vote")
			}
			return
		}
		observed = observed || strings.Contains(s.Observing, "may have voted before")
		if ready {
			t.Fatal("a newcomer says that it is ready")
		}
		c.Propose((i+1)%4, "the others go on")
		c.AwaitHeartbeat(i) // with which it learns what it missed
	}
	t.Fatalf("it still does not vote: %s", c.Replica(i).Status().Observing)
}

// A replica that lost its disk takes part again, and votes only when what it may
// have voted for has passed: not before a restart either.
func TestD4_ALostDiskMakesAnObserver(t *testing.T) {
	c := testkit.NewCluster(t, 4, shortIntervals)
	c.AwaitEqual(c.Propose(3, "with a disk"))
	c.Kill(3)
	c.SetDisk(3, vfs.NewMem())
	c.Start(3)
	first := c.Propose(0, "without")
	c.Await(3, first)
	c.Restart(3) // its disk is not empty any more
	if s := c.Replica(3).Status(); s.Observing == "" {
		t.Fatal("a restart made a voter of it")
	}
	awaitVoter(t, c, 3)
	if s := c.Replica(3).Status(); s.StableCheckpoint < first+8 {
		t.Errorf("it votes with checkpoint %d stable; others had executed %d, and a window is 8", s.StableCheckpoint, first)
	}
	c.Kill(2)
	c.AwaitEqual(c.Propose(3, "and its votes count"))
	for i := range 2 {
		if c.Replica(i).Detector().IsBanned(3) {
			t.Errorf("replica %d bans the member that lost its disk", i)
		}
	}
}
