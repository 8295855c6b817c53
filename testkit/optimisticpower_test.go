package testkit_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// All lose power at once as they have executed what all accepted, and none has that on
// its disk yet: that it accepted it is there, which is enough to execute it again,
// whoever comes back.
func TestF1_APowerFailureUndoesNothing(t *testing.T) {
	var disks, kept [4]*vfs.MemFS
	before := true // with each heartbeat, what is decided goes to the disk
	c := testkit.NewCluster(t, 4, optimistic, testkit.WithDisks(func(i int) vfs.FS {
		disks[i] = vfs.NewCrashableMem()
		return disks[i]
	}), testkit.WithConfig(func(_ int, cfg *replica.Config) {
		if before {
			cfg.Heartbeat, cfg.HeartbeatTimeout, cfg.FinalityTimeout = longBeat, 4*longBeat, 4*longBeat
		}
	}))
	last := c.Propose(1, "what all accept")
	c.AwaitEqual(last)
	for i, d := range disks {
		kept[i] = d.CrashClone(vfs.CrashCloneCfg{})
	}
	want := decided(t, c, 1, last)
	if !unanimous(c, want) {
		t.Fatalf("sequence %d was committed", last)
	}
	for i := range 4 {
		c.Kill(i)
		c.SetDisk(i, kept[i])
	}
	before = false
	for i := 1; i < 4; i++ { // without the leader, who would send it again
		c.Start(i)
	}
	c.AwaitEqual(c.Propose(2, "another vertex"))
	c.Start(0)
	c.AwaitEqual(c.Propose(0, "with all"))
	for i := range 4 {
		keeps(t, c, i, want)
	}
}
