package testkit_test

import (
	"fmt"
	"runtime"
	"testing"

	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// A hundred checkpoints with a short ledger: the journal and the memory are as
// large after the last as after the first few, and so is what a restart reads.
func TestR5_DiskAndMemoryStayFlat(t *testing.T) {
	if raced {
		t.Skip("it measures sizes")
	}
	c := testkit.NewCluster(t, 4, shortIntervals, shortLedgers, smallSegments)
	payload := make([]byte, 120<<10)
	forward := func(sequences int) {
		for i := range sequences {
			payload[0], payload[1] = byte(i), byte(i>>8)
			c.ProposeAll(i%4, []replica.Vertex{{Payload: payload}})
		}
		c.AwaitEqual(c.Propose(0, fmt.Sprintf("%d more", sequences)))
	}
	measure := func() (segments int, heap uint64) {
		for i := range 4 {
			list, err := c.Disk(i).List(c.Home(i) + "/journal")
			if err != nil {
				t.Fatal(err)
			}
			segments += len(list)
		}
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return segments, m.HeapAlloc
	}
	forward(100) // 25 checkpoints
	segments, heap := measure()
	forward(310)
	later, heapLater := measure()
	t.Logf("%d segments and %d MiB after 25 checkpoints, %d and %d after 100", segments, heap>>20, later, heapLater>>20)
	if later > segments+4 {
		t.Errorf("%d journal segments grew to %d", segments, later)
	}
	// Signatures are remembered up to a bound, and files are memory here. The batches
	// of all these sequences would be 145 MiB.
	if heapLater > heap+64<<20 {
		t.Errorf("%d MiB of memory grew to %d", heap>>20, heapLater>>20)
	}
	for i := range 4 {
		if s := c.Replica(i).CurrentSequence(); s < 400 || c.Replica(i).FirstSequence()+30 < s {
			t.Errorf("replica %d is at %d, its ledger begins at %d", i, s, c.Replica(i).FirstSequence())
		}
		// Two snapshots stay, and what follows on the older one.
		first, stable := c.Replica(i).FirstSequence(), c.Replica(i).Status().StableCheckpoint
		if newest := stable - stable%8; first-1 > newest-8 {
			t.Errorf("the ledger of replica %d begins at %d, its newest snapshot is of %d", i, first, newest)
		}
	}
	c.Restart(2)
	c.AwaitEqual(c.Propose(2, "it goes on"))
}
