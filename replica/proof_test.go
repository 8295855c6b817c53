package replica_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/replica"
	"github.com/cretoai/consensus/testkit"
)

// shortCheckpoints lets a test reach checkpoints with few vertices.
func shortCheckpoints(p *messages.Params) {
	p.CheckpointInterval, p.SnapshotInterval, p.Window = 4, 16, 8
}

// TestProofs: every receipt has a proof, from memory as from below a stable
// checkpoint, at every replica and after restarts, by receipt and by hash.
func TestProofs(t *testing.T) {
	c := testkit.NewCluster(t, 4, testkit.WithParams(shortCheckpoints))
	receipts := c.ProposeAll(1, vertices(40))
	for len(receipts) < 400 || receipts[len(receipts)-1].Seq%4 == 0 { // the last is above every checkpoint
		receipts = append(receipts, c.ProposeAll(1, vertices(40))...)
	}
	last := receipts[len(receipts)-1].Seq
	c.AwaitEqual(last)
	check := func(i int, when string) {
		t.Helper()
		for k, receipt := range receipts {
			if k%9 != 0 && receipt.Seq != last { // some of every sequence, and all of the last
				continue
			}
			byReceipt, err := c.Replica(i).Proof(receipt)
			if err != nil {
				t.Fatal(err)
			}
			byHash, err := c.Replica(i).ProofOf(receipt.Vertex)
			if err != nil {
				t.Fatalf("%s, replica %d, vertex of sequence %d of %d: %v", when, i, receipt.Seq, last, err)
			}
			one, err := byReceipt.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if two, err := byHash.Encode(); err != nil || string(one) != string(two) {
				t.Fatalf("one vertex has two proofs: %v\n%s\n%s", err, one, two)
			}
			p, err := replica.VerifyProof(c.Genesis, one)
			if err != nil {
				t.Fatal(err)
			}
			if p.Seq != receipt.Seq || p.Vertex != receipt.Vertex || p.Batch != receipt.Batch || p.Path.Index != receipt.Position {
				t.Fatalf("the receipt is %+v, its proof for %v at sequence %d", receipt, p.Vertex, p.Seq)
			}
		}
	}
	for i := range 4 {
		check(i, "running")
	}
	c.AwaitStable(2, last/4*4)
	check(2, "checkpoint stable")
	c.Restart(2)
	check(2, "restarted")
}

func TestProofOfNothing(t *testing.T) {
	c := testkit.NewCluster(t, 4)
	receipt := c.ProposeAll(0, vertices(3))[2]
	c.AwaitEqual(receipt.Seq)
	for _, change := range []func(*replica.Receipt){
		func(r *replica.Receipt) { r.Seq++ },
		func(r *replica.Receipt) { r.Position-- }, func(r *replica.Receipt) { r.Position = 1 << 31 },
		func(r *replica.Receipt) { r.Vertex[31] ^= 1 },
	} {
		changed := receipt
		change(&changed)
		if p, err := c.Replica(3).Proof(changed); !errors.Is(err, replica.ErrUnknownVertex) {
			t.Errorf("receipt %+v has proof %+v, %v", changed, p, err)
		}
	}
	hash := receipt.Vertex
	hash[31] ^= 1 // what the index keeps of it is the same
	if f, err := c.Replica(3).Find(hash); !errors.Is(err, replica.ErrUnknownVertex) {
		t.Errorf("a vertex that is not there is %+v, %v", f, err)
	}
	p, err := c.Replica(3).ProofOf(receipt.Vertex)
	if err != nil {
		t.Fatal(err)
	}
	data, err := p.Encode()
	if err != nil {
		t.Fatal(err)
	}
	scheme := cryptotest.NewHMAC()
	other, _, _ := cryptotest.NewMembers(4, 2, scheme)
	if _, err := replica.VerifyProof(other, data); err == nil || !strings.Contains(err.Error(), "genesis") {
		t.Errorf("with a genesis nobody can use: %v", err)
	}
	other = testkit.New(t, 5).Genesis
	if _, err := replica.VerifyProof(other, data); err == nil || !strings.Contains(err.Error(), "the proof is for the chain with genesis") {
		t.Errorf("with another chain's genesis: %v", err)
	}
}

// TestX1_AResubmissionGetsTheReceiptItHad, whether it is proposed alone or among
// others, at another replica, and beside a vertex that stole a nonce.
func TestX1_AResubmissionGetsTheReceiptItHad(t *testing.T) {
	c := testkit.NewCluster(t, 4, testkit.WithParams(shortCheckpoints))
	vertex := func(nonce uint64, payload string) replica.Vertex {
		return replica.Vertex{Payload: []byte(payload), Creator: [32]byte{7}, Nonce: nonce, Expires: 1000}
	}
	first, err := c.Replica(0).Propose(t.Context(), vertex(1, "once"))
	if err != nil {
		t.Fatal(err)
	}
	same := func(got replica.Receipt, err error) {
		t.Helper()
		got.View = first.View // may differ
		if err != nil || got != first {
			t.Errorf("the receipt was %+v and is %+v, %v", first, got, err)
		}
	}
	for i := range 10 { // beyond two checkpoints
		got, err := c.Replica(i%4).Propose(t.Context(), vertex(1, "once"))
		same(got, err)
		c.Propose(i%4, fmt.Sprint("another ", i))
	}
	receipts := c.ProposeAll(3, []replica.Vertex{vertex(2, "two"), vertex(1, "once")})
	same(receipts[1], nil)
	var noOp *replica.NoOpError
	got, err := c.Replica(1).Propose(t.Context(), vertex(1, "another content"))
	if !errors.As(err, &noOp) || got.Outcome != pbft.Repeated || got.Seq <= first.Seq {
		t.Errorf("another vertex under a spent nonce has receipt %+v, %v", got, err)
	}
	f, err := c.Replica(1).Find(got.Vertex)
	if err != nil || f.Receipt.Outcome != pbft.Repeated || string(f.Vertex.Payload()) != "another content" {
		t.Errorf("a no-op is found as %+v, %v", f, err)
	}
}
