package actors

import (
	"io"

	"github.com/cretoai/consensus/messages"
)

// StateMachine is the application: it executes finalised operations in the
// same order on every replica.
//
// Everything it does must be a function of what it was given: no clock, no
// chance, no order of a map, nothing local; replicas whose results differ stop.
// All calls come from one goroutine, one at a time.
type StateMachine interface {
	// Apply executes the operations of one sequence in order. Operations that
	// were executed before, or expired, are not among them, so ops may be empty.
	// What ops points to is valid during the call only. An operation the application
	// does not like is executed as whatever the application defines; there is no
	// way to refuse it here.
	Apply(seq messages.Seq, ops []Operation)

	// Digest identifies the state after the last Apply. It is called at
	// checkpoints.
	Digest() messages.Digest

	// Snapshot writes the state, so that Restore of what was written gives a
	// state of equal Digest. It is called at checkpoints.
	Snapshot(w io.Writer) error

	// Restore replaces the state by a snapshot.
	Restore(r io.Reader) error
}

// Operation is one finalised vertex, with its hash, which was computed before.
type Operation struct {
	Hash   messages.Digest
	Vertex messages.VertexView
}
