package actors

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"

	"github.com/cretoai/consensus/messages"
)

// VertexLedger is the default application: it executes a vertex by appending
// it. Its state is the number of vertices and a hash chain over their hashes;
// the vertices themselves lie in the replica's ledger.
type VertexLedger struct {
	count uint64
	chain messages.Digest
}

// Apply implements StateMachine.
func (l *VertexLedger) Apply(_ messages.Seq, ops []Operation) {
	if len(ops) == 0 {
		return
	}
	h := sha256.New()
	h.Write(l.chain[:])
	for _, op := range ops {
		h.Write(op.Hash[:])
	}
	h.Sum(l.chain[:0])
	l.count += uint64(len(ops))
}

// Count is the number of vertices.
func (l *VertexLedger) Count() uint64 { return l.count }

// Digest implements StateMachine.
func (l *VertexLedger) Digest() messages.Digest { return sha256.Sum256(l.encode()) }

func (l *VertexLedger) encode() []byte {
	return append(binary.BigEndian.AppendUint64(nil, l.count), l.chain[:]...)
}

// Snapshot implements StateMachine.
func (l *VertexLedger) Snapshot(w io.Writer) error {
	_, err := w.Write(l.encode())
	return err
}

// Restore implements StateMachine.
func (l *VertexLedger) Restore(r io.Reader) error {
	b, err := io.ReadAll(io.LimitReader(r, 64))
	if err != nil {
		return err
	}
	if len(b) != 8+len(l.chain) {
		return fmt.Errorf("a vertex ledger's snapshot has %d bytes, not %d", 8+len(l.chain), len(b))
	}
	l.count = binary.BigEndian.Uint64(b)
	copy(l.chain[:], b[8:])
	return nil
}
