package messages

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Batch is what gets one sequence number: vertices, in the order in which they
// execute. It is immutable, and it is its bytes: they travel, are journaled and
// stay as the leader concatenated them. Whether bytes are a legal batch is a
// pure function of them and the genesis parameters, never of what was executed
// before. [protocol §3]
type Batch struct {
	bytes   []byte
	offsets []uint32 // of every vertex in bytes, and of the end of the last one
	hashes  []Digest
	grants  []Grant // empty on a chain whose vertices are not signed
	root    Digest
	digest  Digest

	vertexBytes   uint32
	authorisation Digest
}

// BatchVersion is the first byte of a batch.
const BatchVersion = 1

// BatchHeaderBytes is the size of what precedes the vertices: version 1 ‖
// reserved 3 ‖ number of vertices 4 ‖ bytes of vertices 4 ‖ bytes of the
// authorisation section 4, big-endian. That section follows the vertices. It
// holds creators' keys and signatures, see ParseAuthorisation, on a chain that
// requires them, and is empty on any other: there a signature would prove
// nothing, for the same creator's name may stand on what nobody signed.
const BatchHeaderBytes = 16

// Offsets in the header.
const (
	batchCountAt         = 4
	batchVertexBytesAt   = 8
	batchAuthorisationAt = 12
)

var errEmptyBatch = errors.New("a batch holds at least one vertex")

// BatchDigest is the digest of a batch: SHA-256(tag ‖ count 4 ‖ vertexBytes 4 ‖
// root ‖ authorisation). root is the TreeRoot over the hashes of count vertices
// of vertexBytes bytes together, authorisation the SHA-256 of the authorisation
// section. With a Path and these few values a vertex is shown to be in a batch.
func BatchDigest(count, vertexBytes uint32, root, authorisation Digest) Digest {
	const tag = "cretoai-consensus/v1/batch"
	var fixed [len(tag) + 4 + 4 + 2*sha256.Size]byte
	b := append(fixed[:0], tag...)
	b = binary.BigEndian.AppendUint32(b, count)
	b = binary.BigEndian.AppendUint32(b, vertexBytes)
	b = append(b, root[:]...)
	b = append(b, authorisation[:]...)
	return sha256.Sum256(b)
}

// noAuthorisation is the hash of the empty authorisation section.
var noAuthorisation = Digest(sha256.Sum256(nil))

// BuildBatch is the leader's: it concatenates vertices whose hashes are known
// since they entered the pool. Hashes are taken at their word, for a wrong one
// harms nobody but the leader that proposes the digest made of it; everything
// else is checked as ParseBatch checks it. Neither slice is retained.
func BuildBatch(vertices [][]byte, hashes []Digest, p Params) (*Batch, error) {
	return BuildSealedBatch(vertices, hashes, nil, p)
}

// BuildSealedBatch is BuildBatch of vertices with their creators' signatures,
// which are taken at their word, too. Vertices signed together come to stand
// one after the other, in the arguments as in the batch.
func BuildSealedBatch(vertices [][]byte, hashes []Digest, seals []Seal, p Params) (*Batch, error) {
	if len(vertices) != len(hashes) || seals != nil && len(seals) != len(vertices) {
		return nil, fmt.Errorf("%d vertices, %d hashes and %d seals: each vertex has one", len(vertices), len(hashes), len(seals))
	}
	section, err := AppendAuthorisation(nil, vertices, hashes, seals)
	if err != nil {
		return nil, err
	}
	vertexBytes := 0
	for _, v := range vertices {
		vertexBytes += len(v)
	}
	size := BatchHeaderBytes + vertexBytes + len(section)
	if err := checkBatchBounds(uint64(len(vertices)), size, p); err != nil {
		return nil, err
	}
	b := make([]byte, BatchHeaderBytes, size)
	b[0] = BatchVersion
	binary.BigEndian.PutUint32(b[batchCountAt:], uint32(len(vertices)))
	binary.BigEndian.PutUint32(b[batchVertexBytesAt:], uint32(vertexBytes))
	binary.BigEndian.PutUint32(b[batchAuthorisationAt:], uint32(len(section)))
	offsets := make([]uint32, 0, len(vertices)+1)
	for i, v := range vertices {
		if _, size, err := ParseVertex(v); err != nil {
			return nil, fmt.Errorf("vertex %d: %w", i, err)
		} else if size != len(v) {
			return nil, fmt.Errorf("vertex %d: %d bytes follow it", i, len(v)-size)
		}
		offsets = append(offsets, uint32(len(b)))
		b = append(b, v...)
	}
	offsets = append(offsets, uint32(len(b)))
	return newBatch(append(b, section...), offsets, slices.Clone(hashes), p)
}

// ParseBatch is the backups': it checks the layout and the bounds, hashes every
// vertex and refuses a batch that repeats one. It keeps b, which must not change
// afterwards.
func ParseBatch(b []byte, p Params) (*Batch, error) {
	if len(b) < BatchHeaderBytes {
		return nil, fmt.Errorf("a batch begins with a header of %d bytes, not %d", BatchHeaderBytes, len(b))
	}
	if b[0] != BatchVersion {
		return nil, fmt.Errorf("a batch of version %d; this software knows version %d only", b[0], BatchVersion)
	}
	if b[1]|b[2]|b[3] != 0 {
		return nil, fmt.Errorf("the reserved bytes of a batch are zero, not %x", b[1:4])
	}
	count := uint64(binary.BigEndian.Uint32(b[batchCountAt:]))
	vertexBytes := uint64(binary.BigEndian.Uint32(b[batchVertexBytesAt:]))
	authorisation := uint64(binary.BigEndian.Uint32(b[batchAuthorisationAt:]))
	if announced := BatchHeaderBytes + vertexBytes + authorisation; announced != uint64(len(b)) {
		return nil, fmt.Errorf("a batch whose header announces %d bytes has %d", announced, len(b))
	}
	if err := checkBatchBounds(count, len(b), p); err != nil {
		return nil, err
	}
	if count > vertexBytes/(VertexHeaderBytes+1) {
		return nil, fmt.Errorf("%d vertices do not fit into the %d bytes the header announces", count, vertexBytes)
	}
	offsets := make([]uint32, 0, count+1)
	hashes := make([]Digest, 0, count)
	at, end := BatchHeaderBytes, BatchHeaderBytes+int(vertexBytes)
	for i := range count {
		v, size, err := ParseVertex(b[at:end])
		if err != nil {
			return nil, fmt.Errorf("vertex %d: %w", i, err)
		}
		offsets = append(offsets, uint32(at))
		hashes = append(hashes, v.Hash())
		at += size
	}
	if at != end {
		return nil, fmt.Errorf("%d bytes follow the last of a batch's %d vertices", end-at, count)
	}
	return newBatch(b, append(offsets, uint32(at)), hashes, p)
}

// checkBatchBounds compares a batch with the agreed bounds and with those of
// this software.
func checkBatchBounds(count uint64, size int, p Params) error {
	countMax := min(p.BatchVertices, BatchVerticesMax)
	sizeMax := min(p.BatchBytes, BatchBytesMax)
	switch {
	case count == 0:
		return errEmptyBatch
	case count > uint64(countMax):
		return fmt.Errorf("a batch holds at most %d vertices, not %d", countMax, count)
	case uint64(size) > uint64(sizeMax):
		return fmt.Errorf("a batch has at most %d bytes, not %d", sizeMax, size)
	}
	return nil
}

// newBatch takes over its arguments.
func newBatch(b []byte, offsets []uint32, hashes []Digest, p Params) (*Batch, error) {
	if i, repeated := findRepeated(hashes); repeated {
		return nil, fmt.Errorf("a batch holds a vertex once; vertex %d (%v) repeats an earlier one", i, hashes[i])
	}
	end := offsets[len(hashes)]
	batch := &Batch{
		bytes: b, offsets: offsets, hashes: hashes, root: TreeRoot(hashes),
		vertexBytes: end - BatchHeaderBytes, authorisation: noAuthorisation,
	}
	section := b[end:]
	var err error
	if batch.grants, err = Authorise(section, hashes, p); err != nil {
		return nil, err
	}
	if len(section) > 0 {
		batch.authorisation = sha256.Sum256(section)
	}
	batch.digest = BatchDigest(uint32(len(hashes)), batch.vertexBytes, batch.root, batch.authorisation)
	return batch, nil
}

// ErrUnsigned says that a vertex lacks its creator's signature, on a chain that
// requires it.
var ErrUnsigned = errors.New("a vertex is not signed by its creator, as this chain requires")

// ErrUncalledFor says that a vertex is signed on a chain where signatures prove
// nothing: what nobody signed counts as much there.
var ErrUncalledFor = errors.New("this chain takes no creators' signatures: they would prove nothing where others need none")

// Authorise reads the section beside vertices with these hashes, where the chain
// has one. [X7]
func Authorise(section []byte, hashes []Digest, p Params) ([]Grant, error) {
	switch signed := len(section) > 0; {
	case signed && !p.RequireVertexSignatures:
		return nil, ErrUncalledFor
	case p.RequireVertexSignatures && !signed:
		return nil, ErrUnsigned
	case !signed:
		return nil, nil
	}
	return ParseAuthorisation(section, hashes)
}

// findRepeated finds the first of at most BatchVerticesMax digests that equals
// an earlier one, in an open-addressing table on the stack. Who picks vertices
// so that they collide in it gains at most BatchVerticesMax²/2 comparisons, a
// millisecond, for far more of his own time.
func findRepeated(digests []Digest) (int, bool) {
	const slots = 2 * BatchVerticesMax // a power of two, at most half full
	var table [slots]uint16            // index + 1; 0 = free
	for i := range digests {
		at := binary.BigEndian.Uint32(digests[i][:]) % slots
		for ; table[at] != 0; at = (at + 1) % slots {
			if digests[table[at]-1] == digests[i] {
				return i, true
			}
		}
		table[at] = uint16(i + 1)
	}
	return 0, false
}

// Bytes are the batch's bytes, shared: do not change them.
func (b *Batch) Bytes() []byte { return b.bytes }

// Digest is what votes name the batch by, see BatchDigest.
func (b *Batch) Digest() Digest { return b.digest }

// Root is the TreeRoot over the vertices' hashes.
func (b *Batch) Root() Digest { return b.root }

// Len is the number of vertices, at least one.
func (b *Batch) Len() int { return len(b.hashes) }

// Vertex is the i-th vertex, 0 ≤ i < Len().
func (b *Batch) Vertex(i int) VertexView {
	return VertexView{b.bytes[b.offsets[i]:b.offsets[i+1]:b.offsets[i+1]]}
}

// VertexHash is the hash of the i-th vertex, 0 ≤ i < Len().
func (b *Batch) VertexHash(i int) Digest { return b.hashes[i] }

// Grants are the creators' signatures: every vertex is covered by one of them,
// or there are none. Whether they hold, package crypto says.
func (b *Batch) Grants() []Grant { return b.grants }

// VertexPath is the path from the hash of the i-th vertex to Root.
func (b *Batch) VertexPath(i int) Path { return InclusionPath(b.hashes, i) }

// FinalityProof is what the batch knows of a proof that its i-th vertex is
// final; chain, place and certificate are the caller's to add.
func (b *Batch) FinalityProof(i int) *FinalityProof {
	return &FinalityProof{
		Vertex: b.hashes[i], Batch: b.digest, Path: b.VertexPath(i),
		VertexBytes: b.vertexBytes, Authorisation: b.authorisation,
	}
}
