package testkit

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
)

// crammed is a disk on which the journal's next segment cannot be filled for a
// while: its replica tries again with every heartbeat.
type crammed struct {
	vfs.FS
	full  atomic.Bool
	tries chan struct{} // gets a word of each
}

func newCrammed() *crammed {
	d := &crammed{tries: make(chan struct{}, 1<<12)}
	d.FS = errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if !d.full.Load() || !strings.HasSuffix(op.Path, "journal/filling.tmp") {
			return nil
		}
		select {
		case d.tries <- struct{}{}:
		default:
		}
		return errors.New("no room for zeros")
	}))
	return d
}

// A replica whose next segment is being filled, again and again, must end of the
// fault all the same: it strikes what the replica does not survive.
func TestADiskFaultStrikesWhatIsNotSurvived(t *testing.T) {
	disk := newCrammed()
	c := NewCluster(t, 4, WithSegmentBytes(32<<20), WithDisks(func(i int) vfs.FS {
		if i == 2 {
			return disk
		}
		return vfs.NewMem()
	}))
	disk.full.Store(true)
	c.AwaitEqual(c.Propose(0, "has the segment filled on"))
	for range 4 { // by the last there is nothing left to record
		<-disk.tries
	}
	fault := c.DiskFault(2)
	for range 3 {
		select {
		case <-disk.tries:
		case <-c.Replica(2).Done():
		}
	}
	c.Propose(0, "is recorded, or not")
	fault.Await()
	if err := c.AwaitEnd(2); !errors.Is(err, ErrDisk) {
		t.Errorf("the replica ended with %v", err)
	}
	r := &recorder{TB: t, failed: true}
	c.timeline.tellFailure(r)
	if story, want := strings.Join(r.log, "\n"), c.Home(2)+"/journal/00000000000000000001.seg fails"; !strings.Contains(story, want) {
		t.Errorf("%q is missing in:\n%s", want, story)
	}
}

// A disk that a test gave a replica fails as its own does, and one that ended of it
// is started again whether or not somebody waited for its end.
func TestADiskFaultStrikesADiskThatWasGiven(t *testing.T) {
	c := New(t, 4)
	c.SetDisk(3, vfs.NewMem())
	for i := range 4 {
		c.Start(i)
	}
	fault := c.DiskFault(3)
	seq := c.Propose(0, "is recorded, or not")
	fault.Await()
	r := c.Replica(3)
	<-r.Done()
	if !errors.Is(r.Err(), ErrDisk) {
		t.Errorf("the replica ended with %v", r.Err())
	}
	c.Start(3)
	c.Await(3, seq)
}
