package messages

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"testing"
)

func leaves(n int) []Digest {
	d := make([]Digest, n)
	for i := range d {
		d[i] = numbered(i)
	}
	return d
}

// TestTreeRootGolden freezes roots of every shape: they are in every ledger.
func TestTreeRootGolden(t *testing.T) {
	golden := map[int]string{
		1:    "fe2c68dff68805456a2b3fdbeb8655e0440fc9fae76c240c3c14332ab7a27b89",
		2:    "88ce8458cc6b46e6f2142e35e77f01c14948f147e61976754c3a805b5f645d10",
		32:   "8cef9a88423cd5e2c94a76cf3c24563dcba6f142740ee5dda71d199d1d739880",
		33:   "29d37697a399b4ac66aeb4a29f0a8e7dc9482a06440a799ee10e478f4b74d099",
		1024: "11a8228a87344c1efbc527724ffb58f05b95cc321568a5e7b9d1510918474faa",
	}
	for n, want := range golden {
		if got := TreeRoot(leaves(n)).Hex(); got != want {
			t.Errorf("root of %d leaves %s, want %s", n, got, want)
		}
	}
}

// literalRoot is the tree as its definition reads.
func literalRoot(level []Digest) Digest {
	var above []Digest
	for group := range slices.Chunk(level, 32) {
		h := sha256.New()
		h.Write([]byte{2})
		for _, d := range group {
			h.Write(d[:])
		}
		above = append(above, Digest(h.Sum(nil)))
	}
	if len(above) == 1 {
		return above[0]
	}
	return literalRoot(above)
}

func TestTreeRootIsTheDefinition(t *testing.T) {
	for n := 1; n <= 2100; n++ { // beyond 1024 the tree has a third level
		l := leaves(n)
		if TreeRoot(l) != literalRoot(l) {
			t.Fatalf("the root of %d leaves differs from the definition's", n)
		}
		if !slices.Equal(l, leaves(n)) {
			t.Fatalf("the root of %d leaves changed them", n)
		}
	}
	if !TreeRoot(nil).IsZero() {
		t.Error("the root of nothing is a digest")
	}
}

// TestInclusionPath walks every leaf of trees of every shape: full and ragged,
// of one to three levels.
func TestInclusionPath(t *testing.T) {
	for _, n := range []int{1, 2, 31, 32, 33, 63, 64, 65, 992, 993, 1000, 1023, 1024, 1025, 1056, 2047, 2048} {
		l := leaves(n)
		root := TreeRoot(l)
		for i := range n {
			p := InclusionPath(l, i)
			if err := p.Verify(l[i], root); err != nil {
				t.Fatalf("leaf %d of %d: %v", i, n, err)
			}
			b := p.AppendTo(nil)
			if len(b) > PathBytesMax || PathBytesMax > 2048 {
				t.Fatalf("the path of leaf %d of %d has %d bytes", i, n, len(b))
			}
			again, err := ParsePath(b)
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", i, n, err)
			}
			if again.Index != p.Index || again.Leaves != p.Leaves || !slices.Equal(again.Siblings, p.Siblings) {
				t.Fatalf("the path of leaf %d of %d came back another", i, n)
			}
		}
	}
}

// TestPathProvesNothingElse: a path leads only from its leaf, at its index, out
// of its number of leaves.
func TestPathProvesNothingElse(t *testing.T) {
	const n = 100
	l := leaves(n)
	root := TreeRoot(l)
	for _, i := range []int{0, 31, 32, 95, 96, 99} {
		p := InclusionPath(l, i)
		if p.Verify(numbered(n), root) == nil {
			t.Errorf("leaf %d: another leaf was accepted", i)
		}
		if p.Verify(l[i], numbered(n)) == nil {
			t.Errorf("leaf %d: another root was accepted", i)
		}
		for at := range p.Siblings {
			bad := p
			bad.Siblings = slices.Clone(p.Siblings)
			bad.Siblings[at][31] ^= 1
			if bad.Verify(l[i], root) == nil {
				t.Errorf("leaf %d: sibling %d was changed and accepted", i, at)
			}
		}
		for j := range uint32(n) {
			bad := p
			bad.Index = j
			if j != p.Index && bad.Verify(l[i], root) == nil {
				t.Errorf("leaf %d was accepted as leaf %d", i, j)
			}
		}
		bad := p
		bad.Index++ // the last leaf's path has the shape of one beyond it
		if bad.Index == n && bad.Verify(l[i], root) == nil {
			t.Error("a leaf beyond the last was accepted")
		}
		// An inner node is no leaf of a smaller tree.
		node := hashNode(l[:32])
		inner := Path{Leaves: 4, Siblings: []Digest{hashNode(l[32:64]), hashNode(l[64:96]), hashNode(l[96:])}}
		if got, err := inner.Root(node); err != nil || got != root {
			t.Fatalf("the inner path leads to %v, %v", got, err)
		}
		if BatchDigest(4, 0, root, noAuthorisation) == BatchDigest(n, 0, root, noAuthorisation) {
			t.Error("a batch's digest does not bind the number of leaves")
		}
	}
}

func TestPathRefusesOtherShapes(t *testing.T) {
	good := InclusionPath(leaves(100), 50)
	tests := map[string]func(*Path){
		"no leaves":           func(p *Path) { p.Leaves = 0 },
		"too many leaves":     func(p *Path) { p.Leaves = BatchVerticesMax + 1 },
		"all the leaves":      func(p *Path) { p.Leaves = 1<<32 - 1 },
		"index at the end":    func(p *Path) { p.Index = 100 },
		"largest index":       func(p *Path) { p.Index = 1<<32 - 1 },
		"a sibling missing":   func(p *Path) { p.Siblings = p.Siblings[1:] },
		"a sibling too many":  func(p *Path) { p.Siblings = append(slices.Clone(p.Siblings), numbered(1)) },
		"no siblings":         func(p *Path) { p.Siblings = nil },
		"a level more leaves": func(p *Path) { p.Leaves = 132 },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			p := good
			change(&p)
			if _, err := p.Root(numbered(50)); err == nil {
				t.Error("it led to a root")
			}
			if _, err := ParsePath(p.AppendTo(nil)); err == nil {
				t.Error("it was parsed")
			}
		})
	}
}

func TestParsePathExactLength(t *testing.T) {
	b := InclusionPath(leaves(100), 50).AppendTo(nil)
	for n := range len(b) {
		if _, err := ParsePath(b[:n]); err == nil {
			t.Fatalf("parsed the first %d of %d bytes", n, len(b))
		}
	}
	for _, more := range []int{1, 31, 32, 1 << 20} {
		long := append(bytes.Clone(b), make([]byte, more)...)
		var err error
		got := allocated(func() { _, err = ParsePath(long) })
		if err == nil {
			t.Errorf("parsed with %d bytes more", more)
		}
		if got > 4*PathBytesMax {
			t.Errorf("%d bytes were allocated for a path of %d", got, len(long))
		}
	}
}

func TestTreeRootAllocatesNothing(t *testing.T) {
	l := leaves(BatchVerticesMax)
	if n := testing.AllocsPerRun(10, func() { TreeRoot(l) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
