package testkit_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// gate is a disk whose journal is flushed only while it is open.
type gate struct {
	vfs.FS
	mu      sync.Mutex
	closed  chan struct{} // closed when the gate opens, nil while it is open
	waiting chan struct{} // gets a word for every flush that waits
}

func newGate() *gate {
	g := &gate{waiting: make(chan struct{}, 64)}
	g.FS = errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind == errorfs.OpFileSyncData && strings.Contains(op.Path, "journal") {
			g.pass()
		}
		return nil
	}))
	return g
}

func (g *gate) pass() {
	g.mu.Lock()
	closed := g.closed
	g.mu.Unlock()
	if closed != nil {
		g.waiting <- struct{}{}
		<-closed
	}
}

func (g *gate) shut() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = make(chan struct{})
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.closed)
	g.closed = nil
}

// A leader has a proposal on its way to the disk when its sequencer panics. The
// new one must know of it, though the disk does not yet: or the record ends up
// with two batches for one place, and the next start of the replica signs both.
func TestD1_ASequencerIsRebuiltFromWhatIsOnItsWayToTheDisk(t *testing.T) {
	disk := newGate()
	c := testkit.NewCluster(t, 4, testkit.WithDisks(func(i int) vfs.FS {
		if i == 0 {
			return disk
		}
		return vfs.NewMem()
	}))
	c.AwaitEqual(c.Propose(0, "before"))
	disk.shut()
	var group sync.WaitGroup
	propose := func(payload string) {
		group.Go(func() {
			if _, err := c.Replica(0).Propose(t.Context(), replica.Vertex{Payload: []byte(payload)}); err != nil {
				t.Error(err)
			}
		})
	}
	propose("on its way to the disk")
	<-disk.waiting
	propose("waits for the first, and would be in one batch with it")
	for c.Replica(0).Status().Pending < 2 {
		c.AwaitHeartbeat(0)
	}
	c.PanicOn(0, "sequencer", 1, nil).Await()
	for c.Metric(0, "cretoai_consensus_actor_restarts_total", "actor", "sequencer") == 0 {
		c.AwaitHeartbeat(0)
	}
	c.AwaitHeartbeat(0)
	c.AwaitHeartbeat(0)
	disk.open()
	group.Wait()
	c.Restart(0)
	seq := c.Propose(1, "what the record holds was sent again")
	c.AwaitEqual(seq)
	for range 20 {
		seq = c.Propose(1, "and judged")
	}
	c.AwaitEqual(seq)
	for i := 1; i < 4; i++ {
		if c.Replica(i).Detector().IsBanned(0) {
			t.Errorf("replica %d bans the leader", i)
		}
	}
}
