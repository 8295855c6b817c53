package replica_test

import (
	"sync"
	"testing"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// TestC1_WaitingForRoomHoldsNoNonces: a list far longer than the pool and the nonce
// window, and others that come meanwhile: all are executed, for none of them had a
// nonce while it waited.
func TestC1_WaitingForRoomHoldsNoNonces(t *testing.T) {
	const many, callers = 500, 4
	c := testkit.NewCluster(t, 4,
		testkit.WithParams(func(p *messages.Params) { p.NonceWindow = 64 }),
		testkit.WithConfig(func(_ int, cfg *replica.Config) { cfg.MaxPendingVertices = 32 }))
	var wg sync.WaitGroup
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
	}
	wg.Go(func() { proposeAll(many) })
	for range callers {
		wg.Go(func() {
			for range 5 {
				proposeAll(10)
			}
		})
	}
	wg.Wait()
}
