package actors

import (
	"fmt"

	"github.com/cretoai/consensus/messages"
)

// Found is a vertex in the ledger, with what shows that it is there.
type Found struct {
	Receipt     Receipt // but for Result.Data, which is not kept
	Vertex      messages.VertexView
	Batch       *messages.Batch
	Certificate []*messages.Bundle
}

// Proof makes the proof, for the chain of this genesis hash.
func (f *Found) Proof(chain messages.Digest) *messages.FinalityProof {
	p := f.Batch.FinalityProof(int(f.Receipt.Position))
	p.Chain, p.Seq, p.View, p.Certificate = chain, f.Receipt.Seq, f.Receipt.View, f.Certificate
	return p
}

// Find looks a vertex up by its hash; nil if it is not in this replica's ledger.
// Of a vertex that was finalised more than once, it gives where it took effect.
func (l *Ledger) Find(hash messages.Digest) (*Found, error) {
	spots, err := l.vertices.find(hash)
	if err != nil {
		return nil, fmt.Errorf("look vertex %v up: %w", hash, err)
	}
	for _, s := range spots {
		d, err := l.decided(s.seq)
		if err != nil {
			return nil, err
		}
		if d == nil || d.batch == nil {
			continue
		}
		for at := int(s.position); at < d.batch.Len(); at += indexPositions {
			if d.batch.VertexHash(at) == hash {
				f := d.found(at)
				f.Receipt.Outcome, f.Receipt.Result.Failed = s.outcome, s.failed
				return f, nil
			}
		}
	}
	return nil, nil
}

// At reads the vertex at a position of a sequence's batch; nil if this replica
// has not executed that, or the batch has no such position. The receipt does not
// tell what executing the vertex was: the index knows, not the ledger.
func (l *Ledger) At(seq messages.Seq, position uint32) (*Found, error) {
	d, err := l.decided(seq)
	if err != nil || d == nil || d.batch == nil || int(position) >= d.batch.Len() {
		return nil, err
	}
	return d.found(int(position)), nil
}

// found is the vertex at a position of the batch.
func (d *decided) found(position int) *Found {
	c := &d.commit
	return &Found{
		Receipt: Receipt{Vertex: d.batch.VertexHash(position), Seq: c.Seq, View: c.View, Batch: c.Digest, Position: uint32(position)},
		Vertex:  d.batch.Vertex(position), Batch: d.batch, Certificate: c.Bundles,
	}
}
