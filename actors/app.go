package actors

import (
	"io"

	"github.com/cretoai/consensus/messages"
)

// StateMachine is the application. The contract is with replica.StateMachine, which
// has the same methods. [X5]
type StateMachine interface {
	Apply(seq messages.Seq, ops []Operation)
	Digest() messages.Digest
	Snapshot(w io.Writer) error
	Restore(r io.Reader) error
}

// Operation is one finalised vertex, with its hash, which was computed before,
// and room for what executing it gives.
type Operation struct {
	Hash   messages.Digest
	Vertex messages.VertexView
	// Result is what Apply makes of the operation; left alone, a success with
	// nothing to tell.
	Result Result
}

// Result is what executing an operation gave. It goes into the receipt of who
// waits at this replica, and is not kept: the ledger remembers whether the
// operation failed, the application's state what it did. Like that state it must
// be the same on all replicas.
type Result struct {
	// Failed says that the operation had no effect.
	Failed bool
	// Data is a small answer to the caller; of a failed operation, why. It is a
	// string because it is shared and must not change.
	Data string
}
