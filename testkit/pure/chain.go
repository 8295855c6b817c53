package pure

import (
	"fmt"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/crypto/cryptotest"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// Vote is a vote as the product takes it from others.
type Vote = crypto.Verified[messages.Vote]

// Chain is what all members know: it never changes.
type Chain struct {
	N, Quorum int
	Params    messages.Params
	keyring   *crypto.Keyring
	batches   map[messages.Digest]*messages.Batch
	digests   []messages.Digest
}

// NewChain makes a membership of n with so many batches to order, at a
// checkpoint interval and a window.
func NewChain(n, batches int, interval, window messages.Seq) *Chain {
	scheme := cryptotest.NewHMAC()
	genesis, _, _ := cryptotest.NewMembers(n, 1, scheme)
	params := messages.DefaultParams()
	params.CheckpointInterval, params.Window = interval, window
	c := &Chain{N: n, Quorum: messages.Quorum(n), Params: params, batches: make(map[messages.Digest]*messages.Batch)}
	c.keyring = must(crypto.NewKeyringWithScheme(genesis, scheme))
	for i := range batches {
		b := batchOf(params, uint64(i+1))
		c.batches[b.Digest()] = b
		c.digests = append(c.digests, b.Digest())
	}
	return c
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("pure: %v", err))
	}
	return v
}

// batchOf is a batch of one vertex, another for each number.
func batchOf(params messages.Params, number uint64) *messages.Batch {
	v := messages.Vertex{Payload: []byte("x"), Creator: [32]byte{1}, Nonce: number, Expires: 1000}
	data := must(v.Encode())
	view, _, err := messages.ParseVertex(data)
	must(view, err)
	return must(messages.BuildBatch([][]byte{data}, []messages.Digest{view.Hash()}, params))
}

// Digests are those of the batches, in the order in which they were made.
func (c *Chain) Digests() []messages.Digest { return c.digests }

// Batch gives a batch by its digest, nil if there is none.
func (c *Chain) Batch(d messages.Digest) *messages.Batch { return c.batches[d] }

// Leader is the schedule.
func (c *Chain) Leader(v messages.View) messages.Index {
	return messages.Index(v % messages.View(c.N))
}

// Sign is a member's word for votes: nobody looks at a signature here.
func (c *Chain) Sign(member messages.Index, votes ...messages.Vote) (*messages.Bundle, []Vote) {
	b := &messages.Bundle{From: member, Votes: votes, Signature: []byte{1}}
	return b, must(c.keyring.Restore(b))
}

func (c *Chain) config(self messages.Index) pbft.Config {
	return pbft.Config{Self: self, N: c.N, Quorum: c.Quorum, Leader: c.Leader, Params: c.Params, PipelineDepth: 4}
}
