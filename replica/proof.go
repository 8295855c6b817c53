package replica

import (
	"errors"
	"fmt"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// ErrUnknownVertex says that a vertex is not in this replica's ledger. It may be
// final elsewhere, and become so here.
var ErrUnknownVertex = errors.New("not in this replica's ledger")

// Found is a vertex in the ledger. Its method Proof makes a proof of it.
//
//	Receipt     Receipt              but for the data of its result, which is not kept
//	Vertex      messages.VertexView  its fields
//	Batch       *messages.Batch      it is part of
//	Certificate []*messages.Bundle   the quorum's commits, or everybody's acceptance
type Found = actors.Found

// Find looks a finalised vertex up by its hash, or gives ErrUnknownVertex, with
// ErrTrimmed if the ledger here does not begin at sequence 1. It reads the disk, and
// gives ErrStopped from the call of Stop on. The receipt says whether the vertex was
// a no-op or failed, but not why it failed: the data of a result is not kept.
func (r *Replica) Find(hash messages.Digest) (*Found, error) {
	f, err := r.find(hash)
	if err == nil && f == nil {
		err = fmt.Errorf("vertex %s: %w", hash.Hex(), r.missing())
	}
	return f, err
}

// find is Find with nil for what is not in the ledger here.
func (r *Replica) find(hash messages.Digest) (*Found, error) {
	if err := r.readers.enter(); err != nil {
		return nil, err
	}
	defer r.readers.leave()
	return r.tree.Ledger().Find(hash)
}

// Proof makes from the ledger what stands behind a receipt, for whoever has the
// genesis to check: see VerifyProof. It shows that the vertex is final, and where; not
// that it had an effect: no-ops and failures have proofs, too.
func (r *Replica) Proof(receipt Receipt) (*messages.FinalityProof, error) {
	if receipt.Seq == 0 {
		return nil, fmt.Errorf("a receipt of no vertex: %w", ErrNoSequence)
	}
	if err := r.readers.enter(); err != nil {
		return nil, err
	}
	defer r.readers.leave()
	f, err := r.tree.Ledger().At(receipt.Seq, receipt.Position)
	if err != nil {
		return nil, err
	}
	if first := r.FirstSequence(); f == nil && receipt.Seq < first {
		return nil, fmt.Errorf("vertex %s: %w", receipt.Vertex.Hex(), &TrimmedError{receipt.Seq, first})
	}
	if f == nil || f.Receipt.Vertex != receipt.Vertex {
		return nil, fmt.Errorf("vertex %s at sequence %d, position %d: %w", receipt.Vertex.Hex(), receipt.Seq, receipt.Position, ErrUnknownVertex)
	}
	return f.Proof(r.keyring.Chain()), nil
}

// ProofOf is Proof for a vertex of which only the hash is known.
func (r *Replica) ProofOf(hash messages.Digest) (*messages.FinalityProof, error) {
	f, err := r.Find(hash)
	if err != nil {
		return nil, err
	}
	return f.Proof(r.keyring.Chain()), nil
}

// VerifyProof reads a proof, as FinalityProof.Encode made it, and checks it
// against a genesis. No replica is asked: what crypto's OpenFinality says holds
// if at most f of the members are faulty.
func VerifyProof(genesis *messages.Genesis, data []byte) (*messages.FinalityProof, error) {
	keyring, err := crypto.NewKeyring(genesis)
	if err != nil {
		return nil, fmt.Errorf("genesis: %w", err)
	}
	p, err := messages.ParseFinalityProof(data)
	if err != nil {
		return nil, err
	}
	return p, keyring.OpenFinality(p)
}
