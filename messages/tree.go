package messages

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// A batch's vertices are hashed into a tree, so that one vertex can be shown to
// be in a batch without the batch. A node is SHA-256(nodeTag ‖ children), a leaf
// the hash of a vertex, whose first byte is VertexVersion: no node can be taken
// for a vertex. The nodes of a level are filled from the left, all but the last
// have treeFanOut children, and there is at least one level of nodes, so the
// shape follows from the number of leaves. The root does not tell that number;
// what commits to a root commits to the number beside it (BatchDigest).
const (
	treeFanOut = 32
	nodeTag    = 2
)

// treeNodesMax is the most nodes a level of a batch's tree has.
const treeNodesMax = (BatchVerticesMax + treeFanOut - 1) / treeFanOut

// TreeRoot is the root over the leaves. Without leaves it is zero, the digest
// of nothing.
func TreeRoot(leaves []Digest) Digest {
	if len(leaves) == 0 {
		return Digest{}
	}
	// One buffer serves every level: node k is written at k after its children,
	// at 32k and above, were read.
	var fixed [treeNodesMax]Digest
	nodes := fixed[:]
	if n := nodeCount(len(leaves)); n > len(nodes) {
		nodes = make([]Digest, n)
	}
	for level := leaves; ; level = nodes {
		nodes = nodes[:nodeCount(len(level))]
		for k := range nodes {
			nodes[k] = hashNode(level[k*treeFanOut : min((k+1)*treeFanOut, len(level))])
		}
		if len(nodes) == 1 {
			return nodes[0]
		}
	}
}

func nodeCount(children int) int { return (children + treeFanOut - 1) / treeFanOut }

// hashNode hashes at most treeFanOut children.
func hashNode(children []Digest) Digest {
	var fixed [1 + treeFanOut*sha256.Size]byte
	b := append(fixed[:0], nodeTag)
	for i := range children {
		b = append(b, children[i][:]...)
	}
	return sha256.Sum256(b)
}

// Path shows that a leaf is the Index-th of Leaves under a root: it holds the
// siblings met on the way up, level by level, from left to right. Index and
// Leaves are worth what vouches for them: Leaves must be the number committed
// to beside the root.
type Path struct {
	Index, Leaves uint32
	Siblings      []Digest
}

// PathBytesMax is the size of the longest path, through two full levels and the root
// of a full batch: 2 kB bring any vertex home.
const PathBytesMax = pathHeaderBytes + (2*(treeFanOut-1)+treeNodesMax/treeFanOut-1)*sha256.Size

const pathHeaderBytes = 4 + 4

// InclusionPath is the path of leaf i, 0 ≤ i < len(leaves) ≤ BatchVerticesMax.
func InclusionPath(leaves []Digest, i int) Path {
	if i < 0 || i >= len(leaves) || len(leaves) > BatchVerticesMax {
		panic(fmt.Sprintf("path of leaf %d of %d", i, len(leaves)))
	}
	p := Path{Index: uint32(i), Leaves: uint32(len(leaves))}
	p.Siblings = make([]Digest, 0, siblingCount(p.Index, p.Leaves))
	for level := leaves; ; {
		node := i / treeFanOut
		first, end := node*treeFanOut, min((node+1)*treeFanOut, len(level))
		p.Siblings = append(p.Siblings, level[first:i]...)
		p.Siblings = append(p.Siblings, level[i+1:end]...)
		if len(level) <= treeFanOut {
			return p
		}
		above := make([]Digest, nodeCount(len(level)))
		for k := range above {
			above[k] = hashNode(level[k*treeFanOut : min((k+1)*treeFanOut, len(level))])
		}
		level, i = above, node
	}
}

// siblingCount is the number of siblings on the way up from a leaf.
func siblingCount(index, leaves uint32) int {
	count := 0
	for i, width := int(index), int(leaves); ; i, width = i/treeFanOut, nodeCount(width) {
		first := i - i%treeFanOut
		count += min(treeFanOut, width-first) - 1
		if width <= treeFanOut {
			return count
		}
	}
}

// validate checks that the path has the shape its two numbers demand.
func (p Path) validate() error {
	switch {
	case p.Leaves == 0 || p.Leaves > BatchVerticesMax:
		return fmt.Errorf("a path leads out of 1 to %d leaves, not %d", BatchVerticesMax, p.Leaves)
	case p.Index >= p.Leaves:
		return fmt.Errorf("a path begins at one of %d leaves, not at index %d", p.Leaves, p.Index)
	}
	if want := siblingCount(p.Index, p.Leaves); len(p.Siblings) != want {
		return fmt.Errorf("the path of leaf %d of %d has %d siblings, not %d", p.Index, p.Leaves, want, len(p.Siblings))
	}
	return nil
}

// Root is the root the path leads to from the leaf. An error says that the path
// has not the shape of any.
func (p Path) Root(leaf Digest) (Digest, error) {
	if err := p.validate(); err != nil {
		return Digest{}, err
	}
	var children [treeFanOut]Digest
	siblings, at := p.Siblings, leaf
	for i, width := int(p.Index), int(p.Leaves); ; i, width = i/treeFanOut, nodeCount(width) {
		place := i % treeFanOut
		n := min(treeFanOut, width-(i-place))
		copy(children[:place], siblings)
		children[place] = at
		copy(children[place+1:n], siblings[place:])
		siblings = siblings[n-1:]
		at = hashNode(children[:n])
		if width <= treeFanOut {
			return at, nil
		}
	}
}

// errNotUnderRoot is what Verify says of a well-formed path.
var errNotUnderRoot = errors.New("the path leads to another root")

// Verify checks that the path leads from leaf to root.
func (p Path) Verify(leaf, root Digest) error {
	got, err := p.Root(leaf)
	if err != nil {
		return err
	}
	if got != root {
		return errNotUnderRoot
	}
	return nil
}

// AppendTo appends the path's bytes: index 4 ‖ leaves 4 ‖ siblings 32 each,
// big-endian; their number follows from the first two.
func (p Path) AppendTo(b []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, p.Index)
	b = binary.BigEndian.AppendUint32(b, p.Leaves)
	for i := range p.Siblings {
		b = append(b, p.Siblings[i][:]...)
	}
	return b
}

// ParsePath reads the bytes AppendTo made, at most PathBytesMax.
func ParsePath(b []byte) (Path, error) {
	if len(b) < pathHeaderBytes || len(b) > PathBytesMax || (len(b)-pathHeaderBytes)%sha256.Size != 0 {
		return Path{}, fmt.Errorf("a path has %d bytes and up to %d of whole digests, not %d", pathHeaderBytes, PathBytesMax, len(b))
	}
	p := Path{
		Index:    binary.BigEndian.Uint32(b),
		Leaves:   binary.BigEndian.Uint32(b[4:]),
		Siblings: make([]Digest, (len(b)-pathHeaderBytes)/sha256.Size),
	}
	for i := range p.Siblings {
		p.Siblings[i] = Digest(b[pathHeaderBytes+i*sha256.Size:][:sha256.Size])
	}
	if err := p.validate(); err != nil {
		return Path{}, err
	}
	return p, nil
}
