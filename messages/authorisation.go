package messages

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
)

// Sealing adds up what the authorisation section of vertices takes, before it
// is made: what fits into a batch depends on it. The zero Sealing is of no
// vertices.
type Sealing struct {
	size   int
	keys   map[string]bool
	groups map[*Group]*presence
}

// presence is what of a group came along, by lowest node.
type presence []int

// Size is that of the section so far; 0 without sealed vertices.
func (s *Sealing) Size() int { return s.size }

// Cost is how many bytes the section grows by a vertex's seal, once Add took it.
// It may be negative: the hash that stood for an absent vertex is not needed.
func (s *Sealing) Cost(seal Seal) int {
	g := seal.Group
	if g == nil {
		return 0
	}
	cost := 0
	if s.size == 0 {
		cost += authorisationHeaderBytes
	}
	if s.groups[g] == nil {
		cost += g.headBytes() + len(g.nodes)*len(Digest{})
		if !s.keys[string(g.Key)] {
			cost += len(g.Key)
		}
	}
	node := int(seal.Leaf) / treeFanOut
	if p := s.groups[g]; p == nil || (*p)[node] == 0 {
		cost += len(g.under(node)) * len(Digest{}) // instead of the node's
		cost -= len(Digest{})
	}
	return cost - len(Digest{})
}

// Add counts a vertex's seal in.
func (s *Sealing) Add(seal Seal) {
	g := seal.Group
	if g == nil {
		return
	}
	s.size += s.Cost(seal)
	if s.groups == nil {
		s.groups, s.keys = make(map[*Group]*presence), make(map[string]bool)
	}
	p := s.groups[g]
	if p == nil {
		counts := make(presence, len(g.nodes))
		p = &counts
		s.groups[g] = p
		s.keys[string(g.Key)] = true
	}
	(*p)[int(seal.Leaf)/treeFanOut]++
}

var errUnsealed = errors.New("a vertex without its creator's signature beside others that have one")

// AppendAuthorisation appends the section that authorises vertices by their
// seals, and puts the vertices into the order in which it does: those of one
// group one after the other, the groups in the order of their first vertex.
// Nothing is appended when no vertex is sealed; an error says that some are.
func AppendAuthorisation(b []byte, vertices [][]byte, hashes []Digest, seals []Seal) ([]byte, error) {
	order := make(map[*Group]int)
	for _, s := range seals {
		if _, known := order[s.Group]; !known {
			order[s.Group] = len(order)
		}
	}
	switch _, unsealed := order[nil]; {
	case len(seals) == 0, unsealed && len(order) == 1:
		return b, nil
	case unsealed:
		return nil, errUnsealed
	}
	arrange(vertices, hashes, seals, order)
	size := authorisationHeaderBytes // exactly, if groups come along whole
	var keys [][]byte
	indexes := make(map[string]int)
	for i, s := range seals {
		if i > 0 && s.Group == seals[i-1].Group {
			continue
		}
		size += s.Group.headBytes()
		if _, known := indexes[string(s.Group.Key)]; !known {
			indexes[string(s.Group.Key)] = len(keys)
			keys = append(keys, s.Group.Key)
			size += len(s.Group.Key)
		}
	}
	b = slices.Grow(b, size)
	for _, n := range []int{len(keys), len(order), len(keys[0]), len(seals[0].Group.Signature)} {
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	}
	for _, k := range keys {
		b = append(b, k...)
	}
	for len(seals) > 0 {
		g, n := seals[0].Group, 1
		for n < len(seals) && seals[n].Group == g {
			n++
		}
		b = binary.BigEndian.AppendUint16(b, uint16(indexes[string(g.Key)]))
		b = binary.BigEndian.AppendUint16(b, uint16(len(g.leaves)))
		b = g.appendTo(append(b, g.Signature...), seals[:n])
		seals = seals[n:]
	}
	return b, nil
}

// headBytes is what of a group is in a section whoever comes along.
func (g *Group) headBytes() int {
	return groupHeaderBytes + len(g.Signature) + (len(g.leaves)+7)/8
}

// appendTo appends the bitmap of the vertices that come along, and the hashes
// that stand for the others.
func (g *Group) appendTo(b []byte, present []Seal) []byte {
	bitmap := make([]byte, (len(g.leaves)+7)/8)
	for _, s := range present {
		bitmap[s.Leaf/8] |= 1 << (s.Leaf % 8)
	}
	b = append(b, bitmap...)
	for k := range g.nodes {
		under := g.under(k)
		if !anyPresent(bitmap, k*treeFanOut, len(under)) {
			b = append(b, g.nodes[k][:]...)
			continue
		}
		for i := range under {
			if leaf := k*treeFanOut + i; bitmap[leaf/8]&(1<<(leaf%8)) == 0 {
				b = append(b, under[i][:]...)
			}
		}
	}
	return b
}

// arrange sorts what belongs together by group, and by leaf.
func arrange(vertices [][]byte, hashes []Digest, seals []Seal, order map[*Group]int) {
	type vertex struct {
		bytes []byte
		hash  Digest
		seal  Seal
	}
	compare := func(a, b Seal) int {
		return cmp.Or(cmp.Compare(order[a.Group], order[b.Group]), cmp.Compare(a.Leaf, b.Leaf))
	}
	if slices.IsSortedFunc(seals, compare) {
		return
	}
	all := make([]vertex, len(seals))
	for i := range all {
		all[i] = vertex{vertices[i], hashes[i], seals[i]}
	}
	slices.SortStableFunc(all, func(a, b vertex) int { return compare(a.seal, b.seal) })
	for i, v := range all {
		vertices[i], hashes[i], seals[i] = v.bytes, v.hash, v.seal
	}
}
