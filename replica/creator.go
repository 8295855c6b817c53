package replica

import (
	"errors"
	"fmt"

	"github.com/cretoai/consensus/crypto"
	"github.com/cretoai/consensus/messages"
)

// Creator signs vertices with a key of its own, for a chain that requires that.
// It needs no replica: who proposes for many signs where the key is. It is safe
// for concurrent use.
type Creator struct {
	key   crypto.PrivateKey
	chain messages.Digest
	id    [32]byte
}

// NewCreator makes a creator out of a key, as keyfile.LoadCreator reads it. The
// key is of the chain's signature scheme.
func NewCreator(g *messages.Genesis, key crypto.PrivateKey) *Creator {
	return NewCreatorOf(g.Hash(), g.Scheme, key)
}

// NewCreatorOf is NewCreator for who knows of the genesis but its hash and the name
// of its signature scheme.
func NewCreatorOf(genesis messages.Digest, scheme string, key crypto.PrivateKey) *Creator {
	return &Creator{key: key, chain: genesis, id: messages.NewCreatorID(scheme, key.Public().Bytes())}
}

// ID names the creator: Vertex.Creator of what it signs.
func (c *Creator) ID() [32]byte { return c.id }

// ErrNoExpiry says that a vertex to be signed does not say when it expires:
// nobody can fill that in after it was signed.
var ErrNoExpiry = errors.New("a vertex to be signed needs Expires, the last sequence at which it may execute: ask a replica where the chain is")

// SignVertex signs one vertex: it fills in Creator and Seal. Nonce and Expires
// are the caller's to choose, see Vertex; nothing of the vertex may change
// afterwards. It costs a signature and 7.2 kB on the wire, a key of which a batch
// holds once: SignVertices is for many.
func (c *Creator) SignVertex(v Vertex) (Vertex, error) {
	signed, err := c.SignVertices([]Vertex{v})
	if err != nil {
		return Vertex{}, err
	}
	return signed[0], nil
}

// SignVertices signs vertices together, as many as messages.GroupVerticesMax with
// one signature, which all replicas verify once. They may be proposed in any
// order, in parts and at different replicas.
func (c *Creator) SignVertices(vertices []Vertex) ([]Vertex, error) {
	signed := make([]Vertex, len(vertices))
	hashes := make([]messages.Digest, len(vertices))
	for i, v := range vertices {
		v.Creator = c.id
		if v.Expires == 0 {
			return nil, fmt.Errorf("vertex %d: %w", i, ErrNoExpiry)
		}
		encoded, err := v.encode()
		if err != nil {
			return nil, fmt.Errorf("vertex %d: %w", i, err)
		}
		signed[i], hashes[i] = v, messages.HashVertex(encoded)
	}
	for at := 0; at < len(signed); at += messages.GroupVerticesMax {
		end := min(at+messages.GroupVerticesMax, len(signed))
		g, err := crypto.SignGroup(c.key, c.chain, hashes[at:end])
		if err != nil {
			return nil, err
		}
		for i := at; i < end; i++ {
			signed[i].Seal = messages.Seal{Group: g, Leaf: uint32(i - at)}
		}
	}
	return signed, nil
}

// SignatureError says that a vertex was refused for its creator's signature, or
// the lack of one. Nothing was taken.
type SignatureError struct {
	Vertex int // its place among those proposed together
	Cause  error
}

func (e *SignatureError) Error() string {
	return fmt.Sprintf("vertex %d is refused: %v", e.Vertex, e.Cause)
}

func (e *SignatureError) Unwrap() error { return e.Cause }

// checkSeals verifies creators' signatures at the door, group by group. What holds
// is remembered, so that a vertex that comes back in a batch is not verified
// again. refused is told what does not hold. [X9]
func (d *draft) checkSeals(refused func(i int, err error)) {
	required := d.r.genesis.Params.RequireVertexSignatures
	for i, s := range d.seals {
		var cause error
		switch {
		case d.encoded[i] == nil:
		case required && s.Group == nil:
			cause = messages.ErrUnsigned
		case !required && s.Group != nil:
			cause = messages.ErrUncalledFor
		case required && !s.Group.Holds(s.Leaf, d.hashes[i]):
			cause = errChanged
		}
		if cause != nil {
			refused(i, &SignatureError{i, cause})
		}
	}
	for at := 0; required && at < len(d.seals); {
		end := at + 1
		for end < len(d.seals) && d.seals[end].Group == d.seals[at].Group {
			end++
		}
		d.checkGroup(at, end, refused)
		at = end
	}
}

// checkGroup verifies the one signature over the vertices from at to end.
func (d *draft) checkGroup(at, end int, refused func(i int, err error)) {
	g := messages.Grant{Group: d.seals[at].Group}
	var places []int
	for i := at; i < end; i++ {
		if d.encoded[i] != nil {
			g.Leaves, places = append(g.Leaves, d.seals[i].Leaf), append(places, i)
		}
	}
	if len(places) == 0 {
		return
	}
	err := d.r.tree.Creators().Check([]messages.Grant{g}, func(k int) messages.VertexView {
		v, _, err := messages.ParseVertex(d.encoded[places[k]])
		if err != nil {
			panic(err) // it was encoded here
		}
		return v
	})
	if err == nil {
		return
	}
	first := places[0]
	if bad := (*crypto.CreatorError)(nil); errors.As(err, &bad) {
		first, err = places[bad.Vertex], bad.Reason
	}
	refused(first, &SignatureError{first, err})
	for _, i := range places {
		if i != first {
			refused(i, &SignatureError{i, err}) // what is signed together is taken together
		}
	}
}

var errChanged = errors.New("it is not the vertex that was signed: something of it was changed afterwards")
