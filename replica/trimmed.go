package replica

import (
	"errors"
	"fmt"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/messages"
)

// ErrTrimmed says that something may lie below this replica's ledger, which does
// not begin at sequence 1: Config.LedgerRetain had it trimmed, or the replica took
// its state over from the others. See TrimmedError.
var ErrTrimmed = errors.New("below the retained ledger")

// TrimmedError is ErrTrimmed with what is known.
type TrimmedError struct {
	// Seq is the sequence asked for, 0 if a vertex was, of which only the hash is
	// known: the index of vertices is trimmed together with the ledger.
	Seq messages.Seq
	// First is the oldest sequence in the ledger here.
	First messages.Seq
}

func (e *TrimmedError) Error() string {
	if e.Seq == 0 {
		return fmt.Sprintf("if it was finalised, then below the retained ledger: sequence %d is the first here", e.First)
	}
	return fmt.Sprintf("below the retained ledger: sequence %d, and %d is the first here", e.Seq, e.First)
}

// Is makes a TrimmedError ErrTrimmed, and one about a vertex ErrUnknownVertex, too.
func (e *TrimmedError) Is(target error) bool {
	return target == ErrTrimmed || target == ErrUnknownVertex && e.Seq == 0
}

// ErrSkipped says that the nonce of a vertex proposed here was spent in a sequence
// of which this replica fetched the outcome only, by state transfer. Most likely
// it was this very vertex: another replica has, or had, the receipt.
var ErrSkipped = actors.ErrSkipped

// FirstSequence is the oldest sequence in the ledger here: 1, unless it was
// trimmed, or begins where the state was taken over from the others.
func (r *Replica) FirstSequence() messages.Seq {
	base, _ := r.tree.Ledger().Base()
	return base + 1
}

// missing says why a vertex is not in the ledger here.
func (r *Replica) missing() error {
	if first := r.FirstSequence(); first > 1 {
		return &TrimmedError{First: first}
	}
	return ErrUnknownVertex
}
