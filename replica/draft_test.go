package replica_test

import (
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// TestC1_WaitingForRoomHoldsNoNonces: a list far longer than the pool and the nonce
// window, and others that come meanwhile: all are executed, for none of them had a
// nonce while it waited, or drew one in vain when many saw the same room.
func TestC1_WaitingForRoomHoldsNoNonces(t *testing.T) {
	const many, callers, lists, few = 500, 16, 5, 40
	c := testkit.NewCluster(t, 4,
		testkit.WithParams(func(p *messages.Params) { p.NonceWindow = 64 }),
		testkit.WithConfig(func(_ int, cfg *replica.Config) { cfg.MaxPendingVertices = 32 }))
	var wg sync.WaitGroup
	var one atomic.Pointer[messages.Digest]
	proposeAll := func(n int) {
		receipts, err := c.Replica(1).ProposeAll(t.Context(), vertices(n))
		if err != nil {
			t.Error(err)
			return
		}
		for _, r := range receipts {
			if r.Outcome != pbft.Fresh {
				t.Errorf("%v at sequence %d is %v", r.Vertex, r.Seq, r.Outcome)
				return
			}
		}
		one.Store(&receipts[0].Vertex)
	}
	wg.Go(func() { proposeAll(many) })
	for range callers {
		wg.Go(func() {
			for range lists {
				proposeAll(few)
			}
		})
	}
	wg.Wait()
	f, err := c.Replica(1).Find(*one.Load())
	if err != nil {
		t.Fatal(err)
	}
	nonces, err := c.Replica(1).Nonces(t.Context(), f.Vertex.Creator())
	if err != nil {
		t.Fatal(err)
	}
	if want := uint64(many + callers*lists*few); nonces.Next != want+1 {
		t.Errorf("%d vertices took %d nonces", want, nonces.Next-1)
	}
}
