package replica_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// vertices makes n small payloads.
func vertices(n int) []replica.Vertex {
	list := make([]replica.Vertex, n)
	for i := range list {
		list[i].Payload = fmt.Appendf(nil, "payload %d", i)
	}
	return list
}

// proposeMany has n vertices finalised at a replica, one sequence after the
// other, and gives the last one.
func proposeMany(c *testkit.Cluster, i, n int) (seq messages.Seq) {
	for range n {
		seq = c.Propose(i, "one of many")
	}
	return seq
}

func TestFourReplicasFinalise(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	receipt, err := c.Replica(0).Propose(t.Context(), replica.Vertex{Payload: []byte("hello")})
	if err != nil {
		t.Fatal(err)
	}
	if receipt.Seq == 0 || receipt.Position != 0 || receipt.Batch.IsZero() {
		t.Errorf("the first vertex of a chain has receipt %+v", receipt)
	}
	receipts := c.ProposeAll(2, vertices(5000))
	seen := make(map[messages.Digest]bool)
	for i, r := range receipts {
		if r.Seq == 0 || seen[r.Vertex] {
			t.Fatalf("receipt %d is %+v", i, r)
		}
		seen[r.Vertex] = true
	}
	c.AwaitEqual(receipts[0].Seq)
}

func TestLedgerOnDiskIsTheLedgerInMemory(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	c.AwaitEqual(proposeMany(c, 1, 300)) // beyond two checkpoints
	want := c.Replica(0).Status()
	for i := range 4 {
		c.Kill(i)
		got, err := replica.ReadLedgerOn(c.Disk(i), c.Home(i), c.Genesis, messages.Index(i), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got.Head != want.LedgerHead || got.Seq != want.Sequence || got.Vertices != want.Vertices {
			t.Errorf("replica %d has %+v on disk, %+v in memory", i, got, want)
		}
	}
}

func TestR3_ThreeOfFourFinaliseAndTheFourthCatchesUp(t *testing.T) {
	c := testkit.New(t, 4)
	for i := range 3 {
		c.Start(i)
	}
	seq := proposeMany(c, 2, 140) // beyond a checkpoint: the window has moved on
	c.Start(3)
	c.AwaitEqual(seq)
	c.AwaitEqual(proposeMany(c, 3, 10)) // and it takes part
}

func TestTwoOfFourFinaliseNothingUntilTheThirdReturns(t *testing.T) {
	c := testkit.New(t, 4)
	c.Start(0)
	c.Start(1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	_, err := c.Replica(1).Propose(ctx, replica.Vertex{Payload: []byte("waits")})
	var notFinal *replica.NotFinalError
	if !errors.As(err, &notFinal) || notFinal.Connected != 1 || notFinal.Quorum != 3 {
		t.Fatalf("two of four replied %v", err)
	}
	events := c.Replica(0).Subscribe(16)
	c.Start(2)
	finalized, ok := (<-events.C).(messages.Finalized)
	if !ok || finalized.Executed != 1 || string(finalized.Batch.Vertex(0).Payload()) != "waits" {
		t.Fatalf("the vertex that waited was lost: %+v", finalized)
	}
}

func TestD5_ARestartRemembersEverything(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	seq := proposeMany(c, 0, 150)
	c.AwaitEqual(seq)
	for i := range 4 { // the leader included
		c.Restart(i)
		if got := c.Replica(i).CurrentSequence(); got < seq {
			t.Errorf("replica %d restarted at sequence %d, it was at %d", i, got, seq)
		}
		seq = proposeMany(c, (i+1)%4, 5)
		c.AwaitEqual(seq)
	}
	before := c.Replica(0).Status()
	for i := range 4 { // all at once
		c.Kill(i)
	}
	for i := range 4 {
		c.Start(i)
	}
	c.AwaitEqual(c.Propose(2, "one more"))
	if after := c.Replica(0).Status(); after.Vertices != before.Vertices+1 {
		t.Errorf("%d vertices before the restart of all, %d after one more", before.Vertices, after.Vertices)
	}
}
