package actors

import (
	"io"

	"github.com/cretoai/consensus/messages"
)

// StateMachine is the application: it executes finalised operations in the
// same order on every replica.
//
// Everything it does must be a function of what it was given: no clock, no
// chance, no order of a map, nothing local; replicas whose states differ stop.
// Calls come one at a time, and no two at once, though not always from the same
// goroutine; an application that is asked from elsewhere, too, brings its own
// lock. None may take long: while it does, nothing is executed.
//
// kvstore.NewMachine makes one from a function that executes a single operation,
// and keeps its panics from being the replica's.
type StateMachine interface {
	// Apply executes the operations of one sequence in order. Operations that
	// were executed before, or expired, are not among them, so ops may be empty.
	// What ops points to is valid during the call only. There is no way to refuse
	// an operation: one the application does not like is executed as a failed one,
	// which is a Result like any other, the same on all replicas. [X5]
	//
	// After a panic out of Apply the replica restores the application from the last
	// checkpoint, or from what it was at the start, applies again what followed, and
	// tries once more; if it panics again, execution ends here. So Apply lets go of
	// its locks however it ends, and Restore replaces all that it may have left half
	// done.
	Apply(seq messages.Seq, ops []Operation)

	// Digest identifies the state after the last Apply, however it came about: by
	// Apply alone, or by Restore on the way. It is called at checkpoints.
	Digest() messages.Digest

	// Snapshot writes the state, so that Restore of what was written gives a
	// state of equal Digest. It is called at checkpoints, unless the application is
	// Bucketed, and at a start before the first one. An error stops the replica.
	Snapshot(w io.Writer) error

	// Restore replaces the state by a snapshot: at a start, after a panic out of
	// Apply, and when a state came from the others. After an error the state is
	// undefined, and the replica does not start, or stops.
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
