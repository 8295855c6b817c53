package testkit

import (
	"errors"
	"path"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// ErrDisk is what a write says that DiskFault has fail.
var ErrDisk = errors.New("injected by testkit: the disk is gone")

// DiskFault makes the next write, flush or new file of replica i's journal fail.
// A replica must not vote on what may not be on its disk: it stops.
func (c *Cluster) DiskFault(i int) *Fault {
	f := &Fault{pattern: "the journal", left: 1, done: make(chan struct{}), c: c, of: c.faults[i]}
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	f.of.disks = append(f.of.disks, f)
	c.timeline.tell("a write of replica %d is to fail", i)
	return f
}

// disk puts faults between a replica and its disk.
func (f *faults) disk(fs vfs.FS, home string) vfs.FS {
	journal := path.Join(home, "journal") + "/"
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() != errorfs.OpIsWrite || op.Kind == errorfs.OpFileClose || !strings.HasPrefix(op.Path, journal) {
			return nil
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		if len(f.disks) == 0 {
			return nil
		}
		fault := f.disks[0]
		f.disks = f.disks[1:]
		fault.struck, fault.left = 1, 0
		close(fault.done)
		return ErrDisk
	}))
}
