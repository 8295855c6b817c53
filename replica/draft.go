package replica

import (
	"errors"
	"fmt"

	"github.com/cretoai/consensus/actors"
	"github.com/cretoai/consensus/messages"
	"github.com/cretoai/consensus/pbft"
)

// draft is a list of vertices that were checked, and are not in the pool yet. Those
// that name no creator become this replica's, with nonces drawn when there is room
// for them: nonces that wait would let others run ahead by more than a window.
type draft struct {
	r       *Replica
	encoded [][]byte
	hashes  []messages.Digest // zero for those without a nonce
	seals   []messages.Seal   // nil on a chain without signatures
	own     []bool
}

// draft makes vertices' bytes, once, and checks what can be checked before anything
// is taken. refuse is told of each that is refused; the draft has the others, in
// order.
func (r *Replica) draft(vertices []Vertex, refuse func(i int, err error)) *draft {
	n := len(vertices)
	d := &draft{r, make([][]byte, n), make([]messages.Digest, n), make([]messages.Seal, n), make([]bool, n)}
	refused := func(i int, err error) {
		refuse(i, err)
		d.encoded[i] = nil
	}
	for i, v := range vertices {
		var err error
		if g := v.Seal.Group; g != nil && int(v.Seal.Leaf) >= g.Len() {
			err = &SignatureError{i, errChanged}
		} else {
			d.encoded[i], err = r.encodeOne(v)
		}
		if err != nil {
			refused(i, err)
			continue
		}
		d.seals[i], d.own[i] = v.Seal, v.Creator == [32]byte{}
		if !d.own[i] {
			d.hashes[i] = messages.HashVertex(d.encoded[i])
		}
	}
	d.checkSeals(refused)
	d.close()
	return d
}

// draftAll is a draft of all vertices, or an error that says which one is refused.
func (r *Replica) draftAll(vertices []Vertex) (*draft, error) {
	var first error
	d := r.draft(vertices, func(i int, err error) {
		if first != nil {
			return
		}
		if first = err; len(vertices) > 1 && !errors.As(err, new(*SignatureError)) {
			first = fmt.Errorf("vertex %d: %w", i, err)
		}
	})
	if first != nil {
		return nil, first
	}
	return d, nil
}

// close drops what was refused.
func (d *draft) close() {
	n := 0
	for i, b := range d.encoded {
		if b != nil {
			d.encoded[n], d.hashes[n], d.seals[n], d.own[n] = b, d.hashes[i], d.seals[i], d.own[i]
			n++
		}
	}
	d.encoded, d.hashes, d.seals, d.own = d.encoded[:n], d.hashes[:n], d.seals[:n], d.own[:n]
	if !d.r.genesis.Params.RequireVertexSignatures {
		d.seals = nil
	}
}

// propose gives the pool as many of the vertices from at on as there is room promised
// for.
func (d *draft) propose(at, room int, w *actors.Waiter) (int, error) {
	end := at + room
	if end == at && !d.own[at] {
		end = at + 1 // one that is there already needs no room
	}
	for i := at; i < end; i++ {
		if d.own[i] {
			messages.SetNonce(d.encoded[i], d.r.identity.nonce.Add(1))
			d.hashes[i] = messages.HashVertex(d.encoded[i])
		}
	}
	return d.r.tree.Pool().Add(room, d.encoded[at:end], d.hashes[at:end], d.seals[min(at, len(d.seals)):], w, at)
}

func (r *Replica) encodeOne(v Vertex) ([]byte, error) {
	limit := min(messages.VertexBytesMax, int(r.genesis.Params.BatchBytes)-messages.BatchHeaderBytes)
	var s messages.Sealing
	limit -= s.Cost(v.Seal)
	if size := messages.VertexHeaderBytes + 32*len(v.Parents) + len(v.Payload); size > limit {
		return nil, &TooLargeError{size, limit}
	}
	if v.Creator == [32]byte{} {
		if v.Nonce != 0 {
			return nil, ErrNonceAlone
		}
		v.Creator = r.identity.creator
	}
	if v.Expires == 0 {
		v.Expires = r.tree.Progress().Seq + pbft.ExpiryReach/2
	}
	return v.encode()
}

// encode makes a vertex's bytes.
func (v Vertex) encode() ([]byte, error) {
	if len(v.Payload) == 0 {
		return nil, ErrEmptyPayload
	}
	m := messages.Vertex{
		Parents: v.Parents, Payload: v.Payload, Creator: v.Creator, Nonce: v.Nonce, Timestamp: v.Timestamp, Expires: v.Expires,
	}
	return m.Encode()
}
