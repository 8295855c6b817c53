package pbft_test

import (
	"math/rand/v2"
	"testing"

	"github.com/cretoai/consensus/pbft"
)

// TestX2_NoncesTellWhereACreatorStands: what is told is what executing finds, after
// any history.
func TestX2_NoncesTellWhereACreatorStands(t *testing.T) {
	const seed = 7
	random := rand.New(rand.NewPCG(seed, 0))
	for range 200 {
		c := pbft.NewClients(nonceWindow)
		if got := c.Nonces(creator(1)); got != (pbft.Nonces{Window: nonceWindow}) {
			t.Fatalf("somebody unknown stands at %+v", got)
		}
		next := uint64(0)
		for range random.IntN(60) {
			nonce := next + uint64(random.IntN(2*nonceWindow)) - min(next, uint64(random.IntN(nonceWindow)))
			if c.Execute(1, creator(1), nonce, 100) == pbft.Fresh {
				next = max(next, nonce+1)
			}
			got := c.Nonces(creator(1))
			if got.Next != next {
				t.Fatalf("seed %d: next is %d, want %d", seed, got.Next, next)
			}
			if got.Base > 0 && !c.Spent(creator(1), got.Base-1) || next > got.Base+nonceWindow {
				t.Fatalf("seed %d: base %d, next %d", seed, got.Base, next)
			}
		}
		n := c.Nonces(creator(1))
		if got := c.Execute(1, creator(1), n.Base+2*n.Window, 100); got != pbft.NonceTooFar {
			t.Fatalf("seed %d: the first nonce too far is %v", seed, got)
		}
		if n.Base > 0 {
			if got := c.Execute(1, creator(1), n.Base-1, 100); got != pbft.NonceSpent {
				t.Fatalf("seed %d: a nonce below the base is %v", seed, got)
			}
		}
		if got := c.Execute(1, creator(1), n.Next, 100); got != pbft.Fresh {
			t.Fatalf("seed %d: the next nonce is %v", seed, got)
		}
	}
}
