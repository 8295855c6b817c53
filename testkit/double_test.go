package testkit_test

import (
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/testkit"
)

// cloned copies a replica's disk while it is down.
func cloned(t *testing.T, c *testkit.Cluster, i int) vfs.FS {
	t.Helper()
	disk := vfs.NewMem()
	if _, err := vfs.Clone(c.Disk(i), disk, "/", "/"); err != nil {
		t.Fatal(err)
	}
	return disk
}

// An old copy of a replica's folder has forgotten votes that others have seen.
// It notices by them, and stops voting before it contradicts one.
func TestD3_AnOldCopyOfAFolderStopsVoting(t *testing.T) {
	alarms, option := keyAlarms(4)
	c := testkit.NewCluster(t, 4, option)
	c.AwaitEqual(c.Propose(0, "before the copy"))
	c.Kill(3)
	old := cloned(t, c, 3)
	c.Start(3)
	c.Kill(1) // so that the votes of 3 count
	for range 10 {
		c.AwaitEqual(c.Propose(0, "after it"))
	}
	c.Start(1)
	c.AwaitEqual(c.Propose(0, "equal again"))

	c.Restart(3) // with all it has, it goes on
	c.AwaitEqual(c.Propose(3, "nothing is missing"))
	if len(alarms[3]) > 0 {
		t.Errorf("a false alarm: %+v", <-alarms[3])
	}
	c.Kill(3)
	c.SetDisk(3, old)
	c.Start(3)
	c.AwaitHalted(3)
	if s := c.Replica(3).Status(); s.Active || !strings.Contains(s.Halted, "key") {
		t.Errorf("the old copy: %+v", s)
	}
	if e := <-alarms[3]; e.Observing || len(e.Votes) != 1 || c.Metric(3, keyElsewhere) != 1 {
		t.Errorf("told %+v", e)
	}
	c.Propose(0, "the others go on")
	for i := range 3 {
		if c.Replica(i).Detector().IsBanned(3) {
			t.Errorf("replica %d bans the member, which has contradicted nothing", i)
		}
	}
}
