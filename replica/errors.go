package replica

import (
	"context"
	"errors"
	"fmt"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/messages"
)

// Errors of proposing that are values, for errors.Is. Nothing was taken, but for
// ErrStopped, see there.
var (
	// ErrPoolFull: MaxPendingVertices wait already. Retry when some are final.
	ErrPoolFull = actors.ErrPoolFull
	// ErrStopped: the replica has stopped, or stopped while waiting. What it had
	// taken by then stays proposed, as with a NotFinalError: the others may finalise
	// it. Reading gives ErrStopped, too, from the call of Stop on.
	ErrStopped = actors.ErrStopped
	// ErrHalted: the replica runs, and executes nothing any more. The error is a
	// HaltedError, which says why.
	ErrHalted = errors.New("the replica has halted")
	// ErrEmptyPayload: a vertex carries at least one byte.
	ErrEmptyPayload = errors.New("the payload is empty: a vertex carries at least one byte")
	// ErrNonceAlone: a vertex has a nonce, and no creator to whom it belongs. Taken
	// without it, the vertex would execute as often as it is proposed.
	ErrNonceAlone = errors.New("a nonce without a creator: the two identify a vertex together, so set both, or neither")
)

// HaltedError is ErrHalted with the reason, the one in Status.Halted. Nothing was
// taken. What was taken before may be finalised by the others, and this replica
// will not tell: who waits when it halts waits until its context ends, and may ask
// another replica with Find. errors.As finds it as a value, HaltedError.
type HaltedError struct {
	Reason string
}

func (e HaltedError) Error() string { return fmt.Sprintf("%v: %s", ErrHalted, e.Reason) }
func (e HaltedError) Unwrap() error { return ErrHalted }

// NotProposedError says that ctx had ended before anything was taken: unlike after a
// NotFinalError, nothing stays proposed. errors.As finds it as a value,
// NotProposedError.
type NotProposedError struct {
	Cause error // why the context ended
}

func (e NotProposedError) Error() string {
	return fmt.Sprintf("nothing was proposed: the context had ended before (%v)", e.Cause)
}

func (e NotProposedError) Unwrap() error { return e.Cause }

// TooLargeError says that a vertex exceeds what fits. errors.As finds it as a value,
// TooLargeError.
type TooLargeError struct {
	Bytes, BytesMax int
}

func (e TooLargeError) Error() string {
	return fmt.Sprintf("a vertex of %d bytes is too large: at most %d fit; split the payload", e.Bytes, e.BytesMax)
}

// NoOpError says that a vertex was finalised but executed as a no-op, and why:
// its nonce was used before, or it had expired. errors.As finds it as a value,
// NoOpError.
type NoOpError struct {
	Receipt Receipt
}

func (e NoOpError) Error() string {
	return fmt.Sprintf("vertex %v was finalised at sequence %d as a no-op: %v", e.Receipt.Vertex, e.Receipt.Seq, e.Receipt.Outcome)
}

// FailedError says that a vertex was executed and the application made it a
// failure, without effect; its receipt says why. errors.As finds it as a value,
// FailedError.
type FailedError struct {
	Receipt Receipt
}

func (e FailedError) Error() string {
	return fmt.Sprintf("vertex %v failed when it was executed at sequence %d: %s", e.Receipt.Vertex, e.Receipt.Seq, e.Receipt.Result.Data)
}

// NotFinalError says that waiting ended before the vertices were final. They stay
// proposed and may be finalised later, but for those that were never taken.
// errors.As finds it as a value, NotFinalError.
type NotFinalError struct {
	Missing int // vertices without a receipt
	// Untaken are those of the missing ones that found no room before the waiting
	// ended, the last in the list given: they are not proposed.
	Untaken   int
	Connected int // other members this replica is connected to
	Voting    int // those of them that vote, as far as this replica can know
	Quorum    int // members needed, this one included
	Cause     error
}

func (e NotFinalError) Error() string {
	stay := "they stay proposed"
	if e.Untaken > 0 {
		stay = fmt.Sprintf("they stay proposed, but for the last %d, for which there was no room", e.Untaken)
	}
	connected := fmt.Sprintf("%d other members connected", e.Connected)
	if e.Voting < e.Connected {
		connected += fmt.Sprintf(", of which %d vote", e.Voting)
	}
	return fmt.Sprintf("%d vertices not final yet (%v): %s, %d needed for a quorum; %s",
		e.Missing, e.Cause, connected, e.Quorum-1, stay)
}

func (e NotFinalError) Unwrap() error { return e.Cause }

// admit says before anything is taken why nothing can be proposed.
func (r *Replica) admit(ctx context.Context) error {
	if err := r.works(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return NotProposedError{context.Cause(ctx)}
	}
	return nil
}

// works says why the replica executes nothing any more.
func (r *Replica) works() error {
	select {
	case <-r.tree.Done():
		return ErrStopped
	default:
	}
	if reason, halted := r.tree.Halted(); halted {
		return HaltedError{reason}
	}
	return nil
}

// notFinal says that waiting ended, with so many vertices that were not taken.
func (r *Replica) notFinal(ctx context.Context, w *actors.Waiter, untaken int) error {
	return NotFinalError{
		Missing: r.tree.Pool().Missing(w), Untaken: untaken, Connected: r.tree.Connected(),
		Voting: r.tree.Voting(), Quorum: messages.Quorum(r.genesis.N()), Cause: context.Cause(ctx),
	}
}
