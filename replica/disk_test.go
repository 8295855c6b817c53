package replica_test

import (
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/cretoai/consensus/testkit"
)

// awaitReady waits until a replica is ready, or is not for a reason.
func awaitReady(t *testing.T, c *testkit.Cluster, i int, want string) {
	t.Helper()
	late := time.After(30 * time.Second)
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	for {
		ready, reason := c.Replica(i).Ready()
		if ready == (want == "") && strings.Contains(reason, want) {
			return
		}
		select {
		case <-poll.C:
		case <-late:
			t.Fatalf("ready: %v, %q; want %q", ready, reason, want)
		}
	}
}

// TestD8_AReplicaIsNotReadyBeforeItsDiskIsFull, and goes on voting meanwhile.
func TestD8_AReplicaIsNotReadyBeforeItsDiskIsFull(t *testing.T) {
	disks := make([]*vfs.MemFS, 4)
	c := testkit.NewCluster(t, 4, testkit.WithDisks(func(i int) vfs.FS {
		disks[i] = vfs.NewMem()
		return disks[i]
	}))
	c.Propose(0, "with space")
	awaitReady(t, c, 3, "")
	disks[3].TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 8<<20 - 1, TotalBytes: 1 << 30}) // of segments of 4 MiB
	awaitReady(t, c, 3, "nearly full")
	c.Kill(1) // now the votes of 3 are needed
	c.AwaitEqual(c.Propose(0, "without"))
	disks[3].TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 8 << 20, TotalBytes: 1 << 30})
	awaitReady(t, c, 3, "")
}

// TestD8_NoRoomForTheNextSegmentIsNoFailureYet: the current one has its own.
func TestD8_NoRoomForTheNextSegmentIsNoFailureYet(t *testing.T) {
	var full atomic.Bool
	c := testkit.NewCluster(t, 4, testkit.WithSegmentBytes(1<<20), testkit.WithDisks(func(i int) vfs.FS {
		if i != 3 {
			return vfs.NewMem()
		}
		return errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
			if full.Load() && op.Kind == errorfs.OpCreate && strings.Contains(op.Path, "journal") {
				return syscall.ENOSPC
			}
			return nil
		}))
	}))
	seq := c.Propose(0, "with space")
	full.Store(true)
	for ready := true; ready; ready, _ = c.Replica(3).Ready() { // the prepared segment is taken, and the next one finds no room
		seq = c.ProposeAll(0, vertices(500))[0].Seq
	}
	if _, reason := c.Replica(3).Ready(); !strings.Contains(reason, "the disk is full") {
		t.Errorf("not ready: %q", reason)
	}
	c.AwaitEqual(seq)
	full.Store(false)
	awaitReady(t, c, 3, "")
	c.AwaitEqual(c.Propose(3, "with space again"))
}
