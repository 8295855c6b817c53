package testkit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// shortLedgers are trimmed as far as they may be, two snapshots back. The leader is
// well in these tests, and a machine that is busy no reason to replace it: who lost
// its disk in a view change would wait for the next one.
var shortLedgers = testkit.WithConfig(func(_ int, cfg *replica.Config) {
	cfg.LedgerRetain, cfg.FinalityTimeout, cfg.HeartbeatTimeout = 1, 10*time.Second, 10*time.Second
})

// proposeSequences brings the cluster forward by so many sequences.
func proposeSequences(c *testkit.Cluster, at, n int) messages.Seq {
	first := c.Propose(at, "the first of many")
	last := first
	for i := 0; last < first+messages.Seq(n); i++ {
		last = c.Propose(at, fmt.Sprintf("number %d after sequence %d", i, first))
	}
	return last
}

// awaitTrimmed waits until a replica's ledger begins above a sequence.
func awaitTrimmed(t *testing.T, c *testkit.Cluster, i int, seq messages.Seq) {
	t.Helper()
	for range 100 {
		if c.Replica(i).FirstSequence() > seq {
			return
		}
		c.Propose(i, "the ledger goes on")
	}
	t.Fatalf("the ledger of replica %d begins at %d", i, c.Replica(i).FirstSequence())
}

func transfers(c *testkit.Cluster, i int) float64 {
	return c.Metric(i, "cretoai_consensus_state_transfers_total")
}

// A replica that was away for longer than the others' ledgers reach back takes
// their state over, knows what was executed meanwhile, votes again, and finds
// everything again after a restart.
func TestR4_AReplicaComesBackBySnapshot(t *testing.T) {
	c := testkit.NewCluster(t, 4, shortIntervals, shortLedgers)
	own := replica.Vertex{Payload: []byte("once"), Creator: [32]byte{1}, Nonce: 5}
	before := c.Propose(3, "all are there")
	c.AwaitEqual(before)
	c.Kill(3)
	once := c.ProposeAll(0, []replica.Vertex{own})[0]
	proposeSequences(c, 0, 40)
	for i := range 3 {
		awaitTrimmed(t, c, i, once.Seq)
	}
	last := proposeSequences(c, 1, 4)
	c.Start(3)
	c.Await(3, last)
	c.AwaitEqual(c.Propose(0, "and on"))
	if n := transfers(c, 3); n != 1 {
		t.Errorf("%v states were transferred", n)
	}
	first := c.Replica(3).FirstSequence()
	if first <= once.Seq {
		t.Fatalf("its ledger begins at %d", first)
	}
	_, err := c.Replica(3).Decided(first - 1)
	var trimmed *replica.TrimmedError
	if !errors.As(err, &trimmed) || trimmed.First != first || errors.Is(err, replica.ErrNotExecuted) {
		t.Errorf("what lies below its ledger is %v", err)
	}
	if _, err := c.Replica(3).Find(once.Vertex); !errors.Is(err, replica.ErrTrimmed) || !errors.Is(err, replica.ErrUnknownVertex) {
		t.Errorf("a vertex below its ledger is %v", err)
	}
	if again := c.ProposeAll(3, []replica.Vertex{own})[0]; again.Outcome != pbft.Repeated {
		t.Errorf("what was executed before is %v", again.Outcome)
	}
	c.Kill(2)
	c.AwaitEqual(c.Propose(3, "its votes count"))
	c.Restart(3)
	c.AwaitEqual(c.Propose(0, "after a restart, too"))
	if n := transfers(c, 3); n != 0 {
		t.Errorf("%v states were transferred after the restart", n)
	}
}

// While the others have all batches, a replica that was away for many
// checkpoints fetches these, and no state.
func TestR4_BatchesAreFetchedWhileThereAreAny(t *testing.T) {
	c := testkit.NewCluster(t, 4, shortIntervals)
	c.AwaitEqual(c.Propose(3, "all are there"))
	c.Kill(3)
	last := proposeSequences(c, 0, 60)
	c.Start(3)
	c.Await(3, last)
	c.AwaitEqual(c.Propose(3, "and on"))
	if n := transfers(c, 3); n != 0 || c.Replica(3).FirstSequence() != 1 {
		t.Errorf("%v states were transferred, the ledger begins at %d", n, c.Replica(3).FirstSequence())
	}
}

// A replica that lost its disk joins by snapshot, observes until what it may have
// voted for has passed, and votes.
func TestR4_AWipedReplicaJoinsBySnapshot(t *testing.T) {
	c := testkit.NewCluster(t, 4, shortIntervals, shortLedgers)
	c.AwaitEqual(c.Propose(3, "with a disk"))
	c.Kill(3)
	proposeSequences(c, 0, 40)
	awaitTrimmed(t, c, 0, 8)
	awaitTrimmed(t, c, 1, 8)
	awaitTrimmed(t, c, 2, 8)
	c.SetDisk(3, vfs.NewMem())
	c.Start(3)
	c.Await(3, c.Propose(0, "without"))
	if n := transfers(c, 3); n < 1 {
		t.Errorf("%v states were transferred", n)
	}
	awaitVoter(t, c, 3)
	c.Kill(2)
	c.AwaitEqual(c.Propose(3, "and its votes count"))
}

// Who waits at a replica for a vertex that was executed elsewhere meanwhile, in a
// sequence of which the replica fetched the outcome only, is told so.
func TestR4_WhoWaitsForASkippedVertexIsTold(t *testing.T) {
	c := testkit.NewCluster(t, 4, shortIntervals, shortLedgers)
	c.AwaitEqual(c.Propose(3, "all are there"))
	c.Partition([]int{0, 1, 2}, []int{3})
	v := replica.Vertex{Payload: []byte("proposed twice"), Creator: [32]byte{1}, Nonce: 1, Expires: 1 << 19}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	told := make(chan error, 1)
	go func() {
		_, err := c.Replica(3).Propose(ctx, v)
		told <- err
	}()
	once := c.ProposeAll(0, []replica.Vertex{v})[0]
	proposeSequences(c, 0, 30)
	for i := range 3 {
		awaitTrimmed(t, c, i, once.Seq)
	}
	for c.Replica(3).Status().Pending == 0 { // it has taken the vertex by now
		c.AwaitHeartbeat(3)
	}
	c.Heal()
	if err := <-told; !errors.Is(err, replica.ErrSkipped) {
		t.Errorf("who waits is told %v", err)
	}
	c.AwaitEqual(c.Propose(3, "and on"))
}
