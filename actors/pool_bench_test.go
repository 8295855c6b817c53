package actors

import (
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// BenchmarkPool is what the pools of four members do for a batch of 1504 vertices:
// groups of 32 come in at all of them, the leader is passed on those of the others, cuts
// the batch, and all execute it.
func BenchmarkPool(b *testing.B) {
	const group, groups, members, rounds = 32, 47, 4, 16
	pools := make([]*Pool, members)
	for i := range pools {
		pools[i] = newPool(members, messages.Index(i), 10_000, 1, runtime.RealClock(), func() {})
		pools[i].Enter(i == 0, nil)
	}
	type load struct {
		vertices [][]byte
		hashes   []messages.Digest
		batch    *messages.Batch
	}
	loads := make([]load, rounds)
	for r := range loads {
		loads[r].vertices, loads[r].hashes = testVertices(b, r*group*groups, group*groups)
	}
	outcomes, ops := make([]pbft.Outcome, group*groups), make([]Operation, group*groups)
	for i := range outcomes {
		outcomes[i] = pbft.Fresh
	}
	seq := messages.Seq(0)
	round := func(l *load) {
		waiters := make([]*Waiter, groups)
		forwarded := make([]load, members)
		for g := range waiters {
			waiters[g] = NewWaiter(group)
			p, first := g%members, g*group
			vertices, hashes := l.vertices[first:first+group], l.hashes[first:first+group]
			if n, err := pools[p].Add(pools[p].Reserve(group), vertices, hashes, nil, waiters[g], 0); n != group || err != nil {
				b.Fatal(n, err)
			}
			forwarded[p].vertices, forwarded[p].hashes = append(forwarded[p].vertices, vertices...), append(forwarded[p].hashes, hashes...)
		}
		for p := 1; p < members; p++ {
			m := pools[p].Forward(1<<20, time.Time{})
			pools[0].AddForwarded(messages.Index(p), &m, forwarded[p].vertices, forwarded[p].hashes, nil)
		}
		cut, hashes, _ := pools[0].Cut(group*groups, 1<<20)
		if l.batch == nil {
			l.batch = testBatch(b, cut, hashes)
		}
		seq++
		for _, p := range pools {
			p.Executed(l.batch, Receipt{Seq: seq}, outcomes, ops, func(time.Duration, int) {})
		}
		for _, w := range waiters {
			<-w.Done
		}
	}
	for r := range loads {
		round(&loads[r])
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		round(&loads[i%rounds])
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/group/groups, "ns/vertex")
}
