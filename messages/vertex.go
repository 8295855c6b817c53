package messages

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Vertex is what a caller wants ordered. Its bytes are made once, where it
// enters the system, and hashed there; from then on it travels, is ordered and
// stored as those bytes, and is read through a VertexView.
type Vertex struct {
	// Parents are the vertices this one refers to, at most VertexParentsMax.
	// Ordering does not depend on them.
	Parents []Digest
	// Payload is the caller's; it is not empty.
	Payload []byte
	// Creator and Nonce name the vertex: of one pair at most one vertex is ever
	// executed. Creator is not zero; every Nonce, 0 included, is a number.
	Creator [32]byte
	Nonce   uint64
	// Timestamp is the caller's claim, in milliseconds since the Unix epoch.
	// Nothing is decided by it.
	Timestamp int64
	// Expires is the last sequence at which the vertex may execute. Its bounds
	// are the executor's rule and not checked here; 0 therefore means "never
	// executes", and the door fills in its default before Encode.
	Expires Seq
}

// VertexVersion is the first byte of a vertex. It doubles as the tag that
// tells a hashed vertex from a hashed node of the tree, see nodeTag.
const VertexVersion = 1

// VertexHeaderBytes is the size of what precedes parents and payload:
// version 1 ‖ flags 1 ‖ parents 1 ‖ reserved 1 ‖ payload length 4 ‖ creator 32 ‖
// nonce 8 ‖ timestamp 8 ‖ expires 8, big-endian. Flags and reserved are zero.
const VertexHeaderBytes = 64

// Offsets in the header.
const (
	vertexParentsAt   = 2
	vertexPayloadAt   = 4
	vertexCreatorAt   = 8
	vertexNonceAt     = 40
	vertexTimestampAt = 48
	vertexExpiresAt   = 56
)

var (
	errNoPayload = errors.New("a vertex has a payload of at least one byte")
	errNoCreator = errors.New("a vertex names its creator")
	errNoParent  = errors.New("a parent of a vertex is a digest, not zero")
)

// Encode makes the vertex's bytes: header, parents, payload. It refuses what
// ParseVertex would refuse.
func (v *Vertex) Encode() ([]byte, error) {
	if len(v.Parents) > VertexParentsMax {
		return nil, fmt.Errorf("a vertex has at most %d parents, not %d", VertexParentsMax, len(v.Parents))
	}
	head := VertexHeaderBytes + len(v.Parents)*len(Digest{})
	switch {
	case len(v.Payload) == 0:
		return nil, errNoPayload
	case len(v.Payload) > VertexBytesMax-head:
		return nil, fmt.Errorf("a payload beside %d parents has at most %d bytes, not %d",
			len(v.Parents), VertexBytesMax-head, len(v.Payload))
	case v.Creator == [32]byte{}:
		return nil, errNoCreator
	}
	b := make([]byte, 0, head+len(v.Payload))
	b = append(b, VertexVersion, 0, byte(len(v.Parents)), 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(v.Payload)))
	b = append(b, v.Creator[:]...)
	b = binary.BigEndian.AppendUint64(b, v.Nonce)
	b = binary.BigEndian.AppendUint64(b, uint64(v.Timestamp))
	b = binary.BigEndian.AppendUint64(b, uint64(v.Expires))
	for _, p := range v.Parents {
		if p.IsZero() {
			return nil, errNoParent
		}
		b = append(b, p[:]...)
	}
	return append(b, v.Payload...), nil
}

// VertexView reads a vertex from its bytes without copying them. Only
// ParseVertex makes one, so its bytes are well-formed; the zero view is not a
// vertex. The bytes must not change while the view is in use.
type VertexView struct{ b []byte }

// ParseVertex reads the vertex b begins with and returns its size; more may
// follow. It accepts exactly the bytes Encode makes and keeps b.
func ParseVertex(b []byte) (VertexView, int, error) {
	if len(b) < VertexHeaderBytes {
		return VertexView{}, 0, fmt.Errorf("a vertex begins with a header of %d bytes, %d are left", VertexHeaderBytes, len(b))
	}
	if b[0] != VertexVersion {
		return VertexView{}, 0, fmt.Errorf("a vertex of version %d; this software knows version %d only", b[0], VertexVersion)
	}
	if b[1] != 0 || b[3] != 0 {
		return VertexView{}, 0, fmt.Errorf("a vertex's flags and reserved byte are zero, not %#x and %#x", b[1], b[3])
	}
	parents, payload := int(b[vertexParentsAt]), binary.BigEndian.Uint32(b[vertexPayloadAt:])
	switch {
	case parents > VertexParentsMax:
		return VertexView{}, 0, fmt.Errorf("a vertex has at most %d parents, not %d", VertexParentsMax, parents)
	case payload == 0:
		return VertexView{}, 0, errNoPayload
	}
	announced := uint64(VertexHeaderBytes+parents*len(Digest{})) + uint64(payload)
	switch {
	case announced > VertexBytesMax:
		return VertexView{}, 0, fmt.Errorf("a vertex has at most %d bytes, not %d", VertexBytesMax, announced)
	case announced > uint64(len(b)):
		return VertexView{}, 0, fmt.Errorf("a vertex of %d bytes, %d are left", announced, len(b))
	}
	size := int(announced)
	v := VertexView{b[:size:size]}
	if v.Creator() == [32]byte{} {
		return VertexView{}, 0, errNoCreator
	}
	for i := range parents {
		if v.Parent(i).IsZero() {
			return VertexView{}, 0, errNoParent
		}
	}
	return v, size, nil
}

// Bytes are the vertex's bytes. They are shared: do not change them.
func (v VertexView) Bytes() []byte { return v.b }

// Hash is SHA-256 over exactly the vertex's bytes.
func (v VertexView) Hash() Digest { return sha256.Sum256(v.b) }

// Creator is who the vertex is from, by its own word.
func (v VertexView) Creator() [32]byte { return [32]byte(v.b[vertexCreatorAt:]) }

// Nonce is the creator's number for the vertex.
func (v VertexView) Nonce() uint64 { return binary.BigEndian.Uint64(v.b[vertexNonceAt:]) }

// Timestamp is the caller's claim, in milliseconds since the Unix epoch.
func (v VertexView) Timestamp() int64 {
	return int64(binary.BigEndian.Uint64(v.b[vertexTimestampAt:]))
}

// Expires is the last sequence at which the vertex may execute.
func (v VertexView) Expires() Seq { return Seq(binary.BigEndian.Uint64(v.b[vertexExpiresAt:])) }

// Parents is the number of parents.
func (v VertexView) Parents() int { return int(v.b[vertexParentsAt]) }

// Parent is the i-th parent, 0 ≤ i < Parents().
func (v VertexView) Parent(i int) Digest {
	if i < 0 || i >= v.Parents() {
		panic(fmt.Sprintf("parent %d of a vertex with %d", i, v.Parents()))
	}
	return Digest(v.b[VertexHeaderBytes+i*len(Digest{}):][:len(Digest{})])
}

// Payload is the caller's bytes, shared: do not change them.
func (v VertexView) Payload() []byte {
	return v.b[VertexHeaderBytes+v.Parents()*len(Digest{}):]
}

// HashVertex is the hash of encoded vertex bytes, the same as VertexView.Hash.
func HashVertex(encoded []byte) Digest { return sha256.Sum256(encoded) }

// SetNonce gives encoded vertex bytes another nonce, in place.
func SetNonce(encoded []byte, nonce uint64) {
	binary.BigEndian.PutUint64(encoded[vertexNonceAt:], nonce)
}

// WithNonce copies encoded vertex bytes and gives the copy another nonce: it is
// then another vertex with the same content.
func WithNonce(encoded []byte, nonce uint64) []byte {
	b := slices.Clone(encoded)
	SetNonce(b, nonce)
	return b
}
