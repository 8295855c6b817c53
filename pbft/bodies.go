package pbft

import (
	"maps"
	"slices"

	"github.com/cretoai/consensus/messages"
)

// Bodies keeps the batches of the window by digest. A batch that something
// refers to (a pre-prepare, a certificate) is bound to its sequence and kept
// until that is stable. One that merely arrived is kept among the loose ones,
// of which there are few: a leader sends bodies a little ahead of its signed
// pre-prepares, and nobody else sends any unasked. [N7]
type Bodies struct {
	bound    map[messages.Digest]bound
	loose    []*messages.Batch // oldest first
	looseMax int
}

type bound struct {
	batch *messages.Batch
	seq   messages.Seq // the highest sequence that refers to it
}

// NewBodies makes an empty store that keeps at most looseMax unbound batches.
func NewBodies(looseMax int) *Bodies {
	return &Bodies{bound: make(map[messages.Digest]bound), looseMax: looseMax}
}

// Get gives the batch with this digest, or nil.
func (b *Bodies) Get(digest messages.Digest) *messages.Batch {
	if e, ok := b.bound[digest]; ok {
		return e.batch
	}
	for _, batch := range b.loose {
		if batch.Digest() == digest {
			return batch
		}
	}
	return nil
}

// Put keeps a batch nothing refers to yet; the oldest loose one gives way.
func (b *Bodies) Put(batch *messages.Batch) {
	if b.Get(batch.Digest()) != nil {
		return
	}
	if len(b.loose) == b.looseMax {
		b.loose = slices.Delete(b.loose, 0, 1)
	}
	b.loose = append(b.loose, batch)
}

// Bind keeps a batch until seq is stable.
func (b *Bodies) Bind(batch *messages.Batch, seq messages.Seq) {
	digest := batch.Digest()
	b.loose = slices.DeleteFunc(b.loose, func(l *messages.Batch) bool { return l.Digest() == digest })
	if e, ok := b.bound[digest]; ok {
		seq = max(seq, e.seq)
	}
	b.bound[digest] = bound{batch, seq}
}

// Forget drops the batches bound at or below low.
func (b *Bodies) Forget(low messages.Seq) {
	maps.DeleteFunc(b.bound, func(_ messages.Digest, e bound) bool { return e.seq <= low })
}

// boundTo gives the batches whose highest sequence is seq, by digest.
func (b *Bodies) boundTo(seq messages.Seq) []*messages.Batch {
	var batches []*messages.Batch
	for _, digest := range slices.SortedFunc(maps.Keys(b.bound), compareDigests) {
		if e := b.bound[digest]; e.seq == seq {
			batches = append(batches, e.batch)
		}
	}
	return batches
}
