package actors

import (
	"testing"
	"time"

	"github.com/cretoai/consensus/actors/runtime"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// pair is a leader's pool, member 0's, and that of a member 1 that forwards to
// it, on one clock.
type pair struct {
	t            *testing.T
	clock        *runtime.Virtual
	leader, from *Pool
}

func newPair(t *testing.T) *pair {
	clock := runtime.NewVirtual(time.Unix(0, 0))
	return &pair{t, clock, newPool(4, 0, 8, 1, clock, func() {}), newPool(4, 1, 8, 1, clock, func() {})}
}

func (p *pair) add(vertices [][]byte, hashes []messages.Digest) *Waiter {
	p.t.Helper()
	w := NewWaiter(len(vertices))
	if n, err := p.from.Add(p.from.Reserve(len(vertices)), vertices, hashes, nil, w, 0); n != len(vertices) || err != nil {
		p.t.Fatalf("took %d of %d, %v", n, len(vertices), err)
	}
	return w
}

// forward is what member 1 sends now; what it sent a second ago it sends again.
func (p *pair) forward() *messages.Forward {
	p.clock.Advance(time.Second)
	m := p.from.Forward(1<<20, p.clock.Now())
	return &m
}

// arrive gives the leader a message and reports how many vertices wait there.
func (p *pair) arrive(m *messages.Forward) int {
	p.t.Helper()
	var vertices [][]byte
	var hashes []messages.Digest
	for data := m.Vertices; len(data) > 0; {
		v, size, err := messages.ParseVertex(data)
		if err != nil {
			p.t.Fatal(err)
		}
		vertices, hashes, data = append(vertices, v.Bytes()), append(hashes, v.Hash()), data[size:]
	}
	if _, dropped := p.leader.AddForwarded(1, m, vertices, hashes, nil); dropped > 0 {
		p.t.Fatalf("%d found no room", dropped)
	}
	n, _ := p.leader.Ready()
	return n
}

// cut makes a batch of all that waits at the leader.
func (p *pair) cut() *messages.Batch {
	p.t.Helper()
	batch, err := messages.BuildBatch(cutAll(p.leader))
	if err != nil {
		p.t.Fatal(err)
	}
	return batch
}

func cutAll(p *Pool) ([][]byte, []messages.Digest, messages.Params) {
	cut, hashes, _ := p.Cut(100, 1<<20)
	return cut, hashes, messages.DefaultParams()
}

func execute(p *Pool, seq messages.Seq, batch *messages.Batch) {
	p.Executed(batch, Receipt{Seq: seq}, make([]pbft.Outcome, batch.Len()), make([]Operation, batch.Len()), func(time.Duration, int) {})
}

// TestB2_ALeaderProposesNoCopies: a member that waits for longer than the
// finality timeout sends again, and its copy comes at any time.
func TestB2_ALeaderProposesNoCopies(t *testing.T) {
	p := newPair(t)
	w := p.add(testVertices(t, 0, 2))
	if n := p.arrive(p.forward()); n != 2 {
		t.Fatalf("%d of 2 vertices wait at the leader", n)
	}
	if n := p.arrive(p.forward()); n != 2 {
		t.Errorf("%d wait at the leader after copies came of both", n)
	}
	batch := p.cut()
	if n := p.arrive(p.forward()); n != 0 {
		t.Errorf("%d wait after copies came of what is in flight", n)
	}
	late := p.forward()
	execute(p.leader, 7, batch)
	if n := p.arrive(late); n != 0 {
		t.Errorf("%d wait after copies came of what was executed meanwhile", n)
	}
	execute(p.leader, 8, vertexBatch(t, 50))
	if n := p.arrive(late); n != 0 {
		t.Errorf("%d wait after copies came of what was executed before something else", n)
	}
	execute(p.from, 7, batch)
	if w.missing != 0 {
		t.Errorf("who proposed them has yet to get %d receipts", w.missing)
	}
}

// TestB2_WhatAMemberProposesAfterExecutingIsNoCopy: it asks for a no-op, and
// waits for that.
func TestB2_WhatAMemberProposesAfterExecutingIsNoCopy(t *testing.T) {
	for _, c := range []struct {
		name   string
		before func(p *pair)
	}{
		{"executed by both", func(*pair) {}},
		{"and the member restarted since", func(p *pair) {
			p.from = newPool(4, 1, 8, 1, p.clock, func() {})
			p.from.recent.last = 7 // what it recovered
		}},
		{"and the leader restarted since", func(p *pair) {
			p.leader = newPool(4, 0, 8, 1, p.clock, func() {})
			p.leader.recent.last = 7
		}},
		{"and the leader executed something else", func(p *pair) { execute(p.leader, 8, vertexBatch(p.t, 50)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPair(t)
			vertices, hashes := testVertices(t, 0, 1)
			p.add(vertices, hashes)
			p.arrive(p.forward())
			batch := p.cut()
			execute(p.leader, 7, batch)
			execute(p.from, 7, batch)
			c.before(p)
			p.add(vertices, hashes)
			p.forward() // is lost
			if again := p.forward(); !again.Again || p.arrive(again) != 1 {
				t.Errorf("again: %v, executed: %d: what was proposed anew was taken for a copy, and waits for ever", again.Again, again.Executed)
			}
		})
	}
}

// vertexBatch is a batch of one vertex.
func vertexBatch(t *testing.T, number int) *messages.Batch {
	t.Helper()
	vertices, hashes := testVertices(t, number, 1)
	batch, err := messages.BuildBatch(vertices, hashes, messages.DefaultParams())
	if err != nil {
		t.Fatal(err)
	}
	return batch
}

func TestRecentIsBounded(t *testing.T) {
	var r recent
	batches := make([]*messages.Batch, 200)
	for i := range batches {
		batches[i] = vertexBatch(t, i)
		seq := messages.Seq(i + 1)
		r.add(seq, batches[i])
		if i >= 150 && !r.executedAfter(seq-1, batches[i].VertexHash(0)) {
			t.Fatalf("what was just executed at %d is not known", seq)
		}
	}
	if len(r.batches) != recentBatchesMax || len(r.index) != recentBatchesMax {
		t.Errorf("%d batches and %d vertices are remembered, of %d", len(r.batches), len(r.index), recentBatchesMax)
	}
	if oldest := 200 - recentBatchesMax; !r.executedAfter(0, batches[oldest].VertexHash(0)) || r.executedAfter(0, batches[oldest-1].VertexHash(0)) {
		t.Error("the newest are not those that are remembered")
	}
	r.add(201, batches[199]) // once more, as a no-op
	if !r.executedAfter(200, batches[199].VertexHash(0)) {
		t.Error("a vertex's second copy is not known")
	}
	for seq := messages.Seq(202); len(r.batches) > 0 && r.batches[0].seq <= 200; seq++ {
		r.add(seq, batches[0])
	}
	if !r.executedAfter(200, batches[199].VertexHash(0)) {
		t.Error("with its first copy a vertex's second one was forgotten")
	}
	size := 0
	for seq := messages.Seq(1000); size <= recentBytesMax; seq++ {
		v := messages.Vertex{Payload: make([]byte, 250<<10), Creator: [32]byte{9}, Nonce: uint64(seq), Expires: 5000}
		b, err := v.Encode()
		if err != nil {
			t.Fatal(err)
		}
		batch, err := messages.BuildBatch([][]byte{b}, []messages.Digest{messages.HashVertex(b)}, messages.DefaultParams())
		if err != nil {
			t.Fatal(err)
		}
		r.add(seq, batch)
		size += len(batch.Bytes())
	}
	total := 0
	for _, b := range r.batches {
		total += len(b.batch.Bytes())
	}
	if total > recentBytesMax || total != r.bytes {
		t.Errorf("%d bytes are kept, counted as %d, of at most %d", total, r.bytes, recentBytesMax)
	}
}
