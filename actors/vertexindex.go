package actors

import (
	"encoding/binary"
	"sync"

	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
	"github.com/cretoai/consensus/storage"
)

// vertexIndex finds a vertex in the ledger by its hash. It is this replica's
// own, no replicated state, and built without a write a vertex: executing one
// appends a number to a slice, and at a stable checkpoint the numbers of the
// interval go to the state store in the batch that is written there anyway, in
// values of a thousand or so, one for each of the indexBuckets that has any. A
// value is read whole, so nothing is ever sorted; the store's own compaction
// brings the values of one bucket together, and a look-up walks over those: a
// 1024th part of the index, 8 bytes a vertex. Who picks hashes to crowd one
// bucket slows down the look-ups in it and nothing else.
type vertexIndex struct {
	store    *storage.State
	interval messages.Seq

	mu     sync.RWMutex
	last   messages.Seq // the last sequence added
	blocks []indexBlock // of intervals the store does not know yet, ascending
	usual  int          // entries of a block, by the last one stored
}

// indexBlock holds the numbers of one checkpoint interval, (base, base+interval].
type indexBlock struct {
	base    messages.Seq
	entries []indexEntry
}

// indexEntry is a vertex in 64 bits: the first 40 of its hash, the first 10 of
// which are its bucket, 9 for the sequence within the interval, the last 10 of the
// position in the batch, 4 for the outcome, and 1 that says it failed. Of a
// billion vertices one in a thousand look-ups meets another's 40 bits; what is
// found is compared with the ledger, where it may stand at two positions.
type indexEntry uint64

const (
	indexBuckets    = 1 << 10
	indexPositions  = 1 << 10
	indexEntryBytes = 8
)

var keyVertex = []byte("vertex/") // + bucket 2 + base 8

func vertexKey(bucket int, base messages.Seq) []byte {
	return binary.BigEndian.AppendUint64(vertexPrefix(bucket), uint64(base))
}

func vertexPrefix(bucket int) []byte {
	return binary.BigEndian.AppendUint16(append(make([]byte, 0, len(keyVertex)+2+8), keyVertex...), uint16(bucket))
}

func hashBits(hash messages.Digest) uint64 { return binary.BigEndian.Uint64(hash[:]) >> 24 }

func (e indexEntry) hashBits() uint64 { return uint64(e) >> 24 }
func (e indexEntry) bucket() int      { return int(e >> 54) }

// spot is where a vertex was found, and what executing it there was.
type spot struct {
	seq      messages.Seq
	position uint32 // from the index: modulo indexPositions
	outcome  pbft.Outcome
	failed   bool
}

func newEntry(hash messages.Digest, base messages.Seq, s spot) indexEntry {
	e := hashBits(hash)<<24 | uint64(s.seq-base-1)<<15 | uint64(s.position%indexPositions)<<5 | uint64(s.outcome)<<1
	if s.failed {
		e |= 1
	}
	return indexEntry(e)
}

func (e indexEntry) spot(base messages.Seq) spot {
	return spot{
		seq: base + 1 + messages.Seq(e>>15&511), position: uint32(e >> 5 & (indexPositions - 1)),
		outcome: pbft.Outcome(e >> 1 & 15), failed: e&1 != 0,
	}
}

// add notes the vertices of an executed batch; ops are its fresh ones, in
// order. A sequence that is executed again after a restart adds nothing.
func (x *vertexIndex) add(seq messages.Seq, batch *messages.Batch, outcomes []pbft.Outcome, ops []Operation) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if seq <= x.last {
		return
	}
	x.last = seq
	if batch == nil {
		return
	}
	base := (seq - 1) / x.interval * x.interval
	if n := len(x.blocks); n == 0 || x.blocks[n-1].base != base {
		x.blocks = append(x.blocks, indexBlock{base, make([]indexEntry, 0, x.usual)})
	}
	block := &x.blocks[len(x.blocks)-1]
	fresh := 0
	for i, outcome := range outcomes {
		s := spot{seq: seq, position: uint32(i), outcome: outcome}
		if outcome == pbft.Fresh {
			s.failed = ops[fresh].Result.Failed
			fresh++
		}
		block.entries = append(block.entries, newEntry(batch.VertexHash(i), base, s))
	}
}

// write puts the blocks up to the checkpoint seq into a batch of the store.
func (x *vertexIndex) write(b *storage.Batch, seq messages.Seq) {
	x.mu.RLock()
	blocks := x.blocks
	x.mu.RUnlock()
	for i := range blocks { // the last one may be growing
		if block := &blocks[i]; block.base+x.interval <= seq {
			block.write(b)
		}
	}
}

// write brings the entries of each bucket together, keeping their order.
func (k *indexBlock) write(b *storage.Batch) {
	var end [indexBuckets + 1]int // of each bucket, shifted by one
	for _, e := range k.entries {
		end[e.bucket()+1]++
	}
	for i := range indexBuckets {
		end[i+1] += end[i]
	}
	values := make([]byte, len(k.entries)*indexEntryBytes)
	at := end // where the next entry of each bucket goes
	for _, e := range k.entries {
		i := e.bucket()
		binary.BigEndian.PutUint64(values[at[i]*indexEntryBytes:], uint64(e))
		at[i]++
	}
	for i := range indexBuckets {
		if from, to := end[i], end[i+1]; from < to {
			b.Set(vertexKey(i, k.base), values[from*indexEntryBytes:to*indexEntryBytes])
		}
	}
}

// stored drops what the store knows now.
func (x *vertexIndex) stored(seq messages.Seq) {
	x.mu.Lock()
	defer x.mu.Unlock()
	n := 0
	for n < len(x.blocks) && x.blocks[n].base+x.interval <= seq {
		n++
	}
	if n > 0 {
		x.usual = len(x.blocks[n-1].entries)
	}
	x.blocks = append([]indexBlock(nil), x.blocks[n:]...)
}

// cutByKey is how many intervals are cut key by key. That leaves nothing behind in
// the store; ranges do for a while, so they are for what is cut once.
const cutByKey = 64

// cut removes, in a batch of the store, what was noted between two checkpoints,
// the first of which is the last that was cut.
func (x *vertexIndex) cut(b *storage.Batch, from, to messages.Seq) {
	for i := range indexBuckets {
		if to-from > cutByKey*x.interval {
			b.DeleteRange(vertexKey(i, 0), vertexKey(i, to))
			continue
		}
		for base := from; base < to; base += x.interval {
			b.Delete(vertexKey(i, base))
		}
	}
}

// begin goes on behind the checkpoint seq.
func (x *vertexIndex) begin(seq messages.Seq) {
	x.stored(seq)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.last = max(x.last, seq)
}

// find gives the places where a vertex of that hash may be: first those where
// it was executed, at most one of which is it, and then the newest where it may
// have been a no-op.
func (x *vertexIndex) find(hash messages.Digest) ([]spot, error) {
	var executed []spot
	var noOp spot
	want := hashBits(hash)
	meet := func(e indexEntry, base messages.Seq) {
		if e.hashBits() != want {
			return
		}
		if s := e.spot(base); s.outcome == pbft.Fresh {
			executed = append(executed, s)
		} else if s.seq > noOp.seq {
			noOp = s
		}
	}
	x.mu.RLock()
	blocks := append([]indexBlock(nil), x.blocks...) // their entries are only ever added to
	x.mu.RUnlock()
	for _, block := range blocks {
		for _, e := range block.entries {
			meet(e, block.base)
		}
	}
	prefix := vertexPrefix(int(want >> 30))
	err := x.store.Prefix(prefix, func(key, value []byte) error {
		base := messages.Seq(binary.BigEndian.Uint64(key[len(prefix):]))
		for ; len(value) >= indexEntryBytes; value = value[indexEntryBytes:] {
			meet(indexEntry(binary.BigEndian.Uint64(value)), base)
		}
		return nil
	})
	if noOp.seq > 0 {
		executed = append(executed, noOp)
	}
	return executed, err
}
