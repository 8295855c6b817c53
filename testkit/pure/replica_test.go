package pure_test

import (
	"bytes"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/testkit/pure"
)

var start = time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)

// cluster passes on what replicas say, in any order.
type cluster struct {
	chain    *pure.Chain
	replicas []*pure.Replica
	rng      *rand.Rand
	pending  []sent
}

type sent struct {
	from, to messages.Index
	body     pure.Body
}

func newCluster(seed uint64) *cluster {
	c := &cluster{chain: pure.NewChain(4, 6, 2, 4), rng: rand.New(rand.NewPCG(seed, 1))}
	for i := range messages.Index(4) {
		c.replicas = append(c.replicas, pure.NewManaged(c.chain, i, start))
	}
	return c
}

func (c *cluster) say(from messages.Index, said []pure.Message) {
	for _, m := range said {
		for to := range messages.Index(4) {
			if to != from && (m.To == to || m.To == pure.Everyone) {
				c.pending = append(c.pending, sent{from, to, m.Body})
			}
		}
	}
}

// run proposes batches and delivers everything; between two messages disturb is
// called for a replica.
func (c *cluster) run(disturb func(i messages.Index)) {
	now := start
	for beat := range 60 {
		now = now.Add(pure.Heartbeat)
		for i, r := range c.replicas {
			if beat < 6 && r.Core().Leads() {
				c.say(messages.Index(i), r.Propose(c.chain.Digests()[beat]))
			}
			c.say(messages.Index(i), r.Beat(now, 0))
		}
		for len(c.pending) > 0 {
			at := c.rng.IntN(len(c.pending))
			m := c.pending[at]
			c.pending[at] = c.pending[len(c.pending)-1]
			c.pending = c.pending[:len(c.pending)-1]
			disturb(m.to)
			c.say(m.to, c.replicas[m.to].Hear(now, m.from, m.body))
		}
	}
}

// TestRestartsLoseNothing: replicas that crash between any two messages come back
// from their records, and all execute everything, alike.
func TestRestartsLoseNothing(t *testing.T) {
	for seed := range uint64(20) {
		c := newCluster(seed)
		c.run(func(i messages.Index) {
			if c.rng.IntN(40) == 0 {
				c.say(i, c.replicas[i].Restart())
			}
		})
		for i, r := range c.replicas {
			if r.Alarm() != "" || len(r.Executed()) < 6 || len(r.Executed()) != len(c.replicas[0].Executed()) {
				t.Fatalf("seed %d: replica %d is at %v, alarm %q", seed, i, r, r.Alarm())
			}
			for k, d := range r.Executed() {
				if d.Digest != c.replicas[0].Executed()[k].Digest {
					t.Fatalf("seed %d: replica %d executed another batch at %d", seed, i, k+1)
				}
			}
		}
	}
}

// TestClonesGoTheirOwnWay: a run of clones is the run of their originals, which
// stay as they were.
func TestClonesGoTheirOwnWay(t *testing.T) {
	type left struct {
		r     *pure.Replica
		bytes []byte
	}
	var originals []left
	one, other := newCluster(1), newCluster(1)
	one.run(func(messages.Index) {})
	other.run(func(i messages.Index) {
		r := other.replicas[i]
		originals = append(originals, left{r, r.AppendCanonical(nil, true)})
		other.replicas[i] = r.Clone()
	})
	for i := range one.replicas {
		if !bytes.Equal(one.replicas[i].AppendCanonical(nil, true), other.replicas[i].AppendCanonical(nil, true)) {
			t.Errorf("replica %d ends in another state", i)
		}
	}
	for _, was := range originals {
		if !bytes.Equal(was.r.AppendCanonical(nil, true), was.bytes) {
			t.Fatal("a clone's input changed its original")
		}
	}
}
