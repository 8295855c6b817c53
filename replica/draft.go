package replica

import (
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
// is taken.
func (r *Replica) draft(vertices []Vertex) (*draft, error) {
	n := len(vertices)
	d := &draft{r, make([][]byte, n), make([]messages.Digest, n), make([]messages.Seal, n), make([]bool, n)}
	for i, v := range vertices {
		if g := v.Seal.Group; g != nil && int(v.Seal.Leaf) >= g.Len() {
			return nil, SignatureError{i, errChanged}
		}
		var err error
		if d.encoded[i], err = r.encodeOne(v); err != nil && n > 1 {
			err = fmt.Errorf("vertex %d: %w", i, err)
		}
		if err != nil {
			return nil, err
		}
		d.seals[i], d.own[i] = v.Seal, v.Creator == [32]byte{}
		if !d.own[i] {
			d.hashes[i] = messages.HashVertex(d.encoded[i])
		}
	}
	if err := r.checkSeals(d.encoded, d.hashes, d.seals); err != nil {
		return nil, err
	}
	if !r.genesis.Params.RequireVertexSignatures {
		d.seals = nil
	}
	return d, nil
}

// propose gives the pool as many of the vertices from at on as it has room for.
func (d *draft) propose(at int, w *actors.Waiter) (int, error) {
	pool := d.r.tree.Pool()
	end := min(at+pool.Room(), len(d.encoded))
	if end == at && !d.own[at] {
		end = at + 1 // one that is there already needs no room
	}
	for i := at; i < end; i++ {
		if d.own[i] {
			messages.SetNonce(d.encoded[i], d.r.identity.nonce.Add(1))
			d.hashes[i] = messages.HashVertex(d.encoded[i])
		}
	}
	return pool.Add(d.encoded[at:end], d.hashes[at:end], d.seals[min(at, len(d.seals)):], w, at)
}

func (r *Replica) encodeOne(v Vertex) ([]byte, error) {
	limit := min(messages.VertexBytesMax, int(r.genesis.Params.BatchBytes)-messages.BatchHeaderBytes)
	var s messages.Sealing
	limit -= s.Cost(v.Seal)
	if size := messages.VertexHeaderBytes + 32*len(v.Parents) + len(v.Payload); size > limit {
		return nil, TooLargeError{size, limit}
	}
	if v.Creator == [32]byte{} {
		v.Creator, v.Nonce = r.identity.creator, 0
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
