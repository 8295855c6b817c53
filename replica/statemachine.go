package replica

import (
	"io"
	"iter"

	"github.com/cretoai/consensus/actors"
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
	// which is a Result like any other, the same on all replicas.
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

// Bucketed is a StateMachine whose state lies in numbered buckets. A checkpoint
// then costs what was written since the one before: it asks for the buckets that
// Changed lists, instead of a Snapshot of the whole. Whoever implements it makes
// Snapshot and Restore with WriteBuckets and ReadBuckets.
type Bucketed interface {
	StateMachine

	// Buckets is the number of buckets, always the same.
	Buckets() int

	// Changed lists the buckets written since the last call, or since
	// RestoreBuckets, ascending.
	Changed() []int

	// Bucket gives a bucket's bytes, the caller's to keep; none for an empty one.
	Bucket(i int) []byte

	// RestoreBuckets replaces the whole state by these buckets; those it is not
	// given are empty. The bytes are valid during their turn only. After an error
	// the state is undefined.
	RestoreBuckets(iter.Seq2[int, []byte]) error
}

// The actors know applications by the same methods.
var (
	_ actors.StateMachine = StateMachine(nil)
	_ StateMachine        = actors.StateMachine(nil)
	_ actors.Bucketed     = Bucketed(nil)
	_ Bucketed            = actors.Bucketed(nil)
)

// WriteBuckets writes a Bucketed's snapshot.
func WriteBuckets(w io.Writer, b Bucketed) error { return actors.WriteBuckets(w, b) }

// ReadBuckets restores a Bucketed from its snapshot.
func ReadBuckets(r io.Reader, into Bucketed) error { return actors.ReadBuckets(r, into) }

// Operation is one finalised vertex as the application gets it:
//
//	Hash   messages.Digest      of the vertex
//	Vertex messages.VertexView  its fields: Payload, Creator, Nonce, Parents, Timestamp, Expires
//	Result Result               what Apply makes of it; left alone, a success with nothing to tell
type Operation = actors.Operation

// Result is what the application made of an operation. It goes into the receipt of who
// waits at this replica, and must be the same on all replicas. The ledger keeps whether
// the operation failed, and nothing of its data.
//
//	Failed bool    the operation had no effect
//	Data   string  a small answer to the caller; of a failed operation, why
type Result = actors.Result
