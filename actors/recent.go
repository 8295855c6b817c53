package actors

import (
	"github.com/cretoai/consensus/messages"
)

// recent remembers the batches executed last, and so recognises copies: a
// member that is slow to execute sends the leader a vertex again that the
// leader has executed meanwhile. Such a copy would be finalised once more, as a
// no-op. [B2]
type recent struct {
	last    messages.Seq // the last executed sequence
	batches []recentBatch
	bytes   int // of batches
	// index gives the highest sequence of each vertex in the first indexed
	// batches. The others are added when somebody asks: while nobody sends
	// anything twice, it costs nothing.
	index   map[messages.Digest]messages.Seq
	indexed int
}

type recentBatch struct {
	seq   messages.Seq
	batch *messages.Batch
}

// What is remembered: batches that are in memory anyway until their checkpoint
// is stable, about as many as can be in flight.
const (
	recentBatchesMax = 64
	recentBytesMax   = 16 << 20
)

// add remembers an executed batch.
func (r *recent) add(seq messages.Seq, batch *messages.Batch) {
	if seq <= r.last {
		return // told again, after a panic of the executor
	}
	r.last = seq
	r.batches = append(r.batches, recentBatch{seq, batch})
	r.bytes += len(batch.Bytes())
	for len(r.batches) > recentBatchesMax || r.bytes > recentBytesMax {
		r.forget()
	}
}

// forget drops the oldest batch.
func (r *recent) forget() {
	oldest := r.batches[0]
	r.batches[0] = recentBatch{} // the slice's array would keep it
	r.batches = r.batches[1:]
	r.bytes -= len(oldest.batch.Bytes())
	if r.indexed == 0 {
		return
	}
	r.indexed--
	for i := range oldest.batch.Len() {
		if hash := oldest.batch.VertexHash(i); r.index[hash] == oldest.seq {
			delete(r.index, hash)
		}
	}
}

// executedAfter reports whether a vertex was executed above a sequence, as far
// as it is remembered: a copy that is not recognised is useless, not harmful.
func (r *recent) executedAfter(seq messages.Seq, vertex messages.Digest) bool {
	if seq >= r.last {
		return false
	}
	if r.index == nil {
		r.index = make(map[messages.Digest]messages.Seq)
	}
	for _, b := range r.batches[r.indexed:] {
		for i := range b.batch.Len() {
			r.index[b.batch.VertexHash(i)] = b.seq
		}
	}
	r.indexed = len(r.batches)
	return r.index[vertex] > seq
}
