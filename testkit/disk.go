package testkit

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// ErrDisk is in the error of a write that DiskFault has fail, and in that of the
// replica that ends of it.
var ErrDisk = errors.New("injected by testkit: the disk is gone")

// DiskFault makes the next write or flush of what replica i records in its journal
// fail. A replica must not vote on what may not be on its disk: it ends, and
// AwaitEnd gives an error that is ErrDisk. A replica that votes writes, so Propose
// brings it about; one that is started on such a disk may not start.
//
// What only prepares the journal for later, as filling its next segment with zeros,
// does not count: a replica survives its failing and tries again. The timeline says
// what the fault struck.
func (c *Cluster) DiskFault(i int) *Fault {
	c.t.Helper()
	c.check(i)
	f := &Fault{pattern: "the journal", left: 1, done: make(chan struct{}), c: c, of: c.faults[i]}
	f.of.mu.Lock()
	defer f.of.mu.Unlock()
	f.of.disks = append(f.of.disks, f)
	c.timeline.tell("a write of replica %d is to fail", i)
	return f
}

// recording names the operations that put records on a disk. Of others that fail,
// some are survived.
var recording = map[errorfs.OpKind]string{
	errorfs.OpFileWrite: "write", errorfs.OpFileWriteAt: "write",
	errorfs.OpFileSync: "flush", errorfs.OpFileSyncData: "flush", errorfs.OpFileSyncTo: "flush", errorfs.OpFileFlush: "flush",
}

// segmentSuffix is that of files with records; a segment has another name until its
// zeros and its header are durable (storage/prepare.go).
const segmentSuffix = ".seg"

// disk puts faults between a replica and its disk.
func (f *faults) disk(fs vfs.FS, home string) vfs.FS {
	journal := path.Join(home, "journal")
	return errorfs.Wrap(fs, errorfs.InjectorFunc(func(op errorfs.Op) error {
		what, records := recording[op.Kind]
		if !records || path.Dir(op.Path) != journal || !strings.HasSuffix(op.Path, segmentSuffix) {
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
		fault.c.timeline.tell("a %s of %s fails, as it was to", what, op.Path)
		return fmt.Errorf("%w: %s %s", ErrDisk, what, op.Path)
	}))
}
