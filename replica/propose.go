package replica

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync/atomic"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// Vertex is what gets finalised: a payload with parents.
type Vertex struct {
	// Payload is the application's; it is not empty.
	Payload []byte
	// Parents are hashes of vertices this one refers to; at most
	// messages.VertexParentsMax.
	Parents []messages.Digest
	// Creator and Nonce identify the vertex: proposed again with the same two,
	// it is never executed twice. They come together. With both left zero, the
	// replica names itself, with a fresh nonce each time the vertex is proposed; a
	// nonce without a creator is refused, with ErrNonceAlone. Nonces of one creator are used in about ascending order: those
	// more than the genesis' nonce window behind the highest are spent.
	Creator [32]byte
	Nonce   uint64
	// Timestamp is the creator's claim, in milliseconds since the Unix epoch.
	Timestamp int64
	// Expires is the last sequence at which the vertex may execute; left zero,
	// half of pbft.ExpiryReach from now, which is another vertex, with another hash,
	// each time.
	Expires messages.Seq
	// Seal is the creator's signature, on a chain that requires it, and left zero
	// on any other. Creator.SignVertex and SignVertices make it.
	Seal messages.Seal
}

// ErrNoHash says that a vertex has no hash yet, for the replica would choose what
// is left out.
var ErrNoHash = errors.New("a vertex has a hash of its own once Creator, Nonce and Expires are set: the replica chooses what is left out")

// Hash names the vertex, before it is proposed, as its receipt will: Find and
// ProofOf take it. Whoever keeps it learns what became of the vertex when nobody
// waited. Creator and Expires must be set, for else the error is ErrNoHash; a nonce
// of 0 is a nonce. The seal plays no role.
func (v Vertex) Hash() (messages.Digest, error) {
	if v.Creator == [32]byte{} || v.Expires == 0 {
		return messages.Digest{}, ErrNoHash
	}
	encoded, err := v.encode()
	if err != nil {
		return messages.Digest{}, err
	}
	return messages.HashVertex(encoded), nil
}

// Receipt says where a vertex stands in the ledger, on all correct replicas. One with
// sequence 0 is none: it says neither that there was success nor failure. Its Vertex,
// if there is one, is the hash of what was taken and may become final yet.
//
//	Vertex   messages.Digest  the vertex's hash
//	Seq      messages.Seq     its sequence
//	Position uint32           its place in the batch
//	Batch    messages.Digest  the digest that the certificate signs
//	View     messages.View    of the certificate seen here; replicas may differ in it
//	Outcome  pbft.Outcome     Fresh, or why executing it was a no-op
//	Result   Result           what the application made of it
type Receipt = actors.Receipt

// identity is the creator of vertices that bring none.
type identity struct {
	creator [32]byte
	nonce   atomic.Uint64
}

// newIdentity draws a creator at each start: counting on from before a crash
// could make new vertices look like old ones.
func newIdentity(member messages.MemberID, fresh [16]byte) *identity {
	h := sha256.New()
	h.Write([]byte("cretoai-consensus/v1/door\x00"))
	h.Write(member[:])
	h.Write(fresh[:])
	id := &identity{}
	h.Sum(id.creator[:0])
	return id
}

// renew gives a vertex of this creator a fresh nonce; another's is left alone.
func (id *identity) renew(encoded []byte) []byte {
	v, _, err := messages.ParseVertex(encoded)
	if err != nil || v.Creator() != id.creator {
		return nil
	}
	return messages.WithNonce(encoded, id.nonce.Add(1))
}

// Propose has a vertex finalised and returns its receipt. It fails at once with
// ErrPoolFull when too many wait. ctx bounds the waiting: when it ends, the
// vertex stays proposed and the error is a NotFinalError with its hash; if it has ended
// before, a NotProposedError, and nothing was taken. A replica that executes nothing any
// more says so with ErrStopped or a HaltedError, which is the cause of a NotFinalError
// if the vertex was taken before. A vertex that was executed before gets the receipt it
// had then, but for the data of its result.
func (r *Replica) Propose(ctx context.Context, v Vertex) (Receipt, error) {
	if err := r.admit(ctx); err != nil {
		return Receipt{}, err
	}
	d, err := r.draftAll([]Vertex{v})
	if err != nil {
		return Receipt{}, err
	}
	w := actors.NewWaiter(1)
	if n, err := d.propose(0, r.tree.Pool().Reserve(1), w); err != nil {
		return Receipt{}, r.reason(err)
	} else if n == 0 {
		return Receipt{}, ErrPoolFull
	}
	if err := r.wait(ctx, w); err != nil {
		return Receipt{}, err
	}
	receipt, err := r.original(w.Receipts[0])
	switch {
	case err != nil:
		return receipt, err
	case receipt.Outcome != pbft.Fresh:
		return receipt, &NoOpError{receipt}
	case receipt.Result.Failed:
		return receipt, &FailedError{receipt}
	}
	return receipt, nil
}

// original gives the receipt of a repeated vertex's first execution. If there is
// none in the ledger, its creator spent the nonce on another vertex, or the
// ledger here begins later.
func (r *Replica) original(receipt Receipt) (Receipt, error) {
	if receipt.Outcome != pbft.Repeated {
		return receipt, nil
	}
	f, err := r.find(receipt.Vertex)
	if err != nil || f == nil || f.Receipt.Outcome != pbft.Fresh {
		return receipt, err
	}
	return f.Receipt, nil
}

// ProposeAll has many vertices finalised and returns their receipts in the
// order given. More than fit are fed to the pool as it drains, in the order in which
// callers came to wait. A receipt whose Outcome is not Fresh is of a vertex that was a
// no-op, and one may be of a vertex whose Result is a failure: neither is an error here.
// When ctx ends, the receipts there are are returned with a NotFinalError; those missing
// have sequence 0, and the hash of the vertex if it was taken. The other errors are
// those of Propose.
func (r *Replica) ProposeAll(ctx context.Context, vertices []Vertex) ([]Receipt, error) {
	if len(vertices) == 0 {
		return nil, nil
	}
	if err := r.admit(ctx); err != nil {
		return nil, err
	}
	d, err := r.draftAll(vertices)
	if err != nil {
		return nil, err
	}
	w := actors.NewWaiter(len(vertices))
	if err := r.feed(ctx, d, w); err != nil {
		if errors.As(err, new(*NotFinalError)) {
			return w.Receipts, err
		}
		return nil, err
	}
	return r.collect(ctx, w)
}

// feed gives a draft to the pool, as it drains.
func (r *Replica) feed(ctx context.Context, d *draft, w *actors.Waiter) error {
	pool := r.tree.Pool()
	for at := 0; at < len(d.encoded); {
		left := len(d.encoded) - at
		n, err := d.propose(at, pool.Reserve(left), w)
		if n == 0 && err == nil {
			var room int
			if room, err = pool.AwaitRoom(ctx, left); err == nil {
				n, err = d.propose(at, room, w)
			}
		}
		if err != nil {
			return r.untaken(w, at, err)
		}
		at += n
	}
	return nil
}

// untaken says that from a place on nothing is taken any more, and why.
func (r *Replica) untaken(w *actors.Waiter, at int, why error) error {
	switch {
	case at > 0:
		r.tree.Pool().GiveUp(w, why)
		return r.notFinal(w)
	case errors.Is(why, ErrStopped), errors.Is(why, ErrHalted):
		return r.reason(why)
	}
	return &NotProposedError{why}
}

// collect waits for the receipts of what is in the pool.
func (r *Replica) collect(ctx context.Context, w *actors.Waiter) ([]Receipt, error) {
	if err := r.wait(ctx, w); err != nil {
		return w.Receipts, err
	}
	for i := range w.Receipts {
		var err error
		if w.Receipts[i], err = r.original(w.Receipts[i]); err != nil {
			return w.Receipts, err
		}
	}
	return w.Receipts, nil
}

// wait waits for the receipts of what is in the pool. It returns no error if they came
// together with the end of ctx: final is final.
func (r *Replica) wait(ctx context.Context, w *actors.Waiter) error {
	select {
	case <-w.Done:
	case <-ctx.Done():
		r.tree.Pool().GiveUp(w, context.Cause(ctx))
	}
	if w.Err() != nil {
		return r.notFinal(w)
	}
	return nil
}
