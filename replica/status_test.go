package replica_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// awaitStatus waits until a replica's Status is as it should be.
func awaitStatus(c *testkit.Cluster, t *testing.T, i int, goal string, reached func(replica.Status) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for s := c.Replica(i).Status(); !reached(s); s = c.Replica(i).Status() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited for %s: %+v", goal, s)
		}
	}
}

func TestStatusTellsWhatIsPendingAndInFlight(t *testing.T) {
	c := testkit.New(t, 4)
	c.Start(0) // leads
	c.Start(1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, err := c.Replica(1).Propose(&patient{Context: ctx, end: cancel}, replica.Vertex{Payload: []byte("waits")}); !errors.As(err, new(*replica.NotFinalError)) {
		t.Fatalf("two of four replied %v", err)
	}
	for i := range 2 {
		awaitStatus(c, t, i, "one vertex to be pending, and its batch in flight", func(s replica.Status) bool {
			return s.Pending == 1 && s.HighestSequence == 1 && s.Sequence == 0
		})
	}
	c.Kill(1)
	in, err := replica.InspectOn(c.Disk(1), c.Home(1), c.Genesis, 1)
	if err != nil {
		t.Fatal(err)
	}
	c.Start(1) // what it accepted, if that reached the disk, it remembers; the vertex is the leader's by now
	if s := c.Replica(1).Status(); (s.HighestSequence == 1) != (in.Accepted > 0) || s.Pending != 0 {
		t.Errorf("after a restart with %d records of an accepted batch on disk: %+v", in.Accepted, s)
	}
	c.Start(2)
	for i := range 3 {
		awaitStatus(c, t, i, "nothing to be pending or in flight", func(s replica.Status) bool {
			return s.Pending == 0 && s.HighestSequence == s.Sequence && s.Sequence > 0
		})
	}
}

// TestB2_AVertexProposedAgainAfterARestartGetsItsReceipt: what a replica executed
// before it restarted, it will not execute once more, and it says so to the
// leader, who must not take it for a copy on its way.
func TestB2_AVertexProposedAgainAfterARestartGetsItsReceipt(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	v := replica.Vertex{Payload: []byte("twice"), Creator: [32]byte{1}, Nonce: 1, Expires: 100}
	first := c.ProposeAll(1, []replica.Vertex{v})[0]
	c.Await(1, first.Seq)
	c.Restart(1)
	c.Partition([]int{0, 2, 3}) // what it sends the leader is lost, and sent again
	type answered struct {
		receipt replica.Receipt
		err     error
	}
	answer := make(chan answered, 1)
	go func() {
		receipt, err := c.Replica(1).Propose(t.Context(), v)
		answer <- answered{receipt, err}
	}()
	awaitStatus(c, t, 1, "the vertex to be pending", func(s replica.Status) bool { return s.Pending == 1 })
	c.Heal()
	select {
	case second := <-answer:
		if r := second.receipt; second.err != nil || r.Seq != first.Seq || r.Position != first.Position || r.Vertex != first.Vertex {
			t.Errorf("the vertex's first receipt is %+v, its second %+v, %v", first, r, second.err)
		}
	case <-time.After(30 * time.Second):
		t.Error("a vertex proposed again waits for ever")
	}
	c.AwaitEqual(first.Seq + 1)
}
