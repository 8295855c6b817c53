package replica

import (
	"context"
	"errors"
	"fmt"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/messages"
)

// Errors of proposing that are values, for errors.Is. Nothing was taken, unless they
// are the cause of a NotFinalError.
var (
	// ErrPoolFull: MaxPendingVertices wait already. Retry when some are final.
	ErrPoolFull = actors.ErrPoolFull
	// ErrStopped: the replica has stopped; the text says why if a failure ended it.
	// Reading gives ErrStopped, too, from the call of Stop on.
	ErrStopped = actors.ErrStopped
	// ErrHalted: the replica runs, and executes nothing any more. The error is a
	// HaltedError, which says why.
	ErrHalted = actors.ErrHalted
	// ErrEmptyPayload: a vertex carries at least one byte.
	ErrEmptyPayload = errors.New("the payload is empty: a vertex carries at least one byte")
	// ErrNonceAlone: a vertex has a nonce, and no creator to whom it belongs. Taken
	// without it, the vertex would execute as often as it is proposed.
	ErrNonceAlone = errors.New("a nonce without a creator: the two identify a vertex together, so set both, or neither")
)

// HaltedError is ErrHalted with the reason, the one in Status.Halted. Who waits when
// the replica halts gets it at once, as the cause of a NotFinalError.
type HaltedError struct {
	Reason string
}

func (e *HaltedError) Error() string { return fmt.Sprintf("%v: %s", ErrHalted, e.Reason) }
func (e *HaltedError) Unwrap() error { return ErrHalted }

// NotProposedError says that ctx had ended before anything was taken: unlike after a
// NotFinalError, nothing stays proposed.
type NotProposedError struct {
	Cause error // why the context ended
}

func (e *NotProposedError) Error() string {
	return fmt.Sprintf("nothing was proposed: the context had ended before (%v)", e.Cause)
}

func (e *NotProposedError) Unwrap() error { return e.Cause }

// TooLargeError says that a vertex exceeds what fits.
type TooLargeError struct {
	Bytes, BytesMax int
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("a vertex of %d bytes is too large: at most %d fit; split the payload", e.Bytes, e.BytesMax)
}

// NoOpError says that a vertex was finalised but executed as a no-op, and why:
// its nonce was used before, or it had expired.
type NoOpError struct {
	Receipt Receipt
}

func (e *NoOpError) Error() string {
	return fmt.Sprintf("vertex %v was finalised at sequence %d as a no-op: %v", e.Receipt.Vertex, e.Receipt.Seq, e.Receipt.Outcome)
}

// FailedError says that a vertex was executed and the application made it a
// failure, without effect; its receipt says why.
type FailedError struct {
	Receipt Receipt
}

func (e *FailedError) Error() string {
	return fmt.Sprintf("vertex %v failed when it was executed at sequence %d: %s", e.Receipt.Vertex, e.Receipt.Seq, e.Receipt.Result.Data)
}

// NotFinalError says that waiting ended before there were receipts of all vertices,
// because ctx ended or, by errors.Is, for ErrStopped, ErrHalted or ErrSkipped. What was
// taken stays proposed and may be finalised all the same, here or by the others: ask
// for Vertices with Find, after ErrStopped and the like at another replica.
type NotFinalError struct {
	Missing int // vertices without a receipt
	// Untaken are those of the missing ones that found no room before the waiting
	// ended, the last in the list given: they are not proposed.
	Untaken int
	// Vertices are the hashes of the other missing ones, in their order. That of a
	// vertex for which the replica chose creator and nonce may change, once: if so
	// many others overtook it that the nonce was spent.
	Vertices  []messages.Digest
	Connected int // other members this replica is connected to
	Voting    int // those of them that vote, as far as this replica can know
	Quorum    int // members needed, this one included
	Cause     error
}

func (e *NotFinalError) Error() string {
	what, they, stay := fmt.Sprintf("%d vertices", e.Missing), "they", "stay"
	if e.Missing == 1 && len(e.Vertices) == 1 {
		what, they, stay = "vertex "+e.Vertices[0].Hex(), "it", "stays"
	}
	but := ""
	if e.Untaken > 0 {
		but = fmt.Sprintf(", but for the last %d, for which there was no room", e.Untaken)
	}
	if e.Lost() {
		return fmt.Sprintf("the outcome of %s is unknown here (%v): at the others %s may be final, now or later%s", what, e.Cause, they, but)
	}
	connected := fmt.Sprintf("%d other members connected", e.Connected)
	if e.Voting < e.Connected {
		connected += fmt.Sprintf(", of which %d vote", e.Voting)
	}
	return fmt.Sprintf("%s not final yet (%v): %s, %d needed for a quorum; %s %s proposed%s",
		what, e.Cause, connected, e.Quorum-1, they, stay, but)
}

// Lost reports whether this replica will not tell what became of the vertices, so
// that another one has to be asked.
func (e *NotFinalError) Lost() bool {
	return errors.Is(e.Cause, ErrStopped) || errors.Is(e.Cause, ErrHalted) || errors.Is(e.Cause, ErrSkipped)
}

func (e *NotFinalError) Unwrap() error { return e.Cause }

// admit says before anything is taken why nothing can be proposed.
func (r *Replica) admit(ctx context.Context) error {
	if err := r.works(); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return &NotProposedError{context.Cause(ctx)}
	}
	return nil
}

// works says why the replica executes nothing any more.
func (r *Replica) works() error {
	select {
	case <-r.tree.Done():
		return r.reason(ErrStopped)
	default:
	}
	if _, halted := r.tree.Halted(); halted {
		return r.reason(ErrHalted)
	}
	return nil
}

// reason gives an error of the pool with what is known of it.
func (r *Replica) reason(err error) error {
	reason, halted := r.tree.Halted()
	failure := r.tree.Err()
	switch {
	case halted && errors.Is(err, ErrHalted):
		return &HaltedError{reason}
	case failure != nil && errors.Is(err, ErrStopped):
		return fmt.Errorf("%w: %w", ErrStopped, failure)
	}
	return err
}

// notFinal says that a waiter's waiting ended.
func (r *Replica) notFinal(w *actors.Waiter) error {
	pending, untaken := w.Pending()
	return &NotFinalError{
		Missing: len(pending) + untaken, Untaken: untaken, Vertices: pending, Connected: r.tree.Connected(),
		Voting: r.tree.Voting(), Quorum: messages.Quorum(r.genesis.N()), Cause: r.reason(w.Err()),
	}
}
