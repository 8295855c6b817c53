package messages

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// NewCreatorID names the creator who has this key: SHA-256 over a domain tag,
// the scheme's name and the public key. On a chain whose vertices are signed
// every Vertex.Creator is such a name, so nobody has to register.
func NewCreatorID(scheme string, publicKey []byte) [32]byte {
	return keyID("cretoai-consensus/v1/creator\x00", scheme, publicKey)
}

// Group is one creator's signature over a group of its vertices, from one to
// GroupVerticesMax of them. What is signed is the TreeRoot over their hashes and
// their number, so some of them may travel without the others, and one signature
// serves for as many. A Group from elsewhere is a claim; package crypto checks
// it. It is not to be changed.
type Group struct {
	Key       []byte // the creator's public key, in the encoding of the chain's scheme
	Signature []byte

	// leaves are the hashes of all vertices signed. Those of a node of the tree
	// none of whose vertices came along are not known, and zero: the node's own
	// hash came instead.
	leaves []Digest
	nodes  []Digest // the lowest level of nodes, all known
	root   Digest
	came   int // how many of the vertices came along
}

// Seal says by which signature a vertex is its creator's. The zero Seal is that
// of a vertex nobody signed.
type Seal struct {
	Group *Group
	Leaf  uint32 // the vertex's place among those signed
}

// NewGroup gives what is to be signed over vertices with these hashes; whoever
// signs puts in the key and the signature.
func NewGroup(hashes []Digest) (*Group, error) {
	if len(hashes) == 0 || len(hashes) > GroupVerticesMax {
		return nil, fmt.Errorf("1 to %d vertices are signed together, not %d", GroupVerticesMax, len(hashes))
	}
	g := &Group{leaves: append([]Digest(nil), hashes...), came: len(hashes)}
	for k := range nodeCount(len(hashes)) {
		g.nodes = append(g.nodes, hashNode(g.under(k)))
	}
	g.close()
	return g, nil
}

// close computes the root from the nodes.
func (g *Group) close() {
	if g.root = g.nodes[0]; len(g.nodes) > 1 {
		g.root = hashNode(g.nodes)
	}
}

// under are the leaves of the k-th node.
func (g *Group) under(k int) []Digest {
	return g.leaves[k*treeFanOut : min((k+1)*treeFanOut, len(g.leaves))]
}

// Len is the number of vertices signed.
func (g *Group) Len() int { return len(g.leaves) }

// Holds reports whether the vertex with this hash is the one signed at a place.
func (g *Group) Holds(leaf uint32, hash Digest) bool {
	return int(leaf) < len(g.leaves) && g.leaves[leaf] == hash && !hash.IsZero()
}

// Root is the TreeRoot over the hashes of the vertices signed.
func (g *Group) Root() Digest { return g.root }

// Share is about how much memory the group holds for each vertex that came along.
func (g *Group) Share() int {
	return (len(g.Key) + len(g.Signature) + (len(g.leaves)+len(g.nodes))*len(Digest{})) / g.came
}

// GroupSigningBytes is the size of what a group's signature covers.
const GroupSigningBytes = 1 + 32 + 4 + 32

// SigningBytes is the fixed-layout byte string the signature covers:
// version 1 ‖ chain 32 ‖ number of vertices 4 ‖ root 32, big-endian. chain is the
// genesis hash; the purpose of the key is the scheme's to add.
func (g *Group) SigningBytes(chain Digest) []byte {
	b := make([]byte, 0, GroupSigningBytes)
	b = append(b, SigningVersion)
	b = append(b, chain[:]...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(g.leaves)))
	return append(b, g.root[:]...)
}

// Grant is a group with those of its vertices that came along.
type Grant struct {
	*Group
	// First is the place of the first of them, among all that came; the others
	// follow it.
	First int
	// Leaves are their places in the group, ascending.
	Leaves []uint32
}

// Seals gives the seals of n vertices that grants cover; nil without grants.
func Seals(grants []Grant, n int) []Seal {
	if len(grants) == 0 {
		return nil
	}
	seals := make([]Seal, n)
	for _, g := range grants {
		for i, leaf := range g.Leaves {
			seals[g.First+i] = Seal{g.Group, leaf}
		}
	}
	return seals
}

// Detach gives grants keys and signatures of their own, a key once, so that
// they do not keep the section they were parsed from alive.
func Detach(grants []Grant) {
	keys := make(map[*byte][]byte)
	for _, g := range grants {
		first := &g.Key[0]
		if keys[first] == nil {
			keys[first] = bytes.Clone(g.Key)
		}
		g.Key, g.Signature = keys[first], bytes.Clone(g.Signature)
	}
}

// CountGrants is how many grants a section announces, for whoever has to say
// what looking at it costs.
func CountGrants(section []byte) int {
	if len(section) < authorisationHeaderBytes {
		return 0
	}
	return int(binary.BigEndian.Uint16(section[2:]))
}

// Layout of an authorisation section: keys 2 ‖ groups 2 ‖ bytes of a key 2 ‖ bytes
// of a signature 2 ‖ the keys ‖ the groups. A group is: which key 2 ‖ vertices
// signed 2 ‖ signature ‖ a bitmap of those that came along, from the lowest bit
// of the first byte on ‖ hashes. Of each node of the lowest level, from the left,
// these are the node's own hash if none of its vertices came along, else the
// hashes of those that did not. The groups cover all vertices beside the section,
// in their order. Each key stands there once, in the order of its first group.
const (
	authorisationHeaderBytes = 8
	groupHeaderBytes         = 4
)

var errAuthorisationCut = errors.New("the authorisation section ends too early")

// ParseAuthorisation reads the section that stands beside vertices with these
// hashes, every one of which is covered. It accepts exactly what
// AppendAuthorisation makes, computes every root and checks no signature. The
// grants share section's bytes.
func ParseAuthorisation(section []byte, hashes []Digest) ([]Grant, error) {
	if len(section) < authorisationHeaderBytes {
		return nil, errAuthorisationCut
	}
	field := func(i int) int { return int(binary.BigEndian.Uint16(section[2*i:])) }
	p := authorisationParser{hashes: hashes, signatureBytes: field(3)}
	keys, groups, keyBytes := field(0), field(1), field(2)
	p.rest = section[authorisationHeaderBytes:]
	switch {
	case groups == 0 || groups > len(hashes):
		return nil, fmt.Errorf("%d groups cover %d vertices", groups, len(hashes))
	case keys == 0 || keys > groups:
		return nil, fmt.Errorf("%d keys for %d groups", keys, groups)
	case keyBytes == 0 || keyBytes > PublicKeyBytesMax || p.signatureBytes == 0 || p.signatureBytes > SignatureBytesMax:
		return nil, fmt.Errorf("keys of %d and signatures of %d bytes", keyBytes, p.signatureBytes)
	}
	seen := make(map[string]bool, keys)
	for range keys {
		key, err := p.take(keyBytes)
		if err != nil {
			return nil, err
		}
		if seen[string(key)] {
			return nil, errors.New("a creator's key stands in the section twice")
		}
		seen[string(key)] = true
		p.keys = append(p.keys, key)
	}
	grants := make([]Grant, 0, groups)
	for i := range groups {
		grant, err := p.grant()
		if err != nil {
			return nil, fmt.Errorf("group %d: %w", i, err)
		}
		grants = append(grants, grant)
	}
	switch {
	case p.covered != len(hashes):
		return nil, fmt.Errorf("%d of %d vertices are covered by a signature", p.covered, len(hashes))
	case p.used != keys:
		return nil, fmt.Errorf("%d of %d keys are used", p.used, keys)
	case len(p.rest) != 0:
		return nil, fmt.Errorf("%d bytes follow the groups", len(p.rest))
	}
	return grants, nil
}

type authorisationParser struct {
	rest           []byte
	keys           [][]byte
	hashes         []Digest
	signatureBytes int
	covered        int // vertices, so far
	used           int // keys, so far
}

func (p *authorisationParser) take(n int) ([]byte, error) {
	if n > len(p.rest) {
		return nil, errAuthorisationCut
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return b, nil
}

func (p *authorisationParser) grant() (Grant, error) {
	head, err := p.take(groupHeaderBytes)
	if err != nil {
		return Grant{}, err
	}
	key, size := int(binary.BigEndian.Uint16(head)), int(binary.BigEndian.Uint16(head[2:]))
	switch {
	case key >= len(p.keys) || key > p.used:
		return Grant{}, fmt.Errorf("it names key %d, out of order", key)
	case size == 0 || size > GroupVerticesMax:
		return Grant{}, fmt.Errorf("1 to %d vertices are signed together, not %d", GroupVerticesMax, size)
	}
	p.used = max(p.used, key+1)
	g := Grant{Group: &Group{Key: p.keys[key]}, First: p.covered}
	if g.Signature, err = p.take(p.signatureBytes); err != nil {
		return Grant{}, err
	}
	bitmap, err := p.take((size + 7) / 8)
	if err != nil {
		return Grant{}, err
	}
	if size%8 != 0 && bitmap[len(bitmap)-1]>>(size%8) != 0 {
		return Grant{}, errors.New("its bitmap names vertices beyond the last")
	}
	for leaf := range uint32(size) {
		if bitmap[leaf/8]&(1<<(leaf%8)) != 0 {
			g.Leaves = append(g.Leaves, leaf)
		}
	}
	if len(g.Leaves) == 0 || len(g.Leaves) > len(p.hashes)-p.covered {
		return Grant{}, fmt.Errorf("it covers %d of the %d vertices left", len(g.Leaves), len(p.hashes)-p.covered)
	}
	if err := p.tree(&g, size, bitmap); err != nil {
		return Grant{}, err
	}
	g.came = len(g.Leaves)
	p.covered += g.came
	return g, nil
}

// tree computes the group's nodes from the vertices that came along, and from
// the hashes that stand for the others.
func (p *authorisationParser) tree(g *Grant, size int, bitmap []byte) error {
	// A node of leaves that are all absent has 32 bytes in the section, any other
	// leaf at least a bit: what is allocated is in proportion to what came.
	g.leaves, g.nodes = make([]Digest, size), make([]Digest, nodeCount(size))
	next := p.covered
	for k := range g.nodes {
		under := g.under(k)
		if !anyPresent(bitmap, k*treeFanOut, len(under)) {
			b, err := p.take(len(Digest{}))
			if err != nil {
				return err
			}
			g.nodes[k] = Digest(b)
			continue
		}
		for i := range under {
			leaf := k*treeFanOut + i
			if bitmap[leaf/8]&(1<<(leaf%8)) != 0 {
				under[i] = p.hashes[next]
				next++
				continue
			}
			b, err := p.take(len(Digest{}))
			if err != nil {
				return err
			}
			under[i] = Digest(b)
		}
		g.nodes[k] = hashNode(under)
	}
	g.close()
	return nil
}

func anyPresent(bitmap []byte, first, n int) bool {
	for leaf := first; leaf < first+n; leaf++ {
		if bitmap[leaf/8]&(1<<(leaf%8)) != 0 {
			return true
		}
	}
	return false
}
